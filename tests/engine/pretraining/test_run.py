"""Pretraining, really run on small pictures."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, TaskDoesNotFit
from sslstudio.engine.core.events import Evaluated, Note, RunStarted, SampleSaved, StepDone, from_json
from sslstudio.engine.core.files.checked_files import from_toml
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import ProbeConfig, pretrain_from_dict
from tests.support.small_runs import finished, of, pretrain_config, run_pretrain


def test_a_run_leaves_what_the_design_says(pretrained: Path) -> None:
    for name in ("config.toml", "events.jsonl", "split.json", "last.safetensors", "best.safetensors", "metrics.json"):
        assert (pretrained / name).stat().st_size > 0, name
    events = RunFolder(pretrained).events()
    assert len(of(RunStarted, events)) == 1
    assert finished(events).outcome == "finished"
    samples = of(SampleSaved, events)
    assert samples
    with Image.open(pretrained / samples[-1].path) as sheet:
        assert sheet.width > 600
    scored = of(Evaluated, events)[-1]
    assert 0 <= scored.metrics["accuracy"] <= 1
    assert scored.chance["accuracy"] == pytest.approx(1 / 72)


def test_the_stored_config_means_the_same_run(pretrained: Path) -> None:
    config = pretrain_from_dict(from_toml((pretrained / "config.toml").read_text()))
    assert config.encoder.name == "small"
    assert config.encoder.stem != "auto"
    assert config.data.side == 32
    assert Path(config.data.folder).is_absolute()


def test_test_pictures_are_not_trained_on(pretrained: Path, sample_folder: Path) -> None:
    split = json.loads((pretrained / "split.json").read_text())
    assert split["test"]
    assert not set(split["test"]) & (set(split["train"]) | set(split["validation"]))
    counts = json.loads((pretrained / "metrics.json").read_text())
    assert counts["pictures"] == len(split["train"])


QUICK = ("jigsaw", "vicreg", "colorization_gan")  # of tiles, of views, and one with two networks; the rest are slow


@pytest.mark.parametrize(
    "task", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in load_tasks().names()]
)
def test_same_seed_same_first_five_losses_bit_for_bit(task: str, sample_folder: Path, tmp_path: Path) -> None:
    def losses(name: str, seed: int) -> list[float]:
        config = pretrain_config(sample_folder, tmp_path / name, task, seed=seed)
        events = run_pretrain(config.replace(probe=ProbeConfig(enabled=False)))  # which change nothing
        return [event.loss for event in of(StepDone, events)][:5]

    first = losses("first", 3)
    assert len(first) == 5
    assert first == losses("second", 3)
    assert first != losses("third", 4)


def test_killed_and_resumed_ends_in_the_same_weights(sample_folder: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_pretrain(pretrain_config(sample_folder, whole, epochs=10))
    command = [sys.executable, "-m", "sslstudio", "pretrain", str(sample_folder), "--task", "jigsaw", "--epochs", "10",
               "--set", "optimiser.batch_size=14", "--device", "cpu", "--out", str(killed), "--json"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy()) as process:
        assert process.stdout is not None
        steps_after_saving = 0
        saved = False
        for line in process.stdout:
            event = from_json(line)
            saved = saved or event.kind == "CheckpointSaved"
            steps_after_saving += saved and isinstance(event, StepDone)
            if steps_after_saving == 3:
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    with (killed / "events.jsonl").open("a") as file:
        file.write('{"event": "StepDone", "st')  # a line torn by the power cut
    events = list(resume(killed, RunControl()))
    started = of(RunStarted, events)[0]
    assert 0 < started.first_step < 30
    ours, theirs = load_tensors(killed / "last.safetensors")[0], load_tensors(whole / "last.safetensors")[0]
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    steps = [event.step for event in of(StepDone, RunFolder(killed).events())]
    assert steps == sorted(set(steps)), "steps after the checkpoint are not told twice"


def test_a_finished_run_cannot_be_resumed(pretrained: Path) -> None:
    with pytest.raises(DataError, match="nothing left to do"):
        list(resume(pretrained, RunControl()))


def test_colorization_of_grey_pictures_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "grey"
    folder.mkdir()
    for number in range(12):
        Image.effect_noise((64, 64), 20 + number).save(folder / f"{number}.png")
    with pytest.raises(TaskDoesNotFit, match=r"grey.*(jigsaw|context)"):
        run_pretrain(pretrain_config(folder, tmp_path / "run", "colorization"))
    assert not (tmp_path / "run").exists()


def test_a_run_folder_is_never_overwritten(pretrained: Path, sample_folder: Path) -> None:
    before = (pretrained / "events.jsonl").read_bytes()
    with pytest.raises(DataError, match="not empty"):
        run_pretrain(pretrain_config(sample_folder, pretrained))
    assert (pretrained / "events.jsonl").read_bytes() == before


def test_an_unknown_task_or_device_is_said_in_words(sample_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'jigsaw'"):
        pretrain_config(sample_folder, tmp_path / "run", "jigsav")
    config = pretrain_config(sample_folder, tmp_path / "run")
    config = config.replace(hardware=config.hardware.replace(device="cuda:9"))
    with pytest.raises(ConfigError, match="no device"):
        list(pretrain(config, RunControl()))


def test_weights_of_an_earlier_run_can_be_the_start(pretrained: Path, sample_folder: Path, tmp_path: Path) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run", epochs=1)
    weights = str(pretrained / "last.safetensors")
    config = config.replace(encoder=config.encoder.replace(weights=weights))
    events = run_pretrain(config)
    said = [event.text for event in events if isinstance(event, Note)]
    assert "The encoder starts from all of its weights in last.safetensors." in said
