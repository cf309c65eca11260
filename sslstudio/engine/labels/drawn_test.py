"""What is asked for to test with: drawn at random before anybody labels, so that no suggestion can bend the test.

Suggested pictures are no random sample: a test on them would score other pictures than the network will see. So a share
of all pictures is held for the test when the first suggestion is labelled, uniformly and whatever they show. Pictures
are suggested for training from the others only; those that are held are asked for in a random order that never changes,
and what has been reached in this order tests (`is_drawn`). Beside the labels in a folder made in the program:

drawn.csv   file,held,number,before: every picture there was, 1 where it is held, its place in the random order, and for
            what it had a label before ("classification", "segmentation", both with a blank between, or nothing)
drawn.json  {"format": 1, "every": 5, "asked": {"classification": NUMBER, "segmentation": NUMBER}}: one of so many is
            held, and how far the order has been asked for
"""

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypedDict

from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import AtLeast, read_json, read_table
from sslstudio.engine.core.files.spreadsheet import harmless
from sslstudio.engine.core.messages import Message

TABLE, STATE = "drawn.csv", "drawn.json"
FORMAT = 1
NOBODY = -1  # nothing has been asked for yet
FEWEST = 10  # drawn pictures with a label: a test on fewer says next to nothing


def random_number(path: str) -> int:
    """The place of a picture in the random order, by its name alone, 48 bits."""
    return _hash("order", path)


def _hash(purpose: str, path: str) -> int:
    text = f"{purpose}:{path}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big")


@dataclass(frozen=True)
class DrawnTest:
    """What is held for the test, and how far it has been asked for.

    every    one of so many pictures is held
    numbers  picture -> its place in the random order, of all pictures that there were when this was drawn
    held     those of them that are held for the test
    before   kind -> those that had a label before anything was suggested: they are set apart as ever
    asked    kind -> the largest number that a person was asked for
    """

    every: int
    numbers: Mapping[str, int]
    held: frozenset[str]
    before: Mapping[str, frozenset[str]] = field(default_factory=dict)
    asked: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def draw(cls, paths: Iterable[str], held: Iterable[str], before: Mapping[str, Collection[str]]) -> "DrawnTest":
        """Draw the order of these pictures; `held` was drawn from them at random. Nothing is written yet."""
        numbers = {path: random_number(path) for path in paths}
        kept = frozenset(held)
        every = max(2, round(len(numbers) / len(kept))) if kept else len(numbers) + 1
        return cls(every, numbers, kept, {kind: frozenset(known) for kind, known in before.items() if known})

    def number(self, path: str) -> int:
        """Its place in the random order; that of a picture that has come since is by its name, too."""
        found = self.numbers.get(path)
        return random_number(path) if found is None else found

    def is_held(self, path: str) -> bool:
        """Whether a picture is for the test alone, labelled or not. Of those that have come since it is the same share,
        by their names."""
        if path in self.numbers:
            return path in self.held
        return _hash("held", path) % self.every == 0

    def is_drawn(self, path: str, kind: str) -> bool:
        """Whether the random order has reached a picture that is held: with a label it tests."""
        return self.is_held(path) and self.number(path) <= self.asked.get(kind, NOBODY)

    def was_before(self, path: str, kind: str) -> bool:
        """Whether it had a label before anything was suggested."""
        return path in self.before.get(kind, ())

    def next_ones(self, paths: Iterable[str], labelled: Collection[str], count: int) -> list[str]:
        """Up to `count` held pictures without a label that come next in the random order."""
        free = (path for path in paths if path not in labelled and self.is_held(path))
        return sorted(free, key=lambda path: (self.number(path), path))[:count]

    def with_asked(self, paths: Iterable[str], kind: str) -> "DrawnTest":
        """The order was asked for up to these pictures, those of them that are held."""
        reached = max((self.number(path) for path in paths if self.is_held(path)), default=NOBODY)
        if reached <= self.asked.get(kind, NOBODY):
            return self
        return replace(self, asked={**self.asked, kind: reached})

    def mixed(self, suggested: Sequence[str], drawn: Sequence[str], count: int) -> list[str]:
        """Up to `count` of both, in which one of `every` is drawn, so that a person labels both without a thought; the
        rest of one kind where the other ends."""
        left, test = iter(suggested), iter(drawn)
        mixed: list[str] = []
        while len(mixed) < count:
            first, then = (test, left) if len(mixed) % self.every == self.every // 2 else (left, test)
            one = next(first, None) or next(then, None)
            if one is None:
                break
            mixed.append(one)
        return mixed

    def below(self, name: str) -> "DrawnTest":
        """The same pictures, which lie in the folder `name` of several now."""
        return replace(
            self,
            numbers={f"{name}/{path}": number for path, number in self.numbers.items()},
            held=frozenset(f"{name}/{path}" for path in self.held),
            before={kind: frozenset(f"{name}/{path}" for path in paths) for kind, paths in self.before.items()},
        )

    @cached_property
    def _rows(self) -> list[list[Any]]:
        return [
            [path, int(path in self.held), number, " ".join(kind for kind in self.before if path in self.before[kind])]
            for path, number in sorted(self.numbers.items())
        ]

    # --- files

    def write(self, folder: Path) -> None:
        """Write both files. Raises RunError when the disk does not take them."""
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\r\n")
        table.writerow(["file", "held", "number", "before"])
        table.writerows(map(harmless, row) for row in self._rows)
        write_atomic(folder / TABLE, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "surrogateescape"))
        self.write_state(folder)

    def write_state(self, folder: Path) -> None:
        """Write how far it was asked for; the rest never changes. Raises RunError when the disk does not take it."""
        content = {"format": FORMAT, "every": self.every, "asked": dict(self.asked)}
        write_atomic(folder / STATE, json.dumps(content).encode("ascii"))


class _State(TypedDict):
    format: int
    every: Annotated[int, AtLeast(1)]
    asked: dict[str, int]


def read_drawn(folder: Path) -> DrawnTest | None:
    """What was drawn for the labels in a folder; None where nothing was ever suggested.

    Raises DataError when it is damaged: without it suggested pictures would test.
    """
    if not (folder / STATE).exists() and not (folder / TABLE).exists():
        return None
    try:
        state: _State = read_json(folder / STATE, _State)
        if state["format"] > FORMAT:
            raise ValueError(Message("a newer version has written it (format {n})", n=state["format"]))
        rows = [
            (line["file"], line["held"] == "1", int(line["number"]), line["before"])
            for line in read_table(folder / TABLE, ("file", "held", "number", "before"))
        ]
        asked, every = state["asked"], state["every"]
    except (OSError, ValueError, StudioError) as error:
        raise DataError(
            "{table} and {state} in {folder} cannot be read: {error}. They say which pictures were drawn at random to "
            "test with; without them suggested ones would test. Put both back from a copy; with both away, all labels "
            "are set apart as if nothing had been suggested.",
            folder=folder,
            error=error,
            table=TABLE,
            state=STATE,
        ) from error
    before: dict[str, set[str]] = {}
    for path, _, _, kinds in rows:
        for kind in kinds.split():
            before.setdefault(kind, set()).add(path)
    return DrawnTest(
        every,
        {path: number for path, _, number, _ in rows},
        frozenset(path for path, held, _, _ in rows if held),
        {kind: frozenset(paths) for kind, paths in before.items()},
        asked,
    )
