"""Every page gives the command line that does the same, and the lines run."""

import json
import shlex
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QThreadPool
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.cli.main import main
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.puzzles.page import PUZZLES, PretextPage
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000


@pytest.fixture
def opened(window: MainWindow, sample_folder: Path, qtbot: QtBot) -> MainWindow:
    """The window with pictures that have classes and masks."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    window.activateWindow()
    return window


def copied(window: MainWindow, qtbot: QtBot) -> list[str]:
    """What the menu's key puts on the clipboard, as a shell takes it apart, without the program's name."""
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("")
    QTest.keyClick(window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: clipboard.text().startswith("sslstudio "), timeout=LONG)
    return shlex.split(clipboard.text())[1:]


def quick(page: RunPage) -> RunPage:
    """One pass in small batches."""
    assert page.settings is not None
    page.settings.budget.set_epochs(1)
    page.settings.batch.editor("batch_size").set_value(16)
    return page


def test_looking_at_pictures_and_puzzles(
    opened: MainWindow, own_settings: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(copied(opened, qtbot)) == 0
    assert "60 pictures" in capsys.readouterr().out
    opened.go("pretext")
    page = opened.pages["pretext"]
    assert isinstance(page, PretextPage)
    page.choose_task("jigsaw")
    page.form.editor("gap").set_value(0.3)
    page._take_options()
    page.another_draw()
    qtbot.waitUntil(lambda: page.copy.isEnabled() and page.grid.count() == PUZZLES, timeout=LONG)
    line = copied(opened, qtbot)
    assert "jigsaw.gap=0.3" in line
    assert line[-2:] == ["--draw", "1"]
    assert main(line) == 0
    (sheet,) = (own_settings / "Puzzles").glob("*jigsaw*.png")
    assert sheet.stat().st_size > 10_000
    qtbot.waitUntil(lambda: page._job is None and not page.clinic.under_way, timeout=LONG)


def test_a_pretraining_and_a_fine_tuning(opened: MainWindow, pretrained: Path, qtbot: QtBot) -> None:
    opened.workspace.choose_task("jigsaw", opened.workspace.options["jigsaw"])
    for name in ("pretrain", "finetune"):
        opened.go(name)
        page = opened.pages[name]
        assert isinstance(page, RunPage)
        qtbot.waitUntil(lambda: page.settings is not None, timeout=LONG)  # noqa: B023 - waited for here
        quick(page)
        line = copied(opened, qtbot)
        assert line[0] == name
        assert main(line) == 0
        out = Path(line[line.index("--out") + 1])
        assert out.parent == opened.workspace.runs_folder
        assert (out / "last.safetensors").exists() or json.loads((out / "metrics.json").read_text())["parts"]


def test_which_to_label_next_and_how_good_a_network_is(
    opened: MainWindow, pretrained: Path, classified: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = opened.workspace
    workspace.pretrained = pretrained
    opened.go("label")
    label = opened.pages["label"]
    qtbot.waitUntil(lambda: label.labels.store is not None, timeout=LONG)  # type: ignore[attr-defined]
    line = copied(opened, qtbot)
    assert line[line.index("--from") + 1] == str(pretrained)
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["files"] == []  # every picture has a label

    opened.go("results")
    workspace.show_result(classified)
    results = opened.pages["results"]
    qtbot.waitUntil(lambda: results.results is not None, timeout=LONG)  # type: ignore[attr-defined]
    line = copied(opened, qtbot)
    assert line[:2] == ["evaluate", str(classified)]
    assert main([*line, "--json"]) == 0
    scored = json.loads(capsys.readouterr().out.splitlines()[-1])
    stored = json.loads((classified / "metrics.json").read_text())
    assert scored["parts"]["pretrained"]["confusion"] == stored["parts"]["pretrained"]["confusion"]


def test_what_is_set_wrong_is_told_and_nothing_is_copied(opened: MainWindow) -> None:
    opened.go("compare")
    page = opened.pages["compare"]
    assert isinstance(page, ComparePage)
    assert page.current.settings is not None
    QGuiApplication.clipboard().setText("before")
    page.current.settings.tasks.choose([])
    page.copy.click()
    QThreadPool.globalInstance().waitForDone()
    QApplication.processEvents()
    assert "No pretext task is checked" in page.current.settings.wrong.label.text()
    assert QGuiApplication.clipboard().text() == "before"
