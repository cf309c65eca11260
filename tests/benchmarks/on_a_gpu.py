"""All checks that need a GPU, in eight minutes at most: for whoever has a card for a while.

    python -m tests.benchmarks.on_a_gpu --minutes 8 --out on-a-gpu.json

It needs torch, torchvision, Pillow and the engine's other libraries, not Qt. Checks are made in the order in which they
tell most; what the time does not suffice for is named as left out. Without a GPU the same runs on the CPU (`--small`),
which shows that the script is sound and nothing else.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from sslstudio.engine.about.device_trial import try_devices
from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.events import StepDone
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.pretraining.bench import bench
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
    ProbeConfig,
)
from sslstudio.engine.training.step_cost import measure_cost
from sslstudio.engine.training.whole_step import WholeStep, compiler_for

FIRST = ("simclr", "jigsaw", "vicreg", "rotation")  # tried before the others


@dataclass(frozen=True)
class Line:
    """A line of the table: what was checked, on what, what came out, and whether that is as it should be (None: a
    figure)."""

    check: str
    of: str
    found: str
    good: bool | None


Check = Callable[["Bench"], Iterator[Line]]


@dataclass(frozen=True)
class Bench:
    """What the checks work with."""

    device: Device
    folder: Path
    small: bool
    until: float

    @property
    def tasks(self) -> list[str]:
        """All tasks, those first that tell most; with `small` one."""
        rest = [name for name in load_tasks() if name not in FIRST]
        return ["rotation"] if self.small else [*FIRST, *rest]

    def config(self, task: str, out: Path, **hardware: Any) -> PretrainConfig:
        """A pretraining of a few steps."""
        return PretrainConfig(
            out=str(out),
            task=task,
            data=DataConfig(folder=str(self.folder), side=32 if self.small else 64),
            encoder=EncoderConfig(name="small" if self.small else "resnet18"),
            optimiser=OptimiserConfig(batch_size=8 if self.small else 64),
            budget=BudgetConfig(steps=3 if self.small else 20),
            hardware=HardwareConfig(device=str(self.device.handle), autotune="off").replace(**hardware),
            probe=ProbeConfig(enabled=False),
            options=load_tasks()[task].Config(),
        )


def every_task_works(bench: Bench) -> Iterator[Line]:
    """A step of each task and of both fine-tunings."""
    only = ("rotation",) if bench.small else ()
    for trial in try_devices(pictures=8, side=64, seconds=0.1, only=only):
        if trial.device == str(bench.device.handle):
            yield Line("works", trial.task, str(trial.trouble) or "yes", not trial.trouble)


def no_step_waits(bench: Bench) -> Iterator[Line]:
    """CUDA itself raises where the CPU would wait for a number."""
    for name in bench.tasks:
        step, _ = _step(name, bench, compiled=False)
        step()  # makes the constants
        bench.device.wait()
        said = "no wait"
        try:
            if bench.device.handle.type == "cuda":
                torch.cuda.set_sync_debug_mode("error")
            step()
        except RuntimeError as error:
            said = str(error).splitlines()[0]
        finally:
            if bench.device.handle.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")
        yield Line("waits in a step", name, said, said == "no wait")


def same_losses_again(bench: Bench) -> Iterator[Line]:
    """The deterministic mode gives the same losses twice; the CPU gives them but for rounding."""
    for name in bench.tasks[:3]:
        with tempfile.TemporaryDirectory() as folder:
            ways: dict[str, dict[str, Any]] = {
                "first": {"deterministic": True},
                "again": {"deterministic": True},
                "cpu": {"device": "cpu"},
            }
            found = {
                way: _losses(bench.config(name, Path(folder) / way, precision="float32", **extra))
                for way, extra in ways.items()
            }
        yield Line("same twice", name, "equal" if found["first"] == found["again"] else "apart",
                   found["first"] == found["again"])  # fmt: skip
        apart = max(abs(a - b) / max(1e-9, abs(b)) for a, b in zip(found["first"][:3], found["cpu"][:3], strict=True))
        yield Line("first losses beside the CPU's", name, f"{apart:.1e} apart", apart < 1e-2)


def what_a_step_costs(bench: Bench) -> Iterator[Line]:
    """The CPU's time and the device's, step by step and as one graph."""
    for name in bench.tasks:
        for compiled in (False, True):
            way = "one graph" if compiled else "eager"
            if compiled and bench.device.handle.type != "cuda":
                continue
            try:
                step, size = _step(name, bench, compiled)
                cost = measure_cost(step, bench.device)
            except Exception as error:  # a compiler raises whatever it likes
                yield Line(f"step, {way}", name, str(error).splitlines()[0][:80], False)
                continue
            rate = size / cost.device
            text = (
                f"{1000 * cost.host:.1f} ms CPU, {1000 * cost.device:.1f} ms in all, {cost.calls:.0f} calls, "
                f"{cost.copies:.0f} copies, {cost.waits:.0f} waits, {rate:,.0f} pictures/s"
            )
            yield Line(f"step, {way}", name, text, None)


def feed_keeps_up(bench: Bench) -> Iterator[Line]:
    """Training as it runs, beside the same step on a ready batch."""
    for name in bench.tasks:
        with tempfile.TemporaryDirectory() as folder:
            found = to_end(_bench(bench.config(name, Path(folder) / "run"), bench.small))
        text = f"{found.efficiency:.3f} of the ready step, {found.end_to_end:,.0f} pictures/s"
        yield Line("feed", name, text, None if bench.small else found.efficiency >= 0.97)


CHECKS: tuple[Check, ...] = (every_task_works, no_step_waits, feed_keeps_up, same_losses_again, what_a_step_costs)


def _bench(config: PretrainConfig, small: bool):  # type: ignore[no-untyped-def]
    return bench(config, RunControl(), 1 if small else 3)


def _losses(config: PretrainConfig) -> list[float]:
    return [event.loss for event in pretrain(config, RunControl()) if isinstance(event, StepDone)]


def _step(name: str, bench: Bench, compiled: bool) -> tuple[Callable[[], None], int]:
    """A step of a task on noise that can be repeated, and its pictures."""
    device, side, size = bench.device, 32 if bench.small else 64, 8 if bench.small else 256
    encoder = build_encoder(EncoderConfig(name="small" if bench.small else "resnet18", stem="small"), seed=0)
    kind = load_tasks()[name]
    with seed_init(0, "task"):
        task = kind(kind.Config(), encoder.spec)
    task.attach(encoder)
    images = torch.randint(0, 256, (size, 3, side, side), generator=generator(0), dtype=torch.uint8)
    encoder, task, there = encoder.to(device.handle), task.to(device.handle), device.bring(images)
    task.prepare(there)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *task.parameters()], lr=1e-4, fused=device.fuses())
    whole = WholeStep(encoder, task, compiler_for(device.handle.type, 1) if compiled else None)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with device.autocast():
            loss = whole(there, generator(0, "step", device=device.handle)).loss
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step, size


def run(minutes: float, small: bool, say: Callable[[Line], None]) -> list[Line]:
    """Make all checks that the time suffices for."""
    began, device = time.monotonic(), devices.choose()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as drawn, devices.kernels(device):
        to_end(make_sample(Path(drawn), count=24 if small else 400, side=64, seed=0))
        work = Bench(device, Path(drawn), small, began + 60 * minutes)
        for check in CHECKS:
            for line in _within(check, work):
                lines.append(line)
                say(line)
    return lines


def _within(check: Check, work: Bench) -> Iterator[Line]:
    """The lines of a check; a word on what the time did not suffice for, and on what it broke on."""
    title = check.__name__.replace("_", " ")
    if time.monotonic() > work.until:
        yield Line(title, "", "left out: the time was over", None)
        return
    took: list[float] = []
    began = time.monotonic()
    try:
        for line in check(work):
            yield line
            took.append(time.monotonic() - began)
            began = time.monotonic()
            if time.monotonic() + median(took) > work.until:
                yield Line(title, "", "the rest was left out: the time was over", None)
                return
    except Exception as error:  # the others are worth their minutes still
        yield Line(title, "", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", False)


def main(arguments: list[str] | None = None) -> int:
    """1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--small", action="store_true", help="one task, small pictures: whether the script works")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    machine = f"{devices.choose().title}, PyTorch {torch.__version__}, Python {platform.python_version()}"
    said: list[Line] = []

    def say(line: Line) -> None:
        said.append(line)
        _print(line)
        if options.out:  # after each line: whoever lends the card may take it back at any moment
            options.out.write_text(json.dumps({"machine": machine, "lines": [asdict(one) for one in said]}, indent=1))

    lines = run(options.minutes, options.small, say)
    sys.stdout.write(f"{machine}\n")
    return 1 if any(line.good is False for line in lines) else 0


def _print(line: Line) -> None:
    mark = {True: "good", False: "BAD", None: ""}[line.good]
    sys.stdout.write(f"{mark:<5}{line.check:<30} {line.of:<20} {line.found}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
