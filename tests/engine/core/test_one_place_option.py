"""An option is declared in one place: command line, help, TOML and validation follow. (The form: tests/ui/forms.)"""

import argparse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.cli.config_args import add_flags, flags_of, typed_texts
from sslstudio.engine.core.config import (
    BaseConfig,
    Table,
    from_dict,
    option_at,
    to_dict,
    to_toml,
    value_text,
    with_settings,
    with_texts,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.files.checked_files import from_toml
from tests.support.one_place import AddedConfig, CropConfig

FLAGS = {
    "depth": "--depth", "sides": "--sides", "colours": "--colours", "places": "--places", "crop.size": "--crop-size",
    "crop.square": "--crop-square",
}  # fmt: skip
CONFIGS = st.builds(
    AddedConfig,
    depth=st.none() | st.integers(1, 9),
    sides=st.lists(st.integers(16, 999)).map(tuple),
    colours=st.lists(st.sampled_from(["red", "blue"]), unique=True).map(tuple),
    places=st.dictionaries(st.sampled_from("ab"), st.sampled_from(["/x", "y;z", 'q"', "-r"])).map(Table),
    crop=st.builds(CropConfig, size=st.floats(0.1, 1.0), square=st.booleans()),
)


def typed(*words: str) -> AddedConfig:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser, AddedConfig)
    return with_texts(AddedConfig(), typed_texts(parser.parse_args(words), FLAGS))


def test_every_option_has_a_flag() -> None:
    assert flags_of(AddedConfig) == FLAGS
    assert typed() == AddedConfig()
    assert typed("--depth", "3", "--sides", "32,64", "--colours", "blue,red", "--places", "a=/x;y", "--places", "b=z",
                 "--crop-size", "0.25", "--no-crop-square") == AddedConfig(
        depth=3, sides=(32, 64), colours=("blue", "red"), places=Table({"a": "/x;y", "b": "z"}),
        crop=CropConfig(size=0.25, square=False),
    )  # fmt: skip


def test_its_help_and_default_are_those_of_the_option() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, AddedConfig)
    told = " ".join(parser.format_help().split())
    assert "--sides N,N Sides. Sides that are tried, in 100 % of the runs. (default: 64,96)" in told
    assert "--crop-size X Size of a crop. Share of the picture that is cut out. (default: 0.5)" in told
    assert "--depth N Depth. How deep; automatic: by the pictures. (default: auto)" in told
    assert "--places NAME=VALUE Places. Where something is." in told


@given(CONFIGS)
@settings(max_examples=40)
def test_what_is_typed_or_stored_is_read_back(config: AddedConfig) -> None:
    def value_at(holder: BaseConfig, key: str) -> str:
        section, dot, name = key.partition(".")
        return value_at(getattr(holder, section), name) if dot else value_text(getattr(holder, section))

    assert from_dict(AddedConfig, from_toml(to_toml(to_dict(config)))) == config
    assert with_texts(AddedConfig(), {key: value_at(config, key) for key in FLAGS}) == config
    assert with_settings(AddedConfig(), [f"{key}={value_at(config, key)}" for key in FLAGS]) == config


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--depth", "10"), "depth = 10 is above its highest value 9"),
        (("--sides", "64,8"), "sides = 8 is below its lowest value 16"),
        (("--crop-size", "big"), "size = 'big' is not a number"),
        (("--places", "/x"), "is not NAME=VALUE"),
    ],
)
def test_it_is_checked(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        typed(*words)


def test_a_key_leads_to_its_option() -> None:
    assert option_at(AddedConfig, "crop.size").about.title == "Size of a crop"
    with pytest.raises(KeyError):
        option_at(AddedConfig, "crop.depth")
