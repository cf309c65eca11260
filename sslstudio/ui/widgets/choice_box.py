"""Combo boxes whose choices are seen whole when the list opens, and one for choices whose names may be long."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

EDGES = 34  # pixels beside a choice: paddings, and a bar to scroll with


class RoomyBox(QComboBox):
    """Its list is as wide as the widest choice, and begins with the first one in sight. Qt makes the list as wide as
    the box, and a style sheet's padding then pushes the first choice out of it."""

    def showPopup(self) -> None:
        """Give the list its room first."""
        view = self.view()
        widest = max(
            (view.sizeHintForIndex(self.model().index(at, 0)).width() for at in range(self.count())), default=0
        )
        room = self.screen().availableSize().width() if self.screen() is not None else widest
        view.setMinimumWidth(min(max(self.width(), widest + EDGES), room))
        super().showPopup()
        if self.count() <= self.maxVisibleItems():
            view.scrollToTop()


class ChoiceBox(RoomyBox):
    """What there is no room for ends in dots, and is said in full when one points at it."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumContentsLength(10)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def shown_text(self) -> str:
        """The chosen text as far as there is room for it."""
        about = self._about()
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, about, field, self).width()
        return self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)

    def _about(self) -> QStyleOptionComboBox:
        about = QStyleOptionComboBox()
        self.initStyleOption(about)
        return about

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt would cut the text off in the middle of a letter."""
        painter, about = QStylePainter(self), self._about()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, about)
        about.currentText = self.shown_text()
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, about)

    def event(self, event: QEvent) -> bool:
        """Say all of it when one points at it, where it is not all there."""
        if isinstance(event, QHelpEvent) and self.shown_text() != self.currentText():
            QToolTip.showText(event.globalPos(), self.currentText(), self)
            return True
        return super().event(event)
