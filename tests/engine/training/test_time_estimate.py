"""How long a pretraining takes here: known from runs that computed the same, and said for every kind of budget."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import StepDone
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, DataConfig, PretrainConfig
from sslstudio.engine.training.time_estimate import estimate, find_speed, training_pictures
from tests.support.small_runs import pretrain_config


@pytest.fixture(scope="module")
def done(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PretrainConfig:
    """A pretraining that has run."""
    config = pretrain_config(sample_folder, tmp_path_factory.mktemp("pace") / "run")
    for _ in pretrain(config, RunControl()):
        pass
    return config


def test_a_run_that_computed_the_same_says_how_fast_it_was(done: PretrainConfig, tmp_path: Path) -> None:
    run = Path(done.out)
    last = [event for event in RunFolder.open(run).events() if isinstance(event, StepDone)][-1]
    asked = done.replace(out=str(tmp_path / "next"), seed=5, budget=BudgetConfig(epochs=70, minutes=None))
    assert find_speed([tmp_path / "gone", run], asked) == last.pictures_per_second
    assert find_speed([run], asked.replace(data=asked.data.replace(side=None))) == last.pictures_per_second
    assert find_speed([], asked) is None


def test_a_run_that_computed_something_else_says_nothing(done: PretrainConfig) -> None:
    other = "rotation" if done.task != "rotation" else "jigsaw"
    others = [
        done.replace(task=other, options=load_tasks()[other].Config()),
        done.replace(encoder=EncoderConfig(name="resnet50")),
        done.replace(data=done.data.replace(side=176)),
        done.replace(optimiser=done.optimiser.replace(batch_size=done.optimiser.batch_size + 1)),
        done.replace(hardware=done.hardware.replace(precision="bfloat16")),
    ]
    assert [find_speed([Path(done.out)], asked) for asked in others] == [None] * len(others)


@given(pictures=st.integers(1, 10**6), epochs=st.integers(1, 1000), pace=st.floats(0.1, 1e5))
def test_minutes_and_passes_are_two_ways_to_say_one_thing(pictures: int, epochs: int, pace: float) -> None:
    told = estimate(BudgetConfig(epochs=epochs, minutes=None), pictures, 32, pace)
    assert told.epochs == pytest.approx(epochs)
    minutes = told.seconds / 60
    assume(0.02 <= minutes <= 10_000)  # what can be asked for
    again = estimate(BudgetConfig(minutes=minutes), pictures, 32, pace)
    assert again.seconds == pytest.approx(told.seconds)
    assert again.epochs == pytest.approx(epochs)


def test_steps_see_whole_batches_of_what_is_not_set_apart() -> None:
    assert training_pictures(1000, DataConfig(validation=0.1, test=0.2)) == 700
    told = estimate(BudgetConfig(steps=50, minutes=None), 700, 32, 16.0)
    assert told.seconds == 100.0
    assert told.epochs == pytest.approx(1600 / 700)
