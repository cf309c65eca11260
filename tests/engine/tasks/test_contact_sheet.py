"""Puzzles on one sheet: each picture in its cell, unchanged, and the words below it in the right colour."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from sslstudio.engine.tasks.base import Picture, Puzzle
from sslstudio.engine.tasks.contact_sheet import (
    CELL,
    INK,
    LINE,
    MARGIN,
    PAPER,
    RIGHT,
    WRONG,
    fit_into_cell,
    puzzle_sheet,
)

TINTS = ((200, 10, 10), (10, 200, 10), (10, 10, 200), (200, 200, 10))


def plain(tint: tuple[int, int, int], side: int = 48) -> Picture:
    return np.full((side, side, 3), tint, np.uint8)


def puzzle(answered: bool = True, correct: bool | None = True, label: str = "2 1") -> Puzzle:
    answer = plain(TINTS[3]) if answered else None
    words = "1 2" if answered else ""
    return Puzzle(plain(TINTS[0]), plain(TINTS[1]), plain(TINTS[2]), answer, label, words, correct)


def cell(sheet: Image.Image, row: int, column: int) -> Image.Image:
    left = MARGIN + column * (CELL + MARGIN)
    top = MARGIN + LINE + row * (CELL + 2 * LINE + MARGIN)
    return sheet.crop((left, top, left + CELL, top + CELL))


def words_below(sheet: Image.Image, row: int) -> set[tuple[int, ...]]:
    """The colours between a row and the next."""
    top = MARGIN + LINE + row * (CELL + 2 * LINE + MARGIN) + CELL
    colours = sheet.crop((0, top, sheet.width, top + 2 * LINE + MARGIN)).getcolors(1 << 16)
    assert colours is not None
    return {colour for _, colour in colours if isinstance(colour, tuple)}


def test_each_picture_stands_in_its_cell() -> None:
    sheet = puzzle_sheet([puzzle(), puzzle()])
    assert sheet.width == MARGIN + 4 * (CELL + MARGIN)
    for row in range(2):
        for column, tint in enumerate(TINTS):
            assert cell(sheet, row, column).getcolors() == [(CELL * CELL, tint)]


def test_without_answers_there_are_three_columns() -> None:
    assert puzzle_sheet([puzzle(answered=False)]).width == MARGIN + 3 * (CELL + MARGIN)


def test_a_puzzle_without_answer_among_others_leaves_its_cell_empty() -> None:
    sheet = puzzle_sheet([puzzle(answered=False), puzzle()])
    assert cell(sheet, 0, 3).getcolors() == [(CELL * CELL, ImageColor.getrgb(PAPER))]


@pytest.mark.parametrize(("correct", "colour"), [(True, RIGHT), (False, WRONG)])
def test_the_answer_is_told_right_or_wrong_by_its_colour(correct: bool, colour: str) -> None:
    below = words_below(puzzle_sheet([puzzle(correct=correct)]), 0)
    assert ImageColor.getrgb(colour) in below
    assert ImageColor.getrgb(WRONG if correct else RIGHT) not in below
    assert ImageColor.getrgb(INK) in below


def test_where_nothing_is_right_or_wrong_nothing_is_coloured() -> None:
    below = words_below(puzzle_sheet([puzzle(correct=None)]), 0)
    assert not below & {ImageColor.getrgb(RIGHT), ImageColor.getrgb(WRONG)}


def test_headings_can_be_given() -> None:
    usual, other = puzzle_sheet([puzzle()]), puzzle_sheet([puzzle()], ("a", "b", "c", "d"))
    assert usual.size == other.size
    assert usual.tobytes() != other.tobytes()


def test_no_puzzles_make_a_sheet_with_headings_only() -> None:
    assert puzzle_sheet([]).height == MARGIN + LINE


def test_small_pictures_stay_sharp_and_none_is_stretched() -> None:
    checks = np.indices((8, 8)).sum(0) % 2 * 255
    image = fit_into_cell(np.repeat(checks[..., None], 3, 2).astype(np.uint8))
    assert image.size == (CELL, CELL)
    assert {colour for _, colour in image.getcolors() or []} == {(0, 0, 0), (255, 255, 255)}
    assert fit_into_cell(np.zeros((50, 100, 3), np.uint8)).size == (CELL, CELL // 2)
    assert fit_into_cell(np.zeros((1000, 500, 3), np.uint8)).size == (CELL // 2, CELL)
    assert fit_into_cell(np.zeros((4000, 2, 3), np.uint8)).size == (1, CELL)
