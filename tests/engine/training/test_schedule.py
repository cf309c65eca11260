import pytest

from sslstudio.engine.training.config import OptimiserConfig
from sslstudio.engine.training.schedule import Plan, learning_rate


def test_the_learning_rate_rises_linearly_and_falls_as_a_cosine() -> None:
    config = OptimiserConfig(learning_rate=1.0, warmup_steps=4)
    assert [learning_rate(config, step, 0.0) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert learning_rate(config, 50, 0.5) == pytest.approx(0.5)
    assert learning_rate(config, 99, 1.0) == pytest.approx(0.0)


def test_a_plan_in_steps_and_one_in_seconds() -> None:
    assert Plan(steps=10).share(5, 1e9) == 0.5
    assert Plan(seconds=60.0).share(5, 30.0) == 0.5
    assert Plan(seconds=60.0).total(5, 30.0) == 10
    assert Plan(seconds=60.0).estimate_rest(5, 45.0) == 15.0
    assert Plan(steps=10).estimate_rest(5, 20.0) == 20.0
    assert Plan(steps=10, then=1).estimate_rest(5, 20.0) == 60.0  # the rest, and a twin of the same length
    assert Plan(seconds=60.0, then=1).estimate_rest(5, 45.0) == 75.0
    assert Plan(steps=10).share(11, 0.0) == 1.0
