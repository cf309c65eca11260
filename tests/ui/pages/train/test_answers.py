from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.pretraining.animation import sheets_of
from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.train.answer_board import MOST
from sslstudio.ui.pages.train.answers import Answers
from tests.engine.pretraining.test_animation import run_with
from tests.engine.tasks.test_contact_sheet import TINTS


@pytest.fixture
def answers(qtbot: QtBot, tmp_path: Path) -> Answers:
    made = Answers()
    qtbot.addWidget(made)
    made.show()
    for sheet in sheets_of(run_with(tmp_path / "run", (False, False), (True, False), (True, True))):
        made.add_sheet(sheet.step, sheet.path)
    qtbot.waitUntil(lambda: len(made._read) == 3)
    return made


def test_the_answers_are_played_from_the_first_to_the_last(answers: Answers, qtbot: QtBot) -> None:
    assert answers.slider.value() == 2
    assert answers.board.accessibleName().startswith("Answers after 3 steps")
    seen: list[int] = []
    answers.slider.valueChanged.connect(seen.append)
    QTest.mouseClick(answers.play, Qt.MouseButton.LeftButton)
    assert answers.playing
    qtbot.waitUntil(lambda: not answers.playing)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sheet_has_the_colours_of_the_window(answers: Answers, scheme: str, qtbot: QtBot) -> None:
    theme().follow(scheme)
    answers.resize(700, 500)
    qtbot.waitUntil(lambda: answers.board.width() > 500)
    board = answers.board
    assert board.cell(0, 0).top() < 40, "it begins at the top"
    assert board.accessibleDescription() == "2 of 2 right"
    image = answers.grab(board.geometry()).toImage()
    between = board.cell(0, 0).right() + 4
    ground = {image.pixelColor(between, y).name() for y in range(board.cell(0, 0).top(), board.height())}
    assert ground == {theme().colours.surface}
    frame = board.cell(1, 1)
    assert image.pixelColor(frame.left() + 1, frame.bottom() - 1).name() == theme().colours.good
    asked, shown = frame.translated(0, board.cell(0, 1).top() - frame.top()).center(), TINTS[1]
    seen = image.pixelColor(asked)
    assert (seen.red(), seen.green(), seen.blue()) == shown
    theme().follow("system")


@pytest.mark.parametrize("size", [(420, 300), (1400, 900)])
def test_the_sheet_uses_the_room_it_has(answers: Answers, size: tuple[int, int], qtbot: QtBot) -> None:
    board = answers.board
    board.resize(*size)
    last = board.cell(2, 1)
    assert board.rect().contains(last)
    touches = board.width() - last.right() <= 2, board.height() - last.bottom() <= 4, last.width() == MOST
    assert any(touches)


def test_playing_ends_when_nobody_looks(answers: Answers) -> None:
    answers.toggle_play()
    answers.hide()
    assert not answers.playing


def test_the_film_says_how_far_it_is_and_can_be_stopped(
    answers: Answers, tmp_path: Path, said: object, qtbot: QtBot
) -> None:
    said.file = tmp_path / "mine.gif"  # type: ignore[attr-defined]
    heard: list[str] = []
    QTest.mouseClick(answers.keep, Qt.MouseButton.LeftButton)
    assert answers.busy.stop.isVisible()
    assert not answers.keep.isEnabled()
    assert answers._film is not None
    answers._film.progressed.connect(lambda event: heard.append(answers.busy._progress.describe(event)))
    qtbot.waitUntil(lambda: "The film is in" in answers.told.text())
    assert heard[-1] == "Drawing the film  ·  3 of 3"
    assert not answers.busy.isVisible()
    (tmp_path / "mine.gif").unlink()
    QTest.mouseClick(answers.keep, Qt.MouseButton.LeftButton)
    QTest.mouseClick(answers.busy.stop, Qt.MouseButton.LeftButton)
    assert answers.busy.told.text() == "Stopped."
    assert answers.keep.isEnabled()


def test_the_film_is_saved(answers: Answers, tmp_path: Path, said: object, qtbot: QtBot) -> None:
    said.file = tmp_path / "mine"  # type: ignore[attr-defined]
    QTest.mouseClick(answers.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "The film is in" in answers.told.text())
    with Image.open(tmp_path / "mine.gif") as film:
        assert film.n_frames == 3  # type: ignore[attr-defined]
    (tmp_path / "mine.gif").write_bytes(b"somebody's own")
    QTest.mouseClick(answers.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(said.errors) == 1)  # type: ignore[attr-defined]
    assert (tmp_path / "mine.gif").read_bytes() == b"somebody's own"
