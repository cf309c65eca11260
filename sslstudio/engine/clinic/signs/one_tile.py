"""One tile alone: does its own look tell where in the picture it lies? And with which options it does not.

A puzzle of tiles whose places are told one by one is solved without looking at how they lie to each other. Measured on
the tiles that the task would really ask about, with the options it would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from sslstudio.engine.clinic.signs.looked import CAREFUL, UNSUITABLE, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.clinic.signs.simple import describe, interval, right_by_picture
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.config import BaseConfig, with_texts
from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.tasks.base import LEAST_OWN_PIXELS, load_tasks
from sslstudio.engine.tasks.remedies import Asks, Fault
from sslstudio.engine.transforms.geometry import standardise_each

CENTRED, CENTRED_TITLE = "centred", Message("One tile tells its place")
SCATTERED, SCATTERED_TITLE = "scattered", Message("Nothing has its place")
LEAST = 60  # pictures: with fewer a linear classifier learns nothing
ENOUGH = 150  # pictures from which a place that cannot be told is not there to be told
NO_PLACE = 0.15  # tiles whose place is told below which there is no arrangement to learn (guessing: 0.11)
HIDDEN = 2 / 9  # tiles whose place is told: twice what guessing gives; up to that a tile keeps its place to itself
LEAKS = 0.25  # and from which it is called a leak; photographs, with a sky above and a ground below, have 0.17 to 0.28


@dataclass(frozen=True)
class Told:
    """How often a single tile of a task tells its place, with the 95 % interval, under some options."""

    options: BaseConfig
    share: float
    low: float
    high: float

    @property
    def words(self) -> Message:
        """For people."""
        return Message(
            "{share:.0%} of cases ({low:.0%} to {high:.0%}; guessing: 11 %)",
            share=self.share,
            low=max(0.0, self.low),
            high=min(1.0, self.high),
        )


def place_told(seen: LookedAt) -> Finding:
    """Careful when a simple look at one tile tells its place and other options hide it; unsuitable for tasks where
    none do; careful too when nothing tells a place, as in pictures of many small things that lie anywhere.

    The simple look is ridge regression on 6 x 6 pixels and edges of each tile, fitted on other pictures. An untrained
    encoder in its place tells no more (drawn scenes 0.23 against 0.24, one planted subject 0.92 against 0.92) and takes
    six times as long. Measured with default options: photographs and landscapes 0.17 to 0.28, slices of heads 0.70,
    cells 0.11.
    """
    tasks = tasks_that_ask(Asks.POSITION)
    fine = Finding(name=CENTRED, title=CENTRED_TITLE, tasks=tasks, text=Message("Too few pictures to tell."))
    if len(seen.images) < LEAST:
        return fine
    told = {task: ask_single_tiles(seen, task, seen.options[task]) for task in tasks}
    most = max(told.values(), key=lambda one: one.share)
    fine = replace(fine, share=most.share)
    words = Message("a simple look at a single tile tells its place in {found}", found=most.words)
    if most.high < NO_PLACE and len(seen.images) >= ENOUGH:
        return replace(
            fine, name=SCATTERED, title=SCATTERED_TITLE, severity=CAREFUL, examples=seen.paths[:4],
            share=1 - most.share,
            text=Message("Things lie anywhere in these pictures: {words}. A puzzle of tiles then has next to no order "
"to learn, and may stay at guessing. Tasks with two views (vicreg, vicregl) or inpainting "
"need none.", words=words),
        )  # fmt: skip
    leaking = {task: one for task, one in told.items() if one.low > LEAKS}
    if not leaking:
        return replace(fine, text=Message("A tile's look does not give its place away: {words}.", words=words))
    mended = {task: hide_places(seen, task, one) for task, one in leaking.items()}
    lost = tuple(task for task, found in mended.items() if found.share > HIDDEN)
    changes = {task: _changes(task, leaking[task], found) for task, found in mended.items() if task not in lost}
    return replace(
        fine, tasks=tuple(leaking), severity=UNSUITABLE if len(lost) == len(leaking) else CAREFUL, ruled_out=lost,
        changes=tuple(change for found in changes.values() for change in found), examples=seen.paths[:4],
        boxes=tuple((x / 3, y / 3, (x + 1) / 3, (y + 1) / 3) for y in range(3) for x in range(3)),
        text=Message("The same things lie at the same places, so that the puzzle is solved without understanding. "
"{found}", found=join(_words(task, leaking[task], mended[task], changes.get(task, ())) for task in leaking)),
    )  # fmt: skip


def ask_single_tiles(seen: LookedAt, task: str, options: BaseConfig) -> Told:
    """Ask how often a tile's look tells its position, with these options."""
    tiles = seen.tiles(task, options)
    pictures, count = tiles.shape[:2]
    place, picture = torch.arange(count).repeat(pictures), torch.arange(pictures).repeat_interleave(count)
    features = describe(standardise_each(tiles).flatten(0, 1))
    rng = generator(0, "clinic", CENTRED, "folds")
    return Told(options, *interval(right_by_picture(features, place, picture, rng)))


def hide_places(seen: LookedAt, task: str, told: Told) -> Told:
    """Take the task's remedies one after the other until a tile no longer tells its place; the best found if none of
    them gets there. Tiles keep `LEAST_OWN_PIXELS` of the largest picture that a run would read."""
    best = told
    for options in _answers(task, told.options, seen.finest_side):
        found = ask_single_tiles(seen, task, options)
        best = min(best, found, key=lambda one: one.share)
        if found.share <= HIDDEN:
            return found
    return best


def _answers(task: str, options: BaseConfig, side: int) -> Iterator[BaseConfig]:
    """The options with the first remedy, then with the second one too, and so on, as long as tiles are fine enough."""
    kind = load_tasks()[task]
    while change := kind.remedy(options, Fault.FIXED_POSITIONS):
        options = with_texts(options, dict([change.split("=")]))
        if round(kind.least_tile(options) * side, 6) < LEAST_OWN_PIXELS:
            return
        yield options


def _changes(task: str, before: Told, after: Told) -> tuple[str, ...]:
    """What differs, as TASK.OPTION=VALUE."""
    was, now = vars(before.options), vars(after.options)
    return tuple(f"{task}.{name}={now[name]}" for name in now if now[name] != was[name])


def _words(task: str, told: Told, found: Told, changes: tuple[str, ...]) -> Message:
    title = load_tasks()[task].title
    said = Message("{title}: a single tile tells its place in {words}.", title=title, words=told.words)
    rest = NOTHING
    if changes:
        rest = Message(
            "With {changes:and} it is {better:.0%}.",
            changes=[change.partition(".")[2].replace("=", " = ") for change in changes],
            better=found.share,
        )
    elif found.share < told.share:
        rest = Message(
            "No setting hides that in tiles of {pixels} pixels or more; the best leaves {better:.0%}.",
            pixels=LEAST_OWN_PIXELS,
            better=found.share,
        )
    else:
        rest = Message("Tiles of {pixels} pixels or more cannot be taken from less.", pixels=LEAST_OWN_PIXELS)
    return Message("{said} {rest}", said=said, rest=rest)
