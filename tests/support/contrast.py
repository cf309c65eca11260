"""What a person could hardly read: each text that is shown, measured as it is painted, on what is under it."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QTabBar,
    QWidget,
)

from sslstudio.ui.base.theme import contrast
from sslstudio.ui.gallery.view import GalleryView

LEAST = 4.5  # WCAG 2, 1.4.3
ROUNDED = 0.1  # what is left of it where a stroke is blended with its ground
ENOUGH = 12  # pixels of a colour, of sixteen to a pixel of the screen
CUT = 4  # pixels that a text may lack below
SHARPER = 4  # times the pixels of the screen: then the strokes of letters have pixels of their own


def faint(root: QWidget) -> list[str]:
    """A line for each visible text below `root` that stands out less than WCAG 2 asks, with its contrast. What cannot
    be used now may be grey, as there."""
    pixels = _painted(root)
    found = []
    for one, rect, said in _texts(root):
        measured = _contrast(pixels, rect)
        if measured is not None and measured < LEAST - ROUNDED:
            found.append(f"{type(one).__name__} “{said}”: {measured:.2f}")
    return found


def _painted(root: QWidget) -> npt.NDArray[np.uint32]:
    """What is seen, (height, width), a colour 0xffrrggbb each."""
    image = QImage(root.size() * SHARPER, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPER)
    root.render(image)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy()


def _texts(root: QWidget) -> list[tuple[QWidget, QRect, str]]:
    """Widgets with their texts and where these are in `root`."""
    found = []
    for one in [root, *root.findChildren(QWidget)]:
        if not one.isVisible() or not one.isEnabled():
            continue
        if isinstance(one, QAbstractItemView) and not isinstance(one, GalleryView):
            found += _cells(one, root)
        elif isinstance(one, QTabBar):
            parts = [one.tabRect(at) for at in range(one.count()) if one.isTabVisible(at) and one.isTabEnabled(at)]
            found += [(one, _in(root, one, part), one.tabText(one.tabAt(part.center()))) for part in parts]
        elif said := _said(one):
            found.append((one, _in(root, one, one.rect()), said))
    return [(one, rect, said) for one, rect, said in found if not rect.isEmpty() and said.strip()]


def _said(one: QWidget) -> str:
    if isinstance(one, (QLabel, QAbstractButton)):
        return one.text()
    if isinstance(one, QComboBox):
        return one.currentText()
    return (one.text() or one.placeholderText()) if isinstance(one, QLineEdit) else ""


def _cells(view: QAbstractItemView, root: QWidget) -> list[tuple[QWidget, QRect, str]]:
    model = view.model()
    found: list[tuple[QWidget, QRect, str]] = []
    if model is None:
        return []
    for line in range(min(model.rowCount(), 200)):
        for column in range(1 if isinstance(view, QListView) else model.columnCount()):
            index = model.index(line, column)
            said = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
            usable = bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
            if said and usable and view.indexWidget(index) is None:
                found.append((view, _in(root, view.viewport(), view.visualRect(index)), said))
    return found


def _in(root: QWidget, one: QWidget, rect: QRect) -> QRect:
    """A part of a widget in what can be seen of `root`; nothing where it is scrolled away."""
    seen, at = rect.intersected(one.rect()), one
    while at is not root:
        seen.translate(at.pos())
        holder = at.parentWidget()
        if holder is None or at.isWindow():
            return QRect()
        seen, at = seen.intersected(holder.rect()), holder
    return seen if seen.height() >= rect.height() - CUT else QRect()  # else an edge, without text


def _contrast(pixels: npt.NDArray[np.uint32], rect: QRect) -> float | None:
    """Between what most of a place is painted with and what stands out most from it. None: there is nothing written."""
    top, left = SHARPER * rect.top(), SHARPER * rect.left()
    place = pixels[top : top + SHARPER * rect.height(), left : left + SHARPER * rect.width()]
    colours, counts = np.unique(place, return_counts=True)
    ground = QColor(int(colours[counts.argmax()]))
    others = [QColor(int(colour)) for colour in colours[(counts > ENOUGH) & (counts < counts.max())]]
    return max((contrast(one, ground) for one in others), default=None)
