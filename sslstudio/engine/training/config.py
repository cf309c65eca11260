"""The configs of the two kinds of run, and their way to and from TOML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sslstudio.engine.core import migrations
from sslstudio.engine.core.config import BaseConfig, Table, from_dict, option, section, to_dict
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.tasks.base import load_tasks

# What gave most for few labels in minutes without a GPU, on classes and on masks (manual, measured results).
DEFAULT_TASK = "vicreg"
DEFAULT_FOR_MASKS = "vicregl"


@dataclass(frozen=True, kw_only=True)
class DataConfig(BaseConfig):
    """Which pictures, at what size, and how they are set apart."""

    folder: str = option("", "Folder", "The folder with the pictures; everything below it is read.")
    labels: str = option(
        "",
        "Labels file",
        "A CSV of file names and labels, a COCO file or a folder of labels made in the window; empty: found by itself.",
        advanced=True,
    )
    roles: Table[str] = option(
        Table(),
        "What is what",
        "What folders, tables and their columns are where it was guessed wrongly: PATH=pictures, masks, class, part, "
        "group or ignore; TABLE:COLUMN=class, part, group, file or ignore; PICTURE=excluded. A * stands for one folder "
        "(*/*=group).",
        advanced=True,
        named_to_the_last=True,
    )
    side: int | None = option(
        None,
        "Picture side",
        "Pictures are resized to squares of this many pixels; automatic: by the pictures and the device.",
        low=16,
        high=1024,
    )
    groups: str = option(
        "",
        "Keep together",
        "Pictures that must not be torn apart by the split: folder:1 (first folder level; of several data folders, "
        "each of them), subfolder:1 (the level below, the same name being the same group) or name:PATTERN.",
    )
    channels: str = option(
        "",
        "Channels",
        "Which channels of pictures with many: one number for grey (3), three for red, green and blue (3,1,2); empty: "
        "the usual ones.",
        advanced=True,
    )
    pages: str = option(
        "first",
        "Pages",
        "Of files with several pages, slices or frames: first, all (each is a picture, and those of a file stay "
        "together in the split), or the number of one.",
        advanced=True,
    )
    validation: float = option(
        0.1, "Validation share", "Held out to watch the training.", low=0.02, high=0.5, advanced=True
    )
    test: float = option(
        0.2, "Test share", "Held out until the end, for the result.", low=0.05, high=0.6, advanced=True
    )
    split_seed: int = option(0, "Split seed", "Another number draws another split.", low=0, advanced=True)


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig(BaseConfig):
    """AdamW with a linear warm-up and a cosine to zero."""

    learning_rate: float = option(1e-3, "Learning rate", "Size of the steps after the warm-up.", low=1e-7, high=1.0)
    weight_decay: float = option(0.01, "Weight decay", "Pull of the weights to zero.", low=0.0, high=1.0, advanced=True)
    warmup_steps: int = option(
        20, "Warm-up steps", "Steps over which the learning rate rises.", low=0, high=100_000, advanced=True
    )
    clip: float = option(
        3.0, "Gradient clip", "Longest gradient let through; 0 switches it off.", low=0.0, high=1e6, advanced=True
    )
    batch_size: int = option(64, "Batch size", "Pictures in a step.", low=2, high=8192)


@dataclass(frozen=True, kw_only=True)
class BudgetConfig(BaseConfig):
    """How long: steps, passes over the pictures, or minutes; the first of these that is given counts."""

    steps: int | None = option(
        None, "Steps", "Batches in all; counts before epochs and minutes.", low=1, high=100_000_000, advanced=True
    )
    epochs: int | None = option(None, "Epochs", "Passes over all pictures.", low=1, high=100_000)
    minutes: float | None = option(10.0, "Minutes", "Used when no epochs are given.", low=0.02, high=100_000)


@dataclass(frozen=True, kw_only=True)
class HardwareConfig(BaseConfig):
    """What it runs on."""

    device: str = option(
        "auto", "Device", "Automatic takes a GPU that works, else the CPU; by name: cpu, cuda, cuda:1, mps."
    )
    precision: str = option(
        "auto",
        "Precision",
        "Automatic takes bfloat16 where it pays, float16 on GPUs that know no other half.",
        choices=("auto", "float32", "bfloat16", "float16"),
        advanced=True,
    )
    processes: int = option(
        1,
        "Processes",
        "How many processes of this machine share a pretraining; with GPUs each takes one of its own.",
        low=1,
        high=1024,
        advanced=True,
    )
    autotune: str = option(
        "auto",
        "Try out",
        "Try for some seconds how a step is fastest here. Automatic: in runs that may take two minutes or more; those "
        "in epochs or steps keep to settings that give the same weights each time.",
        choices=("auto", "on", "off"),
        advanced=True,
    )
    memory_format: str = option(
        "auto",
        "Memory format",
        "How pixels and channels lie in memory; automatic: channels_last, unless the other is tried and faster.",
        choices=("auto", "channels_last", "contiguous"),
        advanced=True,
    )
    threads: int | None = option(
        None, "Threads", "Threads that a CPU computes with; automatic: one a core, unless fewer are tried and faster.",
        low=1, high=1024, advanced=True,
    )  # fmt: skip
    compile: str = option(
        "auto",
        "Compile",
        "Translate the whole step for this GPU first, which takes a minute; automatic: in long runs, if it is faster.",
        choices=("auto", "on", "off"),
        advanced=True,
    )
    deterministic: bool = option(
        False,
        "Same weights on a GPU",
        "Add in the same order each time, so that the same seed gives the same weights on a GPU too, as it does on a "
        "CPU. Slower.",
        advanced=True,
    )
    micro_batch_size: int | None = option(
        None,
        "Pictures at once",
        "A batch is computed in parts of so many pictures; automatic: all at once if the memory suffices.",
        low=2,
        high=8192,
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(BaseConfig):
    """Looks at what is learnt while it is being learnt. They change nothing in the training."""

    enabled: bool = option(
        True, "Probe", "While it trains, compare its features with those of the same network untrained."
    )
    labels: int = option(
        10,
        "Labels a class",
        "Labelled pictures a class that a probe learns from (for masks: in all), if there are labels.",
        low=1,
        high=1000,
        advanced=True,
    )
    draws: int = option(
        10, "Draws of labels", "How often other labels are drawn; the result is the mean.", low=4, high=50,
        advanced=True,
    )  # fmt: skip
    pictures: int = option(
        600, "Pictures", "Pictures that are probed at most. Test pictures never are.", low=40, high=10_000,
        advanced=True,
    )  # fmt: skip
    time: float = option(
        0.05,
        "Share of the time",
        "Time for probes at most; the ones after a quarter and at the end are always made.",
        low=0.0,
        high=0.5,
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(BaseConfig):
    """A pretraining run. `options` is the Config of the task called `task`."""

    out: str = option("", "Run folder", "Where the run is kept.")
    task: str = option(DEFAULT_TASK, "Pretext task", "What the network learns from.")
    seed: int = option(0, "Seed", "The same seed gives the same run.", low=0)
    data: DataConfig = section(DataConfig)
    encoder: EncoderConfig = section(EncoderConfig)
    optimiser: OptimiserConfig = section(OptimiserConfig)
    budget: BudgetConfig = section(BudgetConfig)
    probe: ProbeConfig = section(ProbeConfig)
    hardware: HardwareConfig = section(HardwareConfig)
    options: BaseConfig = field(default_factory=BaseConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        wanted = load_tasks()[self.task].Config
        if type(self.options) is BaseConfig:
            object.__setattr__(self, "options", wanted())
        elif not isinstance(self.options, wanted):
            raise ConfigError("The options are not those of the task {task!r}.", task=self.task)


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(BaseConfig):
    """How a few labels are learnt, and how a pretrained encoder is spared meanwhile. The twin from scratch has nothing
    to spare."""

    read_out: str = option(
        "averaged",
        "Answers by",
        "averaged: the fine-tuned network, a ridge regression on the features that it began with, and the labels of "
        "alike unlabelled pictures, averaged; masks by the network, and beside general weights by a ridge regression "
        "on these, too. network: the fine-tuned network alone.",
        choices=("averaged", "network"),
        advanced=True,
    )
    propagate: bool = option(
        True,
        "Ask unlabelled pictures",
        "Labels are handed on to unlabelled pictures that look alike, and new pictures ask these. Their features are "
        "kept with the run and in its exports.",
        advanced=True,
    )
    stage: str = option(
        "all",
        "Stage",
        "Classes are read from all stages of the encoder together, or from one of them; automatic: the one whose "
        "features tell the labelled pictures apart best.",
        choices=("all", "auto", "1", "2", "3", "4"),
        advanced=True,
    )
    freeze: float = option(
        0.0, "Head first", "Share of the steps in which the encoder keeps still.", low=0.0, high=1.0, advanced=True
    )
    layer_decay: float = option(
        1.0,
        "Slower by stage",
        "Each stage learns at this share of the rate of the next one; 1: all alike.",
        low=0.05,
        high=1.0,
        advanced=True,
    )
    head_lr_factor: float = option(
        1.0, "Rate of the head", "Times the learning rate: the head starts from nothing.", low=0.1, high=100.0,
        advanced=True,
    )  # fmt: skip
    steps_factor: int = option(
        1,
        "Times the steps",
        "So many times the steps that these labels would have: whether more would teach more.",
        low=1,
        high=100,
        advanced=True,
    )
    balance_classes: bool = option(
        True,
        "Weigh classes alike",
        "Rare classes count as much as frequent ones while learning, as they do in the score.",
        advanced=True,
    )
    freeze_norm_stats: bool = option(
        False,
        "Keep statistics",
        "Brightness statistics inside the encoder stay those of all pictures, not of the few labelled ones.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(BaseConfig):
    """A fine-tuning run on labelled pictures."""

    out: str = option("", "Run folder", "Where the run is kept.")
    kind: str = option(
        "classification", "Result", "One class a picture, or a mask.", choices=("classification", "segmentation")
    )
    source: str = option(
        "scratch",
        "Start from",
        "A pretraining run, a weights file, general (weights learnt from general photographs, which come with the "
        "program), or scratch.",
    )
    mode: str = option(
        "whole",
        "What is trained",
        "whole: encoder and head. probe: a linear probe, the encoder stays as it is.",
        choices=("whole", "probe"),
    )
    labels_per_class: int | None = option(
        None, "Labels a class", "Labelled pictures a class (for masks: in all); automatic uses every one.", low=1
    )
    choice: str = option(
        "random",
        "Labels are chosen",
        "Where fewer labels are used than there are. random: so many of each class, drawn. suggested: as many in all, "
        "as a person would label them who follows the suggestions from the features that the run starts from.",
        choices=("random", "suggested"),
        advanced=True,
    )
    twin: bool = option(True, "Compare with scratch", "Train a twin from random weights beside it.")
    general: bool = option(
        True,
        "Compare with general weights",
        "Read classes from a network that has learnt from general photographs, too, by itself and beside your own.",
    )
    flip: bool = option(True, "Mirror", "Mirrored pictures count as the same: left and right mean nothing here.")
    turn: bool = option(
        False,
        "Turn",
        "Nothing is up in these pictures: masks are learnt from quarter turns of them, too, and answered by the mean "
        "over all turns of a picture and, where mirrored pictures count as the same, of its mirror image. An answer "
        "takes up to eight times as long.",
    )
    watch: bool = option(
        True, "Watch", "Score validation pictures while training: it costs up to a tenth of the time.", advanced=True
    )
    views: int = option(
        1,
        "Views at the test",
        "Each test picture is looked at this many times, a little moved and mirrored, and the answers are averaged.",
        low=1,
        high=32,
        advanced=True,
    )
    folds: int = option(
        1,
        "Folds",
        "Where labels are very few: they are dealt into so many parts, and each part is tested on by a network trained "
        "on the others. 1: one test set.",
        low=1,
        high=20,
        advanced=True,
    )
    recipe: RecipeConfig = section(RecipeConfig)
    seed: int = option(0, "Seed", "The same seed gives the same run.", low=0)
    data: DataConfig = section(DataConfig)
    encoder: EncoderConfig = section(EncoderConfig)
    optimiser: OptimiserConfig = section(OptimiserConfig)
    budget: BudgetConfig = section(BudgetConfig)
    hardware: HardwareConfig = section(HardwareConfig)


def pretrain_from_dict(values: Mapping[str, Any]) -> PretrainConfig:
    """The config in a run's config.toml; the options are read by the task that they belong to."""
    values = migrations.migrate(migrations.RUN, values, "config.toml")
    rest = {key: value for key, value in values.items() if key not in ("job", "options", migrations.KEY)}
    config = from_dict(PretrainConfig, rest)
    task = load_tasks()[config.task]
    return config.replace(options=from_dict(task.Config, values.get("options", {}), "options."))


def finetune_from_dict(values: Mapping[str, Any]) -> FinetuneConfig:
    """The config in a run's config.toml."""
    values = migrations.migrate(migrations.RUN, values, "config.toml")
    return from_dict(
        FinetuneConfig, {key: value for key, value in values.items() if key not in ("job", migrations.KEY)}
    )


def config_dict(job: str, config: BaseConfig) -> dict[str, Any]:
    """What config.toml holds: the format, the job (pretrain or finetune) and the config."""
    return migrations.stamp({"job": job, **to_dict(config)})
