"""Pictures by the hundred thousand: a list model whose thumbnails are decoded on other threads, for painted rows only.

A row's thumbnail is asked for when the view paints the row. Requests wait on a stack, newest first, and the oldest are
dropped when the user scrolls on; an answer for a list that is no longer shown is dropped too.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRunnable,
    Qt,
    QThreadPool,
    Signal,
)
from PySide6.QtGui import QImage, QPixmap

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.ui.text.formatting import plain_tip

THUMB = 160  # pixels of the short side that is decoded: sharp at 200 % on cells of 100
KEPT = 1500  # pixmaps
WAITING = 256  # requests: more than any screen shows
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """A picture, what stands under it, and a mark: '', 'good' or 'bad'. The rest is what may be known of it.

    file         its path in the folder of pictures, '' where it is none of these
    label        the class that it is labelled with; `labelled` is true of one with a mask as well
    predicted    the class that a network says, and how sure it is of it (0 to 1)
    part         train, validation or test
    excluded     whether a person left it out
    truth        the file of its mask, and what the values in it mean
    answer       the file of the mask that a network predicted, which holds the numbers of the classes
    """

    path: Path
    caption: str
    mark: str = ""
    tip: str = ""
    file: str = ""
    label: str = ""
    labelled: bool = False
    predicted: str = ""
    confidence: float | None = None
    part: str = ""
    excluded: bool = False
    truth: "tuple[Path, MaskCoding] | None" = None
    answer: Path | None = None


def thumbnail(path: Path) -> QImage:
    """The picture, decoded small; an empty image if it cannot be read. Runs on any thread."""
    try:
        picture = read_picture(path, THUMB)
    except DataError:
        return QImage()
    picture.thumbnail((2 * THUMB, 2 * THUMB))
    data = picture.tobytes()
    return QImage(data, picture.width, picture.height, picture.width * 3, QImage.Format.Format_RGB888).copy()


class Decoder(QObject):
    """A stack of wanted thumbnails and the threads that work it off."""

    ready = Signal(int, int, QImage)  # generation, row, image
    dropped = Signal(int, int)  # generation, row

    def __init__(self, parent: QObject, decode: Callable[[Path], QImage]) -> None:
        super().__init__(parent)
        self._decode = decode
        self._lock = Lock()
        self._stack: deque[tuple[int, int, Path]] = deque()
        self._over = False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(max(1, min(4, QThreadPool.globalInstance().maxThreadCount() - 1)))

    def ask(self, generation: int, row: int, path: Path) -> None:
        """Decode this one next; after the end nothing is decoded any more."""
        if self._over:
            return
        with self._lock:
            self._stack.append((generation, row, path))
            old = self._stack.popleft() if len(self._stack) > WAITING else None
        if old is not None:
            self.dropped.emit(old[0], old[1])
        self._pool.start(_Decoding(self))

    def work(self) -> None:
        """Decode the newest request. Runs on the pool's threads."""
        with self._lock:
            if not self._stack:
                return
            generation, row, path = self._stack.pop()
        image = self._decode(path)
        with suppress(RuntimeError):  # the view was deleted meanwhile: nobody waits for the answer
            self.ready.emit(generation, row, image)

    def forget(self) -> None:
        """Drop what waits."""
        with self._lock:
            self._stack.clear()

    def finish(self) -> None:
        """The window closes: drop what waits and let what is under way end."""
        self._over = True
        self.forget()
        self._pool.waitForDone()


class _Decoding(QRunnable):
    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self._decoder = decoder

    def run(self) -> None:
        self._decoder.work()


class GalleryModel(QAbstractListModel):
    """A list of GalleryItems; DecorationRole is the thumbnail, or None until it is there."""

    ITEM = Qt.ItemDataRole.UserRole

    def __init__(self, parent: QObject | None = None, decode: Callable[[Path], QImage] = thumbnail) -> None:
        super().__init__(parent)
        self._items: Sequence[GalleryItem] = ()
        self._order: Sequence[int] | None = None  # the numbers of the items that are shown; None: all as they come
        self._rows: dict[int, int] | None = None  # the other way round, made when it is first asked for
        self._pixmaps: OrderedDict[int, QPixmap] = OrderedDict()
        self._asked: set[int] = set()
        self._generation = 0
        self.decoder = Decoder(self, decode)
        self.decoder.ready.connect(self._take)
        self.decoder.dropped.connect(self._drop)

    def show_items(self, items: Sequence[GalleryItem]) -> None:
        """Show other pictures."""
        self.beginResetModel()
        self._items, self._order, self._rows = items, None, None
        self._generation += 1
        self._pixmaps.clear()
        self._asked.clear()
        self.decoder.forget()
        self.endResetModel()

    def show_order(self, order: Sequence[int] | None) -> None:
        """Show only these of the pictures, in this order; None for all as they come. Thumbnails stay."""
        self.beginResetModel()
        self._order, self._rows = order, None
        self.decoder.forget()
        self._asked.clear()
        self.endResetModel()

    def replace(self, number: int, item: GalleryItem) -> None:
        """Say something else of the same picture."""
        items = list(self._items) if not isinstance(self._items, list) else self._items
        items[number] = item
        self._items = items
        place = self.place_of(number)
        if place.isValid():
            self.dataChanged.emit(place, place)

    @property
    def items(self) -> Sequence[GalleryItem]:
        """All pictures, whether they are shown or not."""
        return self._items

    def item(self, number: int) -> GalleryItem:
        """The item of this number, among all."""
        return self._items[number]

    def number_of(self, row: int) -> int:
        """The number of the item in a row; -1 for no row."""
        if not 0 <= row < self.rowCount():
            return -1
        return row if self._order is None else self._order[row]

    def place_of(self, number: int) -> QModelIndex:
        """Where an item is shown; an invalid index where it is not."""
        if self._order is None:
            return self.index(number)
        if self._rows is None:
            self._rows = {one: row for row, one in enumerate(self._order)}
        return self.index(self._rows[number]) if number in self._rows else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        """How many pictures."""
        return 0 if parent.isValid() else len(self._items if self._order is None else self._order)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Caption, thumbnail, tip or the item itself."""
        if not index.isValid() or index.row() >= self.rowCount():
            return None
        number = self.number_of(index.row())
        item = self._items[number]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return item.caption
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(item.tip or item.path.name)
            case Qt.ItemDataRole.DecorationRole:
                return self._pixmap(number)
            case self.ITEM:
                return item
        return None

    def pixmap_of(self, number: int) -> QPixmap | None:
        """The thumbnail of an item, if it is decoded."""
        return self._pixmaps.get(number)

    def _pixmap(self, row: int) -> QPixmap | None:
        if row in self._pixmaps:
            self._pixmaps.move_to_end(row)
            return self._pixmaps[row]
        if row not in self._asked:
            self._asked.add(row)
            self.decoder.ask(self._generation, row, self._items[row].path)
        return None

    def _take(self, generation: int, row: int, image: QImage) -> None:
        if generation != self._generation:
            return  # late: another list is shown
        self._asked.discard(row)
        self._pixmaps[row] = QPixmap.fromImage(image)
        if len(self._pixmaps) > KEPT:
            self._pixmaps.popitem(last=False)
        place = self.place_of(row)
        if place.isValid():
            self.dataChanged.emit(place, place, [Qt.ItemDataRole.DecorationRole])

    def _drop(self, generation: int, row: int) -> None:
        if generation == self._generation:
            self._asked.discard(row)
