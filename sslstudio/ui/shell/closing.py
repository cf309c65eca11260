"""Closing the window while a run goes on: ask, have the run save itself, and close when it has ended."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Workspace

PATIENCE_MS = 60_000  # how long a run may take to save itself


class Closing(QObject):
    """Holds the window open until the run that goes on is saved. Events keep flowing meanwhile."""

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self._asked = False  # and agreed to
        self._deadline = QTimer(self, interval=PATIENCE_MS, singleShot=True)
        self._deadline.timeout.connect(self._give_up)

    def may(self) -> bool:
        """Whether the window can close at once. If not, a person is asked, and it closes by itself later."""
        runner = self._workspace.runner
        if not runner.active:
            self._deadline.stop()
            return True
        if not self._asked and self._ask():
            self._asked = True
            self._workspace.said.emit(self.tr("Saving the run before closing …"))
            self._workspace.goes_on_later = True
            runner.stop()
            self._deadline.start()
        return False

    def close_after_run(self) -> None:
        """Close now if that was waited for."""
        if self._asked:
            self._window.close()

    def _ask(self) -> bool:
        return dialogs.ask(
            self._window, self.tr("A training goes on. Save it and close? It can go on later from where it stopped."),
            self.tr("Save and close"), self.tr("Keep training"),
        )  # fmt: skip

    def _give_up(self) -> None:
        """The run has not ended in good time: end it by force if that is wanted; its last checkpoint stays."""
        if dialogs.ask(
            self._window, self.tr("The training does not answer. Close anyway? Its last saved state stays."),
            self.tr("Close anyway"), self.tr("Wait longer"),
        ):  # fmt: skip
            self._workspace.runner.abandon(0)
        elif self._workspace.runner.active:
            self._deadline.start()
