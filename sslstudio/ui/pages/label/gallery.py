"""The pictures to label: all, without a label, labelled, those to label next, or drawn at random; one is current."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSignalBlocker, Signal
from PySide6.QtWidgets import QAbstractItemView, QWidget

from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.ui.gallery.filter_bar import FilterBar
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.layout import column, text

ALL, OPEN, LABELLED, NEXT, RANDOM, PROPOSED = range(6)  # the filters, in the order of the box


class LabelGallery(QWidget):
    """`chosen` carries the path of the picture that became current; `filtered` the filter that was chosen by hand.

    label_of: path -> what its label is called, '' for none.
    """

    chosen = Signal(str)
    filtered = Signal(int)

    def __init__(self, label_of: Callable[[str], str]) -> None:
        super().__init__()
        self._label_of = label_of
        self.proposal_of: Callable[[str], str] = lambda path: ""  # what the network proposes for a picture, '' for none
        self._file_of: Callable[[str], Path] = Path
        self._paths: Sequence[str] = ()
        self.suggested: list[str] = []
        self.shown: list[str] = []
        self.filter = RoomyBox()
        self.filter.addItems([self.tr("All pictures"), self.tr("Without a label"), self.tr("Labelled"),
                              self.tr("To label next"), self.tr("At random"),
                              self.tr("Proposals")])  # fmt: skip
        self.filter.setAccessibleName(self.tr("Which pictures are shown"))
        self.filter.currentIndexChanged.connect(self._show_filter)
        self.view = GalleryView()
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.chosen.connect(self._tell_choice)
        self.counted = text("", "small", wrap=False)
        self.search = FilterBar(self.view, ("label",))
        self.setLayout(column(self.filter, self.search, (self.view, 1), self.counted, gap=8))

    def show_pictures(self, index: ImageIndex) -> None:
        """Show other pictures, from the first one."""
        self._file_of, self._paths, self.suggested = index.file, index.paths, []
        self.filter.setCurrentIndex(ALL)
        self.renew()
        self.go_to(self.shown[0] if self.shown else "")

    def take_paths(self, paths: Sequence[str]) -> None:
        """Some pictures were left out, or came back: the others stay as they are."""
        if list(paths) == list(self._paths):
            return
        here, current = set(paths), self.path
        self._paths = paths
        self.suggested = [path for path in self.suggested if path in here]
        self.renew()
        if current not in here and self.shown:
            self.go_to(self.shown[0])

    def suggest(self, paths: Sequence[str], which: int = NEXT, *, before: Sequence[str] = ()) -> None:
        """Show those to label next, or at random, after those `before` them; go to the first one without a label."""
        self.suggested = [*before, *(path for path in paths if path not in set(before))]
        if self.filter.currentIndex() != which:
            with QSignalBlocker(self.filter):  # nobody chose it by hand
                self.filter.setCurrentIndex(which)
        self.renew()
        self.go_to(next((path for path in self.suggested if not self._label_of(path)), ""))

    def renew(self) -> None:
        """Filter anew; the current picture stays current where it is shown."""
        current, which = self.path, self.filter.currentIndex()
        if which in (NEXT, RANDOM, PROPOSED):
            self.shown = list(self.suggested)
        else:
            wanted = {ALL: (True, False), OPEN: (False,), LABELLED: (True,)}[which]
            self.shown = [path for path in self._paths if bool(self._label_of(path)) in wanted]
        self.view.show_items([self._item(path) for path in self.shown])
        self.counted.setText(formatting.count(len(self.shown), self.tr("picture"), self.tr("pictures")))
        if current in self.shown:
            self.go_to(current)

    def refresh(self, paths: Sequence[str]) -> None:
        """Say the labels of these pictures anew; none leaves the list while one works on it."""
        rows = {path: row for row, path in enumerate(self.shown)} if len(paths) > 1 else None
        for path in paths:
            if path in self.shown:
                row = rows[path] if rows else self.shown.index(path)
                self.view.gallery.replace(row, self._item(path))

    def _item(self, path: str) -> GalleryItem:
        label = self._label_of(path)
        name = printable(path)
        mark = "good" if label else ""
        proposed = "" if label or self.filter.currentIndex() != PROPOSED else self.proposal_of(path)
        caption = label or proposed or name.rpartition("/")[2]
        return GalleryItem(self._file_of(path), caption, mark, name, path, label, bool(label))

    # --- the current one

    @property
    def path(self) -> str:
        """The current picture, '' for none."""
        number = self.view.number
        return self.shown[number] if 0 <= number < len(self.shown) else ""

    @property
    def selected(self) -> list[str]:
        """The selected pictures; at least the current one."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedIndexes())
        numbers = [self.view.gallery.number_of(row) for row in rows]
        return [self.shown[number] for number in numbers if 0 <= number < len(self.shown)] or (
            [self.path] if self.path else []
        )

    @property
    def asks(self) -> bool:
        """Whether what is shown was chosen for a person to label."""
        return self.filter.currentIndex() in (NEXT, RANDOM)

    @property
    def done(self) -> bool:
        """Whether all that is shown has a label."""
        return bool(self.shown) and all(self._label_of(path) for path in self.shown)

    def go_to(self, path: str) -> None:
        """Make a picture the current one, if it is shown."""
        if path in self.shown:
            self._choose(self.view.gallery.place_of(self.shown.index(path)))

    def step(self, by: int) -> None:
        """To the next one or back."""
        if self.shown:
            model = self.view.gallery
            self._choose(model.index(min(max(self.view.currentIndex().row() + by, 0), model.rowCount() - 1)))

    def _choose(self, index: QModelIndex) -> None:
        if not index.isValid():  # it is filtered out
            return
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)

    def _tell_choice(self, row: int) -> None:
        if 0 <= row < len(self.shown):
            self.chosen.emit(self.shown[row])

    def _show_filter(self, which: int) -> None:
        self.renew()
        if not self.path and self.shown:
            self.go_to(self.shown[0])
        self.filtered.emit(which)
