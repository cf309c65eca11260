"""A line of text that ends where its room ends: cut in the middle, and said in full when one points at it."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from sslstudio.ui.base.theme import set_role
from sslstudio.ui.text.formatting import plain_tip


class ElidedLabel(QLabel):
    """`full` is what it says, however little of it there is room for."""

    def __init__(self, role: str = "body") -> None:
        super().__init__()
        self.full = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        set_role(self, role)

    def say(self, said: str) -> None:
        """Say something else."""
        self.full = said
        self.setToolTip(plain_tip(said))
        self.setAccessibleName(said)
        self._cut()

    def _cut(self) -> None:
        self.setText(self.fontMetrics().elidedText(self.full, Qt.TextElideMode.ElideMiddle, self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or less of it."""
        super().resizeEvent(event)
        self._cut()

    def minimumSizeHint(self) -> QSize:
        """It needs no width."""
        return QSize(0, super().minimumSizeHint().height())
