"""The closer look at a run: asked of the engine once for each network, when something first needs it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.ui.background import jobs

if TYPE_CHECKING:
    from sslstudio.engine.finetuning.use.inspection import Closer, look_closer
else:
    look_closer = jobs.late("sslstudio.engine.finetuning.use.inspection", "look_closer")


class InspectionController(QObject):
    """Keeps what the engine found. `found` when it is there, `failed` with the error, `progressed` meanwhile."""

    found = Signal()
    failed = Signal(object)
    progressed = Signal(object)  # Preparing

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        self.run: Path | None = None
        self.part = ""
        self.closer: Closer | None = None
        self._job: jobs.Job | None = None

    def look_at(self, run: Path | None, part: str) -> None:
        """Another network is looked at; what was known of the one before is forgotten."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self.run, self.part, self.closer = run, part, None

    def ask(self) -> None:
        """Look closer, unless that is done or under way."""
        if self.closer is not None:
            self.found.emit()
        elif self.run is not None and self._job is None:
            op = partial(look_closer, self.run, self.part)
            self._job = jobs.run(op, self._take, self._fail, owner=self, progress=self._pass_on)

    def stop(self) -> None:
        """Look no further; `ask` begins again."""
        if self._job is not None:
            self._job.cancel()
            self._fail(StudioError(self.tr("Stopped.")))

    def _pass_on(self, event: Preparing) -> None:
        self.progressed.emit(event)

    def _take(self, closer: "Closer") -> None:
        self._job, self.closer = None, closer
        self.found.emit()

    def _fail(self, error: Exception) -> None:
        self._job = None
        self.failed.emit(error)
