"""Cross-validation: where labels are very few, a test on a fifth of them says next to nothing.

The labelled pictures are dealt into k folds, each tested on by networks that were trained on the others, so that every
labelled picture is tested on once. Each fold is an ordinary fine-tuning run in a folder of its own; their confusions
are put together (Kohavi, IJCAI 1995). Groups are never torn apart.
"""

import dataclasses
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Event, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.drawn_split import DrawnFor
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.split import Split, draw_labelled
from sslstudio.engine.evaluate.scores import Array
from sslstudio.engine.evaluate.verdict import KINDS, summarise
from sslstudio.engine.finetuning.label_snapshot import as_begun, check_labels, note_labels
from sslstudio.engine.finetuning.labelled import answering_parts, is_closed_form, labels_of
from sslstudio.engine.finetuning.run import following, go_on, pretraining_of, start
from sslstudio.engine.finetuning.trial import choose_finetuning_device
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.run_folder import METRICS, RunFolder, SplitTable, checked_split
from sslstudio.engine.training.config import FinetuneConfig, config_dict, finetune_from_dict
from sslstudio.engine.training.recognised_record import keep_recognised, recall
from sslstudio.engine.training.session import Session, open_session

FOLDS_FILE = "folds.json"  # the splits of all folds; only a cross-validated run has it
TAUGHT_FILE = "taught.json"  # labelled pictures that train in every fold: those that were suggested
NOTE = Message(
    "Cross-validated: each of the {{0:,}} labelled pictures was tested on once, by a network "
    "trained on the others ({{1}} folds). Pretraining on this folder has seen most of them, "
    "without their labels."
)


NOTE_DRAWN = Message(
    "Cross-validated: each of the {{0:,}} labelled pictures that were drawn at random (or had their labels before "
    "anything was suggested) was tested on once, by a network trained on the others and on the suggested ones ({{1}} "
    "folds)."
)


def cross_validate(config: FinetuneConfig, folds: int, control: RunControl) -> Iterator[Event]:
    """Fine-tune `folds` times on the labelled pictures of a folder. Raises DataError when there are too few for that.

    The run folder holds fold-1, fold-2 ... and metrics.json of all test answers together. A run that was stopped goes
    on when it is started again with the same settings: `resume_folds`.
    """
    device = choose_finetuning_device(config)
    config = following(config, pretraining_of(config.source))
    session = yield from open_session(config.data, device, control)
    config = config.replace(
        encoder=config.encoder.resolve(device.accelerated, session.cache.side, trained=not is_closed_form(config)),
        data=config.data.replace(side=session.cache.side, folder=str(Path(config.data.folder).resolve())),
    )
    splits = deal(session, config, folds)
    run = RunFolder.create(Path(config.out), config_dict("finetune", config))
    run.write_json(FOLDS_FILE, [split.to_json() for split in splits])
    keep_recognised(run, config.data.labels, session.recognised)
    labels, _ = labels_of(session, config)
    taught = sorted(_suggested(session, config.kind, tuple(labels)))
    run.write_json(TAUGHT_FILE, taught)
    note_labels(run, config.kind, session.recognised, [*_tested(splits), *taught])
    yield from run.record(_run(config, splits, session, device, run, control), control)


def resume_folds(run: RunFolder, control: RunControl) -> Iterator[Event]:
    """The folds that are not done yet. Raises DataError when the labels are others than those that were dealt."""
    config = finetune_from_dict({**run.config(), "out": str(run.path)})
    device = choose_finetuning_device(config)
    session = yield from open_session(config.data, device, control)
    session = dataclasses.replace(session, recognised=as_begun(run, config.kind, session.recognised))
    dealt: list[dict[str, list[str]]] = run.read_json(FOLDS_FILE, list[SplitTable]) or []
    splits = [Split.from_json(checked_split(one, run.path / FOLDS_FILE)) for one in dealt]
    taught: list[str] = run.read_json(TAUGHT_FILE, list[str]) or []
    check_labels(run, config.kind, session.recognised, [*_tested(splits), *taught])
    yield from run.record(_run(config, splits, session, device, run, control), control)


def _tested(splits: list[Split]) -> list[str]:
    """The labelled pictures that were dealt: each is tested on once."""
    return [path for split in splits for path in split.test]


def deal(session: Session, config: FinetuneConfig, folds: int) -> list[Split]:
    """The split of each fold: its pictures test, the other labelled ones and all without a label train. Where pictures
    were suggested to be labelled, only those drawn at random are dealt: the suggested ones train in every fold."""
    from sklearn.model_selection import StratifiedGroupKFold  # slow to load, and one run needs none of it

    labels, _ = labels_of(session, config)
    paths = tuple(path for path in session.cache.index.paths if path in labels)
    if config.labels_per_class is not None:
        classes = {path: labels[path] for path in paths} if config.kind == "classification" else None
        paths = draw_labelled(paths, classes, config.labels_per_class, config.seed)
    suggested = _suggested(session, config.kind, paths)
    paths = tuple(path for path in paths if path not in suggested)
    targets = np.array([labels[path] for path in paths], np.int64)
    group_of = groups_of(
        [*paths, *suggested], config.data.groups, session.recognised.groups, session.recognised.together
    )
    groups = {path: group_of[path] for path in paths} if group_of else {}
    fewest = min(np.bincount(targets)[np.unique(targets)], default=0)
    units = len(set(groups.values())) if groups else len(paths)
    if fewest < folds or units < folds:
        raise DataError(
            "{folds} folds were asked for, and the smallest class has {fewest} labelled pictures{said}. "
            "Take {value} folds or fewer, or label more pictures.",
            folds=folds,
            fewest=fewest,
            said=Message(" ({units} groups in all)", units=units) if groups else "",
            value=max(2, min(fewest, units)),
        )
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=derive(config.seed, "folds") % 2**32)
    owners = np.array([groups[path] for path in paths]) if groups else np.arange(len(paths))
    unlabelled = [path for path in session.cache.index.paths if path not in labels]
    splits = []
    for train, test in dealer.split(np.zeros(len(paths)), targets, owners):
        torn = {owners[number] for number in test} if groups else set()
        others = [path for path in suggested if group_of.get(path) not in torn]
        taught = [paths[number] for number in train] + others + unlabelled
        splits.append(Split(tuple(sorted(taught)), (), tuple(paths[number] for number in test)))
    return splits


def _suggested(session: Session, kind: str, paths: Sequence[str]) -> frozenset[str]:
    """The labelled pictures that nothing is to be tested on: suggested, or labelled out of turn."""
    if session.recognised.drawn is None:
        return frozenset()
    what = DrawnFor(session.recognised.drawn, kind)
    return frozenset(path for path in paths if not what.tests(path) and not what.is_old(path))


def _run(
    config: FinetuneConfig, splits: list[Split], session: Session, device: Device, run: RunFolder, control: RunControl
) -> Generator[Event, None, None]:
    began = time.monotonic()
    yield RunStarted(
        job="finetune",
        run=str(run.path),
        title=Message(
            "{kind} on {folder}, {splits} folds",
            kind=KINDS[config.kind],
            folder=title_of(config.data.folder),
            splits=len(splits),
        ),
        facts={Message("Folds"): Message("{splits}, each tested on once", splits=len(splits)), **session.facts()},
        total_steps=0,
    )
    steps = 0
    for number, split in enumerate(splits):
        child = RunFolder(run.path / f"fold-{number + 1}")
        if child.finetune_metrics() is not None:
            continue
        apart = dataclasses.replace(session, split=split)
        own = config.replace(out=str(child.path), labels_per_class=None, folds=1)
        begun = (child.path / "split.json").exists()
        events = go_on(child, own, apart, device, control) if begun else start(own, apart, device, control)
        for event in events:
            if isinstance(event, RunFinished):
                steps += event.step
                if event.outcome == "stopped":
                    yield dataclasses.replace(event, step=steps, seconds=time.monotonic() - began)
                    return
            elif not isinstance(event, RunStarted):
                yield _of_fold(event, number, len(splits))
    metrics = pooled_result(config, run, splits, NOTE if session.recognised.drawn is None else NOTE_DRAWN)
    run.write_json(METRICS, metrics)
    yield RunFinished(outcome="finished", step=steps, seconds=time.monotonic() - began, metrics=metrics)


def _of_fold(event: Event, number: int, folds: int) -> Event:
    """Steps are counted through all folds, so that a bar or a curve goes on and does not jump back."""
    if isinstance(event, StepDone):
        total = event.total_steps
        a_step = event.seconds_left / max(1, total - event.step)
        return dataclasses.replace(
            event,
            step=event.step + number * total,
            total_steps=total * folds,
            seconds_left=event.seconds_left + (folds - number - 1) * total * a_step,
        )
    return event


def pooled_result(config: FinetuneConfig, run: RunFolder, splits: list[Split], note: Message = NOTE) -> FinetuneMetrics:
    """metrics.json of all folds together: every picture that was dealt once, which `note` says."""
    children = [RunFolder(run.path / f"fold-{number + 1}") for number in range(len(splits))]
    confusions: dict[str, Array] = {}
    paths: list[str] = []
    for part in answering_parts(config):
        stored = [read_confusions(confusions_file(child.path, part)) for child in children]
        confusions[part] = np.concatenate([matrices for _, matrices in stored])
        paths = [path for names, _ in stored for path in names]
    frequent = int(next(iter(confusions.values())).sum((0, 2)).argmax())
    began = recall(run, config.data.folder, config.data.labels)
    groups = groups_of(paths, config.data.groups, began.groups if began else {}, began.together if began else {})
    first = children[0].finetune_metrics()
    assert first is not None
    metrics = summarise(
        config.kind,
        first["classes"],
        confusions,
        n_train=int(first["n_train"]),
        most_frequent=frequent,
        groups=[groups[path] for path in paths] if groups else None,
    )
    metrics["notes"].append(note.format(len(paths), len(splits)))
    return metrics
