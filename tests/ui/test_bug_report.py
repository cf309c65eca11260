"""A bug report that is made by the menu tells nobody who the person or the patients are: real run, real errors."""

import json
import platform
import shutil
import zipfile
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.mishaps import log_tail
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import trained
from tests.ui.shell.test_main_window import drop

LONG = 60_000
PATIENTS = ("Anna Schmidt 1961", "Weiß_Karl", "o'Hara (left)")
tell_error = dialogs.tell_error  # the real one: tests get another in its place


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's computer: a home, a user's name, and a journal of today."""
    folder = tmp_path / "Heim" / "drmueller"
    folder.mkdir(parents=True)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("LOGNAME", "drmueller")
    monkeypatch.setenv("SSLSTUDIO_HOME", str(folder / "SSL Studio"))
    monkeypatch.setattr(dialogs, "tell_error", tell_error)
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path / "log"))
    return folder


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the boxes of errors say: nobody is there to close them."""
    said: list[str] = []
    monkeypatch.setattr(dialogs, "_tell", lambda parent, icon, title, text, details="": said.append(text))
    return said


def report(window: MainWindow) -> None:
    menus = [action.menu() for action in window.menuBar().actions()]
    actions = [one for menu in menus if isinstance(menu, QMenu) for one in menu.actions()]
    next(one for one in actions if one.text().replace("&", "").startswith("Report a problem")).trigger()


@pytest.mark.parametrize("with_run", [True, False])
def test_a_report_tells_nothing_of_the_person_or_the_patients(
    home: Path, boxes: list[str], window: MainWindow, said: Said, sample: Path, tmp_path: Path, qtbot: QtBot,
    with_run: bool,
) -> None:  # fmt: skip
    pictures = tmp_path / "Praxis Dr. Vogel" / "Mamma-Studie"
    for kind in ("gesund", "krank"):
        (pictures / kind).mkdir(parents=True)
        for number, file in enumerate(sorted((sample / "images").rglob("*.png"))[:10]):
            shutil.copy(file, pictures / kind / f"{PATIENTS[number % 3]} {kind} {number}.png")
    (pictures / "krank" / "Anna Schmidt 1961 kaputt.png").write_bytes(b"nothing")
    table, archive = tmp_path / "Vogel privat" / "Befunde.csv", tmp_path / "Vogel privat" / "Anna Schmidt.zip"
    table.parent.mkdir()
    table.write_text("file,label\nWeiß_Karl 1.png,ill\n")
    archive.write_bytes(b"nothing")
    empty = tmp_path / "Vogel leer"
    empty.mkdir()
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(pictures)
    if with_run:
        window.workspace.take_outcome(
            "pretrain", trained(pictures, window.workspace.runs_folder / "Vogel 1"), "finished"
        )
    said.choice = "instead"
    for number, file in enumerate((table, archive, empty), start=1):  # neither can be used
        drop(window, file)
        qtbot.waitUntil(lambda number=number: len(boxes) == number, timeout=LONG)  # type: ignore[misc]
    assert "Anna Schmidt" in log_tail()
    assert str(tmp_path) in log_tail()
    said.file = tmp_path / "report.zip"
    said.words = "I opened Befunde.csv with SSL Studio, and it said nothing."
    report(window)
    qtbot.waitUntil(lambda: bool(said.questions) or len(boxes) > 3, timeout=LONG)
    with zipfile.ZipFile(said.file) as packed:
        texts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert ("run/events.jsonl" in texts) == with_run
    assert "with SSL Studio, and it said nothing" in texts["what happened.txt"]  # its own name is no secret
    assert "bug report of SSL Studio" in texts["read me.txt"]
    assert texts["log.txt"].count("DataError") >= 3  # what went wrong is told all the same
    if with_run:
        assert "run_finished" in texts["run/events.jsonl"] or "RunFinished" in texts["run/events.jsonl"]
    private = (
        str(tmp_path),
        tmp_path.name,
        "drmueller",
        "Vogel",
        "Mamma",
        "Befunde",
        "leer",
        platform.node(),
        *PATIENTS,
    )
    for name, text in texts.items():
        for one in (*private, "Schmidt", "Karl", "Hara"):
            for form in (one, json.dumps(one)[1:-1]):
                assert form not in text, f"{form} in {name}: {text[max(0, text.find(form) - 200) :][:400]}"
