"""Tournaments: real runs of seconds."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, RunError, TaskDoesNotFit
from sslstudio.engine.core.events import Event, Preparing, RunFinished, StepDone
from sslstudio.engine.experiments import winner
from sslstudio.engine.experiments.experiment_run import DONE, ExperimentRun
from sslstudio.engine.experiments.tournament import ranking, tournament
from sslstudio.engine.experiments.tournament_config import (
    TournamentConfig,
    minutes_after,
    rounds,
    schedule,
    survivors,
)
from sslstudio.engine.pretraining.probe_set import ProbeSet
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.writer_lock import WRITER
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import DataConfig
from tests.support.results import pretrain_result
from tests.support.small_comparisons import content, table_of, typed


def config_for(folder: Path, out: Path, **changes: Any) -> TournamentConfig:
    values = {"tasks": "rotation,jigsaw", "minutes": 0.2, "pretrain_settings": "optimiser.batch_size=8;probe.draws=4"}
    return typed(TournamentConfig, folder, out, **values | changes)


def play(config: TournamentConfig) -> list[Event]:
    return list(tournament(config, RunControl()))


@pytest.fixture(scope="module")
def played(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tournament") / "played"
    table = table_of(play(config_for(sample_folder, out)))
    assert table["winner_run"] == str(out / "winner")
    return out


def test_the_winner_is_the_best_of_the_round_and_goes_on_from_its_weights(played: Path) -> None:
    table = content(played / "tournament.json")
    gains = [row["probe"]["difference"]["value"] for row in table["rounds"][0]]
    assert gains == sorted(gains, reverse=True)
    assert table["winner"]["task"] == table["rounds"][0][0]["task"]
    config = RunFolder(played / "winner").config()
    assert config["encoder"]["weights"] == str(played / "round-1" / table["winner"]["task"] / "last.safetensors")
    assert config["budget"]["minutes"] >= 0.05
    words = (played / "tournament.md").read_text()
    assert "## Round 1" in words
    assert "## The winner went on" in words
    assert f"--from {played / 'winner'}" in words


def test_the_winner_is_measured_once_and_not_on_too_few_pictures(played: Path, sample_folder: Path) -> None:
    assert content(played / "measured.json") is None  # twelve test pictures
    assert "luckiest of several" in (played / "tournament.md").read_text()
    assert list(winner.measure_winner(config_for(sample_folder, played), RunControl())) == []


@pytest.mark.slow
def test_the_winner_is_measured_again_on_pictures_by_which_nothing_was_chosen(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[ProbeSet] = []

    class Watched(ProbeSet):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            looked.append(self)

    monkeypatch.setattr(winner, "ProbeSet", Watched)
    data = DataConfig(folder=str(sample_folder), side=32, test=0.6)
    settings = "optimiser.batch_size=8;probe.draws=4;probe.labels=2"
    table = table_of(play(config_for(sample_folder, tmp_path / "out", data=data, pretrain_settings=settings)))
    split = content(tmp_path / "out" / "winner" / "split.json")
    assert len(looked) == 1
    assert set(looked[0].paths) <= set(split["test"])
    assert table["measured"]["n"] >= 20
    assert table["measured"]["share"] == 1.0
    assert "by which nothing was chosen" in (tmp_path / "out" / "tournament.md").read_text()


def test_played_again_nothing_is_trained(played: Path, sample_folder: Path) -> None:
    before = content(played / "tournament.json")
    events = play(config_for(sample_folder, played))
    assert not [event for event in events if isinstance(event, StepDone)]
    assert table_of(events) == before


def test_stopped_it_goes_on_where_it_was(sample_folder: Path, tmp_path: Path) -> None:
    config, control = config_for(sample_folder, tmp_path / "stopped"), RunControl()
    for event in tournament(config, control):
        if isinstance(event, StepDone):
            control.stop()
    assert isinstance(event, RunFinished)
    assert event.outcome == "stopped"
    assert event.metrics["winner"] is None
    run = RunFolder(tmp_path / "stopped/round-1/rotation")
    before = [event for event in run.events() if isinstance(event, StepDone)]
    table = table_of(play(config))
    after = [event for event in run.events() if isinstance(event, StepDone)]
    assert after[: len(before)] == before  # gone on with, not begun again
    assert len({event.step for event in after}) == len(after)
    assert table["winner"]["outcome"] == DONE


@pytest.mark.slow
def test_who_does_not_suit_is_listed_with_the_reason(sample_folder: Path, tmp_path: Path) -> None:
    grey = tmp_path / "grey"
    for file in sorted((sample_folder / "images").rglob("*.*"))[:40]:
        target = (grey / file.relative_to(sample_folder / "images")).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(file).convert("L").save(target)
    config = config_for(grey, tmp_path / "out", tasks="colorization,rotation", minutes=0.2)
    rows = {row["task"]: row for row in table_of(play(config))["rounds"][0]}
    assert rows["colorization"]["outcome"] == "refused"
    assert "grey" in rows["colorization"]["words"]
    assert "grey" in (tmp_path / "out/tournament.md").read_text()
    with pytest.raises(TaskDoesNotFit, match="No task suits"):
        play(config_for(grey, tmp_path / "none", tasks="colorization"))


def test_other_settings_need_another_folder(played: Path, sample_folder: Path) -> None:
    with pytest.raises(ConfigError, match="other settings"):
        play(config_for(sample_folder, played, minutes=3.0))
    auto = config_for(sample_folder, played, data=DataConfig(folder=str(sample_folder)))
    assert table_of(play(auto))["winner"]["outcome"] == DONE


def test_the_winner_that_another_worker_trains_is_waited_for(played: Path, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    shutil.copytree(played, out)
    winner = ExperimentRun(out / "winner", "")
    settled = winner.record.read_bytes()
    winner.record.unlink()
    held = winner.path / WRITER
    held.write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    waited = False
    for event in tournament(config_for(sample_folder, out), RunControl()):
        assert not isinstance(event, StepDone)
        if isinstance(event, Preparing) and event.stage.startswith("Waiting"):
            waited = True
            winner.record.write_bytes(settled)
            held.unlink(missing_ok=True)
    assert waited


def test_a_damaged_record_says_what_to_do(played: Path, sample_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(played, tmp_path / "damaged")
    (tmp_path / "damaged/round-1/rotation.json").write_text("{")
    with pytest.raises(RunError, match="Remove it"):
        play(config_for(sample_folder, tmp_path / "damaged"))


@given(st.integers(2, 40))
def test_each_round_leaves_fewer_and_the_last_one_winner(tasks: int) -> None:
    left = tasks
    for number in range(1, rounds(tasks) + 1):
        after = survivors(left, last=number == rounds(tasks))
        assert 1 <= after < left
        left = after
    assert left == 1


@given(st.integers(2, 12), st.floats(10.0, 600.0))
def test_the_schedule_takes_the_time_that_there_is(tasks: int, minutes: float) -> None:
    planned = schedule(tasks, minutes)
    assert planned[-1] == (1, minutes / 2)
    assert minutes_after(planned, -1) == pytest.approx(minutes)
    assert minutes_after(planned, sum(runs for runs, _ in planned) - 1) == 0


@pytest.mark.parametrize("labelled", [True, False])
def test_ranked_by_the_gain_or_by_the_rank_without_labels(labelled: bool, tmp_path: Path) -> None:
    runs = []
    for value in (0.05, -0.1, 0.3, 0.0):
        run = ExperimentRun(tmp_path / str(value), str(value), round=1)
        run.path.mkdir()
        probe = {
            "step": 1, "share": 1.0, "part": "validation", "labels": 0, "n": 20, "stages": [], "best_stage": 4,
            "difference": {"value": value} if labelled else {}, "verdict": "", "text": "", "rank": 5 + value,
            "spread": None, "untrained_rank": 5.0, "untrained_spread": None,
        }  # fmt: skip
        run.folder.write_json("metrics.json", pretrain_result(probe=probe))
        run.note(DONE)
        runs.append(run)
    runs[1].note("failed")
    assert [run.source for run in ranking(runs)] == ["0.3", "0.05", "0.0"]


def test_all_weights_of_the_winner_are_numbers(played: Path) -> None:
    tensors, _ = load_tensors(played / "winner/last.safetensors")
    assert all(bool(torch.isfinite(value.float()).all()) for value in tensors.values())
