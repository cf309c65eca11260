"""What most people never need, one click away."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.base.theme import tint
from sslstudio.ui.widgets.layout import button, row


class Fold(QWidget):
    """A heading that opens and closes what is under it."""

    def __init__(self, title: str, inside: QWidget) -> None:
        super().__init__()
        self.inside = inside
        self.opener = button(title, self.toggle, "link", "right")
        self.opener.setAccessibleDescription(self.tr("Opens and closes further settings"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(row(self.opener, None))
        layout.addWidget(inside)
        inside.hide()

    def toggle(self) -> None:
        """Open or close."""
        opened = self.inside.isHidden()
        self.inside.setVisible(opened)
        tint(self.opener, "down" if opened else "right", "accent")
