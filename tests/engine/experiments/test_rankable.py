"""A tournament that can only draw lots is refused before it starts, with what could be done."""

from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.experiments.rankable import short_rounds
from sslstudio.engine.experiments.tournament_config import schedule
from sslstudio.engine.verdicts.effort import FEWEST_STEPS


def test_twelve_tasks_of_a_step_each_are_refused() -> None:
    said = short_rounds(12, 30, 1.6)
    assert said.startswith("12 tasks would have 38 s each, about 1 step of the slowest: they could not be ranked")
    assert "Give it about" in said


def test_fewer_tasks_are_offered_where_they_would_do() -> None:
    said = short_rounds(12, 60, 60)
    assert said.endswith("choose 9 tasks.")
    assert short_rounds(9, 60, 60) == ""


@given(st.integers(2, 14), st.floats(0.2, 600), st.floats(0.1, 5000))
def test_what_is_offered_can_rank(tasks: int, minutes: float, pace: float) -> None:
    said = short_rounds(tasks, minutes, pace)
    assert bool(said) == (schedule(tasks, minutes)[0][1] * pace < FEWEST_STEPS)
