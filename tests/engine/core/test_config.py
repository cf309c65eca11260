"""Options: checked when they are made, read from typed texts, and carried through TOML unchanged."""

from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.config import (
    BaseConfig,
    Overrides,
    Table,
    from_dict,
    merge,
    option,
    options_of,
    parse_value,
    section,
    to_dict,
    to_toml,
    value_text,
    with_overrides,
    with_settings,
    with_texts,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.files.checked_files import SETTINGS, check_kinds, from_toml, read_toml
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
    counts: tuple[int, ...] = option((5, 10), "Counts", "Some numbers.", low=1, high=99)
    shares: tuple[float, ...] = option((), "Shares", "Some shares.", low=0.0, high=1.0)
    words: tuple[str, ...] = option(("a", "b"), "Words", "Some names.")
    places: Table[str] = option(Table(), "Places", "Places by name.")
    later: Overrides = option(Overrides(), "Later", "Options of another config.", sections=lambda: {"inner": Inner})
    inner: Inner = section(Inner)


PIECES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda text: text == text.strip()
)
NAMES = PIECES.filter(lambda name: "=" not in name)
inners = st.builds(Inner, rate=st.floats(0, 1), limit=st.none() | st.floats(0, 1e9))
outers = st.builds(
    Outer,
    count=st.integers(1, 9),
    side=st.none() | st.integers(16, 4096),
    fast=st.booleans(),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    mode=st.sampled_from(["calm", "wild"]),
    counts=st.lists(st.integers(1, 99)).map(tuple),
    shares=st.lists(st.floats(0, 1)).map(tuple),
    words=st.lists(PIECES).map(tuple),
    places=st.dictionaries(NAMES, PIECES).map(Table),
    later=st.fixed_dictionaries({}, optional={"rate": st.floats(0, 1), "limit": st.none() | st.floats(0, 1e9)}).map(
        lambda given: Overrides({"inner": given} if given else {})
    ),
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
        ({"counts": 5}, "counts = 5 is not a list"),
        ({"counts": "5,x"}, "counts = 'x' is not a whole number"),
        ({"counts": (5, True)}, "counts = True is not a whole number"),
        ({"words": ("a", "")}, "words: '' is empty"),
        ({"words": ("a", " b")}, "words: ' b' is empty or has spaces"),
        ({"words": ("a", 3)}, "words = 3 is not a text"),
        ({"places": {"a=b": "x"}}, "places: 'a=b' is not a name"),
        ({"places": ("a", "b")}, r"places = \['a', 'b'\] is not a table"),
        ({"later": {"inner": {"rate": "much"}}}, "rate = 'much' is not a number"),
        ({"later": {"inner": 3}}, "is not a table of options"),
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
    assert [field.name for field in fields[:5]] == ["count", "side", "fast", "name", "mode"]
    assert [field.type for field in fields] == [int, int, bool, str, str, tuple, tuple, tuple, Table, Overrides]
    assert [field.item for field in fields[5:9]] == [int, float, str, str]
    assert [field.optional for field in fields[:5]] == [False, True, False, False, False]
    assert [field.default for field in fields[:6]] == [3, None, False, "", "calm", (5, 10)]
    assert [field.about.advanced for field in fields[:5]] == [False, False, True, False, False]
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
        ({"counts": " 5, 7 ,,9"}, {"counts": (5, 7, 9)}),
        ({"counts": ""}, {"counts": ()}),
        ({"words": 'a,"b, c"'}, {"words": ("a", "b, c")}),
        ({"places": "a=/x=y; b = z"}, {"places": Table({"a": "/x=y", "b": "z"})}),
        ({"places": "a=1\nb=2"}, {"places": Table({"a": "1", "b": "2"})}),
        ({"places": '"a=x;y"'}, {"places": Table({"a": "x;y"})}),
        ({"places.a": "x;y"}, {"places": Table({"a": "x;y"})}),
        ({"later": "inner.rate=0.2;inner.limit=auto"}, {"later": Overrides({"inner": {"rate": 0.2, "limit": None}})}),
        ({"later.inner.rate": "0.2"}, {"later": Overrides({"inner": {"rate": 0.2}})}),
        ({"inner.rate": "0.25"}, {"inner": Inner(rate=0.25)}),
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
        ({"inner.rat": "1"}, "Did you mean 'rate'"),
        ({"counts": "5,many"}, "counts = 'many' is not a whole number"),
        ({"counts": "5,0"}, "counts = 0 is below its lowest value 1"),
        ({"counts": "5;7"}, "counts = '5;7' is not a whole number"),
        ({"places": "/x"}, "places = '/x' is not NAME=VALUE"),
        ({"later": "inner.rat=1"}, "Did you mean 'rate'"),
        ({"later": "iner.rate=1"}, "there is no section 'iner'. Did you mean 'inner'"),
        ({"later": "rate=1"}, "is not SECTION.OPTION=VALUE"),
        ({"later": "inner.rate"}, "is not SECTION.OPTION=VALUE"),
        ({"later": "inner.rate=2"}, "rate = 2.0 is above"),
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
        assert parse_value(field, value_text(value)) == value


def test_tables_are_put_together_option_by_option() -> None:
    first = Overrides({"inner": {"rate": 0.1, "limit": 3.0}})
    assert merge(first, Overrides({"inner": {"rate": 0.2}})) == {"inner": {"rate": 0.2, "limit": 3.0}}
    assert merge(Table({"a": "x"}), Table({"b": "y"})) == {"a": "x", "b": "y"}


def test_options_set_in_advance_reach_their_config() -> None:
    config = with_overrides(Outer(inner=Inner(rate=0.4)), Overrides({"inner": {"limit": None}}))
    assert config == Outer(inner=Inner(rate=0.4, limit=None))
    with pytest.raises(ConfigError, match="rate = 2 is above"):
        with_overrides(Outer(), Overrides({"inner": {"rate": 2}}))


def test_lists_and_tables_cannot_be_changed_and_can_be_keys() -> None:
    config = Outer(counts=[1, 2], places={"a": "x"}, later={"inner": {"rate": 0.5}})  # type: ignore[arg-type]
    assert config.counts == (1, 2)
    assert isinstance(config.places, Table)
    assert isinstance(config.later, Overrides)
    assert hash(config) == hash(config.replace(count=config.count))
    with pytest.raises(TypeError):
        config.places["a"] = "y"  # type: ignore[index]


def test_in_toml_they_are_arrays_and_tables() -> None:
    text = to_toml(to_dict(Outer(places=Table({"a": "x"}), later=Overrides({"inner": {"rate": 0.5, "limit": None}}))))
    assert "counts = [\n    5,\n    10,\n]" in text
    assert '[places]\na = "x"' in text
    assert '[later.inner]\nrate = 0.5\nlimit = "auto"' in text


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"later": {"inner": 7}}, r"later\.inner is a section"),
        ({"later": {"other": {}}, "counts": 3}, "counts = 3 is not a list"),
        ({"later": {"other": {"x": 1}}}, "there is no section 'other'"),
        ({"later": {"inner": {"rat": 1}}}, "Did you mean 'rate'"),
        ({"places": [1]}, r"places = \[1\] is not a table"),
        ({"places": {"a": 1}}, "places = 1 is not a text"),
    ],
)
def test_wrong_lists_and_tables_of_a_file_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        from_dict(Outer, values)


def test_a_key_may_lead_anywhere() -> None:
    config = with_settings(Outer(), ["count=5", "inner.rate=0.1", "counts=3,4", "later.inner.rate=0.2", "places.a=x"])
    assert (config.count, config.inner.rate, config.counts) == (5, 0.1, (3, 4))
    assert config.later == {"inner": {"rate": 0.2}}
    assert config.places == {"a": "x"}


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
        (b"# " + b"x" * SETTINGS, "larger than 4 MB"),
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
