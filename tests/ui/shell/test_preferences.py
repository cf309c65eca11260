"""Preferences: each is kept, and each acts on the window that is open and on the next one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.compute.device import DeviceFound
from sslstudio.engine.core import catalogue
from sslstudio.engine.core.events import Paused, Resumed
from sslstudio.engine.core.files.resource_files import resource_places
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import theme
from sslstudio.ui.forms.run_settings import DeviceBox
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.preferences_form import PreferencesForm
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

Visit = Callable[[Callable[[PreferencesForm], None]], None]
show_sheet = dialogs.show_sheet  # the real one: tests get another in its place


@pytest.fixture
def visit(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Opens the preferences by their key and does something in them."""

    def opened(act: Callable[[PreferencesForm], None]) -> None:
        seen: list[QWidget] = []

        def look(parent: QWidget, title: str, form: QWidget, place: str = "") -> None:
            assert isinstance(form, PreferencesForm)
            seen.append(form)
            act(form)

        monkeypatch.setattr(dialogs, "show_sheet", look)
        window.activateWindow()
        QTest.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
        assert len(seen) == 1
        seen[0].deleteLater()

    return opened


def pick(box: object, name: str) -> None:
    """Choose what stands for a name."""
    number = box.findData(name)  # type: ignore[attr-defined]
    assert number >= 0
    box.setCurrentIndex(number)  # type: ignore[attr-defined]


def test_the_appearance_changes_at_once_and_stays(window: MainWindow, visit: Visit, qtbot: QtBot) -> None:
    visit(lambda form: pick(form.appearance, "dark"))
    assert theme().dark
    assert app_settings.appearance() == "dark"
    visit(lambda form: pick(form.appearance, "light"))
    assert not theme().dark


def test_the_language_is_kept_and_those_with_a_translation_are_offered(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "translations").mkdir()
    (tmp_path / "translations" / "studio_de.qm").touch()
    real = resource_places()
    monkeypatch.setattr(catalogue, "resource_places", lambda: [tmp_path, *real])
    assert app_settings.language() == ""

    def choose(form: PreferencesForm) -> None:
        assert [form.language.itemText(number) for number in range(3)] == ["As the system", "English", "Deutsch"]
        pick(form.language, "de")

    visit(choose)
    assert app_settings.language() == "de"
    visit(lambda form: pick(form.language, ""))
    assert app_settings.language() == ""


def test_runs_go_where_it_is_said(
    window: MainWindow, visit: Visit, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    movable: list[bool] = []
    visit(lambda form: movable.append(form.elsewhere.isEnabled()))
    assert movable == [False]  # SSLSTUDIO_HOME says where
    monkeypatch.delenv("SSLSTUDIO_HOME")
    app_settings.set_home(tmp_path / "before")
    said.folder = tmp_path / "elsewhere"

    def move(form: PreferencesForm) -> None:
        with changing(qtbot, window.workspace, Change.RUNS):
            form.elsewhere.click()
        assert form.home.text() == str(tmp_path / "elsewhere")

    visit(move)
    assert window.workspace.runs_folder.is_relative_to(tmp_path / "elsewhere")
    assert window.workspace.new_run("jigsaw").is_relative_to(tmp_path / "elsewhere")


def test_the_device_is_taken_by_settings_that_stand_and_by_later_ones(
    window: MainWindow, visit: Visit, sample: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        window.open_folder(sample)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, RunPage)
    assert page.settings is not None
    assert page.settings.hardware_config().device == "auto"

    def choose(form: PreferencesForm) -> None:
        assert form.device is not None
        pick(form.device, "cpu")

    visit(choose)
    assert page.settings.hardware_config().device == "cpu"
    window.go("finetune")
    later = window.pages["finetune"]
    assert isinstance(later, RunPage)
    assert later.settings is not None
    assert later.settings.hardware_config().device == "cpu"


def test_a_preferred_device_that_is_gone_or_broken_leaves_the_choice_to_the_program(qtbot: QtBot) -> None:
    app_settings.set_device("cuda:0")
    gone = DeviceBox([DeviceFound("cpu", "CPU")])
    broken = DeviceBox([DeviceFound("cuda:0", "GPU", "too old"), DeviceFound("cpu", "CPU")])
    there = DeviceBox([DeviceFound("cuda:0", "GPU"), DeviceFound("cpu", "CPU")])
    for box in (gone, broken, there):
        qtbot.addWidget(box)
    assert [box.device() for box in (gone, broken, there)] == ["auto", "auto", "cuda:0"]


def test_trainings_have_a_process_of_their_own_unless_that_is_switched_off() -> None:
    app_settings._store().remove("apart")  # as it is at first
    assert app_settings.apart()
    app_settings.set_apart(False)
    assert not app_settings.apart()


def test_trainings_go_on_apart_when_wanted(visit: Visit) -> None:
    assert not app_settings.apart()
    visit(lambda form: form.apart.click())
    assert app_settings.apart()
    visit(lambda form: form.apart.click())
    assert not app_settings.apart()


def test_sleep_is_held_off_only_when_wanted_also_in_a_run_that_goes_on(window: MainWindow, visit: Visit) -> None:
    window.notifier.awake._command = ["cat"]  # a program that any system has
    notifier, awake = window.notifier, window.notifier.awake
    notifier._begin()
    assert awake.held
    visit(lambda form: form.awake.click())
    assert not awake.held
    visit(lambda form: form.awake.click())
    assert awake.held
    notifier._take("pretrain", [Paused(step=1)])
    assert not awake.held
    for _ in range(2):
        visit(lambda form: form.awake.click())
    assert not awake.held  # a pause stays one
    notifier._take("pretrain", [Resumed(step=1)])
    assert awake.held
    notifier._note_end("pretrain")
    assert not awake.held


def test_the_end_is_told_by_the_system_only_when_wanted(
    window: MainWindow, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[QWidget] = []
    monkeypatch.setattr(QApplication, "alert", alerts.append)
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    visit(lambda form: form.notifies.click())
    window.notifier._tell("The run has ended", "Ran 3 min.")
    assert not alerts
    visit(lambda form: form.notifies.click())
    window.notifier._tell("The run has ended", "Ran 3 min.")
    assert alerts == [window]


def test_the_dialog_fits_the_screen_and_all_of_it_is_reached_by_keys(
    window: MainWindow, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "show_sheet", show_sheet)
    reached: set[str] = set()
    fits: list[bool] = []

    def look() -> None:
        dialog = qapp.activeModalWidget()
        assert isinstance(dialog, QDialog)
        fits.append(dialog.screen().availableSize().height() >= dialog.height())
        one = dialog.nextInFocusChain()
        while one is not None and one is not dialog:
            if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isEnabled():
                reached.add(one.accessibleName() or getattr(one, "text", str)())
            one = one.nextInFocusChain()
        dialog.reject()

    QTimer.singleShot(0, look)
    window.preferences.show()
    assert fits == [True]
    assert {
        "Appearance", "Language", "Runs on, unless set otherwise", "Train in a process of its own",
        "Tell me when a run has ended", "Keep the computer awake during a training", "Close",
    } <= {words.replace("&", "") for words in reached}  # fmt: skip
