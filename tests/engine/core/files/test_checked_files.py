"""Whatever stands in a file, it is read as its kind or refused in a sentence."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.errors import ConfigError, DataError, RunError, StudioError
from sslstudio.engine.core.files.checked_files import (
    DEEPEST,
    AtLeast,
    Count,
    from_toml,
    parse_json,
    read_json,
    read_limited,
    read_lines,
    read_settings,
    read_table,
)
from sslstudio.engine.core.messages import Language, Message


class Line(TypedDict):
    file: str
    step: Count
    score: NotRequired[float | None]
    kind: NotRequired[Literal["a", "b"]]
    shares: NotRequired[list[Annotated[float, AtLeast(0)]]]
    pair: NotRequired[tuple[str, int]]


WHOLE: Line = {"file": "a.png", "step": 3, "score": 1, "kind": "a", "shares": [0.5, 1], "pair": ["x", 2]}  # type: ignore[typeddict-item]


def test_what_is_of_its_kind_comes_as_it_is() -> None:
    assert parse_json(json.dumps(WHOLE), "x.json", Line) == WHOLE
    assert parse_json('{"file": "a", "step": 0, "score": null, "later": 1}', "x.json", Line)["later"] == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": 1}, "file should be a text, and is 1"),
        ({"step": -1}, "step should be 0 or more, and is -1"),
        ({"step": True}, "step should be a whole number, and is True"),
        ({"step": 1.5}, "step should be a whole number"),
        ({"kind": "c"}, "kind should be a or b, and is 'c'"),
        ({"kind": []}, "kind should be a or b"),
        ({"shares": {}}, "shares should be a list, and is a table"),
        ({"shares": [1, "x"]}, r"shares\[1\] should be a number, and is 'x'"),
        ({"pair": ["x"]}, "pair should be a list of 2"),
        ({"score": "x"}, "score should be a number"),
    ],
)
def test_another_value_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(RunError, match=f"x.json is damaged: {said}.* Put it back"):
        parse_json(json.dumps({**WHOLE, **change}), "x.json", Line)


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(RunError, match="step should be there, and is missing"):
        parse_json('{"file": "a"}', "x.json", Line)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"[" * 40 + b"]" * 40, b"9" * 5000, b"[1e999]", b"[NaN]", b"[-Infinity]",
     b"\0" * 9, b"[18446744073709551616]", b"nul", b'{"a": 1'],
)  # fmt: skip
def test_what_is_no_json_of_ours_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.json is damaged.*Move it"):
        read_json(file, error=DataError, advice=Message("Move it away."))


def test_a_key_that_stands_twice_is_refused_where_that_is_asked() -> None:
    assert parse_json('{"a": 1, "a": 2}', "x") == {"a": 2}
    with pytest.raises(RunError, match="a stands in it twice"):
        parse_json('{"a": 1, "a": 2}', "x", once=True)


def test_a_file_that_is_too_large_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(100))
    with pytest.raises(RunError, match="larger than"):
        read_limited(tmp_path / "large", 99)
    with pytest.raises(RunError, match="cannot be read"):
        read_limited(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_limited(tmp_path / "none")


def test_lines_without_their_end_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'{"a": 1}\n\0\0\0\n\n{"a": 2}\n{"a"')
    assert list(read_lines(file, dict[str, int])) == [{"a": 1}, {"a": 2}]
    file.write_bytes(b'{"a": 1}\n{"a": "x"}\n')
    with pytest.raises(RunError, match=r"Line 2 of .*x\.jsonl is damaged: a should be a whole number"):
        list(read_lines(file, dict[str, int]))


def test_tables_are_of_their_columns(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("file,label\na.png,leaf\n'=b,'-c\n")
    assert read_table(file, ("file", "label")) == [{"file": "a.png", "label": "leaf"}, {"file": "=b", "label": "-c"}]
    for content in ("file\na\n", "file,label\na\n", "file,label\na,b,c\n", 'file,label\n"a\n'):
        file.write_text(content)
        with pytest.raises(RunError, match=r"x\.csv is damaged"):
            read_table(file, ("file", "label"))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, max_examples=60)
@given(TREES)
def test_whatever_json_it_is_it_is_its_kind_or_refused(tree: Any) -> None:
    text = json.dumps(tree)
    for kind in (Line, list[Line], dict[str, int], Any):
        try:
            read = parse_json(text, "x", kind)
        except StudioError:
            continue
        assert json.loads(json.dumps(read)) == json.loads(text)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_whatever_bytes_they_are_they_are_read_or_refused(content: bytes) -> None:
    for read in (parse_json, from_toml):
        try:
            read(content, "x")
        except (RunError, ConfigError):
            continue


def test_a_template_from_a_file_fills_no_memory() -> None:
    stored = {"template": "{n:999999999}", "values": {"n": 1}, "text": "short"}
    assert parse_json(json.dumps(stored), "x") == "short"
    read = parse_json(json.dumps(stored), "x")
    assert isinstance(read, Message)
    assert len(read.render(Language(code="xx"))) == 5


def test_depth_is_counted() -> None:
    fits = "[" * DEEPEST + "]" * DEEPEST
    assert parse_json(fits, "x")
    with pytest.raises(RunError, match="within each other"):
        parse_json(f"[{fits}]", "x")


# What is no file, and keys that take a square of time


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_a_pipe_and_a_device_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "device"):
        with pytest.raises(RunError, match=f"{name} cannot be read: not a file with content"):
            read_json(tmp_path / name)
        with pytest.raises(ConfigError, match=f"{name} cannot be read: not a file with content"):
            read_settings(tmp_path / name)


@pytest.mark.parametrize("text", [".".join("a" * 3000) + " = 1", "[" + " . ".join(["'b'"] * 3000) + "]"])
def test_keys_of_thousands_of_parts_are_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ConfigError, match="within each other more than"):
        from_toml(text)
    assert time.process_time() - began < 1


def test_many_dots_that_are_no_key_are_read() -> None:
    numbers = [0.5] * 3000
    assert from_toml(f"a = {numbers}\nb = '{'. ' * 3000}'")["a"] == numbers


def test_what_is_no_utf8_is_said() -> None:
    with pytest.raises(RunError, match=r"x\.json is damaged: it is not UTF-8\. Put it back from a copy"):
        parse_json(b'{"a": "\xff"}', "x.json")
