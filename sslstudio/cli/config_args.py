"""From what was typed to the config of a run. The way back is engine/report/command_line.py."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.config import BaseConfig, with_settings

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.experiments.compare_config import CompareConfig
    from sslstudio.engine.experiments.tournament_config import TournamentConfig
    from sslstudio.engine.training.config import DataConfig, FinetuneConfig, PretrainConfig


def config_of(options: argparse.Namespace) -> BaseConfig:
    """The config of `sslstudio pretrain`, `finetune`, `compare` or `tournament`. Raises ConfigError in words."""
    made = {
        "pretrain": pretrain_config,
        "finetune": finetune_config,
        "compare": compare_config,
        "tournament": tournament_config,
    }
    config: BaseConfig = made[options.command](options)
    return config


def pretrain_config(options: argparse.Namespace) -> "PretrainConfig":
    """Of `sslstudio pretrain`."""
    from sslstudio.engine.training.config import PretrainConfig

    config = PretrainConfig(task=options.task, **_run_settings(options))
    return with_settings(config, options.settings, options.task)


def finetune_config(options: argparse.Namespace) -> "FinetuneConfig":
    """Of `sslstudio finetune`."""
    from sslstudio.engine.training.config import FinetuneConfig

    config = FinetuneConfig(
        kind=options.kind,
        source=options.source,
        mode="probe" if options.probe else "whole",
        labels_per_class=options.labels_per_class,
        twin=options.twin,
        flip=not options.no_mirror,
        watch=not options.no_watch,
        views=options.views,
        folds=options.folds,
        **_run_settings(options),
    )
    return with_settings(config, options.settings)


def _run_settings(options: argparse.Namespace) -> dict[str, Any]:
    """The sections that pretraining and fine-tuning share, from the flags."""
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig

    minutes = options.minutes if options.epochs is None else None
    data = {"folder": str(options.folder), "side": options.side, "groups": options.groups}
    if getattr(options, "labels", ""):
        data["labels"] = options.labels
    return {
        "out": str(options.out),
        "seed": options.seed,
        "data": DataConfig(**data),
        "encoder": EncoderConfig(name=options.encoder),
        "budget": BudgetConfig(epochs=options.epochs, minutes=minutes if minutes or options.epochs else 10.0),
        "hardware": HardwareConfig(device=options.device),
    }


def compare_config(options: argparse.Namespace) -> "CompareConfig":
    """Of `sslstudio compare`."""
    from sslstudio.engine.experiments.compare_config import CompareConfig
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.training.config import BudgetConfig, HardwareConfig

    minutes = options.minutes if options.minutes or options.pretrain_epochs else 10.0
    config = CompareConfig(
        out=str(options.out),
        kind=options.kind,
        tasks=options.tasks,
        weights=_joined(options.weights),
        labels=options.labels,
        scratch_labels=options.scratch_labels,
        seeds=options.seeds,
        steps=options.steps,
        keep_weights=options.keep_weights,
        pretrain_settings=_joined(options.settings),
        finetune_settings=_joined(options.finetune_set),
        data=_data(options),
        encoder=EncoderConfig(name=options.encoder),
        pretraining=BudgetConfig(epochs=options.pretrain_epochs, minutes=minutes),
        hardware=HardwareConfig(device=options.device),
    )
    return with_settings(config, options.all_settings)


def tournament_config(options: argparse.Namespace) -> "TournamentConfig":
    """Of `sslstudio tournament`."""
    from sslstudio.engine.experiments.tournament_config import TournamentConfig
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.training.config import HardwareConfig

    config = TournamentConfig(
        out=str(options.out),
        tasks=options.tasks,
        minutes=options.minutes,
        pretrain_settings=_joined(options.settings),
        data=_data(options),
        encoder=EncoderConfig(name=options.encoder),
        hardware=HardwareConfig(device=options.device),
    )
    return with_settings(config, options.all_settings)


def _data(options: argparse.Namespace) -> "DataConfig":
    from sslstudio.engine.training.config import DataConfig

    return DataConfig(folder=str(options.folder), labels=options.label_file, side=options.side, groups=options.groups)


def _joined(texts: Iterable[str]) -> str:
    return ";".join(texts)
