"""What a person wishes for a thumbnail, wherever it is: to see it closely, or its menu. Whoever owns the window hears
it here; galleries and maps know nothing of what answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from sslstudio.ui.gallery.model import GalleryItem


@dataclass(frozen=True)
class Wish:
    """A picture among others of one gallery.

    items       all of them, in the order in which they are shown
    at          which of them is meant
    source      the widget that shows them
    chosen      the numbers of all that are meant, `at` among them
    preview     the thumbnail of one of them, as far as it is decoded
    go_to       makes one of them the current one of the gallery
    """

    items: Sequence[GalleryItem]
    at: int
    source: QWidget
    chosen: Sequence[int] = ()
    preview: Callable[[int], QPixmap | None] = lambda _: None
    go_to: Callable[[int], object] = lambda _: None

    @property
    def item(self) -> GalleryItem:
        """The one that is meant."""
        return self.items[self.at]


class Requests(QObject):
    """`opened` and `menu_wanted` carry a Wish."""

    opened = Signal(object)
    menu_wanted = Signal(object, QPoint)  # where, in global places


def requests() -> Requests:
    """Those of the application; made on first use."""
    app = QApplication.instance()
    if app is None:
        raise RuntimeError("requests need a QApplication")
    found = app.findChild(Requests)
    return found if found is not None else Requests(app)
