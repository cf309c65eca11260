"""What a comparison is made of: its config, the runs that follow from it, and what may be added to it later."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sslstudio.engine.core.config import (
    BaseConfig,
    Overrides,
    Table,
    Value,
    merge,
    option,
    section,
    sections_of,
    to_dict,
    with_overrides,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.evaluate.arms import BASELINES, BESIDE, FROM_SCRATCH, GENERAL, PRETRAINED, UNTRAINED, arm_title
from sslstudio.engine.experiments.config import ExperimentConfig, set_up_pretraining
from sslstudio.engine.experiments.experiment_run import ExperimentRun
from sslstudio.engine.finetuning.labelled import answering_parts
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.models.encoders.general import GENERAL as GENERAL_SOURCE
from sslstudio.engine.runs.experiment_folder import COMPARE
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, FinetuneConfig, PretrainConfig

SCRATCH = FROM_SCRATCH
# Options that a migration sets in what an earlier version has begun: see `core.migrations`.
OF_BEFORE = {
    "recipe": ("read_out", "balance_classes"),
    "context_prediction": ("pairs",),
    "multitask": ("whole", "settings"),
}
SUGGESTED = "+suggested"  # at the end of the name of a row whose labels are suggested instead of drawn
READ_AT, READ_AT_MASKS = 10, 20  # labels a class and masks at which worth is read, where nothing else is said
WITH_GENERAL = "+general"  # at the end of the name of a row that is read beside general weights
AFTER_GENERAL = "after-general-"  # before the name of a task that is pretrained from general weights
T = TypeVar("T")


def finetuning_sections() -> dict[str, type[BaseConfig]]:
    """The configs whose options can be set for the fine-tunings of an experiment."""
    return {one.name: one.config for one in sections_of(FinetuneConfig)}


@dataclass(frozen=True, kw_only=True)
class CompareConfig(ExperimentConfig):
    """A comparison of pretext tasks: how much further do few labels go."""

    job = COMPARE

    kind: str = option(
        "classification", "Result", "One class a picture, or a mask.", choices=("classification", "segmentation")
    )
    tasks: tuple[str, ...] = option(
        ("vicreg", "jigsaw", "context_prediction"), "Pretext tasks", "Names, separated by commas."
    )
    weights: Table[str] = option(
        Table(), "Weights", "Rows that were pretrained elsewhere: NAME=FILE or NAME=RUN.", advanced=True
    )
    labels: tuple[int, ...] = option(
        (5, 10, 25),
        "Labels a class",
        "How many labelled pictures a class (for masks: in all), separated by commas.",
        low=1,
    )
    scratch_labels: tuple[int, ...] = option(
        (),
        "Labels from scratch",
        "More numbers for scratch alone, to say what the labels are worth.",
        low=1,
        advanced=True,
    )
    seeds: int = option(
        5, "Repeats", "How often it is repeated with other labels, the same ones for all tasks.", low=1, high=1000
    )
    pretrain_seeds: int = option(
        1,
        "Pretrainings",
        "How often each task is pretrained, with other seeds; the draws of labels are spread over these. With two or "
        "more the luck of a pretraining is in the intervals.",
        low=1,
        high=100,
    )
    steps: int | None = option(
        None,
        "Fine-tuning steps",
        "The same for every row; automatic: the more labels the more steps, until more would teach nothing.",
        low=1,
        high=10_000_000,
    )
    longer: int = option(
        0,
        "Longer runs",
        "Train each row so many times as long, too, where worth is read: whether it was stopped too early. 0 or 1: no.",
        low=0,
        high=100,
        advanced=True,
    )
    read_at: int | None = option(
        None,
        "Worth is read at",
        "The number of labels at which worth is read, named beforehand; automatic: 10 a class, 20 masks. Where there "
        "is no such number, the next lower one.",
        low=1,
        advanced=True,
    )
    general: bool = option(
        True,
        "General weights",
        "Compare with a network that has learnt from general photographs, by itself and beside each pretraining.",
    )
    suggested: bool = option(
        False,
        "Suggested labels",
        "A row more for each pretraining: as many labels in all, suggested from its own features instead of drawn.",
    )
    after_general: bool = option(
        True,
        "General, then own",
        "Pretrain with the first of the tasks from general weights, too, as often does most for scans and microscopy.",
    )
    keep_weights: bool = option(
        False, "Keep weights", "Keep the weights of every fine-tuned network, not only its scores.", advanced=True
    )
    finetune_settings: Overrides = option(
        Overrides(),
        "Fine-tuning options",
        "Options of fine-tuning, for example optimiser.learning_rate=0.002.",
        advanced=True,
        sections=finetuning_sections,
    )
    pretraining: BudgetConfig = section(BudgetConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_names(self)
        finetune_config(self, SCRATCH, 1, 0)

    def title(self) -> Message:
        """What it is called, for people."""
        return Message("Label efficiency on {folder}", folder=title_of(self.data.folder))

    def label_kind(self) -> str:
        """Classes or masks."""
        return self.kind


def sources_of(config: CompareConfig) -> list[str]:
    """The rows of the table: scratch first, then what is read from untrained features and from general weights, then
    each pretraining, by itself and beside general weights."""
    parts = answering_parts(finetune_config(config, SCRATCH, 1, 0))
    beside = {
        source: [f"{source}{WITH_GENERAL}"]
        for source in trained_sources(config) if BESIDE in answering_parts(finetune_config(config, source, 1, 0))
    }  # fmt: skip
    suggested = {source: [f"{source}{SUGGESTED}"] for source in trained_sources(config) if config.suggested}
    return [*parts, *(row for source in trained_sources(config)
                      for row in (source, *beside.get(source, []), *suggested.get(source, [])))]  # fmt: skip


def trained_sources(config: CompareConfig) -> list[str]:
    """The rows that begin with a pretraining or with weights from elsewhere."""
    return [*pretrained_sources(config), *config.weights]


def pretrained_sources(config: CompareConfig) -> list[str]:
    """The rows that are pretrained here: each task from nothing (or from what `encoder.weights` says), and the first of
    them from general weights."""
    tasks = config.task_names()
    after = config.general and config.after_general and not config.encoder.weights
    return [*tasks, *(f"{AFTER_GENERAL}{task}" for task in tasks[:1] if after)]


def task_of(source: str) -> str:
    """The task that a row is pretrained with."""
    return run_source(source).removeprefix(AFTER_GENERAL)


def suggested_sources(config: CompareConfig) -> list[str]:
    """The rows whose labels are suggested: they have fine-tunings of their own."""
    return [f"{source}{SUGGESTED}" for source in trained_sources(config)] if config.suggested else []


def begun_from(source: str) -> str:
    """The row whose pretraining or weights a row begins with."""
    return source.removesuffix(SUGGESTED)


def run_source(source: str) -> str:
    """The row whose fine-tunings hold the answers of a row: those of what is only read are a part of others'."""
    return SCRATCH if source in (UNTRAINED, GENERAL) else source.removesuffix(WITH_GENERAL)


def part_of(source: str) -> str:
    """The part of these fine-tunings that is a row's."""
    if source in (SCRATCH, UNTRAINED, GENERAL):
        return source
    return BESIDE if source.endswith(WITH_GENERAL) else PRETRAINED


def labels_of(config: CompareConfig, source: str) -> list[int]:
    """The numbers of labels that a row is fine-tuned on. Those without a pretraining have those of all rows."""
    return sorted({*config.labels, *(config.scratch_labels if source in BASELINES else ())})


def read_count(config: CompareConfig) -> int:
    """The number of labels at which worth is read: the one that was named, or else the next lower one of those that
    all rows have, or the lowest."""
    wanted, counts = _read_at(config), sorted(config.labels)
    return max((count for count in counts if count <= wanted), default=counts[0] if counts else wanted)


def _read_at(config: CompareConfig) -> int:
    return config.read_at or (READ_AT if config.kind == "classification" else READ_AT_MASKS)


def _check_names(config: CompareConfig) -> None:
    names = [*BASELINES, GENERAL, *trained_sources(config)]
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise ConfigError("There are two rows called {double!r}. Give the weights another name.", double=double[0])
    odd = [name for name in config.weights if not re.fullmatch(r"[\w.-]+", name) or leads_out(name)]
    if odd:
        raise ConfigError(
            "weights = {odd!r} is not a name that a folder can have. Use letters, digits, - and _.", odd=odd[0]
        )


def source_title(config: CompareConfig, source: str) -> Message:
    """What a row is called, for people."""
    if source in (*BASELINES, GENERAL):
        return arm_title(source)
    if source.endswith(SUGGESTED):
        return Message("{row}, suggested labels", row=source_title(config, begun_from(source)))
    if source.endswith(WITH_GENERAL):
        return Message("{row} beside general weights", row=source_title(config, run_source(source)))
    if source.startswith(AFTER_GENERAL) and source in pretrained_sources(config):
        return Message("General weights, then {task}", task=load_tasks()[task_of(source)].title)
    return load_tasks()[source].title if source in config.task_names() else plain(source)


def pretraining_run(config: CompareConfig, source: str, seed: int = 0) -> ExperimentRun:
    """The pretraining of a row with seed number `seed`, counted from 0."""
    name = f"{source}-{seed + 1}" if seed else source
    return ExperimentRun(Path(config.out) / "pretrained" / name, source, seed=seed)


def pretraining_runs(config: CompareConfig, source: str) -> list[ExperimentRun]:
    """The pretrainings of a row, none where it has none: no more than there are draws of labels to measure them by."""
    if source not in pretrained_sources(config):
        return []
    return [pretraining_run(config, source, seed) for seed in range(min(config.pretrain_seeds, config.seeds))]


def seed_of(config: CompareConfig, source: str, draw: int) -> int:
    """Which of its pretrainings a row rests on in draw number `draw`: the draws are dealt out, so that more
    pretrainings ask for no more fine-tunings."""
    return draw % config.pretrain_seeds if begun_from(run_source(source)) in pretrained_sources(config) else 0


def cell_run(config: CompareConfig, source: str, labels: int, draw: int, times: int = 1) -> ExperimentRun:
    """A cell of the table: the fine-tuning of a row on one draw of labels, with so many `times` its steps."""
    source, seed = run_source(source), seed_of(config, source, draw)
    name = f"{labels}-{draw}-x{times}" if times > 1 else f"{labels}-{draw}"
    return ExperimentRun(Path(config.out) / "cells" / source / name, source, labels, draw, seed, times)


def cell_runs(config: CompareConfig, source: str) -> list[ExperimentRun]:
    """The cells of a row: every draw of each number of labels."""
    return [cell_run(config, source, labels, draw) for labels in labels_of(config, source)
            for draw in range(config.seeds)]  # fmt: skip


def longer_runs(config: CompareConfig, source: str) -> list[ExperimentRun]:
    """The longer fine-tunings of a row that is trained; none where none are asked for."""
    trains = part_of(source) in (FROM_SCRATCH, PRETRAINED) and config.longer > 1 and config.labels
    count = read_count(config)
    return [cell_run(config, source, count, draw, config.longer) for draw in range(config.seeds)] if trains else []


def all_cells(config: CompareConfig) -> list[ExperimentRun]:
    """The cells of all rows, each fine-tuning once, with the longer ones."""
    rows = (SCRATCH, *trained_sources(config))
    cells = [cell for source in rows for cell in (*cell_runs(config, source), *longer_runs(config, source))]
    return [*cells, *(cell for source in suggested_sources(config) for cell in cell_runs(config, source))]


def pretrain_config(config: CompareConfig, source: str, seed: int = 0) -> PretrainConfig:
    """A pretraining of a row: the same pictures, encoder and budget for all, and the options of its task; from general
    weights the encoder that they are for."""
    if source.startswith(AFTER_GENERAL):
        config = config.replace(encoder=EncoderConfig(weights=GENERAL_SOURCE))
    made = set_up_pretraining(config, task_of(source), pretraining_run(config, source, seed).path, config.pretraining)
    return made.replace(seed=made.seed + seed)


def finetune_config(
    config: CompareConfig, source: str, labels: int, draw: int, times: int = 1
) -> FinetuneConfig:  # fmt: skip
    """A cell of the table: draw number `draw` of `labels` labels, the same budget for all, `times` the steps."""
    start, suggested = begun_from(source), source.endswith(SUGGESTED)
    begins = config.weights.get(start) or str(pretraining_run(config, start, seed_of(config, source, draw)).path)
    base = FinetuneConfig(
        out=str(cell_run(config, source, labels, draw, times).path),
        kind=config.kind,
        source=SCRATCH if source == SCRATCH else begins,
        labels_per_class=labels,
        twin=False,
        choice="suggested" if suggested else "random",
        # What is only read has no steps, and what comes after general weights is general already.
        general=config.general and times == 1 and not suggested and not source.startswith(AFTER_GENERAL),
        watch=False,  # nobody looks at hundreds of curves
        seed=draw,
        data=config.data,
        encoder=config.encoder,
        budget=BudgetConfig(steps=config.steps, minutes=None),
        hardware=config.hardware,
    )
    made = with_overrides(base, config.finetune_settings)
    return made.replace(recipe=made.recipe.replace(steps_factor=made.recipe.steps_factor * times))


def follow_settings(config: CompareConfig, stored: CompareConfig) -> CompareConfig:
    """Take how runs are trained from a comparison that is there, where `config` does not say otherwise: one of an
    earlier version answers by the network alone, has no rows that are only read, and its tasks ask as they did then."""
    recipe = _kept(stored.finetune_settings, "recipe", OF_BEFORE["recipe"])
    tuning = merge(Overrides({"recipe": recipe}) if recipe else Overrides(), config.finetune_settings)
    tasks = {task: kept for task in config.task_names() if (kept := _kept(stored.pretrain_settings, task))}
    return config.replace(
        finetune_settings=tuning,
        pretrain_settings=merge(Overrides(tasks), config.pretrain_settings),
        steps=config.steps or stored.steps,
        read_at=config.read_at or stored.read_at,
        pretrain_seeds=stored.pretrain_seeds if config.pretrain_seeds == 1 else config.pretrain_seeds,
        general=stored.general if recipe.get("read_out") == "network" else config.general,
        tasks=tuple(sorted(config.task_names(), key=lambda task: task not in stored.tasks[:1])),
        after_general=config.after_general and _is_first_kept(config, stored),
    )


def _is_first_kept(config: CompareConfig, stored: CompareConfig) -> bool:
    """Whether the task that is pretrained from general weights, too, is among what is asked for: the first of all."""
    return not stored.tasks or (stored.after_general and stored.tasks[0] in config.tasks)


def _kept(settings: Overrides, owner: str, names: Iterable[str] = ()) -> dict[str, Value]:
    given = settings.get(owner, Table[Value]())
    return {name: given[name] for name in names or OF_BEFORE.get(owner, ()) if name in given}


def join(config: CompareConfig, stored: CompareConfig) -> CompareConfig:
    """Both together: tasks, weights, labels and draws may be added to a comparison, and nothing else be changed.

    Raises ConfigError that names what differs.
    """
    _check_same(config, stored)
    return config.replace(
        tasks=_union(stored.tasks, config.tasks),
        weights=merge(stored.weights, config.weights),
        labels=_union(stored.labels, config.labels),
        scratch_labels=_union(stored.scratch_labels, config.scratch_labels),
        after_general=stored.after_general if stored.tasks else config.after_general,
        seeds=max(stored.seeds, config.seeds),
        suggested=config.suggested or stored.suggested,
        longer=config.longer or stored.longer,
        pretrain_settings=merge(stored.pretrain_settings, config.pretrain_settings),
    )


def _union(first: Iterable[T], second: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys([*first, *second]))


def _check_same(config: CompareConfig, stored: CompareConfig) -> None:
    pairs = [(finetune_config(config, SCRATCH, 1, 0), finetune_config(stored, SCRATCH, 1, 0), Message("fine-tuning"))]
    common = [task for task in config.task_names() if task in stored.task_names()]
    pairs += [(pretrain_config(config, task), pretrain_config(stored, task), plain(task)) for task in common]  # type: ignore[misc]
    changed = [
        Message("{where}: {change}", where=where, change=change)
        for new, old, where in pairs
        for change in _changes(_flat(old), _flat(new))
    ]
    places, theirs = config.weights, stored.weights
    if config.pretrain_seeds != stored.pretrain_seeds:  # draws that are done rest on others
        changed.append(
            Message("pretrainings of a task were {old} and now are {new}", old=stored.pretrain_seeds,
                    new=config.pretrain_seeds)
        )  # fmt: skip
    old, new = _read_at(stored), _read_at(config)
    if old != new:  # it is named beforehand, not when the scores are known
        changed.append(Message("{key} was {old} and now is {new}", key="read_at", old=old, new=new))
    changed += [
        Message("the weights {name}", name=name) for name in places if name in theirs and places[name] != theirs[name]
    ]
    if changed:
        raise ConfigError(
            "{out} holds a comparison with other settings: {changed:semicolons}. Tasks, weights, labels and draws "
            "can be added to it, anything else needs another folder: choose another --out.",
            out=stored.out,
            changed=changed[:4],
        )


def _changes(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return [
        Message("{key} was {old} and now is {new}", key=key, old=old.get(key, "auto"), new=new.get(key, "auto"))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key) and key != "out" and not key.startswith("hardware.")
    ]


def _flat(config: BaseConfig) -> dict[str, object]:
    nested = to_dict(config)
    flat = {key: value for key, value in nested.items() if not isinstance(value, dict)}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
    return flat
