"""A button that puts the command that does the same on the clipboard."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtWidgets import QPushButton

from sslstudio.engine.core.errors import StudioError
from sslstudio.ui.background import jobs
from sslstudio.ui.base.theme import set_role
from sslstudio.ui.operations import command_calls as command_operations
from sslstudio.ui.widgets import dialogs


class CopyButton(QPushButton):
    """`command` gives a config or a list of words, None while there is nothing to do; it may raise a StudioError."""

    def __init__(self, command: Callable[[], object]) -> None:
        super().__init__(self.tr("Copy as command"))
        self._command = command
        set_role(self, "link")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(self.tr("The line that does the same in a terminal, to be pasted there."))
        self.clicked.connect(lambda: self.copy())

    def copy(self) -> None:
        """Put the line on the clipboard, and say so."""
        try:
            said = self._command()
        except StudioError as error:
            self._failed(error)
            return
        if said:
            jobs.run(partial(command_operations.line_of, said), self._copied, self._failed, owner=self)

    def _copied(self, line: str) -> None:
        QGuiApplication.clipboard().setText(line)
        self.setToolTip(line)
        self.setText(self.tr("Copied"))

    def _failed(self, error: Exception) -> None:
        dialogs.tell_error(self, error)

    def leaveEvent(self, event: QEvent) -> None:
        """What is set may be another thing by the next look."""
        self.setText(self.tr("Copy as command"))
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The same for whoever uses the keys."""
        self.setText(self.tr("Copy as command"))
        super().focusOutEvent(event)
