"""While pictures are opened the window says which, and nobody works on for those before."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.step_list import STATE
from sslstudio.ui.workspace.clinic import clinic_of
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000


def test_it_says_at_once_what_is_being_opened(window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample)
    other = tmp_path / "blood cells"
    other.mkdir()
    for picture in sorted((sample / "images").rglob("*.png"))[:5]:
        (other / picture.name).write_bytes(picture.read_bytes())
    window.go("label")
    window.workspace.open_folder(other)
    page = window.pages["images"]
    assert isinstance(page, ImagesPage)
    assert page.title.text() == "blood cells"
    assert "blood cells" in window.told.text()
    assert window.steps.item(0).data(STATE) == "Opening …"
    window.workspace.cancel_opening()
    assert page.title.text() == "little zoo"
    assert "blood cells" not in window.told.text()
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.workspace.open_folder(other)
    assert page.title.text() == "blood cells"


def test_the_clinic_of_the_folder_before_makes_way(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample)
    clinic = clinic_of(window.workspace)
    assert clinic.under_way
    before = clinic._job
    assert before is not None
    window.workspace.open_folder(sample)
    assert before.control.stopping
    assert not clinic.under_way
    window.workspace.cancel_opening()
    qtbot.waitUntil(lambda: clinic.under_way)  # none came, so it goes on about these
    qtbot.waitUntil(lambda: clinic.found is not None, timeout=LONG)
