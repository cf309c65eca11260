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
    from sslstudio.ui.workspace.workspace import Study


class Reading(QObject):
    """Reads the pictures of a study in the background, and tells it."""

    def __init__(self, study: "Study") -> None:
        super().__init__(study)
        self._study = study
        self._job: jobs.Job | None = None
        study.runner.started.connect(self.leave)
        study.runner.ended.connect(self._go_on)

    def begin(self) -> None:
        """Read them, from the beginning: what was read before is not read again."""
        self.leave()
        study = self._study
        if study.engine is None or study.recognised is None or study.runner.active:
            return
        op = partial(engine_operations.check_pictures, study.recognised, study.data_config())
        self._job = jobs.run(op, self._take, self._failed, owner=self, progress=study.checking.emit)

    def leave(self) -> None:
        """A run reads the pictures itself, in the order in which it wants them: what is read by now stays."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self._study.checking.emit(None)

    def _go_on(self) -> None:
        if self._study.readable is None:
            self.begin()

    def _take(self, index: "ImageIndex") -> None:
        self._job = None
        self._study.readable = index
        self._study.checking.emit(None)
        self._study.checked.emit()

    def _failed(self, error: Exception) -> None:
        self._job = None
        self._study.checking.emit(None)
        dialogs.tell_error(self._study.window, error)
