"""All checks that need a GPU, in eight minutes at most: for whoever has a card for a while.

    python -m tests.benchmarks.on_a_gpu --minutes 8 --out on-a-gpu.json

It needs torch, torchvision, Pillow and the engine's other libraries, not Qt. Checks are made in the order in which they
tell most; what the time does not suffice for is named as left out, and what fails, task by task, takes nothing else
along. Without a GPU the same runs on the CPU (`--small`), which shows that the script is sound and nothing else.
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

from sslstudio.engine.about.device_trial import KINDS, Trial, try_devices
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


Check = Callable[[str, "Bench"], Iterator[Line]]  # the lines of a task


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


def every_task_works(name: str, bench: Bench) -> Iterator[Line]:
    """A step of a task, or of a fine-tuning."""
    said = try_devices(pictures=8, side=64, seconds=0.1, only=(name,))
    trial = next(one for one in said if isinstance(one, Trial) and one.device == str(bench.device.handle))
    yield Line("works", name, str(trial.trouble) or "yes", not trial.trouble)


def no_step_waits(name: str, bench: Bench) -> Iterator[Line]:
    """CUDA itself raises where the CPU would wait for a number."""
    step, _ = _step(name, bench, compiled=False)
    step()  # makes the constants
    bench.device.wait()
    try:
        if bench.device.handle.type == "cuda":
            torch.cuda.set_sync_debug_mode("error")
        step()
    finally:
        if bench.device.handle.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
    yield Line("waits in a step", name, "no wait", True)


def same_losses_again(name: str, bench: Bench) -> Iterator[Line]:
    """The deterministic mode gives the same losses twice; the CPU gives them but for rounding."""
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
    same = found["first"] == found["again"]
    yield Line("same twice", name, "equal" if same else "apart", same)
    apart = max(abs(a - b) / max(1e-9, abs(b)) for a, b in zip(found["first"][:3], found["cpu"][:3], strict=True))
    yield Line("first losses beside the CPU's", name, f"{apart:.1e} apart", apart < 1e-2)


def what_a_step_costs(name: str, bench: Bench) -> Iterator[Line]:
    """The CPU's time and the device's, step by step and as one graph."""
    for compiled in (False, True) if bench.device.handle.type == "cuda" else (False,):
        way = "step, one graph" if compiled else "step, eager"
        try:
            step, size = _step(name, bench, compiled)
            cost = measure_cost(step, bench.device)
        except Exception as error:  # a compiler raises whatever it likes
            yield _failed(way, name, error)
            continue
        rate = size / cost.device
        text = (
            f"{1000 * cost.host:.1f} ms CPU, {1000 * cost.device:.1f} ms in all, {cost.calls:.0f} calls, "
            f"{cost.copies:.0f} copies, {cost.waits:.0f} waits, {rate:,.0f} pictures/s"
        )
        yield Line(way, name, text, None)


def feed_keeps_up(name: str, bench: Bench) -> Iterator[Line]:
    """Training as it runs, beside the same step on a ready batch."""
    with tempfile.TemporaryDirectory() as folder:
        found = to_end(_bench(bench.config(name, Path(folder) / "run"), bench.small))
    text = f"{found.efficiency:.3f} of the ready step, {found.end_to_end:,.0f} pictures/s"
    yield Line("feed", name, text, None if bench.small else found.efficiency >= 0.97)


CHECKS: tuple[Check, ...] = (every_task_works, no_step_waits, feed_keeps_up, same_losses_again, what_a_step_costs)


def _tasks_of(check: Check, bench: Bench) -> list[str]:
    """What a check is made for."""
    if check is every_task_works:
        return [*bench.tasks, *KINDS]
    return bench.tasks[:3] if check is same_losses_again else bench.tasks


def _failed(check: str, name: str, error: Exception) -> Line:
    said = next(iter(str(error).splitlines()), "")
    return Line(check, name, f"{type(error).__name__}: {said[:160]}", False)


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
    began, lines = time.monotonic(), []
    with tempfile.TemporaryDirectory() as drawn:
        for line in _check_all(Path(drawn), small, began + 60 * minutes):
            lines.append(line)
            say(line)
    return lines


def _check_all(drawn: Path, small: bool, until: float) -> Iterator[Line]:
    try:
        work = Bench(devices.choose(), drawn, small, until)
        tasks = {check: _tasks_of(check, work) for check in CHECKS}
    except Exception as error:  # a driver, or a library that is missing: without a device there is nothing to check
        yield _failed("set up", "device", error)
        return
    try:
        to_end(make_sample(drawn, count=24 if small else 400, side=64, seed=0))
    except Exception as error:  # half of the checks take noise
        yield _failed("set up", "pictures", error)
    with devices.kernels(work.device):
        for check in CHECKS:
            yield from _within(check, tasks[check], work)


def _within(check: Check, tasks: list[str], work: Bench) -> Iterator[Line]:
    """The lines of a check; a word on what the time did not suffice for, and on each task that it broke on."""
    title = check.__name__.replace("_", " ")
    took: list[float] = []
    for number, name in enumerate(tasks):
        began = time.monotonic()
        if began + (median(took) if took else 0.0) > work.until:
            yield Line(title, "" if not number else name, "left out: the time was over" if not number else
                       f"left out with {len(tasks) - number - 1} more: the time was over", None)  # fmt: skip
            return
        try:
            yield from check(name, work)
        except Exception as error:  # the other tasks and checks are worth their minutes still
            yield _failed(title, name, error)
            work.device.release()
        took.append(time.monotonic() - began)


def main(arguments: list[str] | None = None) -> int:
    """1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--small", action="store_true", help="one task, small pictures: whether the script works")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    machine = f"{_device_title()}, PyTorch {torch.__version__}, Python {platform.python_version()}"
    said: list[Line] = []

    def say(line: Line) -> None:
        said.append(line)
        _print(line)
        if options.out:  # after each line: whoever lends the card may take it back at any moment
            options.out.write_text(json.dumps({"machine": machine, "lines": [asdict(one) for one in said]}, indent=1))

    lines = run(options.minutes, options.small, say)
    sys.stdout.write(f"{machine}\n")
    return 1 if any(line.good is False for line in lines) else 0


def _device_title() -> str:
    try:
        return str(devices.choose().title)
    except Exception:  # the checks say why
        return "no device"


def _print(line: Line) -> None:
    mark = {True: "good", False: "BAD", None: ""}[line.good]
    sys.stdout.write(f"{mark:<5}{line.check:<30} {line.of:<20} {line.found}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
