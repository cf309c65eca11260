"""Batch, network and loss of a task are one graph, and the compiled step is the step."""

from pathlib import Path

import pytest
import torch

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.events import Note, StepDone
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.pretraining import run as pretraining
from sslstudio.engine.tasks.base import Batch, TaskResult, load_tasks
from sslstudio.engine.training import whole_step
from sslstudio.engine.training.config import BudgetConfig
from sslstudio.engine.training.whole_step import WholeStep, compiler_for
from tests.support.small_runs import of, pretrain_config, run_pretrain

ONE = [pytest.param(one, marks=() if one == "rotation" else pytest.mark.slow) for one in load_tasks()]


def step_of(name: str, compiler: dict[str, object] | None) -> tuple[WholeStep, torch.Tensor]:
    kind = load_tasks()[name]
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), seed=0)
    with seed_init(0, "task"):
        task = kind(kind.Config(), encoder.spec)
    task.attach(encoder)
    images = torch.randint(0, 256, (6, 3, 44, 44), generator=generator(1), dtype=torch.uint8)
    task.prepare(images)
    return WholeStep(encoder, task, compiler), images


@pytest.mark.parametrize("name", ONE)
def test_a_step_of_each_task_is_one_graph(name: str) -> None:
    torch._dynamo.reset()
    graph, images = step_of(name, {"backend": "eager", "fullgraph": True})  # a break in the graph would raise
    plain, _ = step_of(name, None)
    ours, theirs = graph(images, generator(2)), plain(images, generator(2))
    torch.testing.assert_close(ours.loss, theirs.loss)
    assert ours.metrics.keys() == theirs.metrics.keys()
    ours.loss.backward()  # type: ignore[no-untyped-call]
    torch._dynamo.reset()


class _Picks(torch.nn.Module):
    """A task with constants of two sizes, one of which becomes the size of an answer."""

    def make_batch(self, images: torch.Tensor, rng: Rng) -> Batch:
        return Batch({"pictures": images.float() * constant((0.5, 1.0, 2.0), images.device).view(1, 3, 1, 1)}, {})

    def forward(self, encoder: torch.nn.Module, batch: Batch) -> TaskResult:
        rows = batch.inputs["pictures"].flatten(1)
        picked = rows[:, constant(tuple(range(40)), rows.device, torch.int64)].flatten()
        return TaskResult(encoder(picked.view(-1, 40)).mean(), {})


def test_constants_of_several_sizes_are_in_one_graph() -> None:
    torch._dynamo.reset()
    images = torch.randint(0, 256, (6, 3, 8, 8), generator=generator(1), dtype=torch.uint8)
    encoder = torch.nn.Linear(40, 2)
    found = [
        WholeStep(encoder, _Picks(), compiler)(pictures, generator(2)).loss
        for pictures in (images, images[:4])  # a last part of a batch may be smaller
        for compiler in ({"backend": "eager", "fullgraph": True}, None)
    ]
    torch.testing.assert_close(found[0::2], found[1::2])
    torch._dynamo.reset()


def test_a_replayed_graph_is_for_one_part_only() -> None:
    assert compiler_for("cuda", 1) == {"mode": "reduce-overhead"}
    assert compiler_for("cuda", 2) == compiler_for("mps", 1) == {}


def run_with(compiler: dict[str, object], folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setattr(pretraining, "compiler_for", lambda kind, parts: compiler)
    config = pretrain_config(folder, out, "rotation").replace(budget=BudgetConfig(steps=3))
    hardware = config.hardware.replace(compile="on")
    return list(run_pretrain(config.replace(hardware=hardware, probe=config.probe.replace(enabled=False))))


@pytest.mark.slow
def test_a_compiled_run_learns_what_it_would_without(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(graph: object, inputs: object) -> object:
        raise ValueError("no such compiler")

    compiled = run_with({"backend": "eager"}, sample_folder, tmp_path / "compiled", monkeypatch)
    broken = run_with({"backend": fails}, sample_folder, tmp_path / "broken", monkeypatch)
    losses = [[event.loss for event in of(StepDone, events)] for events in (compiled, broken)]  # type: ignore[arg-type]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert not [note for note in of(Note, compiled) if "compiled" in note.text]  # type: ignore[arg-type]
    said = [note.text for note in of(Note, broken) if "could not be compiled" in note.text]  # type: ignore[arg-type]
    assert len(said) == 1
    assert "goes on without" in said[0]
    assert whole_step.compiler_for("cpu", 1) == {}
