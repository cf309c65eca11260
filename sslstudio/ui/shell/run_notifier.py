"""Looks after a run while nobody does: the machine does not fall asleep, and the end is told."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QMainWindow, QSystemTrayIcon

from sslstudio.engine.core.events import Event, Paused, Resumed, RunFinished, RunStarted
from sslstudio.engine.runs.experiment_folder import COMPARE, TOURNAMENT
from sslstudio.ui.background import jobs
from sslstudio.ui.background.runner import Runner
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.shell.keep_awake import KeepAwake

SHOWN_MS = 15_000


class RunNotifier(QObject):
    """Listens to the runner. `told` carries title and text of what is said at the end of a run."""

    told = Signal(str, str)

    def __init__(self, runner: Runner, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._run: RunStarted | None = None
        self._end: RunFinished | None = None
        self._error = ""
        self._working = False  # a run goes on and is not paused
        self._tray: QSystemTrayIcon | None = None
        self.awake = KeepAwake(self)
        runner.started.connect(lambda _: self._begin())
        runner.begun.connect(self._note_run)
        runner.events.connect(self._take)
        runner.failed.connect(lambda _, error: self._note_error(error))
        runner.ended.connect(self._note_end)

    def _begin(self) -> None:
        self._run, self._end, self._error = None, None, ""
        self._work(True)

    def _note_run(self, run: RunStarted) -> None:
        self._run = run

    def _work(self, working: bool) -> None:
        self._working = working
        self.suit()

    def suit(self) -> None:
        """Hold sleep off or let it come, as the settings are now."""
        if self._working and app_settings.keeps_awake():
            self.awake.hold()
        else:
            self.awake.release()

    def _take(self, job: str, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RunFinished):
                self._end = event
            elif isinstance(event, (Paused, Resumed)):
                self._work(isinstance(event, Resumed))

    def _note_error(self, error: Exception) -> None:
        self._error = str(error)

    def _note_end(self, job: str) -> None:
        self._work(False)
        titles = {
            "pretrain": self.tr("Pretraining"),
            "finetune": self.tr("Fine-tuning"),
            COMPARE: self.tr("The comparison"),
            TOURNAMENT: self.tr("The tournament"),
        }
        title = titles.get(self._run.job if self._run else job, self.tr("The run"))
        if self._error:
            self._tell(self.tr("{0} could not go on").format(title), self._error)
        elif self._run is not None and Path(self._run.run).is_dir():
            then = partial(self._tell, self.tr("{0} has ended").format(title))
            jobs.run(self._summary(self._run), then, lambda _: None, owner=self)

    def _summary(self, run: RunStarted) -> "partial[str]":
        """What is asked of the engine: a run has a record, a comparison or a tournament has those of its runs."""
        if run.job in (COMPARE, TOURNAMENT) and self._end is not None:
            return partial(run_operations.summarise_experiment, Path(run.run), self._end)
        return partial(run_operations.summarise_run, Path(run.run))

    def _tell(self, title: str, words: str) -> None:
        if not words:
            return
        self.told.emit(title, words)
        if self._window.isActiveWindow() or not app_settings.notifies():
            return  # whoever is looking sees it in the window
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._show(title, words)

    def _show(self, title: str, words: str) -> None:
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._window.windowIcon(), self)
            self._tray.messageClicked.connect(self._come_forward)
            self._tray.activated.connect(lambda _: self._come_forward())
        self._tray.show()
        self._tray.showMessage(title, words, self._window.windowIcon(), SHOWN_MS)

    def _come_forward(self) -> None:
        self._window.raise_()
        self._window.activateWindow()
        self.finish()

    def finish(self) -> None:
        """The window closes, or somebody has come: nothing is left in the tray."""
        if self._tray is not None:
            self._tray.hide()
