"""The order in which Tab goes: as one reads, from left to right and from top to bottom, as the layouts have it.

Qt's own order is that in which widgets were made, and much of a page is made later than its foot: settings once the
engine is there, findings once they are found. So the order is looked up at each press of Tab.
"""

from collections.abc import Iterator

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLayout,
    QScrollArea,
    QStackedWidget,
    QTabWidget,
    QWidget,
)

WHOLE = (QAbstractItemView, QAbstractSpinBox, QComboBox)  # what is inside them is theirs


class ReadingOrder(QWidget):
    """Holds a layout; Tab goes through what is in it as one reads, then to what lies over it (the tour), and back."""

    def __init__(self, layout: QLayout) -> None:
        super().__init__()
        self.setLayout(layout)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """One step on, or back."""
        order = [one for one in (*reading_order(self), *self._over()) if one.isEnabled()]
        if not order:
            return super().focusNextPrevChild(forward)
        at = QApplication.focusWidget()
        while at is not None and at not in order:  # the part of a widget that has the focus stands for it
            at = at.parentWidget()
        step = 1 if forward else -1
        place = order.index(at) + step if at is not None else 0 if forward else -1
        following = order[place % len(order)]
        following.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
        _scroll_to(following)
        return True

    def _over(self) -> Iterator[QWidget]:
        window = self.parentWidget()
        for other in window.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly) if window else ():
            if other is not self and not other.isWindow():
                yield from reading_order(other)


def _scroll_to(widget: QWidget) -> None:
    """Bring it into sight."""
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(widget)
        above = above.parentWidget()


def reading_order(root: QWidget) -> list[QWidget]:
    """What can be reached by Tab inside a widget, in the order of reading."""
    return list(_of_widget(root))


def _of_widget(widget: QWidget) -> Iterator[QWidget]:
    if not widget.isVisible():
        return
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
        yield widget
    if not isinstance(widget, WHOLE):
        for inner in _inside(widget):
            yield from _of_widget(inner)


def _inside(widget: QWidget) -> Iterator[QWidget]:
    """The widgets in a widget: those of its layout, then those that were placed by hand, the upper ones first."""
    if isinstance(widget, QTabWidget):
        yield widget.tabBar()
        yield from _there(widget.currentWidget())
        return
    if isinstance(widget, QStackedWidget):
        yield from _there(widget.currentWidget())
        return
    if isinstance(widget, QScrollArea):
        yield from _there(widget.widget())
        return
    layout = widget.layout()
    laid = list(_of_layout(layout)) if layout is not None else []
    yield from laid
    children = widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    free = [one for one in children if not one.isWindow() and one not in laid]
    yield from sorted(free, key=lambda one: (one.y(), one.x()))


def _of_layout(layout: QLayout) -> Iterator[QWidget]:
    for number in range(layout.count()):
        item = layout.itemAt(number)
        inner: QObject | None = item.widget() or item.layout() if item is not None else None
        if isinstance(inner, QWidget):
            yield inner
        elif isinstance(inner, QLayout):
            yield from _of_layout(inner)


def _there(widget: QWidget | None) -> Iterator[QWidget]:
    if widget is not None:
        yield widget
