"""Buttons that do more than be pressed: one that copies the command that does the same, one with a menu of exports."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtWidgets import QMenu, QPushButton

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.widgets.layout import retitle


class CopyButton(QPushButton):
    """Asks for a command by `wanted`, and puts the line that it is given on the clipboard."""

    wanted = Signal()

    def __init__(self) -> None:
        super().__init__(self.tr("Copy as command"))
        set_role(self, "link")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(self.tr("The line that does the same in a terminal, to be pasted there."))
        self.clicked.connect(lambda: self.wanted.emit())

    def put(self, line: str) -> None:
        """Put the line on the clipboard, and say so."""
        QGuiApplication.clipboard().setText(line)
        self.setToolTip(line)
        self.setText(self.tr("Copied"))

    def leaveEvent(self, event: QEvent) -> None:
        """Forget what was copied: what is set may be another thing by the next look."""
        self.setText(self.tr("Copy as command"))
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Do the same for whoever uses the keys."""
        self.setText(self.tr("Copy as command"))
        super().focusOutEvent(event)


class ExportButton(QPushButton):
    """Opens a menu; `choices` are titles and what they do."""

    def __init__(self, title: str, choices: dict[str, Callable[[], object]]) -> None:
        super().__init__()
        retitle(self, title)
        set_role(self, "plain")
        tint(self, "folder")
        menu = QMenu(self)
        for name, call in choices.items():
            menu.addAction(name).triggered.connect(lambda _=False, call=call: call())
        self.setMenu(menu)

    def choose(self, title: str) -> None:
        """Take a choice, as a person does in the menu."""
        menu = self.menu()
        next(action for action in menu.actions() if action.text() == title).trigger()
