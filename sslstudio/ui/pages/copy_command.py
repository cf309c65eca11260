"""The button that copies the command that does what a page does."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import CopyButton
from sslstudio.ui.widgets.layout import keep_hidden


def copy_by_menu(card: QWidget, command: Callable[[], object]) -> QAction:
    """Put the same into the context menu of a card: a page has one such button, at its foot."""
    hidden = copy_button(command)
    keep_hidden(card, hidden)
    action = QAction(hidden.text(), card)
    action.setToolTip(hidden.toolTip())
    action.triggered.connect(hidden.wanted)
    card.addAction(action)
    card.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
    return action


def copy_button(command: Callable[[], object]) -> CopyButton:
    """Make the button. `command` gives a config or a list of words, None while there is nothing to do; it may raise a
    StudioError."""
    button = CopyButton()
    failed = partial(dialogs.tell_error, button)

    def copy() -> None:
        try:
            said = command()
        except StudioError as error:
            failed(error)
            return
        if said:
            jobs.run(partial(run_operations.write_command, said), button.put, failed, owner=button)

    button.wanted.connect(copy)
    return button
