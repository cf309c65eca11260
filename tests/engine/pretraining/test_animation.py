"""The film of a run: each answer in its place, right and wrong told apart, and a GIF that other programs open."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageColor

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Evaluated, SampleSaved, to_json
from sslstudio.engine.pretraining.animation import ROWS, answers_of, frames_of, sheets_of, strip_of, write_film
from sslstudio.engine.runs.run_folder import EVENTS, RunFolder
from sslstudio.engine.tasks.contact_sheet import CELL, MARGIN, RIGHT, WRONG, puzzle_sheet
from tests.engine.tasks.test_contact_sheet import TINTS, puzzle


def colours(strip: Image.Image, line: int, number: int) -> list[tuple[int, ...]]:
    """The colours within a cell of a strip, the most frequent first."""
    height = (strip.height - 8) // len(ROWS)
    left, bottom = MARGIN + number * (CELL + MARGIN), 6 + (line + 1) * height - 8
    found = strip.crop((left, bottom - CELL, left + CELL, bottom)).getcolors(1 << 16) or []
    return [colour for _, colour in sorted(found, reverse=True) if isinstance(colour, tuple)]


def run_with(folder: Path, *verdicts: tuple[bool | None, ...]) -> RunFolder:
    """A run of one sheet a step; each verdict is whether a puzzle was answered right."""
    run = RunFolder.create(folder, {"job": "pretrain"})
    (folder / "samples").mkdir()
    lines = []
    for step, row in enumerate(verdicts, start=1):
        name = f"samples/step-{step:06d}.png"
        puzzle_sheet([puzzle(correct=one) for one in row]).save(folder / name)
        lines.append(to_json(SampleSaved(step=step, path=name)))
        scored = {"loss": 1.0, "accuracy": sum(map(bool, row)) / len(row)}
        lines.append(to_json(Evaluated(step=step, split="validation", n=9, metrics=scored, chance={"accuracy": 0.25})))
    (folder / EVENTS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run


def test_question_answer_and_truth_stand_below_each_other() -> None:
    strip = strip_of(puzzle_sheet([puzzle(correct=None), puzzle(correct=None)]))
    for number in range(2):
        assert [colours(strip, line, number)[0] for line in range(3)] == [TINTS[1], TINTS[3], TINTS[2]]


def test_right_and_wrong_answers_are_framed() -> None:
    strip = strip_of(puzzle_sheet([puzzle(correct=True), puzzle(correct=False), puzzle(correct=None)]))
    right, wrong = ImageColor.getrgb(RIGHT), ImageColor.getrgb(WRONG)
    framed = [set(colours(strip, 1, number)) & {right, wrong} for number in range(3)]
    assert framed == [{right}, {wrong}, set()]
    assert all(not set(colours(strip, line, 0)) & {right, wrong} for line in (0, 2))


def test_a_sheet_is_read_without_its_paper() -> None:
    verdicts = (True, False, None)
    found = answers_of(puzzle_sheet([puzzle(correct=one) for one in verdicts]))
    assert tuple(one.correct for one in found) == verdicts
    for one in found:
        pictures = [one.asked, one.answered, one.right]
        assert [picture[0, 0].tolist() for picture in pictures if picture is not None] == [
            list(TINTS[number]) for number in (1, 3, 2)
        ]
        assert all((picture != 255).any(axis=2).all() for picture in pictures if picture is not None)
    asked_only = answers_of(puzzle_sheet([replace(puzzle(correct=None), answer=None, answer_label="")]))
    assert [one.answered for one in asked_only] == [None]
    assert answers_of(Image.new("RGB", (80, 60)))[0].asked.shape == (60, 80, 3)


def test_what_is_no_sheet_of_answers_is_left_as_it_is() -> None:
    assert strip_of(Image.new("RGB", (80, 60))).size == (80, 60)


def test_the_film_is_a_gif_with_a_picture_for_each_sheet(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", (False, False), (True, False), (True, True))
    assert [sheet.words for sheet in sheets_of(run)][1] == "50.0% right on 9 held-out pictures, guessing gives 25.0%"
    out = tmp_path / "made" / "solved.gif"
    assert to_end(write_film(run, out)) == 3
    with Image.open(out) as film:
        assert film.format == "GIF"
        assert film.n_frames == 3  # type: ignore[attr-defined]
        stands = []
        for number in range(3):
            film.seek(number)
            stands.append(film.info["duration"])
        assert stands[-1] > stands[0]
    first, *_, last = frames_of(run)
    assert first.size == last.size
    assert first.tobytes() != last.tobytes()


def test_a_film_says_how_far_it_is_and_leaves_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", (False, False), (True, False), (True, True))
    steps = write_film(run, tmp_path / "film.gif")
    assert [(one.done, one.total) for one in (next(steps) for _ in range(4))] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    steps.close()
    assert not (tmp_path / "film.gif").exists()


def test_a_sheet_that_was_deleted_is_left_out(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", (False,), (True,))
    sheets_of(run)[0].path.unlink()
    assert [sheet.step for sheet in sheets_of(run)] == [2]


def test_nothing_to_show_and_a_wrong_name_are_refused_in_words(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {"job": "pretrain"})
    with pytest.raises(DataError, match="no pictures of answers yet"):
        to_end(write_film(run, tmp_path / "film.gif"))
    with pytest.raises(DataError, match=r"Try .*film\.gif"):
        to_end(write_film(run, tmp_path / "film.mp4"))
    assert not (tmp_path / "film.gif").exists()
