"""Label efficiency: scratch against each pretext task, on the same labels, pictures and steps.

    for event in compare(config, control): ...

A comparison is a folder of ordinary runs: pretrained/TASK and cells/ROW/LABELS-DRAW. Whatever is done is not done
again. Each run is claimed with a lock file beside it, so the same command started twice, in two terminals or on two
machines with one disk, shares the work.
"""

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.config import from_dict, to_dict
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import InputError, StudioError, TaskDoesNotFit
from sslstudio.engine.core.events import (
    Advanced,
    CheckpointSaved,
    Event,
    Note,
    Preparing,
    RunFinished,
    RunStarted,
    StepDone,
)
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.migrations import unstamped
from sslstudio.engine.experiments.caveats import look_at_split
from sslstudio.engine.experiments.compare_cells import DONE, FAILED, REFUSED, Place, carried_out, result_words, tidy
from sslstudio.engine.experiments.compare_config import (
    SCRATCH,
    CompareConfig,
    finetune_config,
    following,
    joined,
    pretrain_config,
    sources_of,
)
from sslstudio.engine.experiments.plan import Unit, ahead, ready, settled, units_of
from sslstudio.engine.experiments.table import write_tables
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.finetuning.label_snapshot import keep_labels
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.experiment_folder import COMPARE, CONFIGS, study_settings, write_study_settings
from sslstudio.engine.training.config import HardwareConfig
from sslstudio.engine.training.session import suitable_side

WAIT_SECONDS = 1.0  # between two looks at what another process works on


def compare(config: CompareConfig, control: RunControl) -> Iterator[Event]:
    """Do what is left of a comparison and write its tables. The last event's metrics are the content of table.json.

    Raises StudioError in words when the folder cannot be compared on, or holds a comparison with other settings.
    """
    began = time.monotonic()
    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    config, whole, changed = yield from _settled(config)
    units = units_of(config)
    left = [unit for unit in units if not settled(unit, config)]
    yield RunStarted(
        job=COMPARE,
        run=config.out,
        title=config.title(),
        facts=_facts(config, len(units), len(left)),
        total_steps=len(units),
        first_step=len(units) - len(left),
    )
    if changed:
        yield Note(level="warning", text=changed)
    yield from _work(units, config, whole, control)
    if control.proceed():
        yield from look_at_split(whole, control)
    yield Preparing(stage=Message("Working out the intervals"), done=0, total=0)
    table = write_tables(whole)
    left = [unit for unit in units if not settled(unit, config)]
    yield RunFinished(
        outcome="stopped" if left else "finished",
        step=len(units) - len(left),
        seconds=time.monotonic() - began,
        metrics=table,
    )


def _facts(config: CompareConfig, total: int, left: int) -> dict[str, str]:
    return {
        Message("Rows"): ", ".join(sources_of(config)),
        Message("Labels"): Message(
            "{labels} in {seeds} draws, {steps} steps each",
            labels=config.labels,
            seeds=config.seeds,
            steps=config.steps,
        ),
        Message("Runs"): Message("{total:,} in all, {left:,} to do", total=total, left=left),
    }


def stored_config(out: Path) -> CompareConfig | None:
    """What the comparison in this folder is of, None when there is none."""
    if not (out / CONFIGS[COMPARE]).exists():
        return None
    return from_dict(CompareConfig, unstamped(study_settings(out, COMPARE)))


def _settled(config: CompareConfig) -> Generator[Preparing, None, tuple[CompareConfig, CompareConfig, Message]]:
    """The config with every `auto` filled in, what the folder holds with it, which is written down, and a sentence
    where the labels are others than those that it began with. Both configs have the labels that it keeps."""
    out = Path(config.out)
    folder = str(Path(config.data.folder).resolve())
    config = config.replace(out=str(out), data=config.data.replace(folder=folder))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            "The folder {out} cannot be made: {reason}. Choose another one.", out=out, reason=error.strerror
        ) from error
    with FileLock(out / "compare.lock", thread_local=False):
        stored = stored_config(out)
        config = resolved(following(config, stored) if stored else config)
        whole = joined(config, stored.replace(out=str(out))) if stored else config
        write_study_settings(out, COMPARE, to_dict(whole))
        kept = yield from keep_labels(out, config.data, config.kind)
    return config.replace(data=kept.data), whole.replace(data=kept.data), kept.note


def resolved(config: CompareConfig) -> CompareConfig:
    """With the side of the pictures and the encoder chosen, by the pictures and the device."""
    device = devices.choose(config.hardware.device, config.hardware.precision)
    recognised = recognise(scan(Path(config.data.folder)), config.data.labels)
    side = config.data.side or suitable_side(recognised.pictures, device)
    encoder = config.encoder.resolved(device.accelerated, side)
    return config.replace(data=config.data.replace(side=side), encoder=encoder)


def _work(units: list[Unit], config: CompareConfig, whole: CompareConfig, control: RunControl) -> Iterator[Event]:
    """Pass over what is left until nothing is; what others have claimed is waited for."""
    left = [unit for unit in units if not settled(unit, config)]
    while left and control.proceed():
        worked = False
        for unit in left:
            if not control.proceed():
                return
            if ready(unit, config) and not settled(unit, config):
                claimed = yield from _claim(unit, units, config, control)
                worked = worked or claimed
                if claimed and _column_done(unit, units, config):
                    yield _advanced(units, config, None, write_tables(whole))
        left = [unit for unit in left if not settled(unit, config)]
        if left and not worked:
            done = len(units) - len(left)
            yield Preparing(stage=Message("Waiting for what another process works on"), done=done, total=len(units))
            time.sleep(WAIT_SECONDS)


def _column_done(unit: Unit, units: list[Unit], config: CompareConfig) -> bool:
    """Whether a point of a curve is there: every draw of these labels is settled."""
    return unit.is_cell and all(
        settled(other, config) for other in units if (other.source, other.labels) == (unit.source, unit.labels)
    )


def _advanced(
    units: list[Unit], config: CompareConfig, now: Unit | None, table: dict[str, Any] | None = None
) -> Advanced:
    """Where the comparison stands."""
    left = ahead(config, units, now)
    return Advanced(
        done=left.done, total=len(units), now=now.words() if now else "", seconds_after=left.seconds, table=table or {}
    )


def _claim(unit: Unit, units: list[Unit], config: CompareConfig, control: RunControl) -> Generator[Event, None, bool]:
    """Do a unit, unless another process does. Returns whether it was ours."""
    place = unit.place(config)
    place.path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.lock, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return False
    try:
        if not settled(unit, config):
            yield _advanced(units, config, unit)
            yield from _do(unit, place, config, control)
            if place.outcome() is not None:
                done = sum(settled(other, config) for other in units)
                yield Note(
                    level="info",
                    text=Message(
                        "{done} of {units}: {words}: {result}",
                        done=done,
                        units=len(units),
                        words=unit.words(),
                        result=result_words(place),
                    ),
                )
    finally:
        lock.release()
    return True


def _do(unit: Unit, place: Place, config: CompareConfig, control: RunControl) -> Iterator[Event]:
    began = time.monotonic()
    try:
        yield from _heard(unit, carried_out(place, lambda: _start(unit, config, control), control))
    except TaskDoesNotFit as error:
        place.note(REFUSED, error.message)
        return
    except StudioError as error:
        if unit.source == SCRATCH and isinstance(error, InputError):
            raise  # it is the pictures or the labels: no row can be done
        place.note(FAILED, error.message)
        return
    if not place.finished():  # stopped
        return
    if unit.is_cell:
        tidy(place, keep_weights=config.keep_weights)
    seconds = max(time.monotonic() - began, place.metrics().get("seconds", 0.0))  # a resumed one took longer
    place.note(DONE, seconds=seconds, machine=machine(config.hardware))


def _start(unit: Unit, config: CompareConfig, control: RunControl) -> Iterator[Event]:
    if unit.is_cell:
        return finetune(finetune_config(config, unit.source, unit.labels, unit.draw), control)
    return pretrain(pretrain_config(config, unit.source), control)


def _heard(unit: Unit, events: Iterator[Event]) -> Iterator[Event]:
    """What of a run's events is worth passing on: a cell is one of many, and its own record holds the rest."""
    for event in events:
        progress = isinstance(event, (Preparing, StepDone))
        if progress or (not unit.is_cell and not isinstance(event, (RunFinished, CheckpointSaved))):
            yield event


def machine(hardware: HardwareConfig) -> dict[str, str]:
    """What it runs on, in words."""
    device = devices.choose(hardware.device, hardware.precision)
    return {
        "device": device.title,
        "precision": device.precision,
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }
