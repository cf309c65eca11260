"""Which pretext tasks to try first on these pictures: what was measured to give most for few labels, as far as the
clinic has nothing against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sslstudio.engine.core.messages import Message

SUITABLE, CAREFUL, UNSUITABLE, UNKNOWN = "suitable", "careful", "unsuitable", ""
FEW = 3  # tasks that are recommended at most

# From the one that gave most for few labels in minutes down (manual, measured results). Those that are not named follow
# in the order of the registry.
FOR_CLASSES = ("vicreg", "multitask", "vicregl", "byol", "simclr", "rotation", "jigsaw")
FOR_MASKS = ("vicregl", "vicreg", "multitask", "masked_autoencoding", "context_prediction")


@dataclass(frozen=True)
class Recommended:
    """A task, the clinic's word about it ('' while nobody has looked), and in a few words why it stands where it does.
    `first`: it is among those to try first."""

    task: str
    word: str
    why: Message
    first: bool


def recommend(tasks: Sequence[str], suits: Mapping[str, str], *, masks: bool) -> tuple[Recommended, ...]:
    """Order all tasks, those to try first at the head: suitable ones in the order of what was measured, then those that
    need care, then those that are unsuitable. `suits`: the clinic's word by task; {} before it has looked."""
    measured = FOR_MASKS if masks else FOR_CLASSES
    place = {task: number for number, task in enumerate(measured)}
    grade = {SUITABLE: 0, UNKNOWN: 0, CAREFUL: 1, UNSUITABLE: 2}
    known = {task: suits.get(task, UNKNOWN) for task in tasks}
    order = sorted(tasks, key=lambda task: (grade[known[task]], place.get(task, len(place)), list(tasks).index(task)))
    head = [task for task in order if task in place and known[task] != UNSUITABLE][:FEW]
    found = [Recommended(task, known[task], _why(task, known[task], place), True) for task in head]
    rest = [task for task in order if task not in head]
    return (*found, *(Recommended(task, known[task], _why(task, known[task], place), False) for task in rest))


def _why(task: str, word: str, place: Mapping[str, int]) -> Message:
    if word == UNSUITABLE:
        return Message("does not fit your pictures")
    best = Message("best for few labels in what was measured") if place.get(task) == 0 else None
    if word == SUITABLE:
        fits = Message("fits your pictures")
        return Message("{fits}, {best}", fits=fits, best=best) if best is not None else fits
    if word == CAREFUL:
        return Message("may fit, with care")
    return best or Message("not yet looked at with your pictures")
