import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.events import Alarm, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.runs.summary import summary
from sslstudio.ui.text import formatting


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (100, "2 min"),
        (3540, "59 min"),
        (7200, "2 h"),
        (7500, "2 h 5 min"),
        (864_000, "10 days"),
        (227, "4 min"),
    ],
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert formatting.duration(seconds) == said


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_an_unknown_duration_is_a_dash(seconds: float) -> None:
    assert formatting.time_to_go(seconds) == "–"


@pytest.mark.parametrize(
    ("value", "said"), [(1234.5, "1,234"), (12.34, "12.3"), (0.0123, "0.0123"), (0, "0"), (3e-7, "3.0e-07")]
)
def test_three_figures(value: float, said: str) -> None:
    assert formatting.number(value) == said


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_number_is_said_within_half_a_per_cent(value: float) -> None:
    assert float(formatting.number(value).replace(",", "")) == pytest.approx(value, rel=0.0501)


def test_counts_with_their_noun() -> None:
    assert formatting.count(1721, "picture", "pictures") == "1,721 pictures"
    assert formatting.count(1, "picture", "pictures") == "1 picture"


def test_shares_are_said_in_per_cent() -> None:
    assert formatting.value("balanced_accuracy", 0.815) == "81.5 %"
    assert formatting.value("loss", 0.815) == "0.815"


def test_scores_in_a_sentence_are_said_as_the_tables_say_them() -> None:
    said = Message("of {mean:score}, {gap:points} ({low:signed} to {high:signed}, n = {n:,})", mean=0.271, gap=0.058,
                   low=-0.021, high=1.0, n=1721)  # fmt: skip
    assert said == "of 0.271, +0.058 (\u22120.021 to +1.000, n = 1,721)"
    assert formatting.render(said) == "of 27.1 %, +5.8 points (\u22122.1 to +100.0, n = 1,721)"


def test_what_became_of_a_run_is_in_one_language(german: None) -> None:
    facts = {"job": "pretrain", "run": "r", "title": plain("Jigsaw"), "facts": {}, "total_steps": 1000}
    step = StepDone(step=420, total_steps=1000, epoch=4.0, loss=1.0, metrics={}, chance={}, learning_rate=0.1,
                    pictures_per_second=1.0, seconds_left=9.0)  # fmt: skip
    ended = RunFinished(outcome="stopped", step=420, seconds=80.0, metrics={})
    alarm = Alarm(step=400, name="x", text=plain("Look."))
    events = [RunStarted(**facts), RunStarted(**facts), alarm, step, ended]  # type: ignore[arg-type]
    assert formatting.render(summary(events)) == (
        "Lief 80 s, angehalten bei Schritt 420 von etwa 1.000, in 2 Sitzungen, 1 Warnung, nichts verloren."
    )
    assert formatting.render(summary(events[:4])) == (
        "Unterbrochen bei Schritt 420 von etwa 1.000, in 2 Sitzungen, 1 Warnung, 420 Schritte zu wiederholen."
    )
    assert formatting.render(summary([])) == ""
