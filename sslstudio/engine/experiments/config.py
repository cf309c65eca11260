"""What a comparison and a tournament are told alike: pretext tasks, their options, pictures, encoder and device."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.config import (
    BaseConfig,
    Overrides,
    from_dict,
    option,
    section,
    sections_of,
    with_overrides,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.migrations import unstamp
from sslstudio.engine.dataset.file_parts import choose_parts
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.runs.experiment_folder import CONFIGS, experiment_settings
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig, PretrainConfig
from sslstudio.engine.training.session import side_of


def pretraining_sections() -> dict[str, type[BaseConfig]]:
    """The configs whose options can be set for the pretrainings of an experiment: those of a run and of each task."""
    shared = {one.name: one.config for one in sections_of(PretrainConfig) if one.name != "options"}
    return {**shared, **{name: load_tasks()[name].Config for name in load_tasks()}}


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(BaseConfig):
    """Pretext tasks on the same pictures with the same encoder. Raises ConfigError for an option that is given for a
    task that takes no part, or that a pretraining does not have."""

    job: ClassVar[str]

    out: str = option("", "Folder", "Where the comparison or the tournament is kept.")
    tasks: tuple[str, ...] = option((), "Pretext tasks", "Names, separated by commas; empty: every task that suits.")
    pretrain_settings: Overrides = option(
        Overrides(),
        "Pretraining options",
        "Options of pretraining or of one task, for example optimiser.batch_size=128 or jigsaw.permutations=504.",
        advanced=True,
        sections=pretraining_sections,
    )
    data: DataConfig = section(DataConfig)
    encoder: EncoderConfig = section(EncoderConfig)
    hardware: HardwareConfig = section(HardwareConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_owners(self)
        for task in self.task_names():
            set_up_pretraining(self, task, Path(self.out), BudgetConfig())

    def title(self) -> Message:
        """What it is called, for people."""
        raise NotImplementedError

    def task_names(self) -> list[str]:
        """The tasks that take part, in the order in which they were named."""
        return list(dict.fromkeys(self.tasks))

    def label_kind(self) -> str:
        """classification or segmentation: the labels that it is measured with; '' for what a probe takes."""
        return ""


C = TypeVar("C", bound=ExperimentConfig)


def _check_owners(config: ExperimentConfig) -> None:
    for owner, given in config.pretrain_settings.items():
        if owner in load_tasks() and owner not in config.task_names():
            raise ConfigError(
                "--set {text}: {owner} is not compared. Add it to --tasks, or leave the option out.",
                text=f"{owner}.{next(iter(given), '')}",
                owner=owner,
            )


def set_up_pretraining(config: ExperimentConfig, task: str, out: Path, budget: BudgetConfig) -> PretrainConfig:
    """The pretraining of a task: the same pictures and encoder for all, its own options, which may change `budget`."""
    base = PretrainConfig(
        out=str(out),
        task=task,
        data=config.data,
        encoder=config.encoder,
        budget=budget,
        hardware=config.hardware,
    )
    others = set(load_tasks()) - {task}
    own = {name: given for name, given in config.pretrain_settings.items() if name not in others}
    return with_overrides(base, Overrides(own), task)


def stored_config(kind: type[C], out: Path) -> C | None:
    """What the experiment of this kind in a folder is of, None when there is none."""
    if not (out / CONFIGS[kind.job]).exists():
        return None
    return from_dict(kind, unstamp(experiment_settings(out, kind.job)))


def resolve(config: C) -> C:
    """Choose the side of the pictures and the encoder, where they are left to the program, by pictures and device."""
    device = devices.choose(config.hardware.device, config.hardware.precision)
    data = config.data
    recognised = choose_parts(recognise(scan(Path(data.folder)), data.labels, data.roles), data.channels, data.pages)
    side = side_of(recognised, config.data, device)
    encoder = config.encoder.resolve(device.accelerated, side)
    return config.replace(data=config.data.replace(side=side), encoder=encoder)


def follow(config: C, stored: C) -> C:
    """Take what `config` leaves to the program from the experiment that is there already."""
    side = config.data.side or stored.data.side
    names = {"name": stored.encoder.name} if config.encoder.name == "auto" else {}
    stems = {"stem": stored.encoder.stem} if config.encoder.stem == "auto" else {}
    return config.replace(data=config.data.replace(side=side), encoder=config.encoder.replace(**names, **stems))
