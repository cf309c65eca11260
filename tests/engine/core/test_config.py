"""Options: checked when they are made, read from typed texts, and carried through TOML unchanged."""

from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.config import (
    LARGEST,
    BaseConfig,
    check_kinds,
    from_dict,
    from_toml,
    option,
    options_of,
    parse_value,
    read_toml,
    section,
    to_dict,
    to_toml,
    with_texts,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.training.config import DataConfig


@dataclass(frozen=True, kw_only=True)
class Inner(BaseConfig):
    """A section."""

    rate: float = option(0.5, "Rate", "A share.", low=0.0, high=1.0)
    limit: float | None = option(2.5, "Limit", "None: no limit.", low=0.0)


@dataclass(frozen=True, kw_only=True)
class Outer(BaseConfig):
    """All the types there are."""

    count: int = option(3, "Count", "How many.", low=1, high=9)
    side: int | None = option(None, "Side", "None: by itself.", low=16)
    fast: bool = option(False, "Fast", "Quick or not.", advanced=True)
    name: str = option("", "Name", "Any text.")
    mode: str = option("calm", "Mode", "One of two.", choices=("calm", "wild"))
    inner: Inner = section(Inner)


inners = st.builds(Inner, rate=st.floats(0, 1), limit=st.none() | st.floats(0, 1e9))
outers = st.builds(
    Outer,
    count=st.integers(1, 9),
    side=st.none() | st.integers(16, 4096),
    fast=st.booleans(),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    mode=st.sampled_from(["calm", "wild"]),
    inner=inners,
)


@given(outers)
@settings(max_examples=50)
def test_a_config_survives_toml(config: Outer) -> None:
    assert from_dict(Outer, from_toml(to_toml(to_dict(config)))) == config


def test_absent_means_none_even_where_the_default_is_a_number() -> None:
    config = Outer(inner=Inner(limit=None))
    assert "limit" not in to_dict(config)["inner"]
    assert from_dict(Outer, to_dict(config)).inner.limit is None
    assert from_dict(Outer, {}).inner == Inner()  # a section that is not there at all has its defaults


def test_a_whole_number_is_taken_for_a_float() -> None:
    config = from_dict(Inner, {"rate": 1, "limit": 7})
    assert (config.rate, config.limit) == (1.0, 7.0)
    assert isinstance(config.rate, float)
    assert isinstance(config.limit, float)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"count": 0}, r"count = 0 is below its lowest value 1\. Try 1 or more\."),
        ({"count": 10}, r"count = 10 is above its highest value 9\. Try 9 or less\."),
        ({"count": 2.0}, r"count = 2\.0 is not a whole number\."),
        ({"count": True}, r"count = True is not a whole number\."),
        ({"count": None}, r"count = None is not a whole number\."),
        ({"side": 15}, "side = 15 is below"),
        ({"side": "16"}, "side = '16' is not a whole number"),
        ({"fast": 1}, "fast = 1 is not true or false"),
        ({"name": 5}, "name = 5 is not a text"),
        ({"name": ["a"]}, r"name = \['a'\] is not a text"),
        ({"mode": "wlid"}, r"mode = 'wlid' is not a choice\. Did you mean 'wild'\?"),
    ],
)
def test_a_wrong_value_is_refused_in_words(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Outer(**values)


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, float("inf"), "0.5", False])
def test_a_share_is_a_number_from_0_to_1(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^rate = "):
        Inner(rate=value)


def test_the_limits_themselves_are_allowed() -> None:
    assert Outer(count=1).count == 1
    assert Outer(count=9).count == 9
    assert (Inner(rate=0).rate, Inner(rate=1).rate) == (0, 1)


def test_a_copy_is_checked_again_and_the_original_stays() -> None:
    config = Outer()
    assert config.replace(count=4) == Outer(count=4)
    with pytest.raises(ConfigError, match="count = 99"):
        config.replace(count=99)
    with pytest.raises(FrozenInstanceError):
        config.count = 4  # type: ignore[misc]
    assert config == Outer()


def test_options_are_listed_in_order_with_their_words_and_without_sections() -> None:
    fields = list(options_of(Outer))
    assert [field.name for field in fields] == ["count", "side", "fast", "name", "mode"]
    assert [field.type for field in fields] == [int, int, bool, str, str]
    assert [field.optional for field in fields] == [False, True, False, False, False]
    assert [field.default for field in fields] == [3, None, False, "", "calm"]
    assert [field.about.advanced for field in fields] == [False, False, True, False, False]
    first = fields[0].about
    assert (first.title, first.help, first.low, first.high) == ("Count", "How many.", 1, 9)


def test_an_unknown_key_names_its_place_and_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no option cuont\. Did you mean 'count'\?"):
        from_dict(Outer, {"cuont": 3})
    with pytest.raises(ConfigError, match=r"no option inner\.rat\. Did you mean 'rate'\?"):
        from_dict(Outer, {"inner": {"rat": 0.1}})


def test_a_section_is_not_a_value_and_a_value_is_not_a_section() -> None:
    with pytest.raises(ConfigError, match="inner"):
        from_dict(Outer, {"inner": 3})
    with pytest.raises(ConfigError, match="count"):
        from_dict(Outer, {"count": {"rate": 0.5}})
    with pytest.raises(ConfigError, match="side"):
        from_dict(Outer, {"side": {"rate": 0.5}})


@pytest.mark.parametrize(
    ("texts", "changed"),
    [
        ({"count": "7"}, {"count": 7}),
        ({"side": "64"}, {"side": 64}),
        ({"side": "Auto"}, {"side": None}),
        ({"side": ""}, {"side": None}),
        ({"fast": "Yes"}, {"fast": True}),
        ({"fast": "off"}, {"fast": False}),
        ({"name": "auto"}, {"name": "auto"}),
        ({"name": "none", "mode": "wild"}, {"name": "none", "mode": "wild"}),
    ],
)
def test_typed_texts_become_values(texts: dict[str, str], changed: dict[str, Any]) -> None:
    assert with_texts(Outer(side=32, fast=not changed.get("fast", True)), texts) == Outer(
        **{"side": 32, "fast": not changed.get("fast", True), **changed}
    )


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"count": "many"}, "count = 'many' is not a whole number"),
        ({"count": "2.5"}, "count = '2.5' is not a whole number"),
        ({"count": "auto"}, "count = 'auto' is not a whole number"),
        ({"fast": "perhaps"}, "fast = 'perhaps' is not true or false"),
        ({"count": "10"}, "above its highest value"),
        ({"cont": "1"}, "Did you mean 'count'"),
        ({"inner": "1"}, "There is no option 'inner'"),
    ],
)
def test_texts_that_are_no_values_are_refused(texts: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        with_texts(Outer(), texts)


@given(outers)
@settings(max_examples=50)
def test_a_value_written_as_text_is_read_back(config: Outer) -> None:
    for field in options_of(Outer):
        value = getattr(config, field.name)
        text = "auto" if value is None else str(value)
        assert parse_value(field, text) == value


def test_a_text_that_is_not_toml_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"run/config\.toml is not a TOML file: .*line 2"):
        from_toml("count = 3\nside = = 4\n", "run/config.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = " + b"[" * 5000, "within each other"),
        (b"a = " + b"[" * 40 + b"]" * 40, "within each other"),
        (b"a." * 3000 + b"b = 1", "within each other"),
        (b"a = " + b"9" * 5000, "not a TOML file"),
        (b"a = 9223372036854775808", "more than 64 bits"),
        (b"a = [{b = -9223372036854775809}]", "more than 64 bits"),
        (b"a = '\xff'", "not a TOML file"),
        (b"a = 2026-02-31", "not a TOML file"),
        (b"\0", "not a TOML file"),
        (b"# " + b"x" * LARGEST, "larger than 4 MB"),
    ],
)
def test_what_holds_no_settings_is_said_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "some.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=rf"some\.toml .*{words}"):
        read_toml(tmp_path / "some.toml")


@given(st.binary(max_size=60) | st.text("ab=.[]{}'\"\\u0019-:\n# _einf,", max_size=60).map(str.encode))
def test_any_bytes_are_settings_or_refused_in_words(content: bytes) -> None:
    try:
        values = from_toml(content)
    except ConfigError:
        return
    assert isinstance(values, dict)


def test_a_file_that_an_editor_has_marked_as_utf_8_is_read() -> None:
    assert from_toml("\ufeffa = 1".encode()) == {"a": 1}


@pytest.mark.parametrize("value", [7, "x", [1], True])
def test_a_value_in_the_place_of_all_options_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"jigsaw is a section"):
        from_dict(Outer, value, "jigsaw.")  # type: ignore[arg-type]


def test_a_zero_character_is_no_text() -> None:
    with pytest.raises(ConfigError, match="zero character"):
        from_dict(DataConfig, {"folder": "/pictures\0"})


def test_kinds_are_checked_where_a_value_is_there() -> None:
    kinds = {"job": str, "data": dict, "data.folder": str, "hardware.processes": int}
    check_kinds({}, kinds, "config.toml")
    check_kinds({"job": "pretrain", "data": {"folder": "x"}, "hardware": {"processes": 2}}, kinds, "config.toml")
    for wrong, words in (
        ({"job": 7}, "job = 7 is not a text"),
        ({"data": "x"}, "data = x is not a table"),
        ({"data": {"folder": ["x"]}}, r"data\.folder = \['x'\] is not a text"),
        ({"hardware": {"processes": True}}, r"hardware\.processes = True is not a whole number"),
    ):
        with pytest.raises(ConfigError, match=f"config.toml is damaged: {words}"):
            check_kinds(wrong, kinds, "config.toml")
