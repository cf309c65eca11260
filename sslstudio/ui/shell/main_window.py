"""The window: the steps on the left, the page of the current step, a line that says what goes on."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QStackedWidget

from sslstudio.engine.core.events import Event, StepDone
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.resources import icon
from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.spec import page_specs
from sslstudio.ui.shell.autosave import Autosave
from sslstudio.ui.shell.closing import Closing
from sslstudio.ui.shell.drop_target import Opener, recognise_drop
from sslstudio.ui.shell.help import Help
from sslstudio.ui.shell.menus import Commands, build_menus
from sslstudio.ui.shell.preferences import Preferences
from sslstudio.ui.shell.project_menu import ProjectFile
from sslstudio.ui.shell.recovery import Recovery
from sslstudio.ui.shell.run_notifier import RunNotifier
from sslstudio.ui.shell.step_list import StepList
from sslstudio.ui.shell.tab_order import ReadingOrder
from sslstudio.ui.shell.tour import Tour
from sslstudio.ui.text import formatting
from sslstudio.ui.viewer.controller import ViewerController
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import row
from sslstudio.ui.workspace.workspace import Workspace


class MainWindow(QMainWindow):
    """Owns the workspace and the pages."""

    def __init__(self) -> None:
        super().__init__()
        theme().follow(app_settings.appearance())
        self.workspace = Workspace(self)
        self.opener = Opener(self.workspace, self)
        self.opener.run_wanted.connect(self._show_run)
        self.autosave, self.project_file = Autosave(self.workspace, self), ProjectFile(self.workspace, self)
        self.specs = {spec.name: spec for spec in page_specs()}
        self.help = Help(self, self.workspace, self.specs.values())
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
        self.tour = Tour(self, self.workspace, self.steps, self.specs.values(), self.go)
        self.stack = QStackedWidget()
        self.stack.setObjectName("pages")
        self.pages: dict[str, Page] = {}
        self.setCentralWidget(ReadingOrder(row(self.steps, self.stack, gap=0)))
        self._add_steps()
        self._add_menus()
        self._add_status()
        self._listen()
        self.go("images")
        if not self.restoreGeometry(app_settings.geometry()):
            self.resize(1280, 800)

    # --- building

    def _add_steps(self) -> None:
        for spec in self.specs.values():
            self.steps.add_step(spec.name, spec.title(), spec.icon)
        self.steps.chosen.connect(self.go)

    def _add_menus(self) -> None:
        project = self.project_file
        commands = Commands(
            open_folder=self._choose_folder, add_folder=self._add_folder, open_project=self._choose_project,
            open_sample=self.workspace.open_sample, rename_project=project.rename, copy_project=project.copy,
            show_project=project.show, show_home=self._show_home, preferences=self.preferences.show,
            go=self.go, start=self._start, pause=self._pause,
            stop=self._stop, copy=self._copy, tour=self.tour.begin, keys=self.help.keys, report=self.help.report,
            about=self.help.about, licences=self.help.licences, manual=self._show_manual,
        )  # fmt: skip
        self.actions_ = build_menus(self, commands, {spec.name: spec.title() for spec in self.specs.values()})

    def _add_status(self) -> None:
        self.told = QLabel()
        self.statusBar().addWidget(self.told, 1)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().setContentsMargins(10, 0, 10, 0)

    def _listen(self) -> None:
        workspace, runner = self.workspace, self.workspace.runner
        workspace.wants_page.connect(self.go)
        workspace.said.connect(self.told.setText)
        workspace.changed.connect(lambda _: self._say_states())
        runner.started.connect(lambda _: self._say_states())
        runner.events.connect(self._follow)
        runner.ended.connect(self._note_run_end)
        self._say_states()

    # --- the steps

    def go(self, name: str) -> None:
        """Show the page of a step."""
        if name not in self.pages:
            self.pages[name] = self.specs[name].load()(self.workspace)
            self.stack.addWidget(self.pages[name])
        if self.stack.isAncestorOf(QApplication.focusWidget() or self):
            self.steps.setFocus()  # else Qt gives it to whatever comes first on the page
        self.stack.setCurrentWidget(self.pages[name])
        self.steps.choose(name)

    def _say_states(self) -> None:
        workspace, runner = self.workspace, self.workspace.runner
        for spec in self.specs.values():
            state = spec.state(workspace)
            self.steps.say(spec.name, state.said, state.done)
        self.actions_.start.setEnabled(not runner.active)
        self.actions_.pause.setEnabled(runner.active)
        self.actions_.stop.setEnabled(runner.active)
        if not runner.active:
            self.told.setText(self._engine_state())

    def _engine_state(self) -> str:
        if self.workspace.engine_error is not None:
            return self.tr("The learning engine could not be loaded")
        return self.tr("Ready") if self.workspace.engine else self.tr("The learning engine is being loaded …")

    def _follow(self, job: str, events: list[Event]) -> None:
        steps = [event for event in events if isinstance(event, StepDone)]
        if steps:
            titles = {"pretrain": self.tr("Pretraining"), "compare": self.tr("Comparing")}
            title = titles.get(job, self.tr("Fine-tuning"))
            last = steps[-1]
            speed = self.tr("{0} pictures a second").format(formatting.number(last.pictures_per_second))
            left = "" if job == "compare" else formatting.time_to_go(last.seconds_left)  # of one run of many
            self.told.setText(formatting.facts_line([title, left, speed]))

    def _note_run_end(self) -> None:
        self._say_states()
        self.closing.close_after_run()

    # --- commands

    def _images(self) -> ImagesPage:
        self.go("images")
        page = self.pages["images"]
        assert isinstance(page, ImagesPage)
        return page

    def _choose_folder(self) -> None:
        self._images().choose_folder()

    def _add_folder(self) -> None:
        self._images().add_folder()

    def _choose_project(self) -> None:
        start = self.workspace.runs_folder.parent.parent
        folder = dialogs.choose_folder(self, self.tr("Choose the folder of a project"), start)
        if folder is not None:
            self.go("images")
            self.opener.open_project(folder)

    def _current(self) -> Page:
        return self.pages[self.steps.chosen_step]

    def _start(self) -> None:
        self._current().start_run()

    def _pause(self) -> None:
        if self.workspace.runner.job in self.pages:
            self.pages[self.workspace.runner.job].toggle_pause()

    def _stop(self) -> None:
        page = self.pages.get(self.workspace.runner.job)
        if page is not None:
            page.ask_stop()
        else:
            self.workspace.runner.stop()

    def _copy(self) -> None:
        self._current().copy.wanted.emit()

    def _show_manual(self) -> None:
        self.help.manual(self.specs[self.steps.chosen_step].manual)

    def _show_home(self) -> None:
        home = app_settings.home()
        home.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(home)))

    # --- what is dropped anywhere

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders and files, unless a training goes on."""
        if recognise_drop(event.mimeData()) is not None and self.workspace.may_open():
            event.acceptProposedAction()
            self._show_hot(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It was carried away."""
        self._show_hot(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self._show_hot(False)
        what = recognise_drop(event.mimeData())
        if what is not None:
            event.acceptProposedAction()
            self.go("images")
            self.opener.open(what)

    def _show_hot(self, hot: bool) -> None:
        for page in self.pages.values():
            page.show_drop(hot)

    def open_folder(self, folder: Path) -> None:
        """Look for pictures in a folder, and show them."""
        self.go("images")
        self.workspace.open_folder(folder)

    def _show_run(self, job: str, run: Path, go_on: bool) -> None:
        self.go(job)
        page = self.pages[job]
        if go_on:
            page.resume_run(run)
        else:
            page.open_run(run)

    # --- closing

    def closeEvent(self, event: QCloseEvent) -> None:
        """Not while a run goes on: it saves itself first."""
        if not self.closing.may():
            event.ignore()
            return
        app_settings.set_geometry(self.saveGeometry())
        jobs.cancel_all()
        self.autosave.finish()
        self.notifier.finish()
        self.help.finish()
        self.viewer.finish()
        for page in self.pages.values():
            page.finish()
        super().closeEvent(event)
