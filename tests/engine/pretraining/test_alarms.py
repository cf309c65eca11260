"""Alarms on planted curves, and silence on healthy ones."""

import math
from collections.abc import Iterable

import pytest

from sslstudio.engine.core.events import Alarm, Evaluated, Event, Note, Probed, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.engine.pretraining import alarms as health
from sslstudio.engine.pretraining.alarms import Changes, Health, at_chance, has_collapsed, is_memorised, stays_above

CHANGES = Changes(
    harder="jigsaw.permutations=504",
    easier="jigsaw.permutations=24",
    varied="jigsaw.min_crop_side=0.5",
    longer="budget.minutes=20",
    slower="optimiser.learning_rate=0.0003",
)
STEPS = 1000
CHANCE = {"accuracy": 1 / 72}


def step(number: int, loss: float, accuracy: float = 0.1, epoch: float | None = None) -> StepDone:
    return StepDone(
        step=number,
        total_steps=STEPS,
        epoch=number / 50 if epoch is None else epoch,
        loss=loss,
        metrics={"accuracy": accuracy},
        chance=CHANCE,
        learning_rate=1e-3,
        pictures_per_second=100.0,
        seconds_left=1.0,
    )


def evaluated(number: int, accuracy: float, n: int = 256, loss: float = 1.0) -> Evaluated:
    return Evaluated(step=number, split="validation", n=n, metrics={"accuracy": accuracy, "loss": loss}, chance=CHANCE)


def probed(number: int, verdict: str = "helps", rank: float = 30.0, spread: float = 0.4, labels: int = 10) -> Probed:
    return Probed(
        step=number,
        share=number / STEPS,
        labels=labels,
        n=500 if labels else 0,
        stages=[],
        best_stage=0,
        difference={},
        verdict=verdict if labels else "",
        text=Message(""),
        rank=rank,
        spread=spread,
        untrained_rank=20.0,
        untrained_spread=0.4,
    )


def alarms(events: Iterable[Event]) -> list[Alarm]:
    watched = Health(CHANGES)
    return [alarm for event in events for alarm in watched.take(event)]


def healthy() -> list[Event]:
    """A loss from ln 72 down to 1, an accuracy up to 70 %, held-out a little behind, probes that help."""
    events: list[Event] = []
    for number in range(10, STEPS + 1, 10):
        share = number / STEPS
        wave = 0.1 * math.sin(number)
        events.append(step(number, math.log(72) * (1 - share) + share + wave, 0.7 * share))
        if number % 50 == 0:
            events.append(evaluated(number, 0.6 * share, loss=math.log(72) * (1 - share) + 1.2 * share))
        if number % 250 == 0:
            events.append(probed(number))
    return events


def test_a_healthy_run_is_silent() -> None:
    assert alarms(healthy()) == []


def test_a_loss_that_stays_above_its_start_is_too_large_a_rate() -> None:
    found = alarms(step(number, 4.0 if number < 6 else 7.0 + number % 3) for number in range(1, 60))
    assert [alarm.name for alarm in found] == ["learning rate too high"]
    assert found[0].change == CHANGES.slower
    assert found[0].step > health.WARMED


def test_a_loss_that_rises_and_comes_back_is_the_warm_up() -> None:
    rises = [4.0] * 5 + [7.0] * 6 + [3.0 - number / 100 for number in range(80)]
    assert alarms(step(number, loss) for number, loss in enumerate(rises, 1)) == []


def test_one_bad_batch_is_no_alarm_but_three_are() -> None:
    def curve(spikes: set[int]) -> list[StepDone]:
        return [step(number, 12.0 if number in spikes else 1.5 + 2.5 / number) for number in range(1, 100)]

    assert alarms(curve({50})) == []
    assert alarms(curve({50, 60})) == []
    found = alarms(curve({50, 60, 70}))
    assert [alarm.name for alarm in found] == ["learning rate too high"]
    assert found[0].step == 70


def test_a_loss_below_zero_has_no_start_to_stay_above() -> None:
    assert alarms(step(number, -5.0 + number / 20) for number in range(1, 90)) == []


def test_guessing_for_a_quarter_of_the_run() -> None:
    early = [step(100, 4.2, 1 / 72), evaluated(100, 1 / 72)]
    assert alarms(early) == []
    found = alarms([*early, step(300, 4.2, 1 / 72), evaluated(300, 0.02)])
    assert [alarm.name for alarm in found] == ["at chance"]
    assert found[0].change == CHANGES.easier
    assert "guessing gives 1.4%" in found[0].text
    assert alarms([step(300, 4.0, 0.1), evaluated(300, 0.08)]) == []


def test_a_short_run_has_not_failed_yet() -> None:
    first = StepDone(**{**vars(step(3, 4.2, 0.0)), "total_steps": 6})
    assert alarms([first, evaluated(3, 0.0)]) == []


def test_the_longer_run_is_advised_where_there_is_no_easier_puzzle() -> None:
    watched = Health(Changes(longer="budget.minutes=20"))
    watched.take(step(500, 4.2, 0.0))
    assert watched.take(evaluated(500, 0.0))[0].change == "budget.minutes=20"


def test_solved_in_the_first_epoch_and_no_use() -> None:
    quick = [step(number, 0.1, 0.99, epoch=0.2 + number / 100) for number in range(1, 40)]
    assert [alarm.name for alarm in alarms([*quick, probed(250, "no difference yet")])] == ["solved at once"]
    assert alarms([*quick, probed(250, "helps")]) == []
    assert alarms([*quick, probed(250, "no difference yet")])[0].change == CHANGES.harder


def test_solved_late_is_learning() -> None:
    slow = [step(number, 1.0, 0.99 if number > 500 else 0.3) for number in range(1, 600, 5)]
    assert alarms([*slow, probed(600, "no difference yet")]) == []


def test_solved_at_once_without_labels_goes_by_the_rank() -> None:
    quick = [step(number, 0.1, 0.99, epoch=0.5) for number in range(1, 40)]
    assert [alarm.name for alarm in alarms([*quick, probed(250, rank=15.0, labels=0)])] == ["solved at once"]
    assert alarms([*quick, probed(250, rank=25.0, labels=0)]) == []


def test_learnt_by_heart() -> None:
    known = [step(number, 0.2, 0.95) for number in range(300, 310)]
    found = alarms([*known, evaluated(310, 0.5)])
    assert [alarm.name for alarm in found] == ["memorised"]
    assert found[0].change == CHANGES.varied
    assert "95% right" in found[0].text
    assert alarms([*known, evaluated(310, 0.85)]) == []


def test_learnt_by_heart_without_right_answers_shows_in_the_loss() -> None:
    def run(held_out: float) -> list[Event]:
        events: list[Event] = []
        for number in range(1, 11):
            events += [StepDone(**{**vars(step(40 * number, 5.0 - 0.4 * number)), "metrics": {}, "chance": {}})]
            later = Evaluated(step=40 * number, split="validation", n=256, chance={},
                              metrics={"loss": 5.0 - 0.4 * number if number < 5 else held_out})  # fmt: skip
            events.append(later)
        return events

    assert [alarm.name for alarm in alarms(run(5.5))] == ["memorised"]
    assert alarms(run(3.6)) == []


@pytest.mark.parametrize(("rank", "spread"), [(1.02, 0.3), (9.0, 0.01)])
def test_collapse(rank: float, spread: float) -> None:
    found = alarms([probed(250, "no difference yet", rank, spread)])
    assert [alarm.name for alarm in found] == ["collapse"]
    assert found[0].change == CHANGES.slower


def test_harm_counts_once_a_quarter_is_done() -> None:
    assert alarms([probed(50, "harms")]) == []
    assert [alarm.name for alarm in alarms([probed(250, "harms")])] == ["harms"]


def test_each_alarm_is_said_once_also_after_a_resume() -> None:
    watched = Health(CHANGES)
    first = watched.take(probed(250, "harms", rank=1.0))
    assert [alarm.name for alarm in first] == ["collapse", "harms"]
    assert watched.take(probed(500, "harms", rank=1.0)) == []
    again = Health(CHANGES)
    assert [alarm for event in first for alarm in again.take(event)] == []
    assert again.take(probed(750, "harms", rank=1.0)) == []


def test_a_loss_that_is_no_number_has_an_answer() -> None:
    alarm = Health(CHANGES).warn_of_divergence(77)
    assert (alarm.step, alarm.name, alarm.change) == (77, "not a number", CHANGES.slower)


def test_other_events_and_other_metrics_say_nothing() -> None:
    colours = Evaluated(step=900, split="validation", n=50, metrics={"ab_error": 30.0}, chance={"ab_error": 20.0})
    assert alarms([Note(level="info", text=Message("")), step(900, 1.0), colours]) == []


def test_the_borders_of_the_judgements() -> None:
    assert at_chance(0.25, 0.25, 100)
    assert not at_chance(0.35, 0.25, 100)  # two standard errors are 0.087
    assert at_chance(0.30, 0.25, 100)
    assert is_memorised(0.9, 0.5, 256)
    assert not is_memorised(0.9, 0.5, 16)  # sixteen pictures have a luck of 0.25
    assert not is_memorised(math.nan, 0.5, 256)
    assert has_collapsed(1.2, 0.4, 0.4)
    assert not has_collapsed(4.0, 0.2, 0.4)
    assert stays_above([2.0] * 8, 1.5)
    assert not stays_above([2.0] * 7, 1.5)
    assert not stays_above([2.0] * 7 + [1.5], 1.5)
