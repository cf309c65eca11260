"""Which pictures train, validate and test: seeded, balanced over the classes, and no group is torn apart."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.groups import group_paths, suggest_groups

__all__ = ["Split", "draw_labelled", "group_paths", "make_split", "suggest_groups"]

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = ("train", "validation", "test")
_UNLABELLED = -1


@dataclass(frozen=True, slots=True)
class Split:
    """Picture paths of the three parts, each in sorted order; no path is in two."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def within(self, paths: Container[str]) -> Self:
        """Without the pictures that are not among `paths`."""
        return type(self)(*(tuple(path for path in getattr(self, part) if path in paths) for part in PARTS))

    def with_later(self, drawn: Self, groups: Mapping[str, str]) -> Self:
        """This split with the pictures that have come since, where `drawn` has them; one of a group that is known goes
        where the group is, for a group is never torn apart."""
        known = {path: number for number, part in enumerate(PARTS) for path in getattr(self, part)}
        of_group: dict[str, int] = {}
        for path, number in known.items():
            if (group := groups.get(path)) is not None:
                of_group[group] = max(number, of_group.get(group, number))
        parts = [list(getattr(self, part)) for part in PARTS]
        for number, part in enumerate(PARTS):
            for path in getattr(drawn, part):
                if path not in known:
                    parts[of_group.get(groups.get(path, ""), number)].append(path)
        return type(self)(*(tuple(sorted(part)) for part in parts))

    def to_json(self) -> dict[str, list[str]]:
        """Plain lists, as split.json of a run holds them."""
        return {part: list(getattr(self, part)) for part in PARTS}

    @classmethod
    def from_json(cls, values: Mapping[str, Iterable[str]]) -> Self:
        """The inverse of `to_json`. Raises DataError when a part is missing."""
        missing = [part for part in PARTS if part not in values]
        if missing:
            raise DataError("The split has no {missing}: it needs {parts}.", missing=missing, parts=PARTS)
        return cls(*(tuple(values[part]) for part in PARTS))


def make_split(
    paths: Sequence[str],
    labels: Mapping[str, int] | None,
    *,
    validation: float,
    test: float,
    seed: int,
    groups: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Split:
    """Set `paths` apart; the same paths, labels and seed give the same split, in whatever order they come.

    labels      picture -> class: the shares hold in each class, and pictures without a label train. None: plain random.
    groups      picture -> group: a group is never torn apart (its pictures without a label go where it goes)
    given       picture -> part, as the folders say; a part that they do not name is drawn from the training pictures
    """
    if validation + test >= 1:
        raise ConfigError(
            "Validation share {validation} and test share {test} leave nothing to train on. Try 0.1 and 0.2.",
            validation=validation,
            test=test,
        )
    ordered = sorted(set(paths))
    grouped = {path: (groups or {}).get(path) for path in ordered}
    fixed = _assign_given(ordered, grouped, given or {})
    shares = [0.0, 0.0 if VALIDATION in fixed.values() else validation, 0.0 if TEST in fixed.values() else test]
    pool = [path for path in ordered if fixed.get(path, TRAIN) == TRAIN]
    parts = fixed | _draw(_units(pool, grouped, fixed), labels, shares, seed)
    return Split(*(tuple(path for path in ordered if parts[path] == part) for part in (TRAIN, VALIDATION, TEST)))


def _assign_given(paths: list[str], groups: Mapping[str, str | None], given: Mapping[str, str]) -> dict[str, int]:
    """Assign each picture the part that it has been given, itself or through another picture of its group."""
    known = {path: PARTS.index(given[path]) for path in paths if path in given}
    of_group: dict[str, int] = {}
    for path, part in known.items():
        if (group := groups[path]) is not None:
            of_group[group] = max(part, of_group.get(group, TRAIN))
    for path in paths:
        group = groups[path]
        if path not in known and group is not None and group in of_group:
            known[path] = of_group[group]
    return known


def _units(pool: list[str], groups: Mapping[str, str | None], fixed: Mapping[str, int]) -> list[list[str]]:
    """What moves as one: the pictures of a group, or one picture. Groups that touch a held-out part stay behind."""
    held_out = {groups[path] for path, part in fixed.items() if part != TRAIN} - {None}
    units: dict[tuple[bool, str], list[str]] = {}
    for path in pool:
        group = groups[path]
        if group is None or group not in held_out:
            units.setdefault((group is None, path if group is None else group), []).append(path)
    return list(units.values())


def _draw(units: list[list[str]], labels: Mapping[str, int] | None, shares: list[float], seed: int) -> dict[str, int]:
    """Biggest unit first, each to the part that misses most of what the unit holds."""
    contents = [_content(unit, labels) for unit in units]
    drawn = [place for place, content in enumerate(contents) if content]
    shuffled = np.random.default_rng(derive(seed, "split")).permutation(len(drawn))
    order = sorted((drawn[place] for place in shuffled), key=lambda unit: -len(units[unit]))
    missing = _targets(_total(contents), shares)
    part_of = dict.fromkeys(range(len(units)), TRAIN)
    for unit in order:
        total = sum(count * missing[label] for label, count in contents[unit].items())
        part_of[unit] = int(np.argmax(total))
        for label, count in contents[unit].items():
            missing[label][part_of[unit]] -= count
    _fill_empty(part_of, order, contents, shares)
    return {path: part_of[place] for place, unit in enumerate(units) for path in unit}


def _content(unit: list[str], labels: Mapping[str, int] | None) -> dict[int, int]:
    """How many pictures of each class; all of one class when there are no labels."""
    if labels is None:
        return {_UNLABELLED: len(unit)}
    content: dict[int, int] = {}
    for path in unit:
        if path in labels:
            content[labels[path]] = content.get(labels[path], 0) + 1
    return content


def _total(contents: Iterable[Mapping[int, int]]) -> Counter[int]:
    """The sum. Counters are not added one by one: each sum would hold all classes again."""
    total = Counter[int]()
    for content in contents:
        for label, count in content.items():
            total[label] += count
    return total


def _targets(totals: Mapping[int, int], shares: list[float]) -> dict[int, NDArray[np.float64]]:
    """Whole numbers of pictures for the parts, by class: each within one of its share, the sums too.

    What rounding takes from one class the next one gets. A class of three or more is tested on.
    """
    targets = {}
    owed = [0.0, 0.0, 0.0]
    for label in sorted(totals):
        counts = [0, 0, 0]
        exact = [totals[label] * share for share in shares]
        room = totals[label] - 1 - int(exact[VALIDATION])  # one always trains, and validation gets its whole part
        for part in (TEST, VALIDATION):
            low = max(int(exact[part]), int(part == TEST and shares[TEST] > 0 and totals[label] >= 3))
            wanted = min(max(round(exact[part] + owed[part]), low), int(np.ceil(exact[part])))
            counts[part] = max(0, min(wanted, room))
            room = totals[label] - 1 - counts[part]
            owed[part] += exact[part] - counts[part]
        counts[TRAIN] = totals[label] - sum(counts)
        targets[label] = np.asarray(counts, np.float64)
    return targets


def _fill_empty(part_of: dict[int, int], order: list[int], contents: list[dict[int, int]], shares: list[float]) -> None:
    """A part that is wanted and got nothing takes a small unit from one that keeps all its classes without it."""
    if order and TRAIN not in part_of.values():
        part_of[order[-1]] = TRAIN
    for part in (TEST, VALIDATION):
        if shares[part] > 0 and part not in part_of.values():
            spare = [unit for donor in (VALIDATION, TEST, TRAIN) for unit in _spare(part_of, order, contents, donor)]
            if spare:
                part_of[spare[-1]] = part


def _spare(part_of: dict[int, int], order: list[int], contents: list[dict[int, int]], part: int) -> list[int]:
    units = [unit for unit in order if part_of[unit] == part]
    left = _total(contents[unit] for unit in units)
    return [unit for unit in units if all(left[label] > n for label, n in contents[unit].items())]


def draw_labelled(paths: Sequence[str], labels: Mapping[str, int] | None, count: int, seed: int) -> tuple[str, ...]:
    """`count` pictures of each class, or in all when `labels` is None, in sorted order; all of a class that has fewer.

    Nested: the pictures drawn for a smaller count are among those for a larger one. What is drawn from one class does
    not depend on the others. Raises DataError for a class that `labels` names and `paths` has no picture of.
    """
    if count < 1:
        raise ConfigError("Labelled pictures = {count} is too few. Try 1 or more.", count=count)
    members: dict[int, list[str]] = {label: [] for label in sorted(set((labels or {}).values()))}
    for path in sorted(set(paths)):
        if labels is None or path in labels:
            members.setdefault(_UNLABELLED if labels is None else labels[path], []).append(path)
    drawn: list[str] = []
    for label, of_class in members.items():
        if not of_class:
            raise DataError(_no_member(label, labels or {}))
        order = np.random.default_rng(derive(seed, "labelled", label)).permutation(len(of_class))
        drawn += [of_class[place] for place in order[:count]]
    return tuple(sorted(drawn))


def _no_member(label: int, labels: Mapping[str, int]) -> Message:
    example = min(path for path, other in labels.items() if other == label)
    return Message(
        "The training part has no picture of class number {label}, the class of {example}. Label "
        "more pictures of this class, or make the held-out shares smaller.",
        label=label,
        example=example,
    )
