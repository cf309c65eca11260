"""The configs of both runs: to TOML and back, and words for what is wrong in them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.config import BaseConfig, Table, options_of, to_toml
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.files.checked_files import from_toml
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    FinetuneConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
    config_dict,
    finetune_from_dict,
    pretrain_from_dict,
)

word = st.text("ab/*.:-ä 0", min_size=1, max_size=12).map(str.strip).filter(bool)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def any_config(kind: type[BaseConfig], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Configs with any values that their options allow."""
    return st.builds(kind, **{field.name: any_value(field) for field in options_of(kind)} | fixed)


def any_value(field: Any) -> st.SearchStrategy[Any]:
    about = field.about
    low, high = about.low, about.high
    values: dict[type, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        str: st.sampled_from(about.choices) if about.choices else text,
        int: st.integers(int(low or 0), int(high or 2**40)),
        float: st.floats(low if low is not None else -1e9, high if high is not None else 1e9),
        Table: st.builds(Table, st.dictionaries(word, word, max_size=3)),
    }
    return st.none() | values[field.type] if field.optional else values[field.type]


sections = {
    "data": any_config(DataConfig),
    "encoder": any_config(EncoderConfig),
    "optimiser": any_config(OptimiserConfig),
    "budget": any_config(BudgetConfig),
    "hardware": any_config(HardwareConfig),
}


def through_toml(job: str, config: BaseConfig) -> dict[str, Any]:
    return from_toml(to_toml(config_dict(job, config)))


@given(any_config(FinetuneConfig, **sections))
@settings(max_examples=40, deadline=None)
def test_a_finetuning_survives_toml(config: FinetuneConfig) -> None:
    values = through_toml("finetune", config)
    assert values["job"] == "finetune"
    assert finetune_from_dict(values) == config


@given(any_config(PretrainConfig, task=st.just("jigsaw"), **sections))
@settings(max_examples=40, deadline=None)
def test_a_pretraining_survives_toml(config: PretrainConfig) -> None:
    assert pretrain_from_dict(through_toml("pretrain", config)) == config


@pytest.mark.parametrize("task", load_tasks().names())
def test_a_pretraining_has_the_options_of_its_task(task: str) -> None:
    config = PretrainConfig(task=task)
    assert type(config.options) is load_tasks()[task].Config
    assert pretrain_from_dict(through_toml("pretrain", config)) == config
    assert pretrain_from_dict({"task": task}) == config


def test_none_is_kept_where_the_default_is_a_number() -> None:
    config = FinetuneConfig(
        budget=BudgetConfig(epochs=4, minutes=None), labels_per_class=None, data=DataConfig(side=64)
    )
    again = finetune_from_dict(through_toml("finetune", config))
    assert again.budget.minutes is None
    assert (again.budget.epochs, again.labels_per_class, again.data.side) == (4, None, 64)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"optimizer": {}}, "no option optimizer. Did you mean 'optimiser'"),
        ({"optimiser": {"lerning_rate": 0.1}}, r"no option optimiser\.lerning_rate. Did you mean 'learning_rate'"),
        ({"data": {"fodler": "x"}}, r"no option data\.fodler. Did you mean 'folder'"),
        ({"data": "pictures"}, "data is a section"),
        ({"seed": {"value": 1}}, "seed is a value"),
        ({"optimiser": {"batch_size": 1}}, "batch_size = 1 is below its lowest value 2"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        pretrain_from_dict(values)
    with pytest.raises(ConfigError, match=says):
        finetune_from_dict(values)


def test_the_options_are_checked_by_the_task_they_belong_to() -> None:
    with pytest.raises(ConfigError, match=r"no option options\.permutatons\. Did you mean 'permutations'"):
        pretrain_from_dict({"task": "jigsaw", "options": {"permutatons": 8}})
    with pytest.raises(ConfigError, match=r"no pretext task called 'jigsew'\. Did you mean 'jigsaw'"):
        pretrain_from_dict({"task": "jigsew"})
    other = load_tasks()["context_prediction"].Config()
    with pytest.raises(ConfigError, match="not those of the task 'jigsaw'"):
        PretrainConfig(task="jigsaw", options=other)


def test_the_kind_of_result_is_one_of_two() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'segmentation'"):
        FinetuneConfig(kind="segmentaton")
