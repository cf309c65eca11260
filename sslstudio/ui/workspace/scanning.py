"""One thing is opened or made at a time, off the UI thread; it can be cancelled, and no training goes on meanwhile."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.ui.background import jobs
from sslstudio.ui.widgets import dialogs

if TYPE_CHECKING:
    from sslstudio.ui.workspace.workspace import Workspace


class Opening(QObject):
    """What a workspace waits for; its signal `opening` tells how far it is, and with None that it is over."""

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._job: jobs.Job | None = None

    def allowed(self) -> bool:
        """Whether anything can be opened now; if not, that is said."""
        active = self._workspace.runner.active
        if active:
            self._workspace.said.emit(self.tr("A training goes on: stop it before you open other pictures."))
        return not active

    def begin(self, op: Callable[..., Any], then: Callable[[Any], None]) -> None:
        """Do `op`; `then` gets what it returns, and says when it is over."""
        if not self.allowed():
            return
        self.cancel()
        self._workspace.opening.emit(Preparing(stage=Message("Looking for pictures"), done=0, total=0))
        self._job = jobs.run(op, then, self._failed, owner=self, progress=self._workspace.opening.emit)

    def cancel(self) -> None:
        """Forget about what is being opened."""
        if self._job is not None:
            self._job.cancel()
            self.over()

    def done(self) -> None:
        """The answer has come: there is nothing to cancel any more."""
        self._job = None

    def over(self) -> None:
        """Nothing is being opened any more."""
        self.done()
        self._workspace.opening.emit(None)

    def _failed(self, error: Exception) -> None:
        self.over()
        dialogs.tell_error(self._workspace.window, error)
