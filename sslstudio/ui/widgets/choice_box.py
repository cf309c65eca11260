"""A combo box for choices whose names may be long."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip


class ChoiceBox(QComboBox):
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
