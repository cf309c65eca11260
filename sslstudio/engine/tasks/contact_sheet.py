"""Puzzles as one picture: what was asked, the right answer and the network's own, with words under each."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.base import Picture, Puzzle

CELL = 192
MARGIN = 14
LINE = 20
INK, PAPER, SOFT, RIGHT, WRONG = "#1d2733", "#ffffff", "#5b6876", "#00734f", "#b3420a"


def puzzle_sheet(puzzles: Sequence[Puzzle], headings: tuple[str, str, str, str] | None = None) -> Image.Image:
    """One row a puzzle: the picture, what the network is asked, the right answer and (if there is one) its answer."""
    titles = headings or (
        Message("picture"),
        Message("what the network gets"),
        Message("right answer"),
        Message("the network's answer"),
    )
    columns = 4 if any(puzzle.answer is not None for puzzle in puzzles) else 3
    width = MARGIN + columns * (CELL + MARGIN)
    row = CELL + 2 * LINE + MARGIN
    sheet = Image.new("RGB", (width, MARGIN + LINE + row * len(puzzles)), PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for column, title in enumerate(titles[:columns]):
        pen.text((MARGIN + column * (CELL + MARGIN), MARGIN // 2), title, SOFT, font)
    for number, puzzle in enumerate(puzzles):
        _draw_row(sheet, pen, font, puzzle, MARGIN + LINE + number * row, columns)
    return sheet


def sheet_bytes(sheet: Image.Image, kind: str = "PNG") -> bytes:
    """The content of a picture file; 34 ms for a PNG, which would take 120 if it were packed tightly."""
    content = io.BytesIO()
    if kind == "PNG":
        sheet.save(content, kind, compress_level=1)
    else:
        sheet.save(content, kind)
    return content.getvalue()


def _draw_row(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, puzzle: Puzzle,
    top: int, columns: int,
) -> None:  # fmt: skip
    pictures = [puzzle.source, puzzle.input, puzzle.target, puzzle.answer][:columns]
    for column, picture in enumerate(pictures):
        if picture is not None:
            sheet.paste(fit_into_cell(picture), (MARGIN + column * (CELL + MARGIN), top))
    below = top + CELL + 3
    pen.text((MARGIN, below), puzzle.label, INK, font)
    if puzzle.answer_label:
        colour = INK if puzzle.correct is None else RIGHT if puzzle.correct else WRONG
        pen.text((MARGIN, below + LINE), _judge_answer(puzzle.answer_label, puzzle.correct), colour, font)


def _judge_answer(answer: str, correct: bool | None) -> str:
    if correct is None:
        return answer
    return Message("right: {answer}", answer=answer) if correct else Message("wrong: {answer}", answer=answer)


def fit_into_cell(picture: Picture, side: int = CELL) -> Image.Image:
    """Scale a picture into a square cell, small ones by whole pixels so that they stay sharp."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    scale = min(side / image.width, side / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.LANCZOS)
