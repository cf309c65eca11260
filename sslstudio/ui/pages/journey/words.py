"""What the simple way says at each moment: what happens now, and the one next step."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sslstudio.ui.pages.journey.controller import JourneyController, Stage
from sslstudio.ui.text import formatting
from sslstudio.ui.text.formatting import render, tr

if TYPE_CHECKING:
    from sslstudio.engine.clinic.journey import Journey


FEW_PICTURES = 20  # two classes with ten pictures each


@dataclass(frozen=True)
class Words:
    """What happens now, the one next step, how far it is, and what came out."""

    now: str
    next: str = ""
    detail: str = ""
    facts: list[str] = field(default_factory=list)


def describe(journey: JourneyController) -> Words:
    """Say where the journey is."""
    ways = {
        Stage.LOOKING: _describe_looking,
        Stage.MEASURING: _describe_measuring,
        Stage.LEARNING: _describe_learning,
        Stage.TUNING: _describe_tuning,
        Stage.MAPPING: _describe_mapping,
        Stage.LABELS: _describe_labels,
        Stage.DONE: _describe_result,
    }
    return ways.get(journey.stage, _describe_rest)(journey)


def _describe_rest(journey: JourneyController) -> Words:
    few = _too_few(journey)
    now = tr("Stopped. What it has learnt is kept.") if journey.stopped else tr("Your pictures are there.")
    if journey.goal == "explore":
        return Words(now, tr("Next: press Learn. It then lays out pictures that look alike on a map."), few)
    needed = render(journey.labels_needed())
    if needed:
        then = tr("Next: press Learn. It learns from the pictures alone first; meanwhile you can label some.")
        return Words(now, then, f"{few} {needed}".strip())
    then = tr("Next: press Learn. It says how long that takes here before it begins, and how good it got.")
    return Words(now, then, few)


def _too_few(journey: JourneyController) -> str:
    """Said of so few pictures that no result will mean anything, before anybody waits for one."""
    if not 0 < journey.pictures < FEW_PICTURES:
        return ""
    return tr("These are few pictures: you need about {0} at least, and some hundreds are better.").format(FEW_PICTURES)


def _describe_looking(journey: JourneyController) -> Words:
    return Words(tr("It looks at your pictures, to find the way to learn that fits them."), detail=journey.detail)


def _describe_measuring(journey: JourneyController) -> Words:
    return Words(tr("It measures how fast this computer is, to say how long it takes."), detail=journey.detail)


def _describe_learning(journey: JourneyController) -> Words:
    plan = journey.plan
    next_step = ""
    if journey.goal != "explore":
        needed = render(journey.labels_needed())
        next_step = tr("Next, meanwhile: {0}").format(needed) if needed else tr("Next: it learns from your labels.")
    return Words(
        tr("It learns what is alike in your pictures, without labels."), next_step,
        journey.detail or formatting.facts_line([formatting.time_to_go(_left(journey)), _useful(journey, plan)]),
    )  # fmt: skip


def _left(journey: JourneyController) -> float:
    """Seconds of this step."""
    if math.isfinite(journey.seconds_left):
        return journey.seconds_left
    return 60.0 * journey.plan.minutes if journey.plan else float("nan")


def _useful(journey: JourneyController, plan: "Journey | None") -> str:
    if plan is None:
        return ""
    left = 60.0 * plan.useful_after - journey.seconds
    if left > 0:
        return tr("useful from about {0} here").format(formatting.duration(60.0 * plan.useful_after))
    return tr("useful already: it gets better until its end")


def _describe_tuning(journey: JourneyController) -> Words:
    beside = tr("Beside it a second network learns without having seen the other pictures, to see what that was worth.")
    detail = journey.detail or formatting.time_to_go(journey.seconds_left)
    return Words(tr("It learns from your labels."), beside, detail)


def _describe_mapping(journey: JourneyController) -> Words:
    return Words(tr("It lays out the pictures on a map."), detail=journey.detail)


def _describe_labels(journey: JourneyController) -> Words:
    now = tr("It has learnt from your pictures. Now it needs names from you.")
    if journey.goal == "masks":
        now = tr("It has learnt from your pictures. Now show it what to mark.")
    return Words(now, tr("Next: {0} Then press Learn.").format(render(journey.labels_needed())))


def _describe_result(journey: JourneyController) -> Words:
    if journey.alike is not None:
        by = {
            "own": tr("as it sees them after learning from them"),
            "general": tr("as a network sees them that knows photographs in general"),
        }.get(journey.alike.by, tr("as an untrained network sees them"))
        return Words(
            tr("Pictures that look alike lie side by side, {0}.").format(by),
            tr("Point at a dot to see its picture; turn the wheel to look closer."),
        )
    verdict = journey.verdict
    if verdict is None:
        return Words(tr("Done."))
    said = [render(one) for one in (verdict.guessing, verdict.worth, verdict.weakest) if one]
    next_step = tr("Next: {0}").format(render(verdict.next_step))
    if verdict.next == "label" and journey.all_labelled:
        next_step = tr("All pictures are labelled: more of them, or more time, may help. Next: press Learn again.")
    return Words(render(verdict.score), next_step, facts=said)
