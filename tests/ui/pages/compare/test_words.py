"""What a comparison says in words."""

import math
from typing import Any

import pytest

from sslstudio.engine.experiments.compare import Ahead
from sslstudio.engine.experiments.tournament_config import schedule
from sslstudio.ui.pages.compare import words as experiment_words


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (Ahead(0, 2, 45, 1200.0, 8.0),
         "About 26 min in all: 2 pretrainings (20 min) and 45 fine-tunings of about 8 s each."),
        (Ahead(0, 0, 1, 0.0, math.nan), "To do: 1 fine-tuning."),
        (Ahead(9, 0, 0, 0.0, 8.0), "Everything that is set here is done already."),
        (Ahead(9, 1, 0, 60.0, 8.0),
         "About 60 s in all: 1 pretraining (60 s). 9 runs are done already and are not done again."),
    ],
)  # fmt: skip
def test_how_much_is_ahead(left: Ahead, said: str) -> None:
    assert experiment_words.ahead_words(left) == said


def test_the_rounds_of_a_tournament() -> None:
    assert experiment_words.schedule_words(schedule(8, 32.0)) == (
        "About 32 min in all: round 1: 8 tasks, 60 s each; round 2: 2 tasks, 4 min each; "
        "then the winner goes on for 16 min."
    )


def test_a_cell_says_score_difference_verdict_and_worth() -> None:
    cell: Any = {
        "score": {"value": 0.712, "low": 0.68, "high": 0.741},
        "difference": {"value": 0.041, "low": -0.01, "high": 0.072},
        "verdict": "no difference",
        "worth": {"value": 2.6, "bound": 0, "low": 1.4, "low_bound": 0, "high": 5.0, "high_bound": 1},
    }
    assert experiment_words.cell_words(cell).splitlines() == [
        "71.2 % (68.0\u00a0to\u00a074.1\u00a0%)",
        "+4.1 points (\u22121.0\u00a0to\u00a0+7.2)",
        "No clear difference",
        "worth 2.6 times the labels (1.4\u00a0or\u00a0more)",
    ]
    unknown: Any = {"score": {"value": 0.5, "low": None, "high": None}, "difference": None}
    assert experiment_words.cell_words(unknown) == "50.0 %"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "worth 2.6 times the labels (1.4\u00a0to\u00a05.0)"),
        ({"bound": 1, "high_bound": 1}, "worth at least 1.4 times the labels"),
        ({"bound": -1, "low_bound": -1}, "worth at most 5.0 times the labels"),
        ({"low_bound": -1}, "worth 2.6 times the labels (5.0\u00a0or\u00a0less)"),
        ({"low_bound": -1, "high_bound": 1}, "worth 2.6 times the labels"),
        ({"flat": True}, "no factor: without pretraining it is flat there"),
    ],
)
def test_a_factor_says_what_is_sure_of_it(changes: dict[str, Any], said: str) -> None:
    whole: Any = {"value": 2.6, "bound": 0, "low": 1.4, "low_bound": 0, "high": 5.0, "high_bound": 0} | changes
    assert experiment_words.worth_words(whole) == said


def test_a_small_class_is_told_by_what_it_had() -> None:
    assert experiment_words.count_words(25, 25.0) == "25"
    assert experiment_words.count_words(25, 21.25) == "25 (had 21.2)"
    assert experiment_words.labels_words(1000.0) == "1,000"


def test_the_whole_is_what_comes_after_and_the_rest_of_the_current_run() -> None:
    assert experiment_words.write_time_to_go(600.0, 60.0) == "11 min"
    assert experiment_words.write_time_to_go(600.0, math.nan) == "10 min"
    assert experiment_words.write_time_to_go(math.nan, 60.0) == experiment_words.NOTHING


def test_a_longer_row_says_what_it_gains() -> None:
    row: Any = {
        "score": {"value": 0.66, "low": 0.6, "high": 0.7},
        "difference": {"value": 0.006, "low": -0.01, "high": 0.02},
        "minutes": 1.0,
        "steps": 1600,
    }
    assert experiment_words.longer_words(row).replace("\u00a0", " ").splitlines() == [
        "66.0 % (60.0 to 70.0 %)", "+0.6 points (−1.0 to +2.0) against its usual steps",
        "each fine-tuning 60 s, 1,600 steps",
    ]  # fmt: skip


def test_what_a_row_cost() -> None:
    row: Any = {
        "pretraining": {"minutes": 6.1, "seeds": 3},
        "tuning": [{"labels": 5, "minutes": 0.5, "steps": 400}, {"labels": 25, "minutes": 1.6, "steps": 1131}],
        "made": {"encoder": "small", "side": 64},
    }
    assert experiment_words.cost_words(row).splitlines() == [
        "3 pretrainings of 6 min each", "each fine-tuning 30 s to 2 min, 400 to 1,131 steps", "small, 64 px"
    ]  # fmt: skip
    row["tuning"], row["pretraining"] = [{"labels": 5, "minutes": 0.05, "steps": 0}], {"minutes": 6.1}
    assert experiment_words.cost_words(row) == "pretraining 6 min\nread in 3 s\nsmall, 64 px"
    assert experiment_words.cost_words({"source": "scratch"}) == ""  # type: ignore[typeddict-item]
