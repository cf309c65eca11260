"""What the workspace knows of a picture: its place in the folder, class, mask, part of the split, group, and whether
it is left out."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.engine.images.multi_folder import Album
from sslstudio.ui.background import jobs
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.operations.closely import Apart, set_apart
from sslstudio.ui.workspace.labels import labels_of
from sslstudio.ui.workspace.roles import roles_of
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.labels.masks.coding import MaskCoding
    from sslstudio.engine.labels.types import Recognised


def known_of(workspace: Workspace) -> "Known":
    """The one of a workspace."""
    return workspace.findChild(Known) or Known(workspace)


class Known(QObject):
    """Answers from what is open; the split is drawn off the UI thread when it is first asked for. `changed` when there
    is something new."""

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.roles, self.labels = roles_of(workspace), labels_of(workspace)
        self._apart: Apart | None = None
        self._job: jobs.Job | None = None
        workspace.call_on(Change.PICTURES | Change.SPLIT, self._forget)
        self.roles.changed.connect(self.changed)
        self.labels.changed.connect(lambda _: self.changed.emit())

    def _forget(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._apart, self._job = None, None
        self.changed.emit()

    # --- one picture

    def file_of(self, item: GalleryItem) -> str:
        """The path of a picture in the open folder; '' for one that lies elsewhere."""
        recognised = self._workspace.recognised
        if recognised is None:
            return ""
        root, text = recognised.pictures.root, str(item.path)
        places = {f"{name}/": str(folder) for name, folder in root.folders.items()} if isinstance(root, Album) else {}
        for prefix, folder in (places or {"": str(root)}).items():
            inside = text.removeprefix(folder)
            if inside != text and inside[:1] in "/\\":
                name = prefix + inside[1:].replace("\\", "/")
                file = (
                    item.file if item.file and file_of(item.file) == file_of(name) else name.partition("#channels=")[0]
                )
                return file if file in recognised.pictures.places or self.roles.is_excluded(file) else ""
        return ""

    def about(self, item: GalleryItem) -> GalleryItem:
        """The item with all that is known of it now; what a result says of it stays."""
        file, recognised = self.file_of(item), self._workspace.recognised
        if not file or recognised is None:
            return item
        return replace(
            item,
            file=file,
            label=self.label_of(file) or item.label,
            part=item.part or (self._apart.parts.get(file, "") if self._apart else ""),
            excluded=self.roles.is_excluded(file),
            truth=item.truth or _mask_of(recognised, file),
        )

    def label_of(self, file: str) -> str:
        """The class of a picture: as it is labelled in the window, else as it was recognised; '' for none."""
        store, recognised = self.labels.store, self._workspace.recognised
        if store is not None and recognised is not None and recognised.pictures.root == self.labels.pictures:
            found = store.classes["classification"].get(store.of.get(file, 0))
            return found.name if found else ""
        classes = recognised.classes if recognised else None
        return classes.names[classes.of[file]] if classes and file in classes.of else ""

    @property
    def class_names(self) -> list[str]:
        """The classes that a picture can be given."""
        recognised = self._workspace.recognised
        if self.labels.store is not None:
            return [one.name for one in self.labels.store.names("classification")]
        return list(recognised.classes.names) if recognised and recognised.classes else []

    # --- the split

    def part_of(self, file: str) -> str:
        """The part of the split that a picture is in, '' while that is not known."""
        return self._apart.parts.get(file, "") if self._apart else ""

    def group_of(self, file: str) -> str:
        """What a picture belongs together with, '' for nothing."""
        found = self._apart.groups.get(file, "") if self._apart else ""
        return "" if found.startswith("/") else found

    def ask_split(self) -> None:
        """Draw the split, unless that is done or under way; `changed` follows."""
        workspace = self._workspace
        if self._apart is None and self._job is None and workspace.recognised and workspace.engine is not None:
            op = partial(set_apart, workspace.recognised, workspace.data_config())
            self._job = jobs.run(op, self._take, self._give_up, owner=self)

    def _take(self, apart: Apart) -> None:
        self._job, self._apart = None, apart
        self.changed.emit()

    def _give_up(self, error: Exception) -> None:
        """Go without: a split that cannot be drawn is told where it is set."""
        self._job = None

    # --- what is done with pictures

    def label_as(self, files: list[str], name: str) -> None:
        """Label pictures with a class, '' for none; the labels are opened for it where they are not open. Can be
        undone on the page that labels."""
        if self.labels.store is None:
            once = _Once(self, partial(self._label, files, name))
            self.labels.opened.connect(once.call)
            self.labels.failed.connect(once.deleteLater)
            self.labels.open()
        else:
            self._label(files, name)

    def _label(self, files: list[str], name: str) -> None:
        store = self.labels.store
        if store is None:
            return
        number = next((one.number for one in store.names("classification") if one.name == name), None)
        if number is not None or not name:
            self.labels.do(store.labelling(files, number))


class _Once(QObject):
    """Calls once."""

    def __init__(self, parent: QObject, what: partial[None]) -> None:
        super().__init__(parent)
        self._what = what

    def call(self) -> None:
        self._what()
        self.deleteLater()


def _mask_of(recognised: "Recognised", file: str) -> "tuple[Path, MaskCoding] | None":
    masks = recognised.masks
    if masks is None or file not in masks.of:
        return None
    return recognised.pictures.root / masks.of[file], masks.coding
