"""A run as a short film: the same few held-out puzzles as the network solves them better and better."""

import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw, ImageFont

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Evaluated, Preparing, SampleSaved
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import find_metric
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.contact_sheet import CELL, INK, LINE, MARGIN, PAPER, RIGHT, SOFT, WRONG

ROWS = (("what the network gets", 1), ("the network's answer", 3), ("right answer", 2))  # title, column of a sheet
COLUMNS, ROW = 4, CELL + 2 * LINE + MARGIN  # of a sheet of answers
FRAME = 5  # pixels around an answer that is right or wrong
STAGE = Message("Drawing the film")
LENGTH = 7.0  # seconds of a film, the rest on the last picture apart
QUICKEST, SLOWEST, LAST = 0.12, 0.8, 2.5  # seconds that a picture stands


@dataclass(frozen=True)
class Sheet:
    """Answers after `step` steps, and what was scored then in words ('' when nothing was)."""

    step: int
    path: Path
    words: str


def sheets_of(run: RunFolder) -> list[Sheet]:
    """The sheets of a run in the order of its steps; those whose file is gone are left out."""
    files: dict[int, str] = {}
    scores: dict[int, str] = {}
    for event in run.events():
        if isinstance(event, SampleSaved):
            files[event.step] = event.path
        elif isinstance(event, Evaluated) and event.split == "validation":
            scores[event.step] = _score(event)
    found = [Sheet(step, run.path / file, scores.get(step, "")) for step, file in sorted(files.items())]
    return [sheet for sheet in found if sheet.path.is_file()]


def _score(event: Evaluated) -> str:
    """The first metric that guessing has a value for, beside it: '43 % right, guessing gives 1.4 %'."""
    name = next((name for name in event.chance if name in event.metrics), "")
    if not find_metric(name).is_share:
        return f"{name.replace('_', ' ')} {event.metrics[name]:.2f}, guessing {event.chance[name]:.2f}" if name else ""
    return f"{event.metrics[name]:.1%} right on {event.n} held-out pictures, guessing gives {event.chance[name]:.1%}"


@dataclass(frozen=True)
class Answer:
    """One puzzle of a sheet, without the sheet's paper and words: what the network got, what it answered and what is
    right, each uint8 (h, w, 3); None what the sheet does not have. `correct`: None where there is no right or wrong."""

    asked: npt.NDArray[np.uint8]
    answered: npt.NDArray[np.uint8] | None = None
    right: npt.NDArray[np.uint8] | None = None
    correct: bool | None = None


def answers_of(sheet: Image.Image) -> list[Answer]:
    """The puzzles of a sheet, for whoever lays them out in colours and words of his own. What is no sheet of answers is
    given back as one picture."""
    sheet = sheet.convert("RGB")
    count = (sheet.height - MARGIN - LINE) // ROW
    columns = (sheet.width - MARGIN) // (CELL + MARGIN)
    if sheet.width != MARGIN + columns * (CELL + MARGIN) or columns not in (COLUMNS - 1, COLUMNS) or count < 1:
        return [Answer(np.asarray(sheet))]
    asked, right = _pictures(sheet, count, 1), _pictures(sheet, count, 2)
    answered = _pictures(sheet, count, 3) if columns == COLUMNS else [None] * count
    judged = [{RIGHT: True, WRONG: False}.get(_verdict(sheet, number) or "") for number in range(count)]
    return [Answer(*one) for one in zip(asked, answered, right, judged, strict=True)]


def _pictures(sheet: Image.Image, count: int, column: int) -> list[npt.NDArray[np.uint8]]:
    """A column of a sheet. Pictures lie in the corner of their cells: the paper that all of them leave is no part."""
    cells = np.stack([np.asarray(_cell(sheet, number, column)) for number in range(count)])
    inked = (cells != np.array(ImageColor.getrgb(PAPER), np.uint8)).any(axis=(0, 3))
    if not inked.any():  # pictures as white as the paper
        return list(cells)
    rows, columns = (int(np.flatnonzero(inked.any(axis=one))[-1]) + 1 for one in (1, 0))
    return list(cells[:, :rows, :columns])


def strip_of(sheet: Image.Image) -> Image.Image:
    """The puzzles of a sheet side by side: question, the network's answer (framed when it is right or wrong) and the
    right answer below each other. What is no sheet of answers is given back as it is."""
    count = (sheet.height - MARGIN - LINE) // ROW
    if sheet.width != MARGIN + COLUMNS * (CELL + MARGIN) or count < 1:
        return sheet.convert("RGB")
    strip = Image.new("RGB", (MARGIN + count * (CELL + MARGIN), len(ROWS) * (CELL + LINE + 8) + 8), PAPER)
    pen, font = ImageDraw.Draw(strip), ImageFont.load_default(14)
    for line, (title, column) in enumerate(ROWS):
        top = 6 + line * (CELL + LINE + 8)
        pen.text((MARGIN, top), title, SOFT, font)
        for number in range(count):
            left = MARGIN + number * (CELL + MARGIN)
            strip.paste(_cell(sheet, number, column), (left, top + LINE))
            colour = _verdict(sheet, number) if column == COLUMNS - 1 else None
            if colour is not None:
                _frame(pen, (left, top + LINE), colour, font)
    return strip


def _cell(sheet: Image.Image, row: int, column: int) -> Image.Image:
    left, top = MARGIN + column * (CELL + MARGIN), MARGIN + LINE + row * ROW
    return sheet.crop((left, top, left + CELL, top + CELL))


def _verdict(sheet: Image.Image, row: int) -> str | None:
    """The colour of the words under a puzzle: of right or wrong answers, None where there is no right and wrong."""
    top = MARGIN + LINE + row * ROW + CELL + LINE
    words = sheet.convert("RGB").crop((0, top, sheet.width, top + LINE + 3)).getcolors(1 << 16) or []
    there = {colour for _, colour in words}
    return next((colour for colour in (RIGHT, WRONG) if ImageColor.getrgb(colour) in there), None)


def _frame(
    pen: ImageDraw.ImageDraw, place: tuple[int, int], colour: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    left, top = place
    pen.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=colour, width=FRAME)
    word = "right" if colour == RIGHT else "wrong"  # never by colour alone
    pen.rectangle((left, top, left + 48, top + 22), fill=colour)
    pen.text((left + 7, top + 2), word, PAPER, font)


def _add_caption(sheet: Sheet) -> Image.Image:
    with Image.open(sheet.path) as file:
        strip = strip_of(file)
    picture = Image.new("RGB", (strip.width, strip.height + 30), PAPER)
    picture.paste(strip, (0, 30))
    words = f"after {sheet.step:,} steps" + (f": {sheet.words}" if sheet.words else "")
    ImageDraw.Draw(picture).text((MARGIN, 8), words, INK, ImageFont.load_default(16))
    return picture


def frames_of(run: RunFolder) -> Iterator[Image.Image]:
    """The film's pictures, all of one size. Raises DataError when the run has shown no answers yet."""
    sheets = sheets_of(run)
    if not sheets:
        raise DataError(
            "{run} has no pictures of answers yet. They come with the first evaluation of a pretraining: "
            "let it run on, or choose another run.",
            run=run.path,
        )
    size: tuple[int, int] | None = None
    for sheet in sheets:
        picture = _add_caption(sheet)
        size = size or picture.size
        yield picture if picture.size == size else picture.resize(size)


def write_film(run: RunFolder, out: Path) -> Generator[Preparing, None, int]:
    """Write the film as an animated GIF; returns how many pictures it has. Stopped on the way it writes nothing.

    Raises DataError when there is nothing to show or the name is not that of a GIF.
    """
    if out.suffix.lower() != ".gif":
        raise DataError(
            "{out} is not the name of a GIF. Try {with_suffix}", out=out, with_suffix=out.with_suffix(".gif")
        )
    frames: list[Image.Image] = []
    count = len(sheets_of(run))
    for frame in frames_of(run):
        yield Preparing(stage=STAGE, done=len(frames), total=count)
        frames.append(frame.quantize(128, dither=Image.Dither.NONE))
    yield Preparing(stage=STAGE, done=count, total=count)
    each = min(SLOWEST, max(QUICKEST, LENGTH / len(frames)))
    stands = [round(1000 * each)] * (len(frames) - 1) + [round(1000 * LAST)]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=stands, loop=0)
    make_folder(out.parent)
    write_atomic(out, content.getvalue())
    return len(frames)
