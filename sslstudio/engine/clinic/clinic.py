"""The puzzle clinic: is a task right for these pictures? Asked before an hour is spent on it.

Each sign (signs/) gives one finding; what they say about a task, together with the task's own check, is whether
it suits the pictures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sslstudio.engine.clinic.signs import amount, colour, direction, frame, lens, marks, one_tile, places, start
from sslstudio.engine.clinic.signs.looked import CAREFUL, FINE, SEVERITIES, UNSUITABLE, Finding, LookedAt
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.tasks.base import load_tasks

__all__ = ["SIGNS", "SUITABLE", "Clinic", "Finding", "LookedAt", "Suitability", "findings_of", "judge"]

SUITABLE = "suitable"
SIGNS: tuple[Callable[[LookedAt], Finding], ...] = (
    amount.few_pictures,
    amount.small_pictures,
    amount.copies,
    colour.grey_pictures,
    colour.grey_fillings,
    direction.up_and_down,
    direction.frame_tells,
    marks.burnt_in,
    frame.borders,
    frame.dark_corners,
    lens.colour_fringes,
    places.blank,
    one_tile.place_told,
    places.edges,
    start.start_from,
)


@dataclass(frozen=True)
class Suitability:
    """Whether a task suits the pictures (suitable, careful or unsuitable), and why not, in sentences."""

    word: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Clinic:
    """What was found in the pictures. `refusals`: task -> why it would refuse these pictures."""

    findings: tuple[Finding, ...]
    refusals: dict[str, str]
    options: dict[str, BaseConfig]

    def concerning(self, task: str) -> list[Finding]:
        """The findings that are not fine and concern a task, or a part of it if it is several, worst first."""
        members = load_tasks()[task].member_names(self.options[task]) if task in self.options else ()
        found = [one for one in self.findings if one.severity != FINE and {task, *members} & set(one.tasks)]
        return sorted(found, key=lambda one: -SEVERITIES.index(one.severity))

    def suits(self, task: str) -> Suitability:
        """suitable, careful or unsuitable, with the reasons."""
        refusal = self.refusals.get(task)
        found = [one for one in self.concerning(task) if one.counts]
        reasons = ([refusal] if refusal else []) + [one.text for one in found if one.text != refusal]
        own = [one.severity for one in found if task in one.tasks]
        if refusal or UNSUITABLE in own or any(task in one.ruled_out for one in found):
            return Suitability(UNSUITABLE, tuple(reasons))
        return Suitability(CAREFUL if found else SUITABLE, tuple(reasons))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        suited = {task: self.suits(task) for task in self.options}
        return {
            "findings": [one.to_json() for one in self.findings],
            "tasks": {task: {"suits": one.word, "reasons": list(one.reasons)} for task, one in suited.items()},
        }


def findings_of(seen: LookedAt) -> Iterator[Finding]:
    """One finding for each sign, as they come."""
    for sign in SIGNS:
        yield sign(seen)


def judge(seen: LookedAt, findings: list[Finding]) -> Clinic:
    """Judge the tasks by the findings, together with what each task says itself about the pictures."""
    refusals: dict[str, str] = {}
    registry = load_tasks()
    for task, options in seen.options.items():
        try:
            registry[task].check(options, seen.images)
        except TaskDoesNotFit as refusal:
            refusals[task] = refusal.message
    return Clinic(tuple(findings), refusals, dict(seen.options))
