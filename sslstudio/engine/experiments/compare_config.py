"""What a comparison is made of: its config, the runs that follow from it, and what may be added to it later."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sslstudio.engine.core.atomic_files import leads_out
from sslstudio.engine.core.config import (
    BaseConfig,
    Overrides,
    Table,
    merged,
    option,
    section,
    sections_of,
    to_dict,
    with_overrides,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, DataConfig, FinetuneConfig, HardwareConfig, PretrainConfig

SCRATCH = "scratch"
T = TypeVar("T")


def pretraining_sections() -> dict[str, type[BaseConfig]]:
    """The configs whose options can be set for the pretrainings of an experiment: those of a run and of each task."""
    shared = {one.name: one.config for one in sections_of(PretrainConfig) if one.name != "options"}
    return {**shared, **{name: load_tasks()[name].Config for name in load_tasks()}}


def finetuning_sections() -> dict[str, type[BaseConfig]]:
    """The configs whose options can be set for the fine-tunings of an experiment."""
    return {one.name: one.config for one in sections_of(FinetuneConfig)}


@dataclass(frozen=True, kw_only=True)
class CompareConfig(BaseConfig):
    """A comparison of pretext tasks: how much further do few labels go."""

    out: str = option("", "Folder", "Where the comparison is kept.")
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
    seeds: int = option(5, "Draws", "How often the labels are drawn; all rows use the same draws.", low=1, high=1000)
    steps: int = option(120, "Fine-tuning steps", "The same for every row.", low=1, high=10_000_000)
    keep_weights: bool = option(
        False, "Keep weights", "Keep the weights of every fine-tuned network, not only its scores.", advanced=True
    )
    pretrain_settings: Overrides = option(
        Overrides(),
        "Pretraining options",
        "Options of pretraining or of one task, for example optimiser.batch_size=128 or jigsaw.permutations=504.",
        advanced=True,
        sections=pretraining_sections,
    )
    finetune_settings: Overrides = option(
        Overrides(),
        "Fine-tuning options",
        "Options of fine-tuning, for example optimiser.learning_rate=0.002.",
        advanced=True,
        sections=finetuning_sections,
    )
    data: DataConfig = section(DataConfig)
    encoder: EncoderConfig = section(EncoderConfig)
    pretraining: BudgetConfig = section(BudgetConfig)
    hardware: HardwareConfig = section(HardwareConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_names(self)
        _check_owners(self)
        for task in tasks_of(self):
            pretrain_config(self, task)
        finetune_config(self, SCRATCH, 1, 0)

    def title(self) -> Message:
        """What it is called, for people."""
        return Message("Label efficiency on {folder}", folder=title_of(self.data.folder))


def tasks_of(config: CompareConfig) -> list[str]:
    """The tasks in the order in which they were named."""
    return list(dict.fromkeys(config.tasks))


def sources_of(config: CompareConfig) -> list[str]:
    """The rows of the table: scratch first."""
    return [SCRATCH, *tasks_of(config), *config.weights]


def labels_of(config: CompareConfig, source: str) -> list[int]:
    """The numbers of labels that a row is fine-tuned on. Scratch has those of all rows."""
    return sorted({*config.labels, *(config.scratch_labels if source == SCRATCH else ())})


def _check_names(config: CompareConfig) -> None:
    names = sources_of(config)
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise ConfigError("There are two rows called {double!r}. Give the weights another name.", double=double[0])
    odd = [name for name in config.weights if not re.fullmatch(r"[\w.-]+", name) or leads_out(name)]
    if odd:
        raise ConfigError(
            "weights = {odd!r} is not a name that a folder can have. Use letters, digits, - and _.", odd=odd[0]
        )


def pretraining_folder(config: CompareConfig, task: str) -> Path:
    """Where the pretraining of a task is kept."""
    return Path(config.out) / "pretrained" / task


def cell_folder(config: CompareConfig, source: str, labels: int, draw: int) -> Path:
    """Where the fine-tuning of a row on one draw of labels is kept."""
    return Path(config.out) / "cells" / source / f"{labels}-{draw}"


def pretrain_config(config: CompareConfig, task: str) -> PretrainConfig:
    """The pretraining of a task: the same pictures, encoder and budget for all, its own options."""
    base = PretrainConfig(
        out=str(pretraining_folder(config, task)),
        task=task,
        data=config.data,
        encoder=config.encoder,
        budget=config.pretraining,
        hardware=config.hardware,
    )
    others = set(load_tasks()) - {task}
    own = {name: given for name, given in config.pretrain_settings.items() if name not in others}
    return with_overrides(base, Overrides(own), task)


def _check_owners(config: CompareConfig) -> None:
    """Raises ConfigError for an option of a task that is not compared."""
    for owner, given in config.pretrain_settings.items():
        if owner in load_tasks() and owner not in config.tasks:
            raise ConfigError(
                "--set {text}: {owner} is not compared. Add it to --tasks, or leave the option out.",
                text=f"{owner}.{next(iter(given), '')}",
                owner=owner,
            )


def finetune_config(config: CompareConfig, source: str, labels: int, draw: int) -> FinetuneConfig:
    """A cell of the table: draw number `draw` of `labels` labels, the same budget for all."""
    begins = config.weights.get(source) or str(pretraining_folder(config, source))
    base = FinetuneConfig(
        out=str(cell_folder(config, source, labels, draw)),
        kind=config.kind,
        source=SCRATCH if source == SCRATCH else begins,
        labels_per_class=labels,
        twin=False,
        watch=False,  # nobody looks at hundreds of curves
        seed=draw,
        data=config.data,
        encoder=config.encoder,
        budget=BudgetConfig(steps=config.steps),
        hardware=config.hardware,
    )
    return with_overrides(base, config.finetune_settings)


def following(config: CompareConfig, stored: CompareConfig) -> CompareConfig:
    """`config` with what it leaves to the program taken from the comparison that is there already."""
    side = config.data.side or stored.data.side
    names = {"name": stored.encoder.name} if config.encoder.name == "auto" else {}
    stems = {"stem": stored.encoder.stem} if config.encoder.stem == "auto" else {}
    return config.replace(data=config.data.replace(side=side), encoder=config.encoder.replace(**names, **stems))


def joined(config: CompareConfig, stored: CompareConfig) -> CompareConfig:
    """Both together: tasks, weights, labels and draws may be added to a comparison, and nothing else be changed.

    Raises ConfigError that names what differs.
    """
    _check_same(config, stored)
    return config.replace(
        tasks=_union(stored.tasks, config.tasks),
        weights=merged(stored.weights, config.weights),
        labels=_union(stored.labels, config.labels),
        scratch_labels=_union(stored.scratch_labels, config.scratch_labels),
        seeds=max(stored.seeds, config.seeds),
        pretrain_settings=merged(stored.pretrain_settings, config.pretrain_settings),
    )


def _union(first: Iterable[T], second: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys([*first, *second]))


def _check_same(config: CompareConfig, stored: CompareConfig) -> None:
    pairs = [(finetune_config(config, SCRATCH, 1, 0), finetune_config(stored, SCRATCH, 1, 0), Message("fine-tuning"))]
    common = [task for task in tasks_of(config) if task in tasks_of(stored)]
    pairs += [(pretrain_config(config, task), pretrain_config(stored, task), plain(task)) for task in common]  # type: ignore[misc]
    changed = [
        Message("{where}: {change}", where=where, change=change)
        for new, old, where in pairs
        for change in _changes(_flat(old), _flat(new))
    ]
    places, theirs = config.weights, stored.weights
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


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        Message("{key} was {old} and now is {new}", key=key, old=old.get(key, "auto"), new=new.get(key, "auto"))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key) and key != "out" and not key.startswith("hardware.")
    ]


def _flat(config: BaseConfig) -> dict[str, Any]:
    nested = to_dict(config)
    flat = {key: value for key, value in nested.items() if not isinstance(value, dict)}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
    return flat
