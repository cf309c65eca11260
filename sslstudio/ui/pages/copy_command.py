"""The button that copies the command that does what a page does."""

from collections.abc import Callable
from functools import partial

from sslstudio.engine.core.errors import StudioError
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import CopyButton


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
