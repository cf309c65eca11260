"""The pictures that are open are read once, as a training will read them, while nothing else does: then it is known
which of them cannot be."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.ui.background import jobs
from sslstudio.ui.operations import engine as engine_operations
from sslstudio.ui.widgets import dialogs

if TYPE_CHECKING:
    from sslstudio.engine.images.index import ImageIndex
    from sslstudio.ui.workspace.workspace import Workspace


class Reading(QObject):
    """Reads the pictures of a workspace in the background, and tells it."""

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._job: jobs.Job | None = None
        workspace.runner.started.connect(self.leave)
        workspace.runner.ended.connect(self._go_on)

    def begin(self) -> None:
        """Read them, from the beginning: what was read before is not read again."""
        self.leave()
        workspace = self._workspace
        if workspace.engine is None or workspace.recognised is None or workspace.runner.active:
            return
        op = partial(engine_operations.check_pictures, workspace.recognised, workspace.data_config())
        self._job = jobs.run(op, self._take, self._failed, owner=self, progress=workspace.checking.emit)

    def leave(self) -> None:
        """A run reads the pictures itself, in the order in which it wants them: what is read by now stays."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self._workspace.checking.emit(None)

    def _go_on(self) -> None:
        if self._workspace.readable is None:
            self.begin()

    def _take(self, index: "ImageIndex") -> None:
        self._job = None
        self._workspace.readable = index
        self._workspace.checking.emit(None)
        self._workspace.checked.emit()

    def _failed(self, error: Exception) -> None:
        self._job = None
        self._workspace.checking.emit(None)
        dialogs.tell_error(self._workspace.window, error)
