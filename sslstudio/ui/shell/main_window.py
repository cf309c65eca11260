"""The window: the steps on the left, the page of the current step, a line that says what goes on."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QLabel, QMainWindow, QStackedWidget, QWidget

from sslstudio.engine.core.events import Event, StepDone
from sslstudio.engine.images.index import printable
from sslstudio.ui.background import jobs
from sslstudio.ui.background.turns import in_turn
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.resources import icon
from sslstudio.ui.base.theme import theme
from sslstudio.ui.forms.run_settings import setting_titles
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.spec import EXPERT, HOME, SIMPLE, PageSpec, Way, all_specs, page_specs
from sslstudio.ui.shell.autosave import Autosave
from sslstudio.ui.shell.closing import Closing
from sslstudio.ui.shell.drop_hint import DropHint
from sslstudio.ui.shell.drop_target import Opener, recognise_drop, recognise_paths
from sslstudio.ui.shell.help import Help
from sslstudio.ui.shell.help_key import HelpKey
from sslstudio.ui.shell.manual import spoken_language
from sslstudio.ui.shell.menus import Commands, build_menus, fill_go
from sslstudio.ui.shell.palette import Entry, Palette
from sslstudio.ui.shell.palette_entries import (
    button_entries,
    manual_entries,
    menu_entries,
    named_settings,
    setting_entries,
)
from sslstudio.ui.shell.preferences import Preferences
from sslstudio.ui.shell.preferences_form import PreferencesForm
from sslstudio.ui.shell.project_menu import ProjectFile
from sslstudio.ui.shell.recovery import Recovery
from sslstudio.ui.shell.run_notifier import RunNotifier
from sslstudio.ui.shell.step_list import StepList
from sslstudio.ui.shell.tab_order import ReadingOrder
from sslstudio.ui.shell.tour import Tour
from sslstudio.ui.text import formatting
from sslstudio.ui.viewer.controller import ViewerController
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import press_focused
from sslstudio.ui.widgets.layout import button, column, retitle, row
from sslstudio.ui.workspace.workspace import Change, Workspace


class MainWindow(QMainWindow):
    """Owns the workspace and the pages."""

    def __init__(self) -> None:
        super().__init__()
        theme().follow(app_settings.appearance())
        self.workspace = Workspace(self)
        self.opener = Opener(self.workspace, self)
        self.opener.run_wanted.connect(self._show_run)
        self.autosave, self.project_file = Autosave(self.workspace, self), ProjectFile(self.workspace, self)
        self.specs = {spec.name: spec for spec in all_specs()}
        self.help = Help(self, self.workspace, page_specs())
        self.notifier = RunNotifier(self.workspace.runner, self)
        self.notifier.awake.trouble.connect(self.workspace.cannot)
        self.viewer = ViewerController(self.workspace, self)
        self.preferences = Preferences(self, self.workspace, self.notifier)
        self.recovery = Recovery(self.workspace, self.opener, self)
        self.setWindowTitle("SSL Studio")
        self.setWindowIcon(icon("app", "#000000"))
        self.setAcceptDrops(True)
        self.setMinimumSize(1000, 640)
        self.closing = Closing(self.workspace, self)
        self.steps = StepList()
        self.tour = Tour(self, self.workspace, self.steps, lambda: page_specs(self.way), self.go)
        self.stack = QStackedWidget()
        self.stack.setObjectName("pages")
        self.pages: dict[str, Page] = {}
        self._begun: dict[str, Page] = {}  # they, and those that are made just now
        self._awaited = ""  # the page that comes into sight when it is whole
        self.way: Way = EXPERT if app_settings.expert() else SIMPLE
        self.shown = ""
        self.setCentralWidget(ReadingOrder(row(self._make_side(), self.stack, gap=0)))
        self.hint = DropHint(self)
        self.palette_ = Palette(self, self._gather_commands)
        self.help_key = HelpKey(self, self._show_help)
        self._add_menus()
        self._add_status()
        self._listen()
        self._show_way()
        self.go(HOME[self.way])
        if not self.restoreGeometry(app_settings.geometry()):
            self.resize(1280, 800)

    # --- building

    def _make_side(self) -> QWidget:
        """The steps, and below them the switch between the two ways."""
        self.steps.chosen.connect(self.visit)
        self.switch = button("", lambda: self.take_way(SIMPLE if self.way == EXPERT else EXPERT), "link")
        side = self.side = QFrame()
        side.setObjectName("side")
        foot = row(self.switch, None)
        foot.setContentsMargins(14, 4, 8, 12)
        side.setLayout(column((self.steps, 1), foot, gap=0))
        side.setFixedWidth(self.steps.width())
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A small window leaves its room to the page."""
        self.steps.fit(self.width())
        self.side.setFixedWidth(self.steps.width())
        super().resizeEvent(event)

    def take_way(self, way: Way, to: str = "") -> None:
        """Show the pages of the other way, its first one unless a person is on the way `to` another; what is open and
        what goes on stays as it is."""
        if way != self.way:
            self.way = way
            app_settings.set_expert(way == EXPERT)
            self.tour.end_unseen()
            self._show_way()
            if not to:
                self.go(HOME[way])

    def _show_way(self) -> None:
        expert = self.way == EXPERT
        self.steps.empty()
        specs = page_specs(self.way)
        for spec in specs:
            self.steps.add_step(spec.name, spec.title(), spec.icon)
        fill_go(self.actions_.go, {spec.name: spec.title() for spec in specs}, self.visit)
        self.actions_.expert.setChecked(expert)
        retitle(self.switch, self.tr("Simple way") if expert else self.tr("Expert: all settings"), with_icon=False)
        self.switch.setToolTip(
            self.tr("One goal and one button on one page.") if expert
            else self.tr("Every step on a page of its own, with everything that can be set.")
        )  # fmt: skip
        self._say_states()

    def _add_menus(self) -> None:
        project = self.project_file
        commands = Commands(
            open_folder=self._choose_folder, add_folder=self._add_folder, open_project=self._choose_project,
            open_file=self._choose_file, open_sample=self.workspace.open_sample, rename_project=project.rename,
            copy_project=project.copy, show_project=project.show, show_home=self._show_home,
            preferences=self.preferences.show, expert=lambda on: self.take_way(EXPERT if on else SIMPLE),
            start=self._start, pause=self._pause, stop=self._stop, copy=self._copy, tour=self.tour.begin,
            keys=self.help.keys, report=self.help.report, about=self.help.about,
            licences=self.help.licences, manual=self._show_manual,
            palette=lambda: self.palette_.open(),
        )  # fmt: skip
        self.actions_ = build_menus(self, commands)

    def _add_status(self) -> None:
        self.told = QLabel()
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.statusBar().addWidget(self.told, 1)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().setContentsMargins(10, 0, 10, 0)

    def _listen(self) -> None:
        workspace, runner = self.workspace, self.workspace.runner
        workspace.wants_page.connect(self._lead)
        workspace.wants_page_now.connect(self._lead_at_once)
        workspace.wants_expert.connect(self._show_expert)
        workspace.wants_file.connect(self._choose_file)
        workspace.said.connect(self.told.setText)
        workspace.opening.connect(self._say_opening)
        workspace.changed.connect(lambda _: self._say_states())
        workspace.call_on(Change.ENGINE, self._load_pages)
        runner.started.connect(lambda _: self._say_states())
        runner.events.connect(self._follow)
        runner.ended.connect(self._note_run_end)
        self._say_states()

    def _load_pages(self) -> None:
        """Import the pages before they are first gone to, one a turn. On this thread: the first use of a class of Qt
        makes it, and the program was seen to crash when a page was built here while another was imported elsewhere."""
        for spec in self.specs.values():
            in_turn(self, spec.load)

    # --- the steps

    def visit(self, name: str) -> None:
        """Show the page of a step that a person goes to. One that is not there yet is made in parts, a turn of the loop
        each, and comes into sight when it is whole: until then the page before it can be used."""
        if self._awaited == name:
            return  # it is being made
        self._awaited = name
        self.steps.choose(name)
        if name in self.pages:
            self.go(name)
        else:
            self._build(name)

    def _build(self, name: str) -> None:
        """The next part of it, unless a person has gone elsewhere meanwhile."""
        if self._awaited != name:
            return
        if self._begin(name).build_part():
            self.go(name)
        else:
            in_turn(self, partial(self._build, name))

    def _begin(self, name: str) -> Page:
        """The page, whole or not; a new one has no part yet."""
        if name not in self._begun:
            self._begun[name] = self.specs[name].load()(self.workspace)
            self.stack.addWidget(self._begun[name])
        return self._begun[name]

    def go(self, name: str) -> None:
        """Show the page of a step, at once."""
        self._awaited = ""
        if name not in self.pages:
            self.pages[name] = self._begin(name).complete()
        if self.stack.isAncestorOf(QApplication.focusWidget() or self):
            self.steps.setFocus()  # else Qt gives it to whatever comes first on the page
        self.shown = name
        self.stack.setCurrentWidget(self.pages[name])
        self.steps.choose(name)

    def _lead(self, name: str) -> None:
        """A page leads on to another one: on the simple way all but its own pages are one."""
        self.visit(self._page_of_way(name))

    def _lead_at_once(self, name: str) -> None:
        self.go(self._page_of_way(name))

    def _page_of_way(self, name: str) -> str:
        return name if self.way in self.specs[name].ways else HOME[self.way]

    def _show_expert(self, name: str) -> None:
        self.take_way(EXPERT, name)
        self.visit(name)

    def _say_states(self) -> None:
        workspace, runner = self.workspace, self.workspace.runner
        for spec in self.specs.values():
            state = spec.state(workspace)
            self.steps.say(spec.name, state.said, state.done)
        self.actions_.start.setEnabled(not runner.active)
        for action in (self.actions_.pause, self.actions_.stop):
            action.setEnabled(runner.active)
            action.setStatusTip("" if runner.active else self.tr("Nothing is being trained."))
        if not runner.active:
            self.told.setText(self._engine_state())

    def _say_opening(self, said: object) -> None:
        """What is being opened, beside the step and in the status bar: one may look at another page."""
        name = printable(self.workspace.opening_name)
        if said is None:
            self._say_states()
        elif name and self.told.text() != (opening := self.tr("Opening “{0}” …").format(name)):
            self.told.setText(opening)
            self.steps.say(HOME[self.way], self.tr("Opening …"), False)

    def _engine_state(self) -> str:
        if self.workspace.engine_error is not None:
            return self.tr("The learning engine could not be loaded")
        return "" if self.workspace.engine else self.tr("The learning engine is being loaded …")

    def _follow(self, job: str, events: list[Event]) -> None:
        steps = [event for event in events if isinstance(event, StepDone)]
        if steps:
            titles = {"pretrain": self.tr("Pretraining"), "compare": self.tr("Comparing")}
            title = titles.get(job, self.tr("Fine-tuning")) if self.way == EXPERT else self.tr("Learning")
            last = steps[-1]
            speed = self.tr("{0} pictures a second").format(formatting.number(last.pictures_per_second))
            left = "" if job == "compare" else formatting.time_to_go(last.seconds_left)  # of one run of many
            self.told.setText(formatting.facts_line([title, left, speed if self.way == EXPERT else ""]))

    def _note_run_end(self) -> None:
        self._say_states()
        self.closing.close_after_run()

    # --- commands

    def _go_home(self) -> Page:
        self.go(HOME[self.way])
        return self.pages[HOME[self.way]]

    def _choose_folder(self) -> None:
        self._go_home().choose_folder()

    def _add_folder(self) -> None:
        self.take_way(EXPERT)  # which of several is what is seen there
        self._go_home().add_folder()

    def _choose_project(self) -> None:
        start = self.workspace.runs_folder.parent.parent
        folder = dialogs.choose_folder(self, self.tr("Choose the folder of a project"), start)
        if folder is not None:
            self._go_home()
            self.opener.open_project(folder)

    def _choose_file(self) -> None:
        """Whatever can be dropped as a file can be chosen, too."""
        kinds = self.tr("Zip, labels (CSV, TSV, COCO), project (*.zip *.csv *.tsv *.json sslstudio.toml)")
        file = dialogs.choose_file(self, self.tr("Open a file"), kinds, self.workspace.folder)
        what = recognise_paths([file]) if file is not None else None
        if what is not None and self.workspace.may_open():
            self._go_home()
            self.opener.open(what)

    def _current(self) -> Page:
        return self.pages[self.shown]

    def _start(self) -> None:
        self._current().start_run()

    def _pause(self) -> None:
        page = self.pages.get(self.workspace.runner.job)
        if page is not None:
            page.toggle_pause()
        else:
            self.workspace.runner.toggle_pause()

    def _stop(self) -> None:
        page = self.pages.get(self.workspace.runner.job)
        if page is not None:
            page.ask_stop()
        else:
            self.workspace.runner.stop()

    def _copy(self) -> None:
        self._current().copy.wanted.emit()

    def _show_manual(self) -> None:
        self.help.manual(self.specs[self.shown].manual)

    def _show_help(self, place: str, dialog: QDialog | None) -> None:
        self.help.manual(place or self.specs[self.shown].manual, dialog)

    def _gather_commands(self) -> list[Entry]:
        """Everything that the window can do now, for the palette."""
        page, title = self._current(), self.specs[self.shown].title()
        found = [*button_entries(page, title), *menu_entries(self.menuBar())]
        for spec in self.specs.values():
            if self.way not in spec.ways:
                found.append(Entry(spec.title(), self.tr("Page of the other way"), partial(self._cross_to, spec)))
        for spec in self.specs.values():
            found += self._settings_of(spec)
        titles = PreferencesForm()
        lines = setting_entries(titles, self.tr("Preferences"), lambda: titles)
        found += [replace(one, do=self.preferences.show) for one in lines]
        titles.deleteLater()
        return [*found, *manual_entries(spoken_language(), self.help.manual)]

    def _settings_of(self, spec: PageSpec) -> list[Entry]:
        """The settings of a page that is made, and of those that train before they are."""
        lead = partial(self._cross_to, spec)
        names: list[str] = []
        if self.workspace.engine is not None and spec.name in ("pretrain", "finetune"):
            names = setting_titles(starting=spec.name == "pretrain")
        shown = setting_entries(self.pages[spec.name], spec.title(), lead) if spec.name in self.pages else ()
        unlike = {one.title: one for one in (*shown, *named_settings(names, spec.title(), lead))}
        return list(unlike.values())

    def _cross_to(self, spec: PageSpec) -> Page:
        if self.way not in spec.ways:
            self.take_way(EXPERT if EXPERT in spec.ways else SIMPLE, spec.name)
        self.go(spec.name)
        return self.pages[spec.name]

    def _show_home(self) -> None:
        home = app_settings.home()
        home.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(home)))

    # --- what is dropped anywhere

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders and files, unless a training goes on."""
        what = recognise_drop(event.mimeData())
        if what is not None and self.workspace.may_open():
            event.acceptProposedAction()
            self._show_hot(True)
            if self.workspace.recognised is not None:  # else the page has a field for it
                self.hint.say(what.path.name)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It was carried away."""
        self._show_hot(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self._show_hot(False)
        what = recognise_drop(event.mimeData())
        if what is not None:
            event.acceptProposedAction()
            self._go_home()
            self.opener.open(what)

    def _show_hot(self, hot: bool) -> None:
        for page in self.pages.values():
            page.show_drop(hot)
        if not hot:
            self.hint.hide()

    def open_folder(self, folder: Path) -> None:
        """Look for pictures in a folder, and show them."""
        self._go_home()
        self.workspace.open_folder(folder)

    def _show_run(self, job: str, run: Path, go_on: bool) -> None:
        self.take_way(EXPERT, job)  # where runs are looked at
        self.go(job)
        page = self.pages[job]
        if go_on:
            page.resume_run(run)
        else:
            page.open_run(run)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus."""
        if not press_focused(event, self):
            super().keyPressEvent(event)

    # --- closing

    def closeEvent(self, event: QCloseEvent) -> None:
        """Not while a run goes on: it saves itself first."""
        if not self.closing.may():
            event.ignore()
            return
        app_settings.set_geometry(self.saveGeometry())
        self._awaited = ""
        jobs.cancel_all()
        self.autosave.finish()
        self.notifier.finish()
        self.help_key.finish()
        self.help.finish()
        self.viewer.finish()
        for page in self.pages.values():
            page.finish()
        super().closeEvent(event)
