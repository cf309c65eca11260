"""Step 2: what the network learns from. The puzzles are shown before anything is trained."""

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QStackedWidget, QTabWidget

from sslstudio.engine.core.errors import ConfigError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.operations import command_calls as command_operations
from sslstudio.ui.operations import engine as engine_operations
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.puzzles.clinic_view import SuitView
from sslstudio.ui.pages.puzzles.explanation import ExplainedView
from sslstudio.ui.pages.puzzles.play import PlayDesk
from sslstudio.ui.pages.puzzles.puzzle_view import PuzzleGrid
from sslstudio.ui.pages.split import split_desk_of
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.busy_line import BusyState
from sslstudio.ui.widgets.layout import EmptyState, Notice, button, column, held, row, scrolled, side_panel, text
from sslstudio.ui.workspace.clinic import checkup_of
from sslstudio.ui.workspace.workspace import Study

if TYPE_CHECKING:
    from sslstudio.engine.tasks.base import Puzzle

PUZZLES = 12
SETTLE_MS = 350  # after the last change of an option


class PretextPage(Page):
    """Task, its options, and puzzles made from the user's own pictures."""

    def __init__(self, study: Study) -> None:
        super().__init__(
            study,
            self.tr("What to learn from"),
            self.tr("The network sets itself puzzles from your pictures. By solving them it learns what is in them."),
        )
        self._draw = 0
        self._job: jobs.Job | None = None
        self.checkup = checkup_of(study)
        self.checkup.changed.connect(self._show_suit)
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self.ask_puzzles)
        self.forward = self.next_button(self.tr("Next: pretrain"), "pretrain")
        self.end_with(None, self.forward)
        self._add_left()
        self._add_right()
        self.content.addLayout(row(self.left, self.right, gap=18), 1)
        study.engine_ready.connect(self._show_tasks)
        study.engine_broken.connect(self._show_tasks)
        study.pictures_changed.connect(self._pictures_changed)
        self._show_tasks()

    def _add_left(self) -> None:
        self.tasks = QListWidget()
        self.tasks.setAccessibleName(self.tr("Puzzles to choose from"))
        self.tasks.setObjectName("choices")
        self.tasks.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # all are in sight
        self.tasks.currentRowChanged.connect(self._choose)
        self.summary, self.paper = text(""), text("", "small")
        self.form = ConfigForm()
        self.form.changed.connect(self._options_changed)
        self.wrong = Notice()
        line = QFrame()
        line.setObjectName("line")
        line.setFixedHeight(1)
        about = column(self.tasks, self.summary, self.paper, line, self.wrong, (self.form, 1), gap=12)
        self.left = side_panel(about)

    def _add_right(self) -> None:
        self.another = button(self.tr("Other puzzles"), self.another_draw, icon="refresh")
        head = row(text(self.tr("From your own pictures"), "muted", wrap=False), None, self.another)
        self.grid = PuzzleGrid()
        self.waiting = BusyState("puzzle", self.tr("Loading…"), self.stop_puzzles, self.ask_puzzles)
        self.refused = EmptyState("warning", self.tr("This puzzle does not suit these pictures"), "")
        to_images = button(
            self.tr("Choose pictures"), lambda: self.study.wants_page.emit("images"), "primary", "images"
        )
        self.missing = EmptyState(
            "images",
            self.tr("No pictures yet"),
            self.tr("Choose a folder first; then its puzzles appear here."),
            to_images,
        )
        self.suit = SuitView()
        self.suit.change_wanted.connect(self.apply_change)
        self.suit.stop_wanted.connect(self.checkup.stop)
        self.suit.look_wanted.connect(self.checkup.ask)
        self.checkup.progressed.connect(self.suit.busy.show_progress)
        self.puzzles = scrolled(held(column(self.suit, self.grid, None, gap=18)))
        self.faces = QStackedWidget()
        for face in (self.waiting, self.missing, self.refused, self.puzzles):
            self.faces.addWidget(face)
        self.desk = PlayDesk(self.study, self.config)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(held(column(10, head, self.faces, gap=10)), self.tr("Puzzles"))
        self.explained = ExplainedView()
        self.tabs.addTab(self.explained, self.tr("Explained"))
        self.tabs.addTab(self.desk, self.tr("Play"))
        self.right = self.tabs

    # --- tasks and options

    def _show_tasks(self) -> None:
        engine = self.study.engine
        if self.study.engine_error is not None:
            self._wait(self.tr("The learning engine could not be loaded"), str(self.study.engine_error))
        elif engine is None:
            self._wait(self.tr("Loading…"), self.tr("The learning engine is being loaded. This takes some seconds."))
        self.left.setVisible(engine is not None)
        if engine is None:
            return
        self.tasks.blockSignals(True)
        self.tasks.clear()
        for facts in engine.tasks.values():
            self.tasks.addItem(QListWidgetItem(facts.title))
        self.tasks.setCurrentRow(list(engine.tasks).index(self.study.task))
        self.tasks.blockSignals(False)
        self.tasks.setFixedHeight(self.tasks.sizeHintForRow(0) * len(engine.tasks) + 4)
        self._show_task()

    def _choose(self, number: int) -> None:
        if self.study.engine is not None and number >= 0:
            name = list(self.study.engine.tasks)[number]
            self.study.choose_task(name, self.study.options[name])
            self._show_task()

    def choose_task(self, name: str) -> None:
        """Choose a task by its name."""
        if self.study.engine is not None:
            self.tasks.setCurrentRow(list(self.study.engine.tasks).index(name))

    def _show_task(self) -> None:
        facts = self.study.task_facts
        if facts is not None:
            self.summary.setText(facts.summary)
            self.paper.setText(facts.paper)
            self.form.show_config(self.study.options[facts.name])
            self.ask_puzzles()
            self._show_suit()

    def _options_changed(self) -> None:
        try:
            options = self.form.config()
        except ConfigError as error:  # two values that do not go together
            self.wrong.say(dialogs.error_text(error))
            return
        self.wrong.say("")
        if self.study.engine is not None and options != self.study.options[self.study.task]:
            self.study.choose_task(self.study.task, options)
            self._settling.start()

    # --- puzzles

    def _pictures_changed(self) -> None:
        self._draw = 0
        self._show_tasks()

    def _show_suit(self) -> None:
        if self.checkup.found is not None:
            self.suit.show_clinic(self.checkup.found.clinic, self.study.task, self.checkup.examples)
        elif self.checkup.under_way:
            self.suit.say_waiting()
        else:
            self.suit.say_nothing()

    def apply_change(self, change: str) -> None:
        """Take over a change of settings that a finding recommends: an option of this or another task
        ("jigsaw.field=0.5"), how the pictures are split ("data.groups=..."), or the network ("encoder.name=small")."""
        from sslstudio.engine.core.config import with_settings

        study, (key, _, _) = self.study, change.partition("=")
        section, _, name = key.partition(".")
        if study.engine is None:
            return
        if section in study.options:
            config = with_settings(self.config(section), [change], section)
            if section == study.task:
                study.choose_task(section, config.options)
                self.form.show_config(config.options)
            else:
                study.options[section] = config.options
                study.task_changed.emit()
        else:
            value = getattr(getattr(with_settings(self.config(), [change]), section), name)
            if section == "data":
                split_desk_of(study).set({name: value})
            else:
                study.keep_choices("pretrain", {**study.choices.get("pretrain", {}), name: value})
        study.said.emit(self.tr("Set: {0}").format(change))
        self.ask_puzzles()
        self.checkup.ask()

    def another_draw(self) -> None:
        """Puzzles from other pictures."""
        self._draw += 1
        self.ask_puzzles()

    def ask_puzzles(self) -> None:
        """Have the engine make puzzles; what was asked before is forgotten."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._settling.stop()
        self.desk.begin_anew()
        if self.study.recognised is None:
            self._face(self.missing)
        elif self.study.engine is not None:
            if self.faces.currentWidget() is not self.puzzles:
                self.waiting.wait(self.tr("Making puzzles…"))
                self._face(self.waiting)
            op = partial(engine_operations.puzzles_of, self.config(), PUZZLES, self._draw)
            self._job = jobs.run(op, self._take_puzzles, self._refuse, owner=self, progress=self._show_progress)

    def stop_puzzles(self) -> None:
        """Make no puzzles now."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self.waiting.stopped(self.tr("No puzzles were made"))

    def command(self) -> object:
        """Draw these puzzles into a file."""
        if self.study.engine is None or self.study.recognised is None:
            return None
        out = app_settings.home() / self.tr("Puzzles") / f"{self.study.new_run(self.study.task).name}.png"
        return command_operations.preview_words(self.config(), str(out), PUZZLES, self._draw)

    def config(self, task: str = "") -> Any:
        """The engine's PretrainConfig as far as puzzles need it, of the chosen task unless another is asked for."""
        from sslstudio.engine.training.config import PretrainConfig

        task = task or self.study.task
        return PretrainConfig(task=task, options=self.study.options[task], data=self.study.data_config())

    def _face(self, face: object) -> None:
        for known in (self.waiting, self.missing, self.refused, self.puzzles):
            if known is face:
                self.faces.setCurrentWidget(known)
        for one in (self.another, self.forward, self.copy):
            one.setEnabled(face is self.puzzles)

    def _wait(self, heading: str, explanation: str) -> None:
        self.waiting.say(heading, explanation)
        self._face(self.waiting)

    def _show_progress(self, said: Preparing) -> None:
        # The pictures that the puzzles there were made of are read already: others of the same come at once.
        if self.faces.currentWidget() is self.waiting:
            self.waiting.busy.show_progress(said)

    def _take_puzzles(self, puzzles: list["Puzzle"]) -> None:
        self._job = None
        self.grid.show_puzzles(puzzles)
        if self.study.task_facts is not None and puzzles:
            self.explained.explain(self.study.task_facts, puzzles[0])
        self._face(self.puzzles)

    def _refuse(self, error: Exception) -> None:
        self._job = None
        self.refused.explanation.setText(dialogs.error_text(error))
        self.explained.say_nothing()
        self._face(self.refused)
        if not isinstance(error, StudioError):
            dialogs.tell_error(self, error)
