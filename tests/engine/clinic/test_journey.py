"""The plan behind the one button: plain facts in, a plan with its reasons out."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.clinic.journey import (
    ENOUGH,
    FEWEST,
    GOALS,
    MOST_MINUTES,
    Goal,
    Journey,
    JourneyFacts,
    plan_journey,
)
from sslstudio.engine.clinic.recommend import recommend

TASKS = ("byol", "inpainting", "jigsaw", "rotation", "simclr", "vicreg", "vicregl")
FACTS = JourneyFacts(goal="classes", pictures=1_700, tasks=TASKS, labels={"cat": 40, "dog": 40})


def test_classes_are_learnt_by_what_gave_most_from_general_weights() -> None:
    plan = plan_journey(FACTS, speed=100.0)
    assert (plan.task, plan.weights, plan.kind) == ("vicreg", "general", "classification")
    assert not plan.labels_needed
    assert plan.minutes == pytest.approx(20 * 1_700 / 100 / 60)
    assert plan.passes == pytest.approx(20)
    assert plan.useful_after == pytest.approx(plan.minutes / 2)
    assert len(plan.reasons) == 3
    assert "20 times" in plan.reasons[2]
    assert plan.seconds == pytest.approx(60 * (plan.minutes + 2 * plan.finetune_minutes))


def test_masks_get_the_task_for_places_and_exploring_needs_no_labels() -> None:
    assert plan_journey(replace(FACTS, goal="masks"), 100.0).task == "vicregl"
    explored = plan_journey(replace(FACTS, goal="explore", labels={}), 100.0)
    assert (explored.kind, explored.finetune_minutes, explored.labels_needed) == ("", 0.0, "")
    assert explored.pretrains


def test_what_the_clinic_rules_out_is_not_taken() -> None:
    assert plan_journey(replace(FACTS, suits={"vicreg": "unsuitable", "vicregl": "careful"}), 100.0).task == "byol"
    nothing = plan_journey(replace(FACTS, suits=dict.fromkeys(TASKS, "unsuitable")), 100.0)
    assert not nothing.pretrains
    assert nothing.minutes == 0
    assert "left out" in nothing.reasons[0]


def test_few_pictures_start_from_general_weights_alone() -> None:
    plan = plan_journey(replace(FACTS, pictures=FEWEST - 1), 100.0)
    assert not plan.pretrains
    assert "49 pictures are too few" in plan.reasons[0]
    assert plan_journey(replace(FACTS, pictures=FEWEST), 100.0).pretrains


def test_a_pretraining_that_is_there_is_not_made_again() -> None:
    plan = plan_journey(replace(FACTS, pretrained=True), 100.0)
    assert not plan.pretrains
    assert plan.kind == "classification"


def test_too_little_time_is_said_before_it_starts() -> None:
    slow = plan_journey(replace(FACTS, pictures=400_000), 100.0)
    assert slow.minutes == MOST_MINUTES
    assert "0.9 times: too few to conclude" in slow.reasons[2]
    assert "give it a night" in slow.reasons[2]
    assert slow.warning == slow.reasons[2]
    assert plan_journey(FACTS, 100.0).warning == ""
    short = plan_journey(FACTS, 100.0, minutes=0.5)
    assert short.minutes == 0.5
    assert "1.8 times" in short.reasons[2]
    assert "night" not in short.reasons[2]
    assert short.finetune_minutes == 0.25


def test_grey_pictures_are_said_to_need_more_than_photographs_teach() -> None:
    assert "90% of yours are grey" in plan_journey(replace(FACTS, grey=0.9), 100.0).reasons[1]
    assert "grey" not in plan_journey(replace(FACTS, grey=0.1), 100.0).reasons[1]
    assert "nothing" in plan_journey(replace(FACTS, general=False), 100.0).reasons[1]


@pytest.mark.parametrize(
    ("goal", "labels", "said"),
    [
        ("classes", {}, "two classes"),
        ("classes", {"cat": 90}, "two classes"),
        ("classes", {"cat": 90, "dog": ENOUGH - 1}, "too few of: dog"),
        ("classes", {"cat": ENOUGH, "dog": ENOUGH}, ""),
        ("masks", {"mask": ENOUGH - 1}, "Paint"),
        ("masks", {"mask": ENOUGH}, ""),
        ("explore", {}, ""),
    ],
)
def test_labels_are_asked_for_only_where_they_are_missing(goal: Goal, labels: dict[str, int], said: str) -> None:
    needed = plan_journey(replace(FACTS, goal=goal, labels=labels), 100.0).labels_needed
    assert said in needed
    assert bool(needed) == bool(said)


@given(
    goal=st.sampled_from(GOALS),
    pictures=st.integers(0, 10**7),
    speed=st.none() | st.floats(0.01, 1e6),
    minutes=st.none() | st.floats(0.05, 1_000),
    grey=st.none() | st.floats(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_every_plan_holds_together(
    goal: Goal, pictures: int, speed: float | None, minutes: float | None, grey: float | None
) -> None:
    plan: Journey = plan_journey(replace(FACTS, goal=goal, pictures=pictures, grey=grey), speed, minutes)
    assert 0 <= plan.useful_after <= plan.minutes
    assert plan.minutes <= max(MOST_MINUTES, minutes or 0)
    assert plan.pretrains == (plan.minutes > 0)
    assert plan.reasons
    assert all(reason.endswith(".") for reason in plan.reasons)


def test_recommended_tasks_come_first_and_each_once() -> None:
    found = recommend(TASKS, {"vicreg": "suitable", "byol": "careful", "rotation": "unsuitable"}, masks=False)
    assert sorted(one.task for one in found) == sorted(TASKS)
    assert [one.task for one in found if one.first] == ["vicreg", "vicregl", "simclr"]
    assert found[0].why == "fits your pictures, best for few labels in what was measured"
    assert found[-1].task == "rotation"
    assert found[-1].why == "does not fit your pictures"
    assert recommend(TASKS, {}, masks=True)[0].task == "vicregl"
