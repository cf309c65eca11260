"""What a comparison is made of: its config, the runs that follow from it, and what may be added to it later."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslstudio.engine.core.atomic_files import leads_out
from sslstudio.engine.core.config import BaseConfig, option, section, to_dict, with_settings
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, DataConfig, FinetuneConfig, HardwareConfig, PretrainConfig

SCRATCH = "scratch"
SEPARATOR = ";"


@dataclass(frozen=True, kw_only=True)
class CompareConfig(BaseConfig):
    """A comparison of pretext tasks: how much further do few labels go."""

    out: str = option("", "Folder", "Where the comparison is kept.")
    kind: str = option(
        "classification", "Result", "One class a picture, or a mask.", choices=("classification", "segmentation")
    )
    tasks: str = option("vicreg,jigsaw,context_prediction", "Pretext tasks", "Names, separated by commas.")
    weights: str = option(
        "", "Weights", "Pretrained elsewhere: NAME=FILE or NAME=RUN, separated by semicolons.", advanced=True
    )
    labels: str = option(
        "5,10,25", "Labels a class", "How many labelled pictures a class (for masks: in all), separated by commas."
    )
    scratch_labels: str = option(
        "", "Labels from scratch", "More numbers for scratch alone, to say what the labels are worth.", advanced=True
    )
    seeds: int = option(5, "Draws", "How often the labels are drawn; all rows use the same draws.", low=1, high=1000)
    steps: int = option(120, "Fine-tuning steps", "The same for every row.", low=1, high=10_000_000)
    keep_weights: bool = option(
        False, "Keep weights", "Keep the weights of every fine-tuned network, not only its scores.", advanced=True
    )
    pretrain_settings: str = option(
        "", "Pretraining options", "KEY=VALUE, separated by semicolons, for example jigsaw.permutations=504.",
        advanced=True,
    )  # fmt: skip
    finetune_settings: str = option("", "Fine-tuning options", "KEY=VALUE, separated by semicolons.", advanced=True)
    data: DataConfig = section(DataConfig)
    encoder: EncoderConfig = section(EncoderConfig)
    pretraining: BudgetConfig = section(BudgetConfig)
    hardware: HardwareConfig = section(HardwareConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        counts_of(self.labels), counts_of(self.scratch_labels)
        _check_names(self)
        _check_owners(self)
        for task in tasks_of(self):
            pretrain_config(self, task)
        finetune_config(self, SCRATCH, 1, 0)

    def title(self) -> Message:
        """What it is called, for people."""
        return Message("Label efficiency on {folder}", folder=title_of(self.data.folder))


def parts(text: str, separator: str = ",") -> list[str]:
    """The pieces of a list in a text, without blanks and without what is empty."""
    return [piece.strip() for piece in text.split(separator) if piece.strip()]


def counts_of(text: str) -> list[int]:
    """'5,10' -> [5, 10], sorted. Raises ConfigError for what is not a whole number above zero."""
    wrong = [piece for piece in parts(text) if not (piece.isdecimal() and int(piece) > 0)]
    if wrong:
        raise ConfigError(
            "labels = {text!r}: {wrong!r} is not a number of labels. For example: 5,10,25", text=text, wrong=wrong[0]
        )
    return sorted({int(piece) for piece in parts(text)})


def tasks_of(config: CompareConfig) -> list[str]:
    """The tasks in the order in which they were named."""
    return list(dict.fromkeys(parts(config.tasks)))


def weights_of(config: CompareConfig) -> dict[str, str]:
    """Name -> file or run of what was pretrained elsewhere."""
    pairs = [piece.partition("=") for piece in parts(config.weights, SEPARATOR)]
    for name, sign, place in pairs:
        if not (name and sign and place):
            raise ConfigError(
                "weights = {name!r} is not NAME=FILE. For example: imagenet=/data/resnet18.pth", name=name
            )
    return {name.strip(): place.strip() for name, _, place in pairs}


def sources_of(config: CompareConfig) -> list[str]:
    """The rows of the table: scratch first."""
    return [SCRATCH, *tasks_of(config), *weights_of(config)]


def labels_of(config: CompareConfig, source: str) -> list[int]:
    """The numbers of labels that a row is fine-tuned on. Scratch has those of all rows."""
    own = counts_of(config.labels)
    return sorted({*own, *counts_of(config.scratch_labels)}) if source == SCRATCH else own


def _check_names(config: CompareConfig) -> None:
    names = sources_of(config)
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise ConfigError("There are two rows called {double!r}. Give the weights another name.", double=double[0])
    odd = [name for name in weights_of(config) if not re.fullmatch(r"[\w.-]+", name) or leads_out(name)]
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
    return with_settings(base, _settings_for(config, task), task)


def _settings_for(config: CompareConfig, task: str) -> list[str]:
    """The options of this task and of all, without those of other tasks."""
    others = set(load_tasks()) - {task}
    texts = parts(config.pretrain_settings, SEPARATOR)
    return [text for text in texts if text.partition(".")[0].strip() not in others]


def _check_owners(config: CompareConfig) -> None:
    """Raises ConfigError for an option of a task that is not compared."""
    for text in parts(config.pretrain_settings, SEPARATOR):
        owner = text.partition(".")[0].strip()
        if owner in load_tasks() and owner not in tasks_of(config):
            raise ConfigError(
                "--set {text}: {owner} is not compared. Add it to --tasks, or leave the option out.",
                text=text,
                owner=owner,
            )


def finetune_config(config: CompareConfig, source: str, labels: int, draw: int) -> FinetuneConfig:
    """A cell of the table: draw number `draw` of `labels` labels, the same budget for all."""
    begins = weights_of(config).get(source) or str(pretraining_folder(config, source))
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
    return with_settings(base, parts(config.finetune_settings, SEPARATOR))


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
    weights = {**weights_of(stored), **weights_of(config)}
    return config.replace(
        tasks=_union(parts(stored.tasks), parts(config.tasks)),
        weights=SEPARATOR.join(f"{name}={place}" for name, place in weights.items()),
        labels=_union(parts(stored.labels), parts(config.labels)),
        scratch_labels=_union(parts(stored.scratch_labels), parts(config.scratch_labels)),
        seeds=max(stored.seeds, config.seeds),
        pretrain_settings=_union(
            parts(stored.pretrain_settings, SEPARATOR), parts(config.pretrain_settings, SEPARATOR), SEPARATOR
        ),
    )


def _union(first: Iterable[str], second: Iterable[str], separator: str = ",") -> str:
    return separator.join(dict.fromkeys([*first, *second]))


def _check_same(config: CompareConfig, stored: CompareConfig) -> None:
    pairs = [(finetune_config(config, SCRATCH, 1, 0), finetune_config(stored, SCRATCH, 1, 0), Message("fine-tuning"))]
    common = [task for task in tasks_of(config) if task in tasks_of(stored)]
    pairs += [(pretrain_config(config, task), pretrain_config(stored, task), plain(task)) for task in common]  # type: ignore[misc]
    changed = [
        Message("{where}: {change}", where=where, change=change)
        for new, old, where in pairs
        for change in _changes(_flat(old), _flat(new))
    ]
    places, theirs = weights_of(config), weights_of(stored)
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
