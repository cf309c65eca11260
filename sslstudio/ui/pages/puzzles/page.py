"""What the network learns from. The puzzles are shown before anything is trained."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QPushButton, QStackedWidget, QTabWidget

from sslstudio.engine.core.errors import ConfigError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import tint
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.puzzles.clinic_view import ClinicView
from sslstudio.ui.pages.puzzles.explanation import ExplanationView
from sslstudio.ui.pages.puzzles.play import PlayTab
from sslstudio.ui.pages.puzzles.puzzle_view import PuzzleGrid
from sslstudio.ui.pages.split import split_of
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.job_row import BusyState
from sslstudio.ui.widgets.layout import (
    EmptyState,
    Notice,
    button,
    column,
    make_scrollable,
    retitle,
    row,
    side_panel,
    text,
    wrap_layout,
)
from sslstudio.ui.workspace.clinic import clinic_of
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.tasks.base import Puzzle

PUZZLES = 12
SETTLE_MS = 350  # after the last change of an option


class PretextPage(Page):
    """Task, its options, and puzzles made from the user's own pictures."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace,
            self.tr("What to learn from"),
            self.tr("The network sets itself puzzles from your pictures. By solving them it learns what is in them."),
        )
        self._draw = 0
        self._job: jobs.Job | None = None
        self.clinic = clinic_of(workspace)
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self.ask_puzzles)
        self.forward = self.next_button(self.tr("Next: pretrain"), "pretrain")
        self.end_with(None, self.forward)

    def build(self) -> Iterator[None]:
        """Tasks and options on the left, a tab each on the right."""
        beside = row(gap=18)
        self.content.addLayout(beside, 1)
        self._add_left()
        beside.addWidget(self.left)
        yield
        self.tabs = self.right = QTabWidget()
        self.tabs.setDocumentMode(True)
        beside.addWidget(self.right)
        self._add_right()
        yield
        self.explained = ExplanationView()
        self.tabs.addTab(self.explained, self.tr("Explained"))
        yield
        self.play = PlayTab(self.workspace, self.config)
        self.tabs.addTab(self.play, self.tr("Play"))
        yield
        self.clinic.changed.connect(self._show_clinic)
        self.workspace.call_on(Change.ENGINE, self._show_tasks)
        self.workspace.call_on(Change.PICTURES, self._take_pictures)
        self._show_tasks()

    def _add_left(self) -> None:
        self.tasks = QListWidget()
        self.tasks.setAccessibleName(self.tr("Puzzles to choose from"))
        self.tasks.setObjectName("choices")
        self.tasks.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # all are in sight
        self.tasks.currentRowChanged.connect(self._choose)
        self._order: list[str] = []  # the tasks as the list has them
        self._first = 0  # how many of them are to be tried first
        self._unfolded = False
        self.others = button("", self.toggle_others, "link", "right")
        self.others.setAccessibleDescription(self.tr("Opens and closes the other puzzles"))
        self.why = text("", "small")
        self.summary, self.paper = text(""), text("", "small")
        self.form = ConfigForm()
        self.form.changed.connect(self._take_options)
        self.wrong = Notice()
        line = QFrame()
        line.setObjectName("line")
        line.setFixedHeight(1)
        head = text(self.tr("Best for your pictures"), "field", wrap=False)
        about = column(
            head,
            self.tasks,
            row(self.others, None),
            self.why,
            self.summary,
            self.paper,
            line,
            self.wrong,
            (self.form, 1),
            gap=12,
        )
        self.left = side_panel(about)

    def _add_right(self) -> None:
        self.another = button(self.tr("Other puzzles"), self.another_draw, icon="refresh")
        head = row(text(self.tr("From your own pictures"), "muted", wrap=False), None, self.another)
        self.grid = PuzzleGrid()
        self.waiting = BusyState("puzzle", self.tr("Loading…"), self.stop_puzzles, self.ask_puzzles)
        self.refused = EmptyState("warning", self.tr("This puzzle does not suit these pictures"), "")
        to_images = button(
            self.tr("Choose pictures"), lambda: self.workspace.wants_page.emit("images"), "primary", "images"
        )
        self.missing = EmptyState(
            "images",
            self.tr("No pictures yet"),
            self.tr("Choose a folder first; then its puzzles appear here."),
            to_images,
        )
        self.clinic_view = ClinicView()
        self.clinic_view.changes_wanted.connect(self.apply_changes)
        self.clinic_view.stop_wanted.connect(self.clinic.stop)
        self.clinic_view.look_wanted.connect(self.clinic.ask)
        self.clinic.progressed.connect(self.clinic_view.busy.show_progress)
        self.puzzles = make_scrollable(wrap_layout(column(self.clinic_view, self.grid, None, gap=18)))
        self.faces = QStackedWidget()
        for face in (self.waiting, self.missing, self.refused, self.puzzles):
            self.faces.addWidget(face)
        self.tabs.addTab(wrap_layout(column(10, head, self.faces, gap=10)), self.tr("Puzzles"))

    # --- tasks and options

    def _show_tasks(self) -> None:
        engine = self.workspace.engine
        if self.workspace.engine_error is not None:
            self._wait(self.tr("The learning engine could not be loaded"), str(self.workspace.engine_error))
        elif engine is None:
            self._wait(self.tr("Loading…"), self.tr("The learning engine is being loaded. This takes some seconds."))
        self.left.setVisible(engine is not None)
        if engine is None:
            return
        self._list_tasks()
        self._show_task()

    def _list_tasks(self) -> None:
        """Those to try first, by what was measured and what the clinic found; the others folded below them."""
        from sslstudio.engine.clinic.recommend import recommend

        engine, found, recognised = self.workspace.engine, self.clinic.found, self.workspace.recognised
        if engine is None:
            return
        masks = recognised is not None and recognised.masks is not None and not recognised.classes
        suits = {name: found.clinic.suits(name).word for name in engine.tasks} if found is not None else {}
        ordered = recommend(list(engine.tasks), suits, masks=masks)
        self._order, self._first = [one.task for one in ordered], sum(one.first for one in ordered)
        self.tasks.blockSignals(True)
        self.tasks.clear()
        for one in ordered:
            item = QListWidgetItem(engine.tasks[one.task].title)
            item.setToolTip(formatting.render(one.why))
            self.tasks.addItem(item)
        self.tasks.setCurrentRow(self._order.index(self.workspace.task))
        self.tasks.blockSignals(False)
        self._fold_others()

    def toggle_others(self) -> None:
        """Show the other puzzles, or put them away."""
        self._unfolded = not self._unfolded
        self._fold_others()

    def _fold_others(self) -> None:
        """The chosen one stays in sight, wherever it stands."""
        chosen = self.tasks.currentRow()
        shown = [self._unfolded or at < self._first or at == chosen for at in range(len(self._order))]
        for at, one in enumerate(shown):
            self.tasks.setRowHidden(at, not one)
        self.tasks.setFixedHeight(self.tasks.sizeHintForRow(0) * sum(shown) + 4)
        said = self.tr("Fewer puzzles") if self._unfolded else self.tr("Other puzzles to learn from")
        retitle(self.others, said)
        tint(self.others, "down" if self._unfolded else "right", "accent")
        item = self.tasks.item(chosen)
        self.why.setText(f"{item.text()}: {item.toolTip()}" if item is not None else "")

    def _choose(self, number: int) -> None:
        if self.workspace.engine is not None and number >= 0:
            name = self._order[number]
            self._fold_others()
            self.workspace.choose_task(name, self.workspace.options[name])
            self._show_task()

    def choose_task(self, name: str) -> None:
        """Choose a task by its name."""
        if self.workspace.engine is not None:
            self.tasks.setCurrentRow(self._order.index(name))

    def _show_task(self) -> None:
        facts = self.workspace.task_facts
        if facts is not None:
            self.summary.setText(facts.summary)
            self.paper.setText(facts.paper)
            self.form.show_config(self.workspace.options[facts.name])
            self.ask_puzzles()
            self._show_clinic()

    def _take_options(self) -> None:
        try:
            options = self.form.config()
        except ConfigError as error:  # two values that do not go together
            self.wrong.say(dialogs.error_text(error))
            return
        self.wrong.say("")
        if self.workspace.engine is not None and options != self.workspace.options[self.workspace.task]:
            self.workspace.choose_task(self.workspace.task, options)
            self._settling.start()

    # --- puzzles

    def _take_pictures(self) -> None:
        self._draw = 0
        self._show_tasks()

    def _show_clinic(self) -> None:
        self._list_tasks()
        if self.clinic.found is not None:
            self.clinic_view.show_clinic(self.clinic.found.clinic, self.workspace.task, self.clinic.examples)
        elif self.clinic.under_way:
            self.clinic_view.say_waiting()
        else:
            self.clinic_view.say_nothing()

    def apply_changes(self, changes: tuple[str, ...]) -> None:
        """Take over the changes of settings that a finding recommends together."""
        for change in changes:
            self._set(change)
        self.ask_puzzles()
        self.clinic.ask()

    def apply_change(self, change: str) -> None:
        """Take over a change of settings: an option of this or another task ("jigsaw.min_crop_side=0.5"), how the
        pictures are split ("data.groups=..."), or the network ("encoder.name=small"). An alarm of an old run calls it
        by the name of its time."""
        self.apply_changes((change,))

    def _set(self, change: str) -> None:
        from sslstudio.engine.core.config import with_settings
        from sslstudio.engine.core.migrations import current_key

        workspace, (key, _, value) = self.workspace, change.partition("=")
        key = current_key(key)
        change, (section, _, name) = f"{key}={value}", key.partition(".")
        if workspace.engine is None:
            return
        if section in workspace.options:
            config = with_settings(self.config(section), [change], section)
            if section == workspace.task:
                workspace.choose_task(section, config.options)
                self.form.show_config(config.options)
            else:
                workspace.options[section] = config.options
                workspace.changed.emit(Change.TASK)
        else:
            chosen = getattr(getattr(with_settings(self.config(), [change]), section), name)
            if section == "data":
                split_of(workspace).set({name: chosen})
            else:
                workspace.keep_choices("pretrain", {**workspace.choices.get("pretrain", {}), name: chosen})
        workspace.said.emit(self.tr("Set: {0}").format(change))

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
        self.play.begin_anew()
        if self.workspace.recognised is None:
            self._face(self.missing)
        elif self.workspace.engine is not None:
            if self.faces.currentWidget() is not self.puzzles:
                self.waiting.wait(self.tr("Making puzzles…"))
                self._face(self.waiting)
            op = partial(picture_operations.make_puzzles, self.config(), PUZZLES, self._draw)
            self._job = jobs.run(op, self._take_puzzles, self._refuse, owner=self, progress=self._show_progress)

    def stop_puzzles(self) -> None:
        """Make no puzzles now."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self.waiting.show_stop(self.tr("No puzzles were made"))

    def command(self) -> object:
        """Draw these puzzles into a file."""
        if self.workspace.engine is None or self.workspace.recognised is None:
            return None
        out = app_settings.home() / self.tr("Puzzles") / f"{self.workspace.new_run(self.workspace.task).name}.png"
        return run_operations.word_preview(self.config(), str(out), PUZZLES, self._draw)

    def config(self, task: str = "") -> Any:
        """The engine's PretrainConfig as far as puzzles need it, of the chosen task unless another is asked for."""
        from sslstudio.engine.training.config import PretrainConfig

        task = task or self.workspace.task
        return PretrainConfig(task=task, options=self.workspace.options[task], data=self.workspace.data_config())

    def _face(self, face: object) -> None:
        for known in (self.waiting, self.missing, self.refused, self.puzzles):
            if known is face:
                self.faces.setCurrentWidget(known)
        for one in (self.another, self.forward, self.copy):
            offer(one, unless=self._reason_against(one, face))

    def _reason_against(self, one: QPushButton, face: object) -> str:
        """Why a button cannot be pressed. The way on does not wait for puzzles: they only show what is learnt from."""
        if self.workspace.recognised is None:
            return self.tr("Choose pictures first.")
        if self.workspace.engine is None:
            return self.tr("The learning engine is being loaded.")
        if one is self.another and face is self.waiting:
            return self.tr("Puzzles are being made.")
        return self.tr("This puzzle does not suit these pictures. Choose another one.") if face is self.refused else ""

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
        if self.workspace.task_facts is not None and puzzles:
            self.explained.explain(self.workspace.task_facts, puzzles[0])
        self._face(self.puzzles)

    def _refuse(self, error: Exception) -> None:
        self._job = None
        self.refused.explanation.setText(dialogs.error_text(error))
        self.explained.say_nothing()
        self._face(self.refused)
        if not isinstance(error, StudioError):
            dialogs.tell_error(self, error)
