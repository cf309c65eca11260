"""What a person is asked to label next: pictures that teach most, and among them those that test, drawn at random."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.evaluate.active_learning import doubts_of, suggest
from sslstudio.engine.finetuning.use.similarity import GENERAL, OWN, LookAlike
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.drawn_test import DrawnTest


@dataclass(frozen=True)
class KnownLabels:
    """The labels of one kind that there are: which pictures have one, and the classes where these are of pictures."""

    kind: str
    labelled: Collection[str]
    classes: Mapping[str, int]


@dataclass(frozen=True)
class Suggested:
    """What to label next, in this order.

    paths  of pictures
    test   those of them that were drawn at random: they test
    draw   what they were drawn by; kept with the labels once one of `paths` has got one
    why    how they were chosen, in words
    """

    paths: tuple[str, ...]
    test: frozenset[str]
    draw: DrawnTest
    why: Message


def suggest_mixed(
    alike: LookAlike, index: ImageIndex, known: KnownLabels, draw: DrawnTest, count: int,
    doubts: Mapping[str, float] | None = None,
) -> Suggested:  # fmt: skip
    """Up to `count` pictures without a label. What teaches is chosen by features, never from what is held for the test;
    what tests is next in the random order, whatever it shows.

    doubts  of a network that was taught such labels, by picture: they count while a read-out on the features, taught
            the labels as they are now, knows too little
    """
    outside = [number for number, path in enumerate(alike.paths) if not draw.is_held(path)]
    paths, features = [alike.paths[number] for number in outside], alike.features[outside]
    labelled = [number for number, path in enumerate(paths) if path in known.labelled]
    classes = {number: known.classes[path] for number, path in enumerate(paths) if path in known.classes}
    unsure = doubts_of(features, classes)
    if unsure is None and doubts is not None:
        unsure = np.array([doubts.get(path, 0.0) for path in paths])
    chosen = [paths[number] for number in suggest(features, labelled, count, unsure)]
    return _mix(chosen, index, known, draw, count, _why(alike.by, unsure is not None))


def order_at_random(index: ImageIndex, known: KnownLabels, draw: DrawnTest) -> Suggested:
    """All pictures without a label in the random order, what tests among them."""
    free = [path for path in index.paths if path not in known.labelled and not draw.is_held(path)]
    chosen = sorted(free, key=lambda path: (draw.number(path), path))
    why = Message("Pictures without a label, drawn at random.")
    return _mix(chosen, index, known, draw, len(index), why)


def _mix(
    chosen: list[str], index: ImageIndex, known: KnownLabels, draw: DrawnTest, count: int, why: Message
) -> Suggested:
    drawn = draw.next_ones(index.paths, known.labelled, count)
    paths = tuple(draw.mixed(chosen, drawn, count))
    test = frozenset(drawn).intersection(paths)
    tests = NOTHING
    if test:
        tests = Message(" One of {every} is drawn at random: it tests.", every=draw.every)
    elif paths:
        tests = Message(" All that is held for the test has a label.")
    return Suggested(paths, test, draw, Message("{why}{tests}", why=why, tests=tests))


def _why(by: str, unsure: bool) -> Message:
    seen = {
        OWN: Message("your own pretraining"),
        GENERAL: Message("general weights"),
    }.get(by, Message("an untrained network"))
    if unsure:
        return Message("Suggested: what your labels leave most uncertain, no two alike (features: {seen}).", seen=seen)
    return Message("Suggested: typical pictures, no two alike (features: {seen}).", seen=seen)
