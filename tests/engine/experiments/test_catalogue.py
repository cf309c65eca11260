"""What is ahead of a comparison, and earlier ones found again. Records are written, nothing is trained."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.config import to_dict, to_toml
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, RunError
from sslstudio.engine.core.events import Advanced, RunFinished, StepDone
from sslstudio.engine.core.migrations import stamp
from sslstudio.engine.experiments.catalogue import list_experiments, open_experiment, stand_of, what_became
from sslstudio.engine.experiments.compare import Comparison, ahead_of, compare, time_cell
from sslstudio.engine.experiments.compare_config import CompareConfig, cell_run, pretraining_run
from sslstudio.engine.experiments.experiment_run import DONE, FAILED, REFUSED
from sslstudio.engine.experiments.tables import csv_of
from sslstudio.engine.experiments.tournament_config import TournamentConfig, round_run, winner_run
from sslstudio.engine.training.config import BudgetConfig, DataConfig
from tests.support.small_comparisons import compare_config


def planned(folder: Path, out: Path, **changes: Any) -> CompareConfig:
    """Two tasks of half a minute each, two numbers of labels, two draws: 2 + 12 runs."""
    values = {"tasks": "rotation,jigsaw", "pretrain_settings": "", "pretraining": BudgetConfig(minutes=0.5)}
    return compare_config(folder, out, **values | changes)


def test_what_is_ahead_follows_what_is_done(sample_folder: Path, tmp_path: Path) -> None:
    config = planned(sample_folder, tmp_path / "out")
    comparison = Comparison(config)
    left = comparison.ahead(cell_seconds=3.0)
    assert (left.done, left.pretrainings, left.cells, left.total) == (0, 2, 12, 14)
    assert left.seconds == 2 * 30 + 12 * 3
    for labels, seconds in ((2, 4.0), (4, 8.0)):
        cell_run(config, "scratch", labels, 0).note(DONE, seconds=seconds)
    left = comparison.ahead(now=cell_run(config, "scratch", 2, 1), cell_seconds=3.0)
    assert (left.done, left.cells, left.cell_seconds) == (2, 9, 6.0)  # what was measured counts
    pretraining_run(config, "jigsaw").note(FAILED)  # its cells will not be done
    left = comparison.ahead()
    assert (left.done, left.pretrainings, left.cells) == (7, 1, 6)


def test_passes_over_the_pictures_take_a_time_that_is_not_known(sample_folder: Path, tmp_path: Path) -> None:
    config = planned(sample_folder, tmp_path / "out", pretraining=BudgetConfig(epochs=3, minutes=None))
    assert math.isnan(Comparison(config).ahead(cell_seconds=1.0).seconds)
    pretraining_run(config, "rotation").note(DONE, seconds=20.0)
    assert Comparison(config).ahead(cell_seconds=1.0).seconds == 20 + 12


def test_the_time_of_a_cell_is_measured_before_anything_is_done(sample_folder: Path, tmp_path: Path) -> None:
    config = planned(sample_folder, tmp_path / "out")
    left = ahead_of(config)
    assert 0 < left.cell_seconds < 60
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="auto"):
        time_cell(config, 4)  # its encoder is still to be chosen


def test_a_comparison_says_where_it_stands(sample_folder: Path, tmp_path: Path) -> None:
    config, control = planned(sample_folder, tmp_path / "out"), RunControl()
    seen: list[Advanced] = []
    for event in compare(config, control):
        if isinstance(event, Advanced):
            seen.append(event)
        if isinstance(event, StepDone):
            control.stop()
    assert (seen[0].done, seen[0].total, seen[0].now) == (0, 14, "From scratch, 2 labels, draw 1")
    assert math.isnan(seen[0].seconds_after)  # no cell is done yet, and the first tells


def test_earlier_ones_are_listed_and_opened(sample_folder: Path, tmp_path: Path) -> None:
    assert list_experiments(tmp_path / "none", "compare") == []
    config = planned(sample_folder, tmp_path / "a")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "compare.toml").write_text(to_toml(stamp(to_dict(config))))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "compare.toml").write_text("tasks = 3")
    found = {one.path.name: one for one in list_experiments(tmp_path, "compare")}
    assert found["a"].tasks == ("rotation", "jigsaw")
    assert (found["a"].outcome, found["b"].outcome) == ("stopped", "damaged")
    assert list_experiments(tmp_path, "tournament") == []
    opened = open_experiment(tmp_path / "a")
    assert (opened.config, opened.table) == (config, {})
    (tmp_path / "a" / "table.json").write_text("{")
    with pytest.raises(RunError, match="Remove it"):
        open_experiment(tmp_path / "a")
    with pytest.raises(RunError, match="no comparison and no tournament"):
        open_experiment(tmp_path)


def test_tables_as_csv_hold_the_numbers_of_the_json() -> None:
    score = {"value": 0.5, "low": 0.4, "high": None}
    cell = {"labels": 5, "draws": [0.4, 0.6], "score": score, "difference": None, "worth": None}
    longer = {"title": "A, b", "labels": 5, "draws": [0.5], "score": score, "difference": score, "minutes": 2.0,
              "steps": 1600, "times": 4}  # fmt: skip
    content = {"headline": "mean_iou", "rows": [{"title": "A, b", "cells": [cell]}], "longer": [longer]}
    lines = list(csv.reader(io.StringIO(csv_of(content, "compare"))))
    assert lines[0][:6] == ["row", "labels", "draws", "mean_iou", "low", "high"]
    assert lines[1] == ["A, b", "5", "2", "0.5", "0.4", *[""] * 9, "5", *[""] * 5, "1"]
    named = dict(zip(lines[0], lines[2], strict=True))
    assert (named["difference"], named["finetuning_minutes"], named["steps"]) == ("0.5", "2.0", "1600")
    assert (named["times_the_steps"], named["worth"], len(lines[1])) == ("4", "", len(lines[0]))
    run = {"title": "T", "minutes": 1.5, "steps": 7, "outcome": "refused", "words": "grey", "probe": None}
    won = {**run, "outcome": "done", "words": "", "probe": {"difference": score, "verdict": "helps", "rank": 9.0}}
    rows = list(csv.DictReader(io.StringIO(csv_of({"rounds": [[won, run]], "winner": won}, "tournament"))))
    assert [(row["round"], row["place"], row["why"]) for row in rows] == [
        ("1", "1", ""),
        ("1", "2", "grey"),
        ("winner", "1", ""),
    ]
    assert (rows[0]["difference"], rows[0]["verdict"], rows[1]["rank"]) == ("0.5", "helps", "")
    assert json.loads(rows[0]["minutes"]) == 1.5


def test_how_far_it_is_and_what_became_of_it_is_read_from_its_folder(sample_folder: Path, tmp_path: Path) -> None:
    config = planned(sample_folder, tmp_path / "a")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "compare.toml").write_text(to_toml(to_dict(config)))
    cell_run(config, "scratch", 2, 0).note(DONE)
    pretraining_run(config, "rotation").note(REFUSED, "It is grey.")
    stand = stand_of(tmp_path / "a")
    assert (stand.job, stand.settled, stand.refused, stand.failed, stand.total) == ("compare", 1 + 5, 1, 0, 14)
    end = RunFinished(outcome="stopped", step=6, seconds=125.0, metrics={})
    assert what_became(tmp_path / "a", end) == (
        "Ran 2 min, stopped with 6 of 14 runs done, 1 did not suit the pictures, nothing lost."
    )


def test_a_tournament_is_over_with_its_winner(tmp_path: Path) -> None:
    config = TournamentConfig(
        out=str(tmp_path), tasks=("rotation", "jigsaw", "vicreg"), data=DataConfig(folder="/pets")
    )
    (tmp_path / "tournament.toml").write_text(to_toml(to_dict(config)))
    round_run(config, 1, "rotation").note(DONE)
    round_run(config, 1, "jigsaw").note(FAILED)
    stand = stand_of(tmp_path)
    assert (stand.title, stand.settled, stand.total) == ("Tournament on pets, 30 minutes", 2, 4)
    round_run(config, 1, "vicreg").note(DONE)
    winner_run(config).note(DONE)
    end = RunFinished(outcome="finished", step=0, seconds=1800.0, metrics={})
    assert what_became(tmp_path, end) == "Ran 30 min, 4 of 4 runs done, 1 failed, nothing lost."
