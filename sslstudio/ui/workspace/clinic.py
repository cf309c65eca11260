"""The clinic in the background: asked once for each set of pictures, kept for all tasks."""

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from sslstudio.ui.background import jobs
from sslstudio.ui.operations.pictures import CheckedUp, examine_folder
from sslstudio.ui.widgets.picture import to_image
from sslstudio.ui.workspace.workspace import Change, Workspace


def clinic_of(workspace: Workspace) -> "ClinicController":
    """The one of a workspace, which follows its pictures; made when it is first asked for."""
    found = workspace.findChild(ClinicController)
    if found is None:
        found = ClinicController(workspace)
        workspace.call_on(Change.PICTURES | Change.ENGINE, found.ask)  # the folder may have been opened before it
        found.ask()  # pages are made late: pictures and engine may be there already
    return found


class ClinicController(QObject):
    """Asks the engine whether the tasks suit the workspace's pictures; `changed` when it knows, or knows no more."""

    changed = Signal()
    progressed = Signal(object)  # Preparing

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._job: jobs.Job | None = None
        self._interrupted = False  # by the opening of other pictures
        self.found: CheckedUp | None = None
        self.examples: dict[str, QImage] = {}
        self._again = QTimer(self, interval=0, singleShot=True)  # once whoever opens pictures has told of them
        self._again.timeout.connect(self._go_on)
        workspace.opening.connect(self._make_way)

    @property
    def under_way(self) -> bool:
        """Whether the pictures are being looked at."""
        return self._job is not None

    def ask(self) -> None:
        """Look at the pictures anew; what was asked before is forgotten."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self.found, self.examples, self._interrupted = None, {}, False
        if self._workspace.recognised is not None and self._workspace.engine is not None:
            op = partial(examine_folder, self._workspace.data_config(), dict(self._workspace.options))
            self._job = jobs.run(op, self._take, self._give_up, owner=self, progress=self.progressed.emit, behind=True)
        self.changed.emit()

    def stop(self) -> None:
        """Look no further; `ask` begins again."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self.changed.emit()

    def _make_way(self, opening: object) -> None:
        """Nobody waits for the old pictures while others are being opened; if none come, these are looked at again."""
        if opening is None:
            self._again.start()
        elif self._job is not None:
            self._job.cancel()
            self._job, self._interrupted = None, True
            self.changed.emit()

    def _go_on(self) -> None:
        if self._interrupted and self._job is None and self.found is None:
            self.ask()

    def _take(self, found: CheckedUp) -> None:
        self._job, self.found = None, found
        self.examples = {name: to_image(sheet) for name, sheet in found.examples.items()}
        self.changed.emit()

    def _give_up(self, error: Exception) -> None:
        """Go without. Nothing is lost: the puzzles say themselves when the pictures cannot be read."""
        self._job = None
        self.changed.emit()
