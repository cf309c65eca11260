"""What a person could not read: texts that are wider or higher than the room that their widget has."""

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QHeaderView,
    QLabel,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QTableView,
    QWidget,
)

from sslstudio.ui.widgets.choice_box import ChoiceBox

SLACK = 1  # pixel: fractions of a scaled screen are rounded


def clipped(root: QWidget) -> list[str]:
    """A line for each visible text below `root` that is cut off, with what it needs and what it has."""
    found = []
    for one in root.findChildren(QWidget):
        if isinstance(one, QScrollArea) and one.isVisible() and (held := one.widget()) is not None:
            wrong = _needs(held.minimumSizeHint().width(), one.viewport().width())
            found += [f"what scrolls in {type(one.parentWidget()).__name__}: {wrong}"] if wrong else []
        if isinstance(one, QTableView) and one.isVisible() and one.horizontalScrollBar().maximum() > 0:
            found.append(f"{one.accessibleName()}: has to be scrolled sideways")
        if one.isVisible() and (text := _said(one)):
            wrong = _too_narrow(one) or _outside(one)
            if wrong:
                found.append(f"{type(one).__name__} “{text}”: {wrong}")
    return found


def _said(one: QWidget) -> str:
    if isinstance(one, (QLabel, QAbstractButton)):
        return one.text()
    if isinstance(one, QComboBox):
        return one.currentText()
    if isinstance(one, QTabBar):
        return " | ".join(one.tabText(number) for number in range(one.count()))
    if isinstance(one, QHeaderView) and one.orientation() is Qt.Orientation.Horizontal:
        return " | ".join(_heads(one))
    return ""


def _heads(header: QHeaderView) -> list[str]:
    model = header.model()
    return [str(model.headerData(at, header.orientation()) or "") for at in range(header.count())] if model else []


def _too_narrow(one: QWidget) -> str:
    if isinstance(one, QLabel):
        return _label(one)
    if isinstance(one, QComboBox):
        return _combo(one)
    if isinstance(one, QHeaderView):
        return _header(one)
    if isinstance(one, QTabBar):
        return _needs(one.sizeHint().width(), one.width())
    return _needs(one.sizeHint().width(), one.width()) or _needs(one.sizeHint().height(), one.height(), "high")


def _label(one: QLabel) -> str:
    if one.wordWrap():
        return _needs(one.minimumSizeHint().width(), one.width()) or _needs(
            one.heightForWidth(one.width()), one.height(), "high"
        )
    return _needs(one.sizeHint().width(), one.width()) or _needs(one.sizeHint().height(), one.height(), "high")


def _combo(one: QComboBox) -> str:
    if isinstance(one, ChoiceBox):  # ends in dots
        return ""
    about = QStyleOptionComboBox()
    one.initStyleOption(about)
    field = QStyle.SubControl.SC_ComboBoxEditField
    room = one.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, about, field, one)
    return _needs(one.fontMetrics().horizontalAdvance(one.currentText()), room.width())


def _header(one: QHeaderView) -> str:
    for at, text in enumerate(_heads(one)):
        wrong = _needs(one.fontMetrics().horizontalAdvance(text), one.sectionSize(at))
        if wrong and not one.isSectionHidden(at):
            return f"{text}: {wrong}"
    return ""


def _needs(need: int, has: int, way: str = "wide") -> str:
    return f"{need} {way}, has {has}" if need > has + SLACK else ""


def _outside(one: QWidget) -> str:
    """Whether it reaches over the edge of something that holds it; what scrolls may be longer, but no wider."""
    rect = QRect(QPoint(0, 0), one.size())
    at, holder = one, one.parentWidget()
    while holder is not None and not at.isWindow():
        rect.translate(at.pos())
        inside = holder.rect()
        scrolls = isinstance(holder.parentWidget(), QAbstractScrollArea)
        if rect.left() < inside.left() - SLACK or rect.right() > inside.right() + SLACK:
            return f"from {rect.left()} to {rect.right()} in a {type(holder).__name__} {inside.width()} wide"
        if not scrolls and (rect.top() < inside.top() - SLACK or rect.bottom() > inside.bottom() + SLACK):
            return f"from {rect.top()} to {rect.bottom()} in a {type(holder).__name__} {inside.height()} high"
        if scrolls and isinstance(holder.parentWidget(), QScrollArea):
            rect = rect.intersected(inside) or inside
        elif scrolls:
            return ""
        at, holder = holder, holder.parentWidget()
    return ""
