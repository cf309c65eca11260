"""Rounds of puzzles on pictures that nobody has seen, with a real network's answers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Evaluated, Event, Preparing
from sslstudio.engine.pretraining.play import Round, expect_from_guessing, play_round, tally
from sslstudio.engine.runs.run_folder import RunFolder, list_runs
from sslstudio.engine.tasks.base import Game, load_tasks
from sslstudio.engine.training.config import PretrainConfig
from tests.support.small_runs import of, pretrain_config

PICTURE = np.zeros((16, 16, 3), np.uint8)


def dealt(config: PretrainConfig, run: Path | None = None, count: int = 6, draw: int = 0) -> Round:
    found: list[Round] = []

    def steps() -> Iterator[Event]:
        found.append((yield from play_round(config, run, count, draw, RunControl())))

    assert all(isinstance(said, Preparing) for said in steps())
    return found[0]


def test_the_network_plays_the_puzzles_that_it_was_scored_on(sample_folder: Path, pretrained: Path) -> None:
    config = pretrain_config(sample_folder, sample_folder / "unused")
    found = dealt(config, pretrained, 10_000)
    scored = of(Evaluated, RunFolder.open(pretrained).events())[-1]
    assert found.step == scored.step
    counted = tally(found.games, [game.answer for game in found.games])
    assert counted.n == 8 * scored.n  # eight shuffles of each held-out picture
    assert counted.share == pytest.approx(scored.metrics["accuracy"])


def test_without_a_network_the_same_seed_deals_the_same_and_another_draw_others(sample_folder: Path) -> None:
    config = pretrain_config(sample_folder, sample_folder / "unused", "context_prediction")
    first, again, other = dealt(config), dealt(config), dealt(config, draw=1)
    assert first.step is None
    assert all(game.answer is None for game in first.games)
    pairs = list(zip(first.games, again.games, strict=True))
    assert all(np.array_equal(a.pieces[0], b.pieces[0]) and a.targets == b.targets for a, b in pairs)
    assert not np.array_equal(first.games[0].pieces[0], other.games[0].pieces[0])
    assert not (sample_folder / "unused").exists()


@pytest.mark.parametrize("task", load_tasks().names())
def test_every_task_deals_games_or_says_why_not(task: str, sample_folder: Path) -> None:
    found = dealt(pretrain_config(sample_folder, sample_folder / "unused", task))
    assert bool(found.games) is not bool(found.why)


def test_a_run_without_weights_and_a_fine_tuning_are_refused_in_words(
    sample_folder: Path, classified: Path, tmp_path: Path
) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run")
    with pytest.raises(DataError, match="it has no puzzles"):
        dealt(config, classified)
    with pytest.raises(DataError, match="is not a run"):
        dealt(config, tmp_path)


def test_the_list_of_runs_names_the_task(pretrained: Path, classified: Path) -> None:
    assert {run.path.name: run.task for run in list_runs(pretrained.parent)}["pretrained"] == "jigsaw"
    assert {run.path.name: run.task for run in list_runs(classified.parent)}["classified"] == ""


def game(*right: int) -> Game:
    choices = tuple(f"place {number}" for number in range(9))
    return Game("order", "Put them in order.", (PICTURE,) * 9, choices, right, None, PICTURE)


def test_a_puzzle_is_solved_when_every_part_is_right() -> None:
    counted = tally([game(0, 1, 2), game(3, 4, 5), game(6, 7, 8)], [(0, 1, 2), (3, 5, 4), None])
    assert (counted.solved, counted.n) == (1, 2)
    assert (counted.right, counted.parts) == (4, 6)
    assert counted.low < 0.5 < counted.high


def test_nothing_is_known_before_anything_is_answered() -> None:
    counted = tally([game(0)], [None])
    assert (counted.n, counted.low, counted.high, counted.share) == (0, 0.0, 1.0, 0.0)


@settings(deadline=None)
@given(st.lists(st.permutations(range(9)), min_size=1, max_size=6))
def test_the_right_answers_are_all_right_and_others_are_counted_by_their_parts(orders: list[list[int]]) -> None:
    games = [game(*order) for order in orders]
    perfect = tally(games, [one.targets for one in games])
    assert perfect.solved == perfect.n == len(games)
    same = tally(games, [tuple(range(9))] * len(games))
    assert same.right == sum(place == tile for order in orders for place, tile in enumerate(order))
    assert expect_from_guessing(games) == len(games)  # one tile of nine in nine, on average


def test_without_pictures_that_are_held_out_there_is_nothing_to_play(tmp_path: Path) -> None:
    folder = tmp_path / "one patient"
    folder.mkdir()
    for number in range(4):
        Image.effect_noise((40, 40), 20.0 + number).save(folder / f"a_{number}.png")
    config = pretrain_config(folder, tmp_path / "run")
    together = config.data.replace(groups="name:^(.)")  # all belong together, so that none may be held out
    with pytest.raises(DataError, match=r"No pictures are held out to play with\. Raise the validation share"):
        dealt(config.replace(data=together))
