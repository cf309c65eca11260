"""A message is its English text, keeps template and values through every record, and is said in other languages."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.errors import ConfigError, DataError, StudioError
from sslstudio.engine.core.events import Note, from_json, to_json
from sslstudio.engine.core.messages import (
    NOTHING,
    Language,
    Message,
    duration,
    from_stored,
    from_text,
    has_words,
    join,
    joined_parts,
    loads,
    plain,
    to_stored,
    to_text,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False))
PLAIN = st.one_of(NAMES, NUMBERS)
MESSAGES = st.recursive(
    st.builds(lambda one: Message("It is {one}.", one=one), PLAIN),
    lambda inner: st.builds(lambda a, b: Message("{a} and {b}", a=a, b=b), inner, st.lists(inner | PLAIN, max_size=3)),
    max_leaves=6,
)
GERMAN = Language(lookup={"It is {one}.": "Es ist {one}.", "{a} and {b}": "{a} und {b}"}.get, decimal=",", group=".")


def test_numbers_plurals_lists_and_names() -> None:
    assert Message("{n:,} {n:plural(picture|pictures)}", n=1) == "1 picture"
    assert Message("{n:,} {n:plural(picture|pictures)}", n=1721) == "1,721 pictures"
    assert Message("{names:and}", names=["a", "b", "c"]) == "a, b and c"
    assert Message("{names:or}", names=["a", "b"]) == "a or b"
    assert Message("{names}", names=("a", "b")) == "a, b"
    assert Message("{name!r} {path}", name="x", path=Path("a/b")) == f"'x' {Path('a/b')}"
    assert Message("{share:.1%} {n} {f:.2f}", share=0.271, n=np.int64(3), f=np.float32(0.5)) == "27.1% 3 0.50"
    assert Message("{seconds:duration}", seconds=7500) == "2 h 5 min" == duration(7500)
    assert join([Message("One."), "", Message("Two.")]) == "One. Two."


def test_an_error_as_a_value_is_its_message() -> None:
    inner = DataError("{file} is gone.", file="a.png")
    outer = Message("It failed: {error}", error=inner)
    assert outer == "It failed: a.png is gone."
    assert outer.values["error"].template == "{file} is gone."
    assert Message("{error}", error=OSError("full")) == "full"


@given(MESSAGES)
def test_a_message_survives_records_pickles_and_copies(message: Message) -> None:
    line = to_json(Note(level="info", text=message))
    back = from_json(line)
    assert isinstance(back, Note)
    for one in (back.text, pickle.loads(pickle.dumps(message)), copy.deepcopy(message), from_text(to_text(message))):
        assert isinstance(one, Message)
        assert str(one) == str(message)
        assert one.template == message.template
        assert one.render(GERMAN) == message.render(GERMAN)


@given(st.recursive(PLAIN | MESSAGES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=8))
def test_what_is_stored_is_plain_json_and_comes_back(value: object) -> None:
    text = json.dumps(to_stored(value), allow_nan=False)
    assert from_stored(json.loads(text)) == json.loads(json.dumps(value))


@given(MESSAGES)
def test_another_language_says_all_of_it(message: Message) -> None:
    said = message.render(GERMAN)
    assert said.count("Es ist") >= 1
    assert message.render(Language(lookup=lambda template: None)) == str(message)


def test_a_reworded_or_unknown_template_shows_the_stored_text() -> None:
    stored = {"template": "{n} old words", "values": {"n": 3}, "text": "3 old words"}
    message = from_stored(stored)
    assert message.render(Language(lookup=lambda template: None)) == "3 old words"
    assert message.render(Language(lookup=lambda template: "{m} neue Wörter")) == "3 old words"
    assert message.render(Language(lookup=lambda template: "{n} Wörter")) == "3 Wörter"


def test_records_of_earlier_versions_are_texts() -> None:
    back = from_json('{"event": "Note", "level": "info", "text": "Ran 3 s."}')
    assert isinstance(back, Note)
    assert back.text == "Ran 3 s."
    assert from_text("a plain reason") == "a plain reason"
    assert from_text('{"template" torn') == '{"template" torn'


@pytest.mark.parametrize("kind", [StudioError, DataError, ConfigError])
def test_an_error_keeps_its_message_through_a_pickle(kind: type[StudioError]) -> None:
    error = pickle.loads(pickle.dumps(kind("{n} of {name}", n=2, name="{odd}")))
    assert type(error) is kind
    assert str(error) == "2 of {odd}"
    assert error.message.template == "{n} of {name}"
    assert str(kind("words of {somebody} else")) == "words of {somebody} else"


def test_scores_are_in_per_cent_where_tables_beside_them_are() -> None:
    message = Message("{value:score} {gap:points} {low:signed}", value=0.271, gap=-0.058, low=0.01)
    assert message == "0.271 \u22120.058 +0.010"
    said = message.render(Language(lookup=lambda template: template, percent=True, decimal=",", points="{} Punkte"))
    assert said == "27,1 % \u22125,8 Punkte +1,0"
    tick = Message("{value:tick}", value=0.125)
    assert (tick, tick.render(Language(percent=True, decimal=","))) == ("0.125", "12,5 %")


def test_what_has_no_words_needs_no_translation() -> None:
    assert not has_words("{title}: {rest:,}")
    assert has_words("{n:plural(picture|pictures)}")
    assert plain("{n}") == "{n}"


def test_what_was_joined_comes_apart_by_its_parts_and_nothing_else_does() -> None:
    one, two = Message("{n} of them.", n=3), Message("A sentence. Another one.")
    assert joined_parts(join([one, NOTHING, two])) == [one, two]
    assert joined_parts(two) == [two]
    assert joined_parts("Written before. By another version.") == ["Written before. By another version."]
    assert joined_parts(loads(json.dumps(to_stored(join([one, two]))))) == [one, two]
