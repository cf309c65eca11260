"""How long the window's thread works when a page is gone to for the first time, and while the page fills."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.ui.background import jobs
from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.watchdog import LONGEST_MS, Watchdog

LONG = 60_000
# times as long, of those that are still to be built in smaller parts
LARGE = {"pretrain": 2.5, "finetune": 2.0, "results": 2.0, "compare": 3.0}


@pytest.mark.slow
def test_a_page_is_there_at_once(window: MainWindow, sample_folder: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    jobs.wait_for_all()  # the pages are imported on a thread of their own
    took: dict[str, float] = {}
    for name in page_names()[1:]:
        watchdog = Watchdog()
        window.go(name)
        qtbot.wait(300)
        watchdog.stop()
        took[name] = watchdog.longest[-1]
    print({name: round(ms) for name, ms in took.items()})  # noqa: T201  # shown by -rP
    late = {name: ms for name, ms in took.items() if ms > LONGEST_MS * LARGE.get(name, 1.0)}
    assert not late
