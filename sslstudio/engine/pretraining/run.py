"""Pretraining: a pretext task teaches an encoder on pictures without labels.

    for event in pretrain(config, control): ...

The pictures that are set apart for the test are not used, so that a later result on them is honest.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.process_group import ProcessGroup
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.compute.sync_batch_norm import convert_sync_batch_norm
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Evaluated, Event, Note, RunFinished, RunStarted, SampleSaved
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.prefetch import Feed
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.models.encoders import Encoder, build_encoder
from sslstudio.engine.pretraining.data_parallel import SharedStep, send_start, states_of
from sslstudio.engine.pretraining.online_probe import OnlineProbe, probe_results
from sslstudio.engine.runs.metrics import PretrainMetrics
from sslstudio.engine.runs.run_folder import METRICS, RunFolder
from sslstudio.engine.tasks.base import AnyTask, Puzzle, TaskResult, load_tasks
from sslstudio.engine.tasks.contact_sheet import puzzle_sheet, sheet_bytes
from sslstudio.engine.training.autotune import autotune, keep_to_config
from sslstudio.engine.training.checkpoint import load_encoder, load_tensors
from sslstudio.engine.training.config import BudgetConfig, PretrainConfig, config_dict
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.machine_facts import feed_facts, hardware_facts
from sslstudio.engine.training.micro_batches import WHOLE_BATCH, micro_batches_note, seed_numbers
from sslstudio.engine.training.recognised_record import keep_recognised
from sslstudio.engine.training.schedule import Plan
from sslstudio.engine.training.session import Finer, Session, note_when_read, open_session, reopen_session
from sslstudio.engine.training.trial import choose_tried
from sslstudio.engine.training.whole_step import WholeStep, compiler_for

HELD_OUT = 256  # pictures that puzzles are scored on
SHOWN = 4  # puzzles on a sample sheet
WHOLE_TOGETHER = Message(
    "Pictures at once: not used, because each of several processes takes its share of a batch whole."
)
FIRST_PICTURES = 64  # pictures that a task checks itself against and takes statistics from before it is trained
MODEL = "model."  # what the names of weights begin with in a checkpoint


def held_out_pictures(session: Session, device: Device) -> Pictures:
    """The validation pictures in a drawn order that is always the same: the first of them are of all classes."""
    pictures = Pictures(session.cache, session.split.validation, device)
    return pictures.chosen(pictures.mix(len(pictures)))


class PretrainJob:
    """One pretext task on one encoder: see `job.Job`."""

    part = ""
    prefix = ""

    def __init__(
        self,
        config: PretrainConfig,
        session: Session,
        device: Device,
        run: RunFolder,
        group: ProcessGroup | None = None,
    ) -> None:
        self.config, self.device, self.run, self.group = config, device, run, group
        self._session = session
        self.pictures = Pictures(session.cache, session.split.train, device)
        self.order = self.pictures.order(config.optimiser.batch_size, config.seed)
        self.feed = Feed(self.pictures, self.order)
        self.batch_size = self.order.batch_size
        self.steps_per_epoch = self.order.steps_per_epoch
        self.encoder, self.task = build_task(config, device)
        self.modules = nn.ModuleDict({"encoder": self.encoder, "task": self.task})
        self.whole: WholeStep | None = None  # the compiled step
        self.shared: SharedStep | None = None  # the step that several processes share
        if group is not None:
            convert_sync_batch_norm(self.modules, device.handle)
            self.shared = SharedStep(group, self.encoder, self.task)

    @cached_property
    def held_out(self) -> Pictures:
        """What puzzles are scored on; asked for only when it is used, because it may still have to be read."""
        return held_out_pictures(self._session, self.device).keep_readable(HELD_OUT)

    @property
    def compares(self) -> bool:
        """As the task says."""
        return self.task.compares

    @property
    def waited(self) -> float:
        """Seconds that steps waited for their pictures."""
        return self.feed.waited

    def compile_step(self, parts: int) -> None:
        """Compute batch, network and loss as one compiled graph from now on; batches are cut into `parts`."""
        self.whole = WholeStep(self.encoder, self.task, compiler_for(self.device.handle.type, parts))

    def stop_compiling(self) -> bool:
        """See `job.Job`."""
        was, self.whole = self.whole is not None, None
        return was

    def groups(self) -> list[dict[str, Any]]:
        """All weights alike."""
        return [{"params": [w for w in self.modules.parameters() if w.requires_grad], "factor": 1.0}]

    def before_step(self, share: float) -> None:
        """Nothing: see `job.Job`."""

    def await_pictures(self, step: int) -> None:
        """See `job.Job`."""
        self.feed.await_read(step)

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        """The batch of `step`, asked of the encoder."""
        images = self.feed.take(step)[part]
        rng = generator(self.config.seed, "puzzles", step, *seed_numbers(part), device=self.device.handle)
        if self.shared is not None:
            with self.device.in_full():
                share = self.shared.maker.make(images, rng)
            return self.shared(share)
        if self.whole is not None:
            return self.whole(images, rng)
        with self.device.in_full():
            batch = self.task.make_batch(images, rng)
        result: TaskResult = self.task(self.encoder, batch)
        return result

    @torch.no_grad()
    def evaluate(self, step: int) -> Generator[Event, None, float]:
        """The same held-out puzzles each time; a sheet with the network's answers to the first few."""
        count = len(self.held_out)
        sums: dict[str, torch.Tensor] = {}
        for number, chunk in enumerate(self.held_out.chunks(self.batch_size)):
            images = self.held_out.take(chunk)
            rng = generator(self.config.seed, "held-out puzzles", number, device=self.device.handle)
            batch = self.task.make_batch(images, rng)
            with self.device.autocast():
                result = self.task(self.encoder, batch)
            for name, value in {"loss": result.loss, **result.metrics}.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value * len(chunk)
            if number == 0:
                yield self._save_sample(step, self.task.preview(images, batch, result, SHOWN))
        metrics = {name: float(value) / count for name, value in sums.items()}
        yield Evaluated(step=step, split="validation", n=count, metrics=metrics, chance=self.chance())
        return metrics["loss"]

    def _save_sample(self, step: int, puzzles: list[Puzzle]) -> SampleSaved:
        path = Path("samples") / f"step-{step:06d}.png"
        make_folder(self.run.path / "samples")
        write_atomic(self.run.path / path, sheet_bytes(puzzle_sheet(puzzles)), confirmed=False)
        return SampleSaved(step=step, path=path.as_posix())

    def after_step(self, share: float) -> None:
        """The task's own: a teacher's moving average, a curriculum."""
        if self.group is not None:
            self.group.broadcast_tensors(states_of(self.task))
        self.task.after_step(self.encoder, share)

    def chance(self) -> dict[str, float]:
        """What guessing reaches."""
        return self.task.chance()


def build_task(config: PretrainConfig, device: Device) -> tuple[Encoder, AnyTask]:
    """The encoder and the task with their first weights, on the device."""
    encoder = build_encoder(config.encoder, config.seed)
    with seed_init(config.seed, "task"):
        task = load_tasks()[config.task](config.options, encoder.spec)
    task.attach(encoder)
    return encoder.to(device.handle), task.to(device.handle)


def pretrain(config: PretrainConfig, control: RunControl, group: ProcessGroup | None = None) -> Iterator[Event]:
    """Run a pretraining from its start. Events of the preparation come first; the run folder is made when it is sure
    that the pictures and the task fit. Raises StudioError in words. `group`: see launch/torchrun.py."""
    device = choose_device(config, group)
    task = load_tasks()[config.task]
    finer = finer_side(config)
    session = yield from open_session(config.data, device, control, early=group is None, finer=finer)
    with closing(session.cache):
        first = yield from _read_first(config, session, device, control)
        task.check(config.options, first.cpu())
        config = resolve_config(config, session, device)
        run = RunFolder.create(Path(config.out), config_dict("pretrain", config))
        run.write_json("split.json", session.split.to_json())
        keep_recognised(run, config.data.labels, session.recognised)
        yield from run.record(_run(config, session, device, run, control, group), control)


def _read_first(
    config: PretrainConfig, session: Session, device: Device, control: RunControl
) -> Generator[Event, None, Tensor]:
    """Have the pictures read in the order in which the first epoch takes them; the first of these. A step waits for its
    own pictures and never takes others that are there already: which it sees depends on the seed and its number
    alone."""
    pictures = Pictures(session.cache, session.split.train, device)
    if len(pictures) < 2:
        raise DataError("Fewer than two pictures are left to train on. Lower the test and validation shares.")
    order = pictures.order(config.optimiser.batch_size, config.seed)
    return (yield from pictures.read_first(order, FIRST_PICTURES, control))


def finer_side(config: PretrainConfig) -> Finer:
    """What the task of a run says about the side of the pictures."""
    return partial(load_tasks()[config.task].side_needed, config.options)


def resolve_config(config: PretrainConfig, session: Session, device: Device) -> PretrainConfig:
    """The config with every `auto` filled in, so that the run means the same on another machine."""
    side = session.cache.side
    encoder = config.encoder.resolve(device.accelerated, side)
    folder = str(Path(config.data.folder).resolve())
    return config.replace(encoder=encoder, data=config.data.replace(side=side, folder=folder))


def choose_device(config: PretrainConfig, group: ProcessGroup | None) -> Device:
    """The device of this process: a GPU only where a step of the task works. Raises ConfigError as `choose_tried`."""
    wanted = (config.hardware.device, config.hardware.precision)
    if group is None:
        return choose_tried(config.task, config.options, *wanted)
    return devices.choose_for_rank(*wanted, group.info)


def resume_pretrain(
    run: RunFolder, config: PretrainConfig, control: RunControl, group: ProcessGroup | None = None
) -> Iterator[Event]:
    """Go on from the last checkpoint of a run; from its start if it had none yet."""
    device = choose_device(config, group)
    session = yield from reopen_session(run, config.data, device, control, early=group is None)
    with closing(session.cache):
        yield from _read_first(config, session, device, control)
        yield from run.record(_run(config, session, device, run, control, group), control)


def make_training(
    config: PretrainConfig, session: Session, device: Device, run: RunFolder, group: ProcessGroup | None
) -> tuple[PretrainJob, Training]:
    """The job and its training, before the first weights are in place."""
    job = PretrainJob(config, session, device, run, group)
    if group is not None:  # which computes alike in all its processes: nothing is tried
        keep_to_config(job, config.hardware)
    return job, Training(job, plan_of(config.budget, job.steps_per_epoch), config.optimiser, device, run, group)


def _run(
    config: PretrainConfig,
    session: Session,
    device: Device,
    run: RunFolder,
    control: RunControl,
    group: ProcessGroup | None,
) -> Generator[Event, None, None]:
    with devices.kernels(device, deterministic=config.hardware.deterministic):
        yield from _train(config, session, device, run, control, group)


def _train(
    config: PretrainConfig,
    session: Session,
    device: Device,
    run: RunFolder,
    control: RunControl,
    group: ProcessGroup | None,
) -> Generator[Event, None, None]:
    job, training = make_training(config, session, device, run, group)
    notes = list(_first_weights(config, job)) if not training.restore() else []
    facts: dict[str, str]
    if group is not None:
        notes += [Note(level="warning", text=WHOLE_TOGETHER)] if config.hardware.micro_batch_size else []
        send_start(group, training, {"config": config_dict("pretrain", config), "split": session.split.to_json()})
        facts = {Message("Together"): group.title}
    else:
        choice = yield from autotune(job, config.hardware, config.budget, run, control)
        training.device = device = job.device
        notes += _set_micro_batches(config, job, training, choice.parts)
        facts = {Message("Step"): choice.words}
    yield RunStarted(
        job="pretrain",
        run=str(run.path),
        title=Message("{title} on {folder}", title=type(job.task).title, folder=title_of(config.data.folder)),
        facts={
            **session.facts(),
            **_tile_facts(config, session.cache.side),
            **hardware_facts(device, job.encoder),
            **feed_facts(job.pictures),
            Message("Batch"): Message("{batch_size} pictures", batch_size=job.batch_size),
            **facts,
        },
        total_steps=training.plan.total(0, 0.0),
        first_step=training.step,
    )
    yield from notes
    if device.note:
        yield Note(level="warning", text=device.note)
    outcome = yield from note_when_read(
        session, OnlineProbe(config, session, job.encoder, device, run).over(training, control)
    )
    if group is not None:
        group.begin_step(None)
    metrics = _result(config, job, training)
    run.write_json(METRICS, metrics)
    yield RunFinished(outcome=outcome, step=training.step, seconds=training.elapsed, metrics=metrics)


def _tile_facts(config: PretrainConfig, side: int) -> dict[str, str]:
    """How fine the smallest tile of a task of tiles is, for people: small ones have the pictures read larger."""
    share = load_tasks()[config.task].least_tile(config.options)
    if share == 1.0:
        return {}
    return {Message("Smallest tile"): Message("{pixels:.0f} pixels of the picture a side", pixels=share * side)}


def _set_micro_batches(config: PretrainConfig, job: PretrainJob, training: Training, parts: int) -> list[Note]:
    """Cut batches as the start found that they fit, or finer where a later step did."""
    training.parts = max(training.parts, parts)
    if parts == 1 or training.step:
        return []
    text = micro_batches_note(job.batch_size, parts, job.compares, asked=bool(config.hardware.micro_batch_size))
    return [Note(level="warning", text=text)]


def _first_weights(config: PretrainConfig, job: PretrainJob) -> Iterator[Note]:
    job.task.prepare(job.pictures.first(job.order, FIRST_PICTURES))
    if config.encoder.weights:
        yield Note(level="info", text=Message("{said}.", said=load_encoder(job.encoder, config.encoder.weights)))
        job.task.attach(job.encoder)


def _result(config: PretrainConfig, job: PretrainJob, training: Training) -> PretrainMetrics:
    scored = [event for event in training.run.events() if isinstance(event, Evaluated)]
    last = scored[-1] if scored else None
    return {
        "job": "pretrain",
        "task": config.task,
        "steps": training.step,
        "seconds": training.elapsed,
        "pictures": len(job.pictures) - len(job.pictures.broken),
        "n": last.n if last else 0,
        "validation": last.metrics if last else {},
        "chance": job.chance(),
        **probe_results(training.run),
        "finished_at": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def plan_of(budget: BudgetConfig, steps_per_epoch: int) -> Plan:
    """Steps if they are given, else epochs, else minutes."""
    if budget.steps:
        return Plan(steps=budget.steps)
    if budget.epochs:
        return Plan(steps=budget.epochs * steps_per_epoch)
    return Plan(seconds=60.0 * (budget.minutes or 10.0))


def load_task(run: RunFolder, config: PretrainConfig, device: Device) -> tuple[Encoder, AnyTask, int]:
    """Encoder and task in evaluation mode with the run's weights, and the step that they are from.

    A run that goes on can be asked too: it replaces its checkpoint in one go, at each evaluation and once a minute.
    Raises DataError when there are no weights yet, RunError when they belong to another network.
    """
    file = run.path / "last.safetensors"
    if not file.exists():
        raise DataError("{run} has no weights yet. Go on with it: sslstudio resume {run}", run=run.path)
    encoder, task = build_task(config, device)
    modules = nn.ModuleDict({"encoder": encoder, "task": task})
    tensors, meta = load_tensors(file)
    weights = {name.removeprefix(MODEL): value for name, value in tensors.items() if name.startswith(MODEL)}
    try:
        modules.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(
            "The weights in {file} belong to another network: {error}", file=file, error=str(error).splitlines()[0]
        ) from error
    modules.eval()
    return encoder, task, int(meta["step"])
