"""Durations as one would say them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.messages import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(40, "40 s"), (89.6, "90 s"), (100, "2 min"), (720, "12 min"), (7200, "2 h"), (25_940, "7 h 12 min")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_an_unknown_one_is_left_out(seconds: float) -> None:
    assert duration(seconds) == ""


UNITS = {"s": 1, "min": 60, "h": 3600, "days": 86_400}


@given(st.floats(1, 1e8))
def test_what_is_said_is_near_the_truth(seconds: float) -> None:
    words = duration(seconds).split()
    said = sum(int(number) * UNITS[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert abs(said - seconds) <= 0.34 * seconds
    assert all(int(number) < 90 for number in words[:-2:2])
