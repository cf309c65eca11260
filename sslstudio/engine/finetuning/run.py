"""One fine-tuning on a few labels, beside a twin that starts from scratch.

Both parts see the same labels, the same number of steps, the same views of the pictures and the same first weights
of the head; only the encoder's start differs, and beside general weights the encoder itself (`labelled.encoder_of`).
Nothing is chosen by the validation or test pictures: what is scored are the weights after the last step.
"""

import copy
import dataclasses
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.halving import by_smaller_chunks
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Event, Note, Preparing, RunFinished, RunStarted
from sslstudio.engine.core.messages import Message, join
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.predict import Predictor, score_classes, score_masks
from sslstudio.engine.evaluate.scores import Array
from sslstudio.engine.evaluate.verdict import KINDS, summarise
from sslstudio.engine.finetuning.costs import note_costs
from sslstudio.engine.finetuning.label_snapshot import as_begun, check_labels, note_labels
from sslstudio.engine.finetuning.labelled import (
    Labelled,
    LabelledJob,
    answering_parts,
    choose_labelled,
    is_averaged,
    is_closed_form,
    is_only_read,
    parts_of,
    targets_of,
    trained_part,
)
from sslstudio.engine.finetuning.networks import build_part, first_encoder, keep_read_outs
from sslstudio.engine.finetuning.plan_file import read_plan, write_plan
from sslstudio.engine.finetuning.read_out.calibration import FEWEST, Calibration, calibration_note, fit_temperature
from sslstudio.engine.finetuning.read_out.calibration import FILE as CALIBRATION
from sslstudio.engine.finetuning.read_out.read_out import answering_network
from sslstudio.engine.finetuning.recipe import steps_for
from sslstudio.engine.finetuning.split_notes import note_split
from sslstudio.engine.finetuning.split_policy import split_kept, suited
from sslstudio.engine.finetuning.suggested_labels import choose_suggested
from sslstudio.engine.finetuning.trial import choose_finetuning_device
from sslstudio.engine.finetuning.warm_start import following_tuned, refuse_taught, tuned_run
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.labels.mask_names import name_class
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.models.encoders.general import is_general
from sslstudio.engine.models.read_out import LEAST, ReadOut
from sslstudio.engine.runs.confusions import confusions_file, write_confusions
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.run_folder import METRICS, RunFolder
from sslstudio.engine.training.autotune import STEP, apply_choice, autotune
from sslstudio.engine.training.config import (
    FinetuneConfig,
    PretrainConfig,
    config_dict,
    finetune_from_dict,
    pretrain_from_dict,
)
from sslstudio.engine.training.loop import WATCHING, Training
from sslstudio.engine.training.machine_facts import hardware_facts
from sslstudio.engine.training.micro_batches import LEAST_SIZE, WHOLE_BATCH, count_holding, cut_batch
from sslstudio.engine.training.recognised_record import keep_recognised
from sslstudio.engine.training.schedule import Plan
from sslstudio.engine.training.session import Session, open_session, split_of

LEAST_STEPS = 10
TRYING = 3.0  # seconds in which the fastest way of a step is looked for: a fine-tuning takes minutes


def run_once(config: FinetuneConfig, control: RunControl) -> Iterator[Event]:
    """Run one fine-tuning from its start. Raises StudioError before anything is written."""
    device = choose_finetuning_device(config)
    source = pretraining_of(config.source)
    config = following(config, source)
    kept, tuned = split_kept(config, source), tuned_run(config.source)
    if tuned is not None:
        config, kept = following_tuned(config, tuned)
    set_apart = partial(suited, kept, config.kind)
    session = yield from open_session(config.data, device, control, set_apart=set_apart)
    if tuned is not None:
        refuse_taught(session.split, tuned)
    config = config.replace(
        encoder=config.encoder.resolve(device.accelerated, session.cache.side, trained=not is_closed_form(config)),
        data=config.data.replace(side=session.cache.side, folder=str(Path(config.data.folder).resolve())),
    )
    yield from start(config, session, device, control)


def start(config: FinetuneConfig, session: Session, device: Device, control: RunControl) -> Iterator[Event]:
    """Begin a run on pictures that are set apart already. `config` has no `auto` left."""
    labelled = yield from choose_suggested(choose_labelled(session, config), config, session, device, None)
    # A source that does not fit is said before anything is written.
    first_encoder(parts_of(config)[0], config)
    run = RunFolder.create(Path(config.out), config_dict("finetune", config))
    run.write_json("split.json", session.split.to_json())
    keep_recognised(run, config.data.labels, session.recognised)
    note_labels(run, config.kind, session.recognised, labelled.paths)
    yield from run.record(_run(config, labelled, session, device, run, control), control)


def resume_once(run: RunFolder, control: RunControl) -> Iterator[Event]:
    """Go on from the last checkpoint of the part that was under way."""
    config = finetune_from_dict({**run.config(), "out": str(run.path)})
    device = choose_finetuning_device(config)
    session = yield from open_session(config.data, device, control, set_apart=partial(split_of, run))
    yield from go_on(run, config, session, device, control)


def go_on(
    run: RunFolder, config: FinetuneConfig, session: Session, device: Device, control: RunControl
) -> Iterator[Event]:
    """The rest of a run, on the pictures as it set them apart. Raises DataError when their labels are others by now."""
    session = dataclasses.replace(session, recognised=as_begun(run, config.kind, session.recognised))
    labelled = yield from choose_suggested(choose_labelled(session, config), config, session, device, run)
    check_labels(run, config.kind, session.recognised, labelled.paths)
    yield from run.record(_run(config, labelled, session, device, run, control), control)


def pretraining_of(source: str) -> PretrainConfig | None:
    """The config of the pretraining run that `source` is; None for a weights file, general weights or scratch."""
    if source == "scratch" or is_general(source):
        return None
    path = Path(source)
    if path.is_dir():
        run = RunFolder.open(path)
        if run.job != "pretrain":
            raise DataError(
                "{source} is a fine-tuning run. Start from a pretraining run: sslstudio runs FOLDER", source=source
            )
        if not (path / "last.safetensors").exists():
            raise DataError("{source} has no weights yet. Go on with it: sslstudio resume {source}", source=source)
        return pretrain_from_dict(run.config())
    if not path.exists():
        raise DataError(
            "There is no run or weights file {source}. Give a run folder, a file, general or scratch.", source=source
        )
    return None


def following(config: FinetuneConfig, source: PretrainConfig | None) -> FinetuneConfig:
    """The config with encoder and picture side of its pretraining, unless another side is asked for; with general
    weights their encoder. Raises ConfigError when there are none for the encoder that was chosen."""
    if is_general(config.source):
        encoder = config.encoder.start_from_general(config.source)
        return config.replace(encoder=encoder.replace(weights=""), source=encoder.weights)
    if source is None:
        return config
    data = config.data if config.data.side else config.data.replace(side=source.data.side)
    encoder = EncoderConfig(name=source.encoder.name, stem=source.encoder.stem)
    return config.replace(data=data, encoder=encoder, source=str(Path(config.source).resolve()))


def _run(
    config: FinetuneConfig, labelled: Labelled, session: Session, device: Device, run: RunFolder, control: RunControl
) -> Generator[Event, None, None]:
    with devices.kernels(device, deterministic=config.hardware.deterministic):
        yield from _train(config, labelled, session, device, run, control)


def _train(
    config: FinetuneConfig, labelled: Labelled, session: Session, device: Device, run: RunFolder, control: RunControl
) -> Generator[Event, None, None]:
    started = time.monotonic()
    jobs: dict[str, LabelledJob] = {}
    notes = [Note(level="warning", text=device.note)] if device.note else []
    for part in parts_of(config):
        network, recipe, said = build_part(part, config, labelled, session, device, run)
        jobs[part] = LabelledJob(part, network, recipe, labelled, session, config, device)
        notes += [Note(level="info", text=text) for text in said]
    if config.turn and config.kind != "segmentation":
        notes.append(Note(level="info", text=Message("Turn is for masks only: classes are learnt and read without.")))
    first = next(iter(jobs.values()))
    trains = not is_closed_form(config)
    facts = (yield from _settle(config, jobs, run, control)) if trains else {}
    plan = _plan(config, first, labelled, len(jobs), run)
    steps = plan.total(0, 0.0) if trains else 0
    trainings = {
        part: Training(job, replace(plan, then=len(jobs) - 1 - number), config.optimiser, job.device, run)
        for number, (part, job) in enumerate(jobs.items())
        if trains
    }
    restored = [training.restore() for training in trainings.values()]
    yield RunStarted(
        job="finetune",
        run=str(run.path),
        title=Message(
            "{kind} on {folder}, {pictures} labels",
            kind=KINDS[config.kind],
            folder=title_of(config.data.folder),
            pictures=len(first.pictures),
        ),
        facts={**_facts(labelled, first), **hardware_facts(first.device, first.network.encoder), **facts},
        total_steps=steps,
        first_step=sum(training.step for training in trainings.values()),
    )
    if not any(restored):
        yield from notes
        yield from (Note(level="warning", text=text) for text in _cut_short(config, plan, first))
    for training in trainings.values():
        outcome = yield from training.go(control)
        if outcome == "stopped":
            yield RunFinished(outcome=outcome, step=training.step, seconds=time.monotonic() - started, metrics={})
            return
    for job in jobs.values():  # predictions are made in the precision that others will be made in later
        job.device = device
    metrics = yield from _score(config, labelled, session, jobs, run, control)
    trained = {part: (training.elapsed, training.step) for part, training in trainings.items()}
    for part in answering_parts(config):  # beside general weights masks are answered by a network that was trained
        if not is_only_read(part, config) and trained_part(part) in trained:
            trained[part] = trained[trained_part(part)]
    note_costs(run, answering_parts(config), trained)
    run.write_json(METRICS, metrics)
    yield RunFinished(outcome="finished", step=steps, seconds=time.monotonic() - started, metrics=metrics)


def _settle(
    config: FinetuneConfig, jobs: dict[str, LabelledJob], run: RunFolder, control: RunControl
) -> Generator[Preparing, None, dict[str, str]]:
    """Have all parts compute in the way that is fastest for the first of them here, as far as may be tried; what was
    settled, for people. A run that has begun without goes on without."""
    if read_plan(run) and run.read_json(STEP) is None:
        return {}
    choice = None
    for job in jobs.values():
        if choice is None:
            choice = yield from autotune(job, config.hardware, config.budget, run, control, longest=TRYING)
        else:
            apply_choice(job, choice)
    return {Message("Step"): choice.words} if choice is not None and choice.tried else {}


def _facts(labelled: Labelled, job: LabelledJob) -> dict[str, str]:
    names = map(name_class, labelled.names) if labelled.kind == "segmentation" else labelled.names
    return {
        Message("Classes"): join(names, ""),
        Message("Labelled pictures"): Message(
            "{pictures:,} to train on, {watched:,} to watch with, {test:,} for the test",
            pictures=len(job.pictures),
            watched=len(job.watched),
            test=len(labelled.test),
        ),
        Message("Batch"): Message("{batch_size} pictures", batch_size=job.batch_size),
    }


def _plan(config: FinetuneConfig, job: LabelledJob, labelled: Labelled, parts: int, run: RunFolder) -> Plan:
    """A number of steps, the same for both parts: as many as these labels can use, or fewer where the minutes end
    before. These are turned into steps once, by timing a copy."""
    stored = read_plan(run)
    if stored:
        return Plan(steps=int(stored["steps"]))
    if is_closed_form(config):
        steps = 1  # that is not taken
    elif config.budget.steps:
        steps = config.budget.steps * config.recipe.steps_factor
    elif config.budget.epochs:
        steps = config.budget.epochs * job.steps_per_epoch * config.recipe.steps_factor
    else:
        steps = _steps_wanted(config, job)
        if config.budget.minutes is not None:
            steps = min(steps, _steps_in(60.0 * config.budget.minutes / parts, job))
    write_plan(run, {"steps": steps, "classes": list(labelled.names), "labelled": list(labelled.train)})
    return Plan(steps=steps)


def _steps_wanted(config: FinetuneConfig, job: LabelledJob) -> int:
    """By the number of labels, where nothing else is said."""
    return steps_for(len(job.pictures)) * config.recipe.steps_factor


def _cut_short(config: FinetuneConfig, plan: Plan, job: LabelledJob) -> list[Message]:
    """A word where the minutes end before these labels have been learnt."""
    wanted = _steps_wanted(config, job)
    by_hand = config.budget.steps or config.budget.epochs
    if by_hand or is_closed_form(config) or plan.steps is None or plan.steps >= wanted:
        return []
    return [
        Message(
            "The minutes allow {steps:,} steps of the {wanted:,} that {pictures:,} labelled pictures can use: with "
            "about {minutes:,} {minutes:plural(minute|minutes)} the result may be better, from scratch above all.",
            steps=plan.steps,
            wanted=wanted,
            pictures=len(job.pictures),
            minutes=math.ceil((config.budget.minutes or 0.0) * wanted / plan.steps),
        )
    ]


def _steps_in(seconds: float, job: LabelledJob) -> int:
    trial = copy.copy(job)
    trial.network = copy.deepcopy(job.network)
    trial.before_step(1.0 - 1e-9)  # a probe's encoder never learns
    weights = [weight for weight in trial.network.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=0.0)
    times: list[float] = []

    def step(number: int, size: int) -> None:
        for part, share in cut_batch(job.batch_size, count_holding(job.batch_size, size)):
            with job.device.autocast():
                loss = trial.forward(number, part).loss
            (loss if part is WHOLE_BATCH else loss * share).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        job.device.wait()

    for number in range(4):
        began = time.monotonic()
        by_smaller_chunks(partial(step, number), job.batch_size, LEAST_SIZE, job.device)
        times.append(time.monotonic() - began)
    return max(LEAST_STEPS, int(seconds * (1 - WATCHING) / max(1e-6, median(times[1:]))))


def _score(
    config: FinetuneConfig, labelled: Labelled, session: Session, jobs: dict[str, LabelledJob], run: RunFolder,
    control: RunControl,
) -> Generator[Preparing, None, FinetuneMetrics]:  # fmt: skip
    confusions: dict[str, Array] = {}
    calibrations: dict[str, Calibration] = {}
    first = next(iter(jobs.values()))
    device = first.device
    yield from keep_read_outs(config, labelled, session, device, run, control)
    for part in answering_parts(config):
        job = jobs.get(trained_part(part))
        trained = None if job is None else job.network
        network = answering_network(part, trained, config, run, len(labelled.names)).to(device.handle)
        predictor = Predictor(network, config.kind, labelled.names, device, config.views, config.flip)
        if isinstance(network, ReadOut) and len(labelled.validation) >= FEWEST:
            calibrations[part] = _calibrate(network, predictor, session, labelled.validation, control)
            run.write_json(CALIBRATION, calibrations)
        confusions[part] = yield from score_part(
            predictor, session, labelled.test, run.path / f"predictions-{part}.csv", control
        )
        write_confusions(confusions_file(run.path, part), labelled.test, confusions[part])
    groups = groups_of(list(labelled.test), config.data.groups, session.recognised.groups, session.recognised.together)
    metrics = summarise(
        config.kind,
        labelled.names,
        confusions,
        n_train=len(first.pictures),
        most_frequent=most_frequent(session, first),
        groups=[groups[path] for path in labelled.test] if groups else None,
    )
    source = pretraining_of(config.source) if Path(config.source).exists() else None
    stored = read_plan(run)
    metrics["notes"] += _cut_short(config, Plan(steps=stored["steps"]), first) if stored else []
    metrics["notes"] += note_split(config, source, session, labelled)
    metrics["notes"] += session.left_out()
    if is_averaged(config):
        metrics["notes"].append(calibration_note(len(labelled.validation)))
    return metrics


def _calibrate(
    network: ReadOut, predictor: Predictor, session: Session, paths: tuple[str, ...], control: RunControl
) -> Calibration:
    """Measure the temperature of a part on validation pictures and set it."""
    network.temperature.fill_(1.0)  # of a run that was stopped while it was scored
    pictures = Pictures(session.cache, paths, predictor.device)
    shares = torch.cat([shares for _, shares in predictor.chunks(pictures, control)])
    targets = targets_of(session, predictor.kind, pictures.paths)
    found = fit_temperature(shares.clamp_min(LEAST).log(), targets)
    network.temperature.fill_(found["temperature"])
    return found


def most_frequent(session: Session, job: LabelledJob) -> int:
    """The class that the baseline guesses. Of a classification the one with the most labelled pictures that are not set
    apart, since of each class as many are drawn to train on; of masks the one with the most pixels among the drawn."""
    classes = session.recognised.classes
    if job.kind == "classification" and classes is not None:
        labels = [classes.of[path] for path in session.split.train if path in classes.of]
        return int(np.bincount(labels, minlength=len(classes.names)).argmax())
    return job.most_frequent_pixel()


def score_part(
    predictor: Predictor, session: Session, paths: tuple[str, ...], table: Path, control: RunControl
) -> Generator[Preparing, None, Array]:
    """Predict labelled pictures with one network; writes the table and returns the confusions (n, C, C)."""
    pictures = Pictures(session.cache, paths, predictor.device)
    if predictor.kind == "classification":
        truth = targets_of(session, predictor.kind, pictures.paths).tolist()
        return (yield from score_classes(predictor, pictures, truth, table, control))
    masks = session.recognised.masks
    if masks is None:
        raise RunError("The masks of these pictures are gone.")
    return (yield from score_masks(predictor, pictures, session.recognised.pictures.root, masks, table, control))
