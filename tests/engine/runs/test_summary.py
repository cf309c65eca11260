from sslstudio.engine.core.events import Alarm, CheckpointSaved, Event, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.engine.runs.summary import summary


def started(first: int = 0) -> RunStarted:
    return RunStarted(job="pretrain", run="run", title=Message("Jigsaw"), facts={}, total_steps=1000, first_step=first)


def step(number: int, part: str = "") -> StepDone:
    return StepDone(
        part=part, step=number, total_steps=1000, epoch=number / 10, loss=1.0, metrics={}, chance={},
        learning_rate=1e-3, pictures_per_second=10.0, seconds_left=1.0,
    )  # fmt: skip


def saved(number: int, best: bool = False, part: str = "") -> CheckpointSaved:
    return CheckpointSaved(part=part, step=number, path="last.safetensors", best=best)


def ended(outcome: str, number: int, seconds: float) -> RunFinished:
    return RunFinished(outcome=outcome, step=number, seconds=seconds, metrics={})


WHOLE: list[Event] = [started(), step(840), saved(840, best=True), step(1000), saved(1000)]


def test_a_night_that_went_well() -> None:
    assert summary([*WHOLE, ended("finished", 1000, 25_940)]) == "Ran 7 h 12 min, best at epoch 84, nothing lost."


def test_a_run_that_was_stopped_and_one_of_two_sittings() -> None:
    events = [started(), step(300), saved(300, best=True), ended("stopped", 300, 60), started(300), step(420),
              saved(420), Alarm(step=410, name="solved", text=Message("Solved.")),
              ended("stopped", 420, 80.0)]  # fmt: skip
    assert summary(events) == (
        "Ran 80 s, stopped at step 420 of about 1,000, best at epoch 30, in 2 sittings, 1 alarm, nothing lost."
    )


def test_what_a_power_cut_costs_is_said() -> None:
    events = [started(), step(300), saved(300), step(312)]
    assert summary(events) == "Interrupted at step 312 of about 1,000, 12 steps to be made again."
    assert summary(events[:2]) == "Interrupted at step 300 of about 1,000, 300 steps to be made again."
    assert summary(events[:3]) == "Interrupted at step 300 of about 1,000, nothing lost."


def test_the_best_is_that_of_the_first_part() -> None:
    events = [started(), step(100, "pretrained"), saved(100, True, "pretrained"), step(500, "scratch"),
              saved(500, True, "scratch"), ended("finished", 500, 30.0)]  # fmt: skip
    assert summary(events) == "Ran 30 s, best at epoch 10, nothing lost."


def test_the_time_is_said_as_everywhere_else() -> None:
    """The same rounding as 'Finished after 4 min' beside it: 227 seconds are nearer to 4 minutes."""
    assert summary([started(), step(500), ended("finished", 500, 227.0)]).startswith("Ran 4 min,")


def test_a_run_without_steps_has_nothing_to_tell() -> None:
    assert summary([]) == summary([started()]) == ""
