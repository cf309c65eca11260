"""The split where pictures were suggested to be labelled: only what was drawn at random tests (`labels.drawn_test`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sslstudio.engine.dataset.split import PARTS, TEST, TRAIN, VALIDATION, Split, make_split
from sslstudio.engine.labels.drawn_test import DrawnTest


@dataclass(frozen=True)
class DrawnFor:
    """What was drawn, for labels of one kind: classification or segmentation."""

    drawn: DrawnTest
    kind: str

    def tests(self, path: str) -> bool:
        """Whether a picture tests once it has a label."""
        return self.drawn.is_drawn(path, self.kind)

    def is_old(self, path: str) -> bool:
        """Whether a label is older than the first suggestion."""
        return self.drawn.was_before(path, self.kind)


def split_drawn(
    draw: Callable[[Mapping[str, int] | None], Split], paths: Sequence[str], labels: Mapping[str, int], what: DrawnFor,
    *, groups: Mapping[str, str], given: Mapping[str, str], validation: float, seed: int, kept: Split | None = None,
) -> Split:  # fmt: skip
    """Set `paths` apart where pictures were suggested to be labelled.

    draw        sets all paths apart by the labels that it is given, as if nothing had been suggested
    given       picture -> part, as the folders say: that holds
    kept        what a pretraining has set apart: labels older than the first suggestion stay where they are in it

    Labels older than the first suggestion are set apart as ever. Of the others those drawn at random test; what is held
    for the test and was labelled out of turn watches; the rest trains, and a share of it watches. What is held and has
    no label is in the test part, where nothing learns from it. A group is never torn apart: what was suggested in the
    group of a test picture is in no part.
    """
    old = {path: label for path, label in labels.items() if what.is_old(path)}
    part_of = _parts(draw(old or None))
    for path, part in (_parts(kept) if kept is not None else {}).items():
        if path in old and path not in given:
            part_of[path] = part
    new = {path: label for path, label in labels.items() if path not in old and path not in given}
    for path in paths:
        if path in new:
            part_of[path] = _part_of_new(path, what)
        elif path not in labels and path not in given:
            part_of[path] = TEST if what.drawn.is_held(path) else TRAIN
    _watch_some(part_of, new, groups, validation, seed)
    _keep_groups(part_of, labels, groups)
    return Split(*(tuple(path for path in sorted(paths) if part_of.get(path) == part) for part in range(len(PARTS))))


def _parts(split: Split) -> dict[str, int]:
    return {path: number for number, part in enumerate(PARTS) for path in getattr(split, part)}


def _part_of_new(path: str, what: DrawnFor) -> int:
    if what.tests(path):
        return TEST
    return VALIDATION if what.drawn.is_held(path) else TRAIN


def _watch_some(
    part_of: dict[str, int], new: Mapping[str, int], groups: Mapping[str, str], validation: float, seed: int
) -> None:
    """Move a share of what trains to the validation part, balanced over the classes."""
    train = {path: label for path, label in new.items() if part_of[path] == TRAIN}
    if len(train) > 1:
        watching = make_split(list(train), train, validation=validation, test=0.0, seed=seed, groups=groups or None)
        part_of.update(dict.fromkeys(watching.validation, VALIDATION))


def _keep_groups(part_of: dict[str, int], labels: Mapping[str, int], groups: Mapping[str, str]) -> None:
    """All of a group go where the labelled one goes that is held out most; without labels they train, unless all are
    held. A label that would test there, and was not drawn for it, counts nowhere: the test would no longer be a random
    sample."""
    of_group: dict[str, int] = {}
    for path, part in part_of.items():
        if (group := groups.get(path)) is not None and path in labels:
            of_group[group] = max(part, of_group.get(group, TRAIN))
    labelled = frozenset(of_group)
    for path, part in part_of.items():
        if (group := groups.get(path)) is not None and group not in labelled:
            of_group[group] = min(part, of_group.get(group, TEST))
    for path, part in list(part_of.items()):
        wanted = of_group.get(groups.get(path, ""), part)
        if wanted == part:
            continue
        if path in labels and wanted == TEST:
            del part_of[path]
        else:
            part_of[path] = wanted
