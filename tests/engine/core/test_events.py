"""Events: plain, frozen, and the same after their way through JSON."""

import dataclasses
import json
import math
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core import events
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Evaluated, Event, Note, Probed, RunFinished, StepDone, from_json, to_json
from sslstudio.engine.core.messages import Message

KINDS = [kind for kind in Event.kinds.values() if kind.__module__ == events.__name__]
numbers = st.floats(allow_nan=False, allow_infinity=False)
values: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**53),
    float: numbers,
    str: st.text(st.characters(codec="utf-8")),
    bool: st.booleans(),
    Message: st.builds(lambda one: Message("It is {one}.", one=one), st.text(st.characters(codec="utf-8")) | numbers),
    dict[str, str | Message]: st.dictionaries(
        st.text("abc ü"), st.builds(lambda one: Message("{one}", one=one), numbers)
    ),
    dict[str, str]: st.dictionaries(st.text("abc ü"), st.text("xyz\n\"'\\")),
    dict[str, float]: st.dictionaries(st.text("abc"), numbers),
    list[dict[str, float]]: st.lists(st.dictionaries(st.text("abc"), numbers), max_size=3),
    Mapping[str, object]: st.dictionaries(st.text("abc"), st.none() | numbers | st.lists(st.integers(0, 9))),
}


def any_event(kind: type[Event]) -> st.SearchStrategy[Event]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values[hints[field.name]] for field in dataclasses.fields(kind)})


@given(st.sampled_from(KINDS).flatmap(any_event))
@settings(max_examples=60)
def test_every_event_survives_json_on_one_line(event: Event) -> None:
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event
    assert json.loads(line)["event"] == type(event).__name__


def test_all_kinds_are_known_by_their_names() -> None:
    assert len(KINDS) >= 10
    assert {kind.kind for kind in KINDS} == {kind.__name__ for kind in KINDS}


def test_events_are_frozen() -> None:
    event = Note(level="info", text=Message("a"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.text = Message("b")  # type: ignore[misc]


def step(**changes: Any) -> StepDone:
    plain = StepDone(
        step=3, total_steps=9, epoch=0.5, loss=1.25, metrics={"accuracy": 0.5}, chance={"accuracy": 0.25},
        learning_rate=1e-3, pictures_per_second=80.0, seconds_left=4.0,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_finite_number_is_null_in_the_file_and_nan_after(value: float) -> None:
    line = to_json(step(seconds_left=value, metrics={"accuracy": value, "error": 2.0}))
    assert "NaN" not in line
    assert "Infinity" not in line
    again = from_json(line)
    assert isinstance(again, StepDone)
    assert math.isnan(again.seconds_left)
    assert math.isnan(again.metrics["accuracy"])
    assert again.metrics["error"] == 2.0


def test_nothing_in_the_result_stays_null() -> None:
    event = RunFinished(outcome="finished", step=1, seconds=2.0, metrics={"difference": None, "rows": [[1, math.nan]]})
    again = from_json(to_json(event))
    assert isinstance(again, RunFinished)
    assert again.metrics == {"difference": None, "rows": [[1, None]]}


def test_a_probe_with_a_score_that_is_no_number_comes_back() -> None:
    event = Probed(
        step=1, share=0.5, labels=5, n=9, stages=[{"stage": 1, "linear": math.nan}], best_stage=1,
        difference={"value": math.nan, "low": -0.1, "high": 0.1}, verdict="", text=Message(""),
        rank=math.nan, spread=0.0,
        untrained_rank=1.0, untrained_spread=1.0,
    )  # fmt: skip
    again = from_json(to_json(event))
    assert isinstance(again, Probed)
    assert again.stages[0]["stage"] == 1
    assert math.isnan(again.stages[0]["linear"])
    assert math.isnan(again.difference["value"])
    assert math.isnan(again.rank)


def test_numbers_keep_all_their_digits() -> None:
    value = 0.1 + 0.2
    again = from_json(to_json(Evaluated(step=1, split="test", n=3, metrics={"iou": value}, chance={})))
    assert isinstance(again, Evaluated)
    assert again.metrics["iou"] == value


@pytest.mark.parametrize(
    "line",
    [
        "", "{", '{"step": 3}', "[]", '["event"]', "3", "null", '"event"', '{"event": 3}', '{"event": []}',
        '{"event": null}', '{"event": "Noet", "level": "info", "text": ""}', '{"event": "Note", "level": "info"}',
        '{"event": "Note", "level": "info", "text": "", "colour": "red"}', "\0\0\0", '{"event": "Event"}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_is_refused_in_words(line: str) -> None:
    with pytest.raises(RunError):
        from_json(line)


def test_what_is_wrong_with_a_line_is_said() -> None:
    with pytest.raises(RunError, match=r"no event called 'Noet'\. Did you mean 'Note'"):
        from_json('{"event": "Noet"}')
    with pytest.raises(RunError, match="has no colour: was it written by a newer version"):
        from_json('{"event": "Note", "level": "info", "text": "", "colour": "red"}')
    with pytest.raises(RunError, match=r"incomplete.*text"):
        from_json('{"event": "Note", "level": "info"}')


@given(st.text(max_size=40) | st.lists(st.none() | st.integers()).map(json.dumps))
@settings(max_examples=40)
def test_no_line_brings_it_down(line: str) -> None:
    with pytest.raises(RunError):
        from_json(line)
