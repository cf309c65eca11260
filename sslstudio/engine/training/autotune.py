"""How a step is fastest on this machine: tried for some seconds at the start of a training, chosen once, kept.

Precision, memory format, threads and compiling change the last bits of every sum. So a choice is made once, written to
the run folder and taken from there when the run goes on; and a run in epochs or steps, which promises the same weights
each time, keeps to fixed settings unless it is asked to try. What is tried are real steps on a copy of the network:
nothing of the training is touched.
"""

import copy
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypedDict, cast, runtime_checkable

import torch
from torch import Tensor, nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.checked_files import AtLeast, checked
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.models.encoders import MEMORY_FORMATS, Encoder
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import TaskResult
from sslstudio.engine.training.config import BudgetConfig, HardwareConfig
from sslstudio.engine.training.micro_batches import count_holding
from sslstudio.engine.training.whole_step import WholeStep, compiler_for

STEP = "step.json"
STAGE = Message("Trying how a step is fastest here")
LEAST_MINUTES = 2.0  # of a run that is worth trying for
SHARE, LONGEST = 0.03, 10.0  # of the run's time, and seconds, that trying may take
COMPILED_FROM = 10.0  # minutes: compiling alone takes one
MARGINS = {"precision": 1.1, "memory_format": 1.05, "threads": 1.05, "compile": 1.1}  # faster by less is taken for luck
FIRST = 8  # pictures in the first trial, which says how many a trial can have
AT_LEAST = 0.15  # seconds that a trial is timed
MEMORY = 0.8  # share of the free memory that a batch may take
BEYOND_KEPT = 1.5  # what a step takes at most, in units of what it keeps for the way back


AGAIN = Message("Remove it, and it is tried anew.")


class _ChoiceTable(TypedDict):
    precision: Literal["float32", "bfloat16", "float16"]
    memory_format: str
    threads: Annotated[int, AtLeast(1)]
    compile: bool
    parts: Annotated[int, AtLeast(1)]
    tried: dict[str, float | None]


@dataclass(frozen=True)
class Choice:
    """How steps are computed. `tried` holds pictures a second of each way that was tried ({} if none was)."""

    precision: str
    memory_format: str
    threads: int
    compile: bool
    parts: int
    tried: Mapping[str, float | None]

    @property
    def words(self) -> Message:
        """A line for people."""
        ways = Message("{way}, {threads} {threads:plural(thread|threads)}", way=self.way, threads=self.threads)
        cut = Message(", batches in {parts} parts", parts=self.parts) if self.parts > 1 else NOTHING
        best = Message(" (fastest of {tried} tried)", tried=len(self.tried)) if len(self.tried) > 1 else NOTHING
        return Message("{ways}{cut}{best}", ways=ways, cut=cut, best=best)

    @property
    def way(self) -> str:
        """Its name among those that are tried."""
        return ", ".join([self.precision, self.memory_format.replace("_", " ")] + ["compiled"] * self.compile)


class Step(Protocol):
    """What makes a batch and a loss of it: a pretext task, or what a fine-tuning has in its place."""

    def make_batch(self, images: Tensor, rng: Any) -> Any:
        """What a step of pictures uint8 (B, 3, H, W) works on."""

    def __call__(self, encoder: Any, batch: Any) -> TaskResult:
        """Its loss."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What learns, beside the encoder."""

    def train(self) -> Any:
        """Set to training mode."""

    def to(self, *, memory_format: torch.memory_format) -> Any:
        """See `nn.Module.to`."""


class Tunable(Protocol):
    """What a training hands in: see `pretrain.PretrainJob` and `labelled.LabelledJob`."""

    device: Device
    pictures: Pictures
    order: Order
    batch_size: int

    @property
    def encoder(self) -> Encoder:
        """What is trained."""

    @property
    def task(self) -> Step:
        """What it is trained with."""


@runtime_checkable
class CompilesSteps(Protocol):
    """A job whose steps are one graph: see `whole_step`."""

    group: Any

    def compile_step(self, parts: int) -> None:
        """Compute steps as one graph from now on."""


def autotune(
    job: Tunable,
    hardware: HardwareConfig,
    budget: BudgetConfig,
    run: RunFolder,
    control: RunControl,
    longest: float = LONGEST,
) -> Generator[Preparing, None, Choice]:
    """The choice for this run: the one that it has stored, or a new one, which is stored. It is in force afterwards.

    `longest`: seconds that trying may take at most.
    """
    stored = run.read_json(STEP, dict[str, Any])
    if stored:
        choice = _stored_choice(stored, run.path / STEP)
        choice = replace(choice, threads=min(choice.threads, max(devices.threads(), hardware.threads or 1)))
    else:
        choice = choice_from_config(job, hardware)
        limit = min(longest, _time_for(hardware, budget))
        if limit:
            compiling = _minutes(budget) >= COMPILED_FROM
            choice = yield from _Probe(job, hardware, limit, control, compiling).fastest(choice)
        run.write_json(STEP, asdict(choice))
    apply_choice(job, choice)
    return choice


def keep_to_config(job: Tunable, hardware: HardwareConfig) -> None:
    """Compute as was asked for, and by the fixed settings where nothing was; nothing is tried."""
    apply_choice(job, choice_from_config(job, hardware))


def _stored_choice(stored: dict[str, Any], file: Path) -> Choice:
    """Raises RunError for a choice that is none."""
    values: _ChoiceTable = checked(_by_current_names(stored), _ChoiceTable, file, advice=AGAIN)
    if values["memory_format"] not in MEMORY_FORMATS or values.keys() - _ChoiceTable.__annotations__.keys():
        raise RunError("{path} names ways to compute that are none. {advice}", path=file, advice=AGAIN)
    return Choice(**values)


def _by_current_names(stored: dict[str, Any]) -> dict[str, Any]:
    """What step.json holds; versions up to 0.2 called the memory format `layout`."""
    return {"memory_format" if name == "layout" else name: value for name, value in stored.items()}


def choice_from_config(job: Tunable, hardware: HardwareConfig) -> Choice:
    """What was asked for, and the fixed settings where nothing was."""
    return Choice(
        precision=job.device.precision,
        memory_format="channels_last" if hardware.memory_format == "auto" else hardware.memory_format,
        threads=hardware.threads or devices.threads(),
        compile=hardware.compile == "on",
        parts=count_holding(job.batch_size, hardware.micro_batch_size or job.batch_size),
        tried={},
    )


def _time_for(hardware: HardwareConfig, budget: BudgetConfig) -> float:
    """Seconds that may be spent on trying; 0: nothing is tried."""
    by_clock, minutes = not (budget.steps or budget.epochs) and budget.minutes is not None, _minutes(budget)
    if hardware.autotune == "on":
        return LONGEST
    if hardware.autotune == "off" or not by_clock or minutes < LEAST_MINUTES:
        return 0.0
    return min(LONGEST, SHARE * 60.0 * minutes)


def _minutes(budget: BudgetConfig) -> float:
    """How long the run is; without end where that is not known."""
    return math.inf if budget.steps or budget.epochs else budget.minutes or LEAST_MINUTES


def apply_choice(job: Tunable, choice: Choice) -> None:
    """Compute like that from now on."""
    job.device = job.device.in_precision(choice.precision)
    devices.use_threads(choice.threads)
    _prepare(job.encoder, job.task, choice)
    if choice.compile and isinstance(job, CompilesSteps) and job.group is None:  # the whole step, not the encoder alone
        job.encoder.compiled = False
        job.compile_step(choice.parts)


def _prepare(encoder: Encoder, task: Step, choice: Choice) -> None:
    if choice.memory_format != encoder.memory_format:
        encoder.use_memory_format(choice.memory_format)
        task.to(memory_format=MEMORY_FORMATS[choice.memory_format])
    encoder.compiled = choice.compile


class _Probe:
    """Steps on a copy of the network, timed one way and another."""

    def __init__(
        self, job: Tunable, hardware: HardwareConfig, limit: float, control: RunControl, compiling: bool = False
    ) -> None:
        """`limit` seconds; `compiling`: whether the run is long enough for a minute more, in which a GPU compiles."""
        self.job, self.hardware, self.limit, self.control, self.compiling = job, hardware, limit, control, compiling
        self.encoder, self.task = copy.deepcopy((job.encoder, job.task))  # what they share stays shared
        self.encoder.train()
        self.task.train()
        self.began = time.monotonic()
        self.images = job.pictures.take(job.order.batch(0)[:FIRST])
        self.kept: dict[str, float] = {}  # by way: bytes that a picture keeps for the way back

    def fastest(self, choice: Choice) -> Generator[Preparing, None, Choice]:
        """The choice after all that may be tried within the time. What was asked for is not touched."""
        before = devices.threads()
        try:
            rate = self._first(choice)
            choice = replace(choice, tried={choice.way: rate})
            ways = list(self._others(choice))
            for number, (key, value) in enumerate(ways):
                yield Preparing(stage=STAGE, done=number, total=len(ways))
                late = time.monotonic() - self.began > self.limit and key != "compile"
                if self.control.stopping or late:
                    break
                other = replace(choice, **{key: value})
                faster = self._rate(other)
                name = (
                    other.way
                    if key != "threads"
                    else Message("{way}, {threads} threads", way=other.way, threads=other.threads)
                )
                tried = {**choice.tried, name: faster}
                if faster > rate * MARGINS[key]:
                    choice, rate = other, faster
                choice = replace(choice, tried=tried)
        finally:
            devices.use_threads(before)
            self.job.device.release()
        return replace(choice, parts=self._parts(choice))

    def _others(self, choice: Choice) -> Iterator[tuple[str, Any]]:
        """One thing to change at a time, the one that matters most first."""
        kind = self.job.device.handle.type
        if self.hardware.precision == "auto" and kind == "cpu" and choice.precision == "float32":
            yield "precision", "bfloat16"
        if self.hardware.threads is None and kind == "cpu" and choice.threads > 1:
            yield "threads", choice.threads // 2
        if self.hardware.memory_format == "auto":
            yield "memory_format", "contiguous"
        if self.hardware.compile == "auto" and kind == "cuda" and self.compiling:
            yield "compile", True

    def _first(self, choice: Choice) -> float:
        """Pictures a second as asked, on as many pictures as leave time to try the rest."""
        self._rate(choice)  # the very first step sets things up
        rate = self._rate(choice)
        if not math.isfinite(rate) or rate <= 0:
            return 0.0
        count = int(rate * self.limit / 24)  # up to six ways of four steps
        count = max(len(self.images), min(count, self.job.batch_size))
        while count > len(self.images):
            few, self.images = self.images, self.job.pictures.take(self.job.order.batch(0)[:count])
            more = self._rate(choice)
            if more:
                return more
            count, self.images = count // 2, few  # so many do not fit
        return rate

    def _rate(self, choice: Choice) -> float:
        """Pictures a second; 0 where it cannot be done like that here."""
        device = self.job.device.in_precision(choice.precision)
        devices.use_threads(choice.threads)
        _prepare(self.encoder, self.task, choice)
        try:
            batch = self.task.make_batch(self.images, generator(0, "trial", device=device.handle))
            step = _Step(self.encoder, self.task, device, batch, self._whole(choice, device))
            kept = step.measure() / len(self.images)
            self.kept[choice.way] = max(self.kept.get(choice.way, 0.0), kept)
            return len(self.images) / step.seconds()
        except StudioError:
            raise
        except Exception as error:  # a compiler or a kernel that is missing raises whatever it likes
            if not devices.is_out_of_memory(error) and choice.compile is False and choice.precision == "float32":
                raise
        device.release()
        return 0.0

    def _whole(self, choice: Choice, device: Device) -> Callable[[], TaskResult] | None:
        """The step with the making of its batch, which a GPU waits for where it is not compiled too; None on a CPU,
        where batches are a small part of a step and are made alike in every way."""
        if not device.accelerated or not isinstance(self.job, CompilesSteps):
            return None
        compiler = compiler_for(device.handle.type, choice.parts) if choice.compile else None
        self.encoder.compiled = False
        whole = WholeStep(self.encoder, cast(nn.Module, self.task), compiler)
        return lambda: whole(self.images, generator(0, "trial", device=device.handle))

    def _parts(self, choice: Choice) -> int:
        """Into how many parts a batch must be cut so that a step finds room."""
        free = self.job.device.free_memory()
        kept = self.kept.get(choice.way)
        if self.hardware.micro_batch_size or free is None or not kept:
            return choice.parts
        return count_holding(self.job.batch_size, int(MEMORY * free / (BEYOND_KEPT * kept)))


class _Step:
    """Forward and backward of one batch that is there already."""

    def __init__(
        self, encoder: Encoder, task: Step, device: Device, batch: Any, whole: Callable[[], TaskResult] | None = None
    ) -> None:
        """`whole`: makes the batch as well, each time anew."""
        self.encoder, self.task, self.device, self.batch, self.whole = encoder, task, device, batch, whole

    def run(self) -> None:
        """Once."""
        for weight in (*self.encoder.parameters(), *self.task.parameters()):
            weight.grad = None
        with self.device.autocast():
            result = self.whole() if self.whole is not None else self.task(self.encoder, self.batch)
        result.loss.backward()  # type: ignore[no-untyped-call]

    def measure(self) -> int:
        """Run it once; bytes that the forward keeps for the way back. The weights are there in any case."""
        seen: dict[int, int] = {}
        weights = (*self.encoder.parameters(), *self.task.parameters())
        there = {weight.untyped_storage().data_ptr() for weight in weights}

        def pack(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in there:
                seen[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            self.run()
        self.device.wait()
        return sum(seen.values())

    def seconds(self) -> float:
        """The least of at least two runs."""
        least, began = math.inf, time.monotonic()
        runs = 0
        while runs < 2 or time.monotonic() - began < AT_LEAST:
            start = time.monotonic()
            self.run()
            self.device.wait()
            least = min(least, time.monotonic() - start)
            runs += 1
        return max(least, 1e-9)
