"""How fast this machine is with these pictures: reading, making batches, the step itself, and all of it together.

What is timed is the program's own code on a part of the folder: the training loop's step with batches made as it goes,
in turn with the same step on a batch that is already made. Their ratio says what the feed costs.
"""

import copy
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.leftovers import temporary
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.file_parts import choose_parts
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import ImageIndex, scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.pretraining.run import FIRST_PICTURES, PretrainJob, finer_side, resolve_config
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import Batch, TaskResult
from sslstudio.engine.training.autotune import Choice, autotune
from sslstudio.engine.training.config import PretrainConfig
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.micro_batches import WHOLE_BATCH, seed_numbers
from sslstudio.engine.training.schedule import Plan
from sslstudio.engine.training.session import Session, draw_split, side_of
from sslstudio.engine.training.step_cost import StepCost, measure_cost

READ = 400  # pictures that are decoded at most
ROUNDS = 5
ROUND = 0.5  # seconds that a round takes on a GPU at least
STAGE = Message("Measuring")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Rates in pictures a second; `scan` in files a second; `memory` in bytes, None where it is not known; `cost` is of
    a step."""

    device: str
    step_way: str
    task: str
    encoder: str
    side: int
    batch_size: int
    pictures: int
    scan: float
    read: float
    feed: float
    step: float
    end_to_end: float
    efficiency: float
    memory: int | None
    cost: StepCost

    @property
    def waiting(self) -> float:
        """Share of the time in which the step waits for its pictures."""
        return max(0.0, 1.0 - self.efficiency)

    def seconds(self, pictures: int, epochs: float) -> float:
        """How long so many passes over so many pictures take, reading them apart."""
        return pictures * epochs / self.end_to_end

    def to_json(self) -> dict[str, object]:
        """For --json."""
        return {**asdict(self), "waiting": self.waiting, "epoch_seconds": self.seconds(self.pictures, 1.0)}


@dataclass(frozen=True)
class Rates:
    """Pictures a second, medians of rounds: making batches alone, the step on a batch that is ready, both together.

    `efficiency` is the median of the rounds' ratios of together to ready.
    """

    feed: float
    step: float
    end_to_end: float
    efficiency: float


class _ReadyJob(PretrainJob):
    """The same job on one batch that is made already."""

    def __init__(self, job: PretrainJob) -> None:
        self.__dict__.update(vars(job))
        self._batches: dict[tuple[int, ...], Batch] = {}

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        """Always the same batch, or part of it; compiled where the job's own step is."""
        key = seed_numbers(part)
        if key not in self._batches:
            with self.device.in_full():
                self._batches[key] = make_puzzles(self, 0, part)
        if self.whole is not None:
            return self.whole.answer_ready(self._batches[key])
        result: TaskResult = self.task(self.encoder, self._batches[key])
        return result


def make_puzzles(job: PretrainJob, step: int, part: slice = WHOLE_BATCH) -> Batch:
    """The batch of a step, or part of it, as `PretrainJob.forward` makes it."""
    rng = generator(job.config.seed, "puzzles", step, *seed_numbers(part), device=job.device.handle)
    return job.task.make_batch(job.pictures.take(job.order.batch(step))[part], rng)


def rates(training: Training, job: PretrainJob, rounds: int = ROUNDS, steps: int = 2) -> Iterator[Rates]:
    """Time `rounds` rounds of `steps` steps each way, in turn; yields the figures so far after each round."""
    job.modules.train()
    ready = copy.copy(training)
    ready.job = _ReadyJob(job)
    for one in (training, ready):
        _pass(one, 1)  # the first steps set things up
    if job.device.accelerated:  # a few steps would time the wait around them
        steps = max(steps, math.ceil(ROUND / max(1e-4, _measure_seconds(ready, steps) / steps)))
    feeds: list[float] = []
    plain: list[float] = []
    whole: list[float] = []
    for number in range(rounds):
        both = [(whole, training), (plain, ready)]
        for seconds, one in both if number % 2 else reversed(both):
            seconds.append(_measure_seconds(one, steps))
        began = time.perf_counter()
        for step in range(steps):
            make_puzzles(job, number * steps + step)
        job.device.wait()
        feeds.append(time.perf_counter() - began)
        count = steps * job.batch_size
        yield Rates(
            count / median(feeds),
            count / median(plain),
            count / median(whole),
            median(ours / theirs for ours, theirs in zip(plain, whole, strict=True)),
        )


def _queue(training: Training) -> None:
    for _said in training.next_step():
        pass


def _pass(training: Training, steps: int) -> None:
    for _ in range(steps):
        _queue(training)
    training.device.wait()


def _measure_seconds(training: Training, steps: int) -> float:
    began = time.perf_counter()
    _pass(training, steps)
    return time.perf_counter() - began


def bench(config: PretrainConfig, control: RunControl, rounds: int = ROUNDS) -> Generator[Preparing, None, Bench]:
    """Measure this machine on the folder of `config` with its task and encoder. Writes nothing that stays.

    Raises DataError when there are fewer than four pictures, RunError when it is stopped.
    """
    device = devices.choose(config.hardware.device, config.hardware.precision)
    device.forget_peak()
    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    began = time.perf_counter()
    index = scan(Path(config.data.folder))
    scanned = len(index) / max(1e-9, time.perf_counter() - began)
    chosen = choose_parts(recognise(index, roles=config.data.roles), config.data.channels, config.data.pages)
    some = replace(chosen, pictures=_some(chosen.pictures))
    side = side_of(some, config.data, device, finer_side(config))
    with temporary() as folder:
        began = time.perf_counter()
        cache = yield from build_cache(some.pictures, side, control=control, cache_dir=folder)
        read = len(cache) / (time.perf_counter() - began)
        if len(cache) < 4:
            raise DataError(
                "Only {cache} pictures in {folder} can be read; at least 4 are needed.",
                cache=len(cache),
                folder=config.data.folder,
            )
        some = replace(some, pictures=cache.index)
        session = Session(some, cache, draw_split(some, config.data))
        config = resolve_config(config, session, device)
        with _prepare(config, session, folder / "run", control) as trained:
            training, job, choice = yield from trained
            found = Rates(0.0, 0.0, 0.0, 0.0)
            cost = measure_cost(lambda: _queue(training), job.device)
            for number, latest in enumerate(rates(training, job, rounds), start=1):
                found = latest
                yield Preparing(stage=STAGE, done=number, total=rounds)
                if control.stopping:
                    raise RunError("Stopped while measuring.")
    return Bench(
        device=device.title,
        step_way=choice.words,
        task=config.task,
        encoder=config.encoder.name,
        side=side,
        batch_size=job.batch_size,
        pictures=len(index),
        scan=scanned,
        read=read,
        memory=device.peak_memory(),
        cost=cost,
        **asdict(found),
    )


@contextmanager
def _prepare(
    config: PretrainConfig, session: Session, folder: Path, control: RunControl
) -> Iterator[Generator[Preparing, None, tuple[Training, PretrainJob, Choice]]]:
    """Prepare a training as a run would begin it, and leave the machine as it was before."""

    def begin() -> Generator[Preparing, None, tuple[Training, PretrainJob, Choice]]:
        folder.mkdir()
        device, run = chosen, RunFolder(folder)
        job = PretrainJob(config, session, device, run)
        job.task.prepare(job.pictures.first(job.order, FIRST_PICTURES))
        training = Training(job, Plan(steps=1_000_000), config.optimiser, device, run)
        choice = yield from autotune(job, config.hardware, config.budget, run, control)
        training.device, training.parts = job.device, choice.parts
        return training, job, choice

    chosen = devices.choose(config.hardware.device, config.hardware.precision)
    with devices.kernels(chosen, deterministic=config.hardware.deterministic):
        yield begin()


def _some(index: ImageIndex) -> ImageIndex:
    """Up to READ of the pictures, evenly spaced."""
    every = max(1, -(-len(index) // READ))
    return index.subset(set(index.paths[::every]))
