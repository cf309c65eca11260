"""Waits for what a window's workspace says of itself."""

from pytestqt.qtbot import QtBot
from pytestqt.wait_signal import SignalBlocker

from sslstudio.ui.workspace.workspace import Change, Workspace


def changing(qtbot: QtBot, workspace: Workspace, what: Change, timeout: int = 5_000) -> SignalBlocker:
    """Within it such a change must come, in milliseconds."""
    return qtbot.waitSignal(workspace.changed, timeout=timeout, check_params_cb=lambda one: bool(one & what))
