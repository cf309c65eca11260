"""The simple way: from an empty window to a result in a few clicks, and never a wait of the window."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.journey.controller import Stage
from sslstudio.ui.pages.journey.page import JourneyPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.spec import EXPERT, SIMPLE
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import SAMPLE
from tests.support.watchdog import LOADING_MS, LONGEST_MS, Watchdog
from tests.ui.conftest import Said

MOST_ACTIONS, MOST_TO_THE_SECOND = 5, 15  # to a result, and to a better one with corrected proposals
PATIENCE = 280_000


class Person:
    """Clicks on what is on the screen; each click is one action."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self.qtbot, self.actions = window, qtbot, 0

    def click(self, words: str) -> None:
        self.qtbot.waitUntil(lambda: bool(self._buttons(words)), timeout=PATIENCE)
        QTest.mouseClick(self._buttons(words)[0], Qt.MouseButton.LeftButton)
        self.actions += 1

    def press(self, widget: QWidget, key: Qt.Key) -> None:
        QTest.keyClick(widget, key)
        self.actions += 1

    def _buttons(self, words: str) -> list[QAbstractButton]:
        def says(one: QAbstractButton) -> bool:
            return words in (one.text().strip(), one.accessibleName())

        found = self.window.findChildren(QAbstractButton)
        return [one for one in found if says(one) and one.isVisible() and one.isEnabled()]


@pytest.fixture
def newcomer(qtbot: QtBot, own_settings: Path, said: Said) -> Iterator[MainWindow]:
    """The window of somebody who has never seen it, with the engine still to be loaded."""
    app_settings.set_expert(False)
    made = MainWindow()
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    made.workspace.load_engine()
    yield made
    assert said.errors == [], said.errors


def page_of(window: MainWindow) -> JourneyPage:
    page = window.pages["journey"]
    assert isinstance(page, JourneyPage)
    return page


def with_small_sample(home: Path, sample: Path) -> None:
    """Sixty pictures stand for the sample, so that nobody waits for 2,400 to be drawn."""
    home.mkdir(parents=True, exist_ok=True)
    (home / SAMPLE).symlink_to(sample, target_is_directory=True)
    (sample / ".complete").touch()


def walk(window: MainWindow, qtbot: QtBot, minutes: float | None) -> Person:
    person, page = Person(window, qtbot), page_of(window)
    person.click("Sort pictures into classes")
    person.click("Try with the sample")
    qtbot.waitUntil(lambda: window.workspace.recognised is not None, timeout=PATIENCE)
    page.journey.minutes = minutes
    person.click("Learn")
    qtbot.waitUntil(lambda: page.journey.stage in (Stage.DONE, Stage.IDLE), timeout=PATIENCE)
    assert page.journey.error == ""
    assert page.journey.stage is Stage.DONE
    return person


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_clicks_lead_to_a_result_in_plain_words(
    newcomer: MainWindow, sample: Path, own_settings: Path, qtbot: QtBot
) -> None:
    with_small_sample(own_settings, sample)
    watchdog = Watchdog()
    page = page_of(newcomer)
    heard: list[str] = []
    page.journey.changed.connect(lambda: heard.append(page.now.text()))
    person = walk(newcomer, qtbot, 0.05)
    watchdog.stop()
    assert person.actions <= MOST_ACTIONS
    assert "of the pictures into the right class" in page.now.text().replace("\u00a0", " ")
    assert page.next.text().startswith("Next: ")
    assert page.facts.count() >= 1
    assert page.journey.plan is not None
    assert not page.journey.plan.pretrains  # 42 pictures to train on are too few, and that is said
    assert "too few" in page.journey.plan.reasons[0]
    assert any("learns from your labels" in one for one in heard)
    assert newcomer.workspace.result is not None
    assert watchdog.longest[-1] <= LOADING_MS, watchdog.longest


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_newcomer_s_path_on_the_whole_sample(
    newcomer: MainWindow, qtbot: QtBot, record_property: Callable[[str, object], None]
) -> None:
    watchdog, began = Watchdog(), time.monotonic()
    person = walk(newcomer, qtbot, 0.5)
    watchdog.stop()
    seconds = time.monotonic() - began
    record_property("seconds", round(seconds, 1))
    print(f"{seconds:.1f} s, {person.actions} actions, longest {watchdog.longest} ms")  # noqa: T201  # shown by -rP
    plan = page_of(newcomer).journey.plan
    assert plan is not None
    assert plan.pretrains
    assert newcomer.workspace.pretrained is not None
    assert person.actions <= MOST_ACTIONS
    assert watchdog.longest[-1] <= LOADING_MS
    assert watchdog.longest[-2] <= LONGEST_MS


def test_three_clicks_lead_to_a_map(newcomer: MainWindow, sample: Path, own_settings: Path, qtbot: QtBot) -> None:
    with_small_sample(own_settings, sample)
    watchdog = Watchdog()
    person, page = Person(newcomer, qtbot), page_of(newcomer)
    person.click("Just explore what is there")
    person.click("Try with the sample")
    person.click("Learn")
    qtbot.waitUntil(lambda: page.journey.stage is Stage.DONE, timeout=PATIENCE)
    watchdog.stop()
    assert page.sight.currentWidget() is page.map
    assert person.actions == 3
    assert "look alike" in page.now.text()
    assert page.journey.plan is not None
    assert not page.journey.plan.pretrains  # 42 pictures to train on are too few, and that is said
    assert "too few" in page.journey.plan.reasons[0]
    assert watchdog.longest[-1] <= LOADING_MS, watchdog.longest
    assert watchdog.longest[-2] <= LONGEST_MS, watchdog.longest
    person.click("Expert: all settings")
    assert newcomer.shown == "images"
    assert app_settings.expert()


def half_labelled(sample: Path, folder: Path) -> Path:
    """The sample's pictures in one folder, and a table with the class of every other one."""
    folder.mkdir()
    lines = ["file,class"]
    for number, picture in enumerate(sorted((sample / "images").rglob("*.png"))):
        name = f"{number:03}.png"
        (folder / name).write_bytes(picture.read_bytes())
        if number % 2:
            lines.append(f"{name},{picture.parent.name}")
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def learnt(page: JourneyPage, qtbot: QtBot) -> int:
    """Wait for a result, and say how many labelled pictures it was learnt from."""
    qtbot.waitUntil(lambda: page.journey.stage in (Stage.DONE, Stage.IDLE), timeout=PATIENCE)
    assert page.journey.error == ""
    assert page.journey.stage is Stage.DONE
    result = page.workspace.result
    assert result is not None
    metrics = RunFolder.open(result).finetune_metrics()
    assert metrics is not None
    return int(metrics["n_train"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_proposal_is_corrected_and_more_is_learnt_from(
    newcomer: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot, record_property: Callable[[str, object], None]
) -> None:
    began, watchdog = time.monotonic(), Watchdog()
    person, page = Person(newcomer, qtbot), page_of(newcomer)
    person.click("Sort pictures into classes")
    newcomer.open_folder(half_labelled(sample, tmp_path / "half"))
    person.actions += 1  # in the dialog of the system
    page.journey.minutes = 0.05
    person.click("Learn")
    before, first = learnt(page, qtbot), newcomer.workspace.result
    person.click("Label pictures")
    qtbot.waitUntil(lambda: newcomer.shown == "label")
    label = newcomer.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.faces.currentWidget() is label.board, timeout=PATIENCE)
    view = label.board.gallery.view
    view.setFocus()
    person.press(view, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: bool(label.proposals.left("classification")), timeout=PATIENCE)
    proposed = label.proposals.left("classification")
    for key in (Qt.Key.Key_A, Qt.Key.Key_A, Qt.Key.Key_2, Qt.Key.Key_A):
        person.press(view, key)
    assert len(label.proposals.left("classification")) == len(proposed) - 4
    person.click("Learn again with these")
    person.click("Learn again")
    qtbot.waitUntil(lambda: newcomer.workspace.result not in (first, None), timeout=PATIENCE)
    after = learnt(page, qtbot)
    watchdog.stop()
    seconds = round(time.monotonic() - began, 1)
    record_property("seconds", seconds)
    print(f"{seconds} s, {person.actions} actions, {before} then {after} labels, {watchdog.longest} ms")  # noqa: T201
    assert person.actions <= MOST_TO_THE_SECOND
    assert after > before
    assert watchdog.longest[-1] <= LOADING_MS, watchdog.longest


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_masks_are_learnt_in_the_same_way(newcomer: MainWindow, sample: Path, own_settings: Path, qtbot: QtBot) -> None:
    with_small_sample(own_settings, sample)
    person, page = Person(newcomer, qtbot), page_of(newcomer)
    person.click("Mark things in pictures")
    person.click("Try with the sample")
    page.journey.minutes = 0.05
    person.click("Learn")
    assert learnt(page, qtbot) > 0
    assert "agree by" in page.now.text()
    assert person.actions <= MOST_ACTIONS


def test_without_labels_it_learns_and_then_asks_for_them(
    newcomer: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "no labels"
    folder.mkdir()
    for number, picture in enumerate(sorted((sample / "images").rglob("*.png"))[:20]):
        (folder / f"{number}.png").write_bytes(picture.read_bytes())
    person, page = Person(newcomer, qtbot), page_of(newcomer)
    person.click("Sort pictures into classes")
    newcomer.open_folder(folder)
    qtbot.waitUntil(lambda: page.faces.currentWidget() is page.work, timeout=PATIENCE)
    assert "Label 10 pictures of each class" in page.detail.text()
    person.click("Learn")
    qtbot.waitUntil(lambda: page.journey.stage is Stage.LABELS, timeout=PATIENCE)
    assert "Label 10 pictures of each class" in page.next.text()
    assert page.label.property("role") == "primary"
    assert not page.learn.isVisible()
    person.click("Label pictures")
    qtbot.waitUntil(lambda: newcomer.shown == "label")


def test_who_has_used_it_before_stays_with_the_expert_pages(qtbot: QtBot, own_settings: Path) -> None:
    app_settings._store().remove("expert")
    assert not app_settings.expert()
    app_settings._store().remove("expert")
    app_settings.set_toured()
    assert app_settings.expert()
    app_settings.set_expert(False)
    assert not app_settings.expert()


def test_the_label_page_has_no_word_of_the_field_on_the_simple_way(newcomer: MainWindow, qtbot: QtBot) -> None:
    for way, said in ((SIMPLE, "Learn with these"), (EXPERT, "Fine-tune with these")):
        newcomer.take_way(way)
        newcomer.go("label")
        page = newcomer.pages["label"]
        assert isinstance(page, LabelPage)
        assert page.forward.text().strip() == said


def test_pages_that_are_not_on_the_simple_way_lead_home(newcomer: MainWindow, qtbot: QtBot) -> None:
    assert newcomer.shown == "journey"
    newcomer.go("label")
    newcomer.workspace.wants_page.emit("finetune")
    assert newcomer.shown == "journey"
    newcomer.workspace.wants_expert.emit("compare")
    qtbot.waitUntil(lambda: newcomer.shown == "compare")
    assert newcomer.steps.currentItem().text() == "Compare"
    newcomer.actions_.expert.trigger()
    assert newcomer.shown == "journey"
    assert newcomer.steps.count() == 2
    qtbot.waitUntil(lambda: newcomer.workspace.engine is not None, timeout=PATIENCE)
