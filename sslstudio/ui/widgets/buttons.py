"""Buttons that do more than be pressed: grey ones that say why, Enter that presses the one with the focus, one that
copies the command that does the same, one with a menu of exports."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QWidget

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets.layout import retitle

OWN_TIP, OWN_DESCRIPTION = "own tip", "own description"  # properties: what a grey button says once it is not grey


def disable(button: QAbstractButton, reason: str) -> None:
    """Make a button grey and have it say why, in a sentence, to whoever points at it or hears the screen read."""
    if button.property(OWN_TIP) is None:
        button.setProperty(OWN_TIP, button.toolTip())
        button.setProperty(OWN_DESCRIPTION, button.accessibleDescription())
    button.setEnabled(False)
    _say(button, reason, reason, reason)


def enable(button: QAbstractButton) -> None:
    """Let a button be pressed, and say again what it said before it was grey."""
    button.setEnabled(True)
    if button.property(OWN_TIP) is not None:
        _say(button, str(button.property(OWN_TIP)), str(button.property(OWN_DESCRIPTION)), "")
        button.setProperty(OWN_TIP, None)


def offer(button: QAbstractButton, *, unless: str) -> None:
    """Let a button be pressed unless there is a reason against it, which it says then."""
    if unless:
        disable(button, unless)
    else:
        enable(button)


def offer_undo(undo: QAbstractButton, redo: QAbstractButton, stack: QUndoStack) -> None:
    """Let the buttons of a list of steps be pressed where it has any to take back or to take again."""
    offer(undo, unless="" if stack.canUndo() else tr("There is nothing to take back."))
    offer(redo, unless="" if stack.canRedo() else tr("Nothing was taken back that could be done again."))


def _say(button: QAbstractButton, tip: str, description: str, status: str) -> None:
    button.setToolTip(tip)
    button.setAccessibleDescription(description)
    button.setStatusTip(status)


def press_focused(event: QKeyEvent, window: QWidget) -> bool:
    """Press the button of the window that has the focus if this is Enter; whether it was. Qt does it in dialogs."""
    focused = window.focusWidget()
    if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or event.isAutoRepeat():
        return False
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not isinstance(focused, QAbstractButton):
        return False
    focused.click()
    return True


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
