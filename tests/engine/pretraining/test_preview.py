"""Puzzles before training."""

from pathlib import Path

import numpy as np
import pytest

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.pretraining.preview import PuzzlesReady, preview_puzzles
from sslstudio.engine.tasks.base import Puzzle, load_tasks
from tests.support.small_runs import pretrain_config


def puzzles(folder: Path, task: str, draw: int) -> list[Puzzle]:
    last = list(preview_puzzles(pretrain_config(folder, folder / "unused", task), 4, draw, RunControl()))[-1]
    assert isinstance(last, PuzzlesReady)
    return last.puzzles


@pytest.mark.parametrize("task", load_tasks().names())
def test_another_draw_shows_others_and_the_same_draw_the_same(task: str, sample_folder: Path) -> None:
    first, again, other = (puzzles(sample_folder, task, draw) for draw in (0, 0, 1))
    assert len(first) == 4
    assert all(np.array_equal(a.input, b.input) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.source, b.source) for a, b in zip(first, other, strict=True))
    assert all(puzzle.answer is None for puzzle in first)
    assert not (sample_folder / "unused").exists()
