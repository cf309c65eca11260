"""How long the window's thread works when a page is gone to for the first time, and while the page fills."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.background import jobs
from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.watchdog import LONGEST_MS, Watchdog

LONG = 60_000
PROCESSES = 3  # the middle one of them counts: what disturbs one of them is not the window's fault
MOST_PARTS = 14  # that a page may be made in: some ten of them are 0.3 s until it is in sight


def visit(window: MainWindow, name: str, qtbot: QtBot) -> float:
    """Go to a page as a click on its step does, and let it fill. The longest turn, in ms of the processor."""
    watchdog = Watchdog()
    window.visit(name)
    qtbot.waitUntil(lambda: window.shown == name, timeout=LONG)
    qtbot.wait(300)
    watchdog.stop()
    return watchdog.longest[-1]


def filled(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    """The window with pictures, and its pages imported, on a thread of their own."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(folder)
    jobs.wait_for_all()


def test_visits_of_this_process(window: MainWindow, sample_folder: Path, qtbot: QtBot) -> None:
    """What the test below runs in fresh processes; here nothing is asked of the machine, but of the order of things."""
    filled(window, sample_folder, qtbot)
    took = {name: visit(window, name, qtbot) for name in page_names()[1:]}
    assert set(took) == set(page_names()[1:])
    told = os.environ.get("SSLSTUDIO_TOOK")
    if told:
        Path(told).write_text(json.dumps(took), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_page_is_there_at_once(tmp_path: Path) -> None:
    this = f"{__file__}::{test_visits_of_this_process.__name__}"
    runs: list[dict[str, float]] = []
    for number in range(PROCESSES):
        told = tmp_path / f"{number}.json"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", this]
        said = subprocess.run(
            command, env={**os.environ, "SSLSTUDIO_TOOK": str(told)}, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout[-2000:]
        runs.append(json.loads(told.read_text(encoding="utf-8")))
    took = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    print({name: round(ms) for name, ms in took.items()})  # noqa: T201  # shown by -rP
    assert not {name: ms for name, ms in took.items() if ms > LONGEST_MS}


def test_a_page_is_made_in_parts_while_the_one_before_is_used(
    window: MainWindow, sample_folder: Path, qtbot: QtBot
) -> None:
    filled(window, sample_folder, qtbot)
    for name in page_names()[1:]:
        before, seen = window.shown, 0
        window.visit(name)
        while window.shown != name:
            assert window.shown == before
            assert window.stack.currentWidget() is window.pages[before]
            assert window.steps.currentRow() == page_names().index(name)  # the click is answered at once
            QApplication.processEvents()
            seen += 1
            assert seen < LONG
        assert window.stack.currentWidget() is window.pages[name]
    page = PretrainPage(window.workspace)
    page.setParent(window)
    parts = 1
    while not page.build_part():
        parts += 1
    assert 3 < parts <= MOST_PARTS


def test_who_goes_elsewhere_meanwhile_is_not_fetched_back(
    window: MainWindow, sample_folder: Path, qtbot: QtBot
) -> None:
    filled(window, sample_folder, qtbot)
    window.visit("compare")
    QApplication.processEvents()
    window.visit("images")
    assert window.shown == "images"
    qtbot.wait(300)
    assert window.shown == "images"
    assert "compare" not in window.pages
    window.go("compare")  # the rest of it, at once
    assert window.shown == "compare"
    assert window.pages["compare"].built
