"""Probes and alarms in runs that really train, on small pictures."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.config import with_settings
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import ConfigError, RunError
from sslstudio.engine.core.events import Alarm, Event, Probed, RunStarted, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.probes import Labels
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.encoders import base as encoders
from sslstudio.engine.pretraining import run as pretraining
from sslstudio.engine.pretraining.alarms import Health
from sslstudio.engine.pretraining.online_probe import OnlineProbe, changes_for, instead_of, probe_results
from sslstudio.engine.pretraining.probe_set import GRID, ProbeSet
from sslstudio.engine.pretraining.run import PretrainJob, pretrain
from sslstudio.engine.runs.metrics import is_pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import TaskResult, load_tasks
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import OptimiserConfig, PretrainConfig
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.micro_batches import WHOLE_BATCH
from sslstudio.engine.training.schedule import Plan
from sslstudio.engine.training.session import Session, open_session
from tests.support.small_runs import finished, of, pretrain_config, run_pretrain

CPU = devices.choose("cpu")


def without_probes(config: PretrainConfig) -> PretrainConfig:
    return config.replace(probe=config.probe.replace(enabled=False))


def unhurried(config: PretrainConfig) -> PretrainConfig:
    """Only the probes that are always made, whatever the clock says."""
    return config.replace(probe=config.probe.replace(time=0.0))


def session_of(config: PretrainConfig) -> Session:
    return to_end(open_session(config.data, CPU, RunControl()))


def probe_set(folder: Path, tmp_path: Path) -> tuple[ProbeSet, Session]:
    config = pretrain_config(folder, tmp_path / "run").replace(encoder=EncoderConfig(name="small", stem="small"))
    session = session_of(config)
    return ProbeSet(config, session, CPU), session


def only_pictures(sample_folder: Path, folder: Path, count: int = 24) -> Path:
    """Pictures without classes or masks."""
    folder.mkdir()
    files = [file for file in sorted(sample_folder.rglob("*.png")) if "mask" not in str(file)][:count]
    for number, file in enumerate(files):
        (folder / f"picture-{number:03d}.png").write_bytes(file.read_bytes())
    return folder


def with_masks(folder: Path, count: int = 40) -> Path:
    """A bright square on noise, and where it is."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        place = (4 + number % 5, 20 - number % 7)
        noise = Image.effect_noise((48, 48), 40).convert("RGB")
        noise.paste((250, 250, 250), (*place, place[0] + 20, place[1] + 20))
        noise.save(folder / "images" / f"{number}.png")
        mask = Image.new("L", (48, 48), 0)
        mask.paste(255, (*place, place[0] + 20, place[1] + 20))
        mask.save(folder / "masks" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def probed_run(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("watched") / "probed"
    run_pretrain(unhurried(pretrain_config(sample_folder, out, epochs=3)))
    return out


def test_probes_do_not_change_the_training(sample_folder: Path, probed_run: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    events = run_pretrain(without_probes(pretrain_config(sample_folder, plain, epochs=3)))
    assert not of(Probed, events)
    watched = RunFolder(probed_run).events()
    assert of(Probed, watched)
    first, second = ([event.loss for event in of(StepDone, some)][:5] for some in (watched, events))
    assert first == second
    ours, theirs = (load_tensors(run / "last.safetensors")[0] for run in (probed_run, plain))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("encoder", ["of a compiled step", "compiled alone"])
def test_a_probe_compiles_nothing(
    encoder: str, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would compile the network anew, in another mode and for other sizes, for a few batches."""
    graphs: list[str] = []
    probing = [False]

    def counting(graph: torch.fx.GraphModule, inputs: object) -> Callable[..., Any]:
        graphs.append("probe" if probing[0] else "step")
        return graph.forward

    look = OnlineProbe.probe

    def probe(self: OnlineProbe, step: int, share: float) -> Probed:
        probing[0] = True
        try:
            return look(self, step, share)
        finally:
            probing[0] = False

    monkeypatch.setattr(OnlineProbe, "probe", probe)
    monkeypatch.setattr(pretraining, "compiler_for", lambda kind, parts: {"backend": counting})
    monkeypatch.setattr(encoders, "_compile_walk", lambda: torch.compile(encoders._walk, backend=counting))
    if encoder == "compiled alone":  # as in a job of several processes
        monkeypatch.setattr(PretrainJob, "compile_step", lambda job, parts: setattr(job.encoder, "compiled", True))
    config = unhurried(pretrain_config(sample_folder, tmp_path / "run", epochs=2))
    torch._dynamo.reset()
    events = run_pretrain(config.replace(hardware=config.hardware.replace(compile="on")))
    torch._dynamo.reset()
    assert len(of(Probed, events)) >= 2
    assert graphs
    assert "probe" not in graphs


def test_the_quarter_and_the_end_are_always_looked_at_and_kept(probed_run: Path, sample_folder: Path) -> None:
    run = RunFolder(probed_run)
    looks = of(Probed, run.events())
    assert len(looks) == 2
    assert 0.25 <= looks[0].share < 1.0
    assert looks[-1].share == 1.0
    metrics = json.loads((probed_run / "metrics.json").read_text())
    assert metrics["probe"]["share"] == 1.0
    assert metrics["probe_quarter"]["step"] == looks[0].step
    told = finished(run.events()).metrics
    assert is_pretrain(told)
    assert told.get("probe") == run.read_json("metrics.json")["probe"] == dataclasses.asdict(looks[-1])
    session = session_of(pretrain_config(sample_folder, probed_run))
    assert session.recognised.classes is not None
    pool = {*session.split.train, *session.split.validation}
    sizes = Counter(label for path, label in session.recognised.classes.of.items() if path in pool)
    for look in looks:
        assert look.labels == min(10, max(sizes.values()) // 2)  # half of a class is left to score
        assert look.n >= 20
        assert [row["stage"] for row in look.stages] == [1, 2, 3, 4]
        assert all(0 <= row[name] <= 1 for row in look.stages for name in ("linear", "knn", "untrained_linear"))
        assert look.untrained_rank > 1
    assert looks[0].untrained_rank == looks[1].untrained_rank


def test_no_test_picture_is_ever_touched(sample_folder: Path, tmp_path: Path) -> None:
    """With classes, with masks and without labels."""
    for number, folder in enumerate(
        (sample_folder, with_masks(tmp_path / "masks"), only_pictures(sample_folder, tmp_path / "bare"))
    ):
        probes, session = probe_set(folder, tmp_path / str(number))
        assert session.split.test
        assert probes.paths
        assert len(probes.images) == len(probes.paths)
        assert not set(probes.paths) & set(session.split.test)


def test_masks_are_probed_place_by_place(tmp_path: Path) -> None:
    """A bright square is found by every network: the score says so."""
    probes, _ = probe_set(with_masks(tmp_path / "masks"), tmp_path)
    labels = probes.labels
    assert isinstance(labels, Labels)
    assert (labels.kind, labels.classes, tuple(labels.targets.shape[1:])) == ("segmentation", 2, (GRID * GRID,))
    config = pretrain_config(tmp_path / "masks", tmp_path / "run", epochs=2)
    look = of(Probed, run_pretrain(config))[-1]
    assert "mean IoU" in look.text
    assert "10 labelled pictures" in look.text
    assert max(row["untrained_linear"] for row in look.stages) > 0.7


def test_a_damaged_mask_does_not_end_a_pretraining(tmp_path: Path) -> None:
    folder = with_masks(tmp_path / "masks")
    whole, session = probe_set(folder, tmp_path / "whole")
    victim = next(path for path in whole.paths if path in session.split.train)
    masks = session.recognised.masks
    assert masks is not None
    (folder / masks.of[victim]).write_bytes(b"not a picture")
    damaged, _ = probe_set(folder, tmp_path / "damaged")
    assert damaged.labels is not None
    assert len(damaged.labels.targets) == len(damaged.images) == len(damaged.paths)


def test_without_labels_there_is_the_rank_and_no_verdict(sample_folder: Path, tmp_path: Path) -> None:
    folder = only_pictures(sample_folder, tmp_path / "bare")
    events = run_pretrain(pretrain_config(folder, tmp_path / "run"))
    look = of(Probed, events)[-1]
    assert (look.labels, look.n, look.verdict, look.stages) == (0, 0, "", [])
    assert look.rank > 1
    assert look.spread > 0


def test_pictures_of_one_group_are_resampled_together(sample_folder: Path, tmp_path: Path) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run").replace(encoder=EncoderConfig(name="small", stem="small"))
    grouped = config.replace(data=config.data.replace(groups=r"name:(\d)\.\w+$"))
    labels = ProbeSet(grouped, session_of(grouped), CPU).labels
    assert labels is None or len(labels.group.tolist()) > len(set(labels.group.tolist()))


def test_a_resumed_run_is_not_probed_twice_at_one_place(sample_folder: Path, tmp_path: Path) -> None:
    control = RunControl()
    out = tmp_path / "run"
    for event in pretrain(unhurried(pretrain_config(sample_folder, out, epochs=4)), control):
        if isinstance(event, Probed):
            control.stop()
    looks = of(Probed, RunFolder(out).events())
    assert [look.share >= 0.25 for look in looks] == [True]
    rest = list(resume(out, RunControl()))
    assert of(RunStarted, rest)[0].first_step == looks[0].step
    assert [look.share for look in of(Probed, rest)] == [1.0]
    quarter = probe_results(RunFolder(out)).get("probe_quarter")
    assert quarter is not None
    assert quarter["step"] == looks[0].step


class Breaks:
    """A job (see `job.Job`) whose loss is no number in its third step."""

    waited = 0.0
    part = prefix = ""
    batch_size = 2
    steps_per_epoch = 4
    compares = False

    def __init__(self) -> None:
        self.weight = nn.Linear(1, 1)
        self.modules = nn.ModuleDict({"weight": self.weight})

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.weight.parameters()), "factor": 1.0}]

    def await_pictures(self, step: int) -> None:
        """They are there."""

    def stop_compiling(self) -> bool:
        return False

    def before_step(self, share: float) -> None:
        pass

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        loss = self.weight(torch.ones(1, 1)).square().mean()
        return TaskResult(loss * torch.nan if step == 2 else loss, {})

    def evaluate(self, step: int) -> Generator[Event, None, float]:
        yield from ()
        return 0.0

    def after_step(self, share: float) -> None:
        pass

    def chance(self) -> dict[str, float]:
        return {}


def test_an_alarm_comes_before_a_run_that_has_diverged_ends(sample_folder: Path, tmp_path: Path) -> None:
    config = without_probes(pretrain_config(sample_folder, tmp_path / "run"))
    run = RunFolder.create(tmp_path / "run", {"job": "pretrain"})
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), 0)
    watcher = OnlineProbe(config, session_of(config), encoder, CPU, run)
    training = Training(Breaks(), Plan(steps=40), OptimiserConfig(), CPU, run)
    seen: list[Event] = []

    def watch() -> None:
        for event in watcher.over(training, RunControl()):
            seen.append(event)

    with pytest.raises(RunError, match="diverged"):
        watch()
    assert isinstance(seen[-1], Alarm)
    assert seen[-1].name == "not a number"
    assert seen[-1].change == "optimiser.learning_rate=0.00033"


@pytest.mark.parametrize("task", load_tasks().names())
def test_every_change_that_is_recommended_can_be_made(task: str, tmp_path: Path) -> None:
    config = PretrainConfig(task=task)
    changes = changes_for(config)
    assert changes.slower == "optimiser.learning_rate=0.00033"
    assert changes.longer == "budget.minutes=20"
    for change in vars(changes).values():
        if change:
            assert with_settings(config, [change], task) != config
    steps = changes_for(config.replace(budget=config.budget.replace(steps=50))).longer
    assert steps == "budget.steps=100"


@pytest.mark.parametrize("task", load_tasks().names())
def test_a_task_that_harms_is_not_answered_with_itself(task: str) -> None:
    advice = instead_of(PretrainConfig(task=task))
    assert f"({task})" not in advice
    assert load_tasks()[re.findall(r"\((\w+)\)", advice)[-1]]
    change = re.findall(r"\((\S+=\S+) ", advice)  # an option that this task has
    assert with_settings(PretrainConfig(task=task), change, task).task == task
    alarm = Health(changes_for(PretrainConfig(task=task)), advice).take(
        Probed(
            step=5, share=0.5, labels=5, n=50, stages=[], best_stage=0, difference={}, verdict="harms",
            text=Message(""),
            rank=20.0, spread=0.4, untrained_rank=20.0, untrained_spread=0.4,
        )
    )[0]  # fmt: skip
    assert alarm.text.endswith(f"Stop, and {advice}.")


def test_the_option_section_is_checked() -> None:
    config = with_settings(PretrainConfig(), ["probe.enabled=false", "probe.labels=5"])
    assert (config.probe.enabled, config.probe.labels) == (False, 5)
    with pytest.raises(ConfigError, match=r"draws = 1 is below"):
        with_settings(PretrainConfig(), ["probe.draws=1"])
