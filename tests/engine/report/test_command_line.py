"""A config written as a line for the terminal is the same config when it is typed."""

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.cli.config_args import config_of
from sslstudio.cli.main import parser
from sslstudio.engine.core.config import BaseConfig, OptionField, Overrides, Table, options_of
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.report.command_line import command_line, command_words
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    FinetuneConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
    ProbeConfig,
    RecipeConfig,
)

# A lone -- ends the options of any command line, so it is no value that can be typed.
TEXTS = st.text("abcXYZ019 -_./:'\"$%&é", max_size=12).map(str.strip).filter(lambda text: text != "--")
PLACES = st.text("abc019 -_'\"$é", min_size=1, max_size=12).map(lambda name: f"/tmp/{name.strip() or 'x'}")


def values_of(field: OptionField) -> st.SearchStrategy[Any]:
    about = field.about
    if about.choices:
        kind: st.SearchStrategy[Any] = st.sampled_from(about.choices)
    elif field.type is bool:
        kind = st.booleans()
    elif field.type is Table:
        kind = st.sampled_from([Table(), Table({"a/b": "masks", "*/*": "group", "l 1.csv:tumour type": "class"})])
    elif field.type is int:
        kind = st.integers(int(about.low or 0), int(min(about.high or 10**6, 10**6)))
    elif field.type is float:
        kind = st.floats(about.low or 0.0, about.high or 1e6, allow_subnormal=False)
    else:
        kind = TEXTS
    return st.none() | kind if field.optional else kind


def made(config: type[BaseConfig], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    free = {field.name: values_of(field) for field in options_of(config)}
    return st.builds(config, **{**free, **given})


ADVANCE: dict[str, dict[str, Any]] = {
    "optimiser": {"batch_size": 8}, "probe": {"draws": 4, "enabled": False}, "budget": {"minutes": None},
    "data": {"groups": "name:(.);x"}, "rotation": {"mirror": False},
}  # fmt: skip
SET = Overrides(ADVANCE)
DATA, ENCODER = made(DataConfig, folder=PLACES), made(EncoderConfig)
SHARED = {"out": PLACES, "data": DATA, "encoder": ENCODER, "hardware": made(HardwareConfig)}
TRAINED = {**SHARED, "optimiser": made(OptimiserConfig), "budget": made(BudgetConfig)}
TASKS = st.sampled_from([("rotation",), ("jigsaw", "rotation"), ("vicreg", "rotation", "multitask")])
CONFIGS = {
    "pretrain": made(
        PretrainConfig, **TRAINED, task=st.sampled_from(["jigsaw", "vicreg", "multitask"]), probe=made(ProbeConfig),
        options=st.just(BaseConfig()),
    ),
    "finetune": made(FinetuneConfig, **TRAINED, recipe=made(RecipeConfig)),
    "compare": made(
        CompareConfig, **SHARED, pretraining=made(BudgetConfig), labels=st.sampled_from([(5, 10, 25), (3,), ()]),
        scratch_labels=st.sampled_from([(), (50, 100)]), tasks=TASKS,
        weights=st.sampled_from([Table(), Table({"a": "/b c", "d": "-e;f,g"})]),
        pretrain_settings=st.sampled_from([Overrides(), SET]),
        finetune_settings=st.sampled_from([Overrides(), Overrides({"recipe": {"freeze": 0.3}})]),
    ),
    "tournament": made(
        TournamentConfig, **SHARED, tasks=TASKS | st.just(()),
        pretrain_settings=st.sampled_from([Overrides(), SET]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("job", CONFIGS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_typed_it_is_the_same_config(job: str, data: st.DataObject) -> None:
    config = data.draw(CONFIGS[job])
    assert config_of(parser().parse_args(command_words(config))) == config


@pytest.mark.parametrize("task", load_tasks())
def test_options_of_every_task_are_said_under_its_name(task: str) -> None:
    changed: dict[str, bool | float] = {}
    for field in options_of(load_tasks()[task].Config):
        if field.type is bool:
            changed[field.name] = not field.default
        elif field.type is float and field.about.high is not None:
            default = float(str(field.default or 0.0))
            other = field.about.low if default == field.about.high else field.about.high
            changed[field.name] = (9 * default + (other or 0.0)) / 10  # a little: some options bound each other
    config = PretrainConfig(task=task, out="/runs/a", data=DataConfig(folder="/pictures"))
    config = config.replace(options=config.options.replace(**changed))
    words = command_words(config)
    assert sum(word.startswith(f"{task}.") for word in words) == len(changed)
    assert config_of(parser().parse_args(words)) == config


def test_the_line_is_what_one_would_type() -> None:
    data = DataConfig(folder="/data/my pictures", side=64)
    config = CompareConfig(out="/runs/study", tasks=("jigsaw", "vicreg"), labels=(5, 10), data=data)
    assert command_line(config) == (
        "sslstudio compare '/data/my pictures' --tasks jigsaw,vicreg --labels 5,10 --side 64 --minutes 10 "
        "--out /runs/study"
    )
    assert config_of(parser().parse_args(shlex.split(command_line(config))[1:])) == config
    tuned = FinetuneConfig(out="/runs/t", source="/runs/p", labels_per_class=10, data=DataConfig(folder="/d"))
    assert command_line(tuned) == (
        "sslstudio finetune /d --from /runs/p --labels-per-class 10 --minutes 10 --out /runs/t"
    )
