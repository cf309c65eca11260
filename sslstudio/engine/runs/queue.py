"""Runs that wait for their turn, in an open JSON file: a list of {"job", "title", "config"}, the next one first.

`config` is what config.toml of the run will hold. The file is replaced in one go at each change, so that it survives a
crash, and can be read and edited with any editor while the program is closed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import Message, to_stored

JOBS = ("pretrain", "finetune")


@dataclass(frozen=True)
class Waiting:
    """A run that waits. `job` is pretrain or finetune, `title` for people, `config` as in config.toml."""

    job: str
    title: str
    config: dict[str, Any]


class _WaitingTable(TypedDict):
    job: str
    title: str
    config: dict[str, Any]


class RunQueue:
    """The runs in a file; every change is written before it counts."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.copy = file.with_name(f"{file.stem}.before{file.suffix}")  # the last good one
        self._runs: list[Waiting] | None = None
        self._taken: Waiting | None = None  # which has not begun, and waits again if this process dies before it does

    @property
    def runs(self) -> tuple[Waiting, ...]:
        """All that wait. Raises RunError, in words, when the file was damaged; it is left as it is."""
        if self._runs is None:
            self._runs = self._read()
        return tuple(self._runs)

    def add(self, run: Waiting) -> None:
        """Wait behind all others."""
        self._write([*self.runs, run])

    def take(self) -> Waiting | None:
        """The next one, which then waits no more; None when nothing waits.

        It stays in the file until `settle` says that it has begun, so that it is not lost between the two."""
        self.settle()
        if not self.runs:
            return None
        first, *rest = self.runs
        self._taken, self._runs = first, rest
        return first

    def settle(self) -> None:
        """The run that was taken has begun, or could not: it leaves the file."""
        if self._taken is not None:
            taken, self._taken = self._taken, None
            try:
                self._write(list(self.runs))
            except StudioError:
                self._taken = taken  # tried again before the next one is taken
                raise

    def remove(self, number: int) -> Waiting:
        """Take one out."""
        runs = list(self.runs)
        gone = runs.pop(number)
        self._write(runs)
        return gone

    def insert(self, number: int, run: Waiting) -> None:
        """Put one at a place: undoes `remove`."""
        runs = list(self.runs)
        runs.insert(number, run)
        self._write(runs)

    def move(self, number: int, by: int) -> int:
        """Move one up (by < 0) or down as far as there is room; returns its new number."""
        runs = list(self.runs)
        place = min(len(runs) - 1, max(0, number + by))
        runs.insert(place, runs.pop(number))
        self._write(runs)
        return place

    def _write(self, runs: list[Waiting]) -> None:
        kept = runs if self._taken is None else [self._taken, *runs]
        text = json.dumps(to_stored([asdict(run) for run in kept]), indent=1, ensure_ascii=False) + "\n"
        make_folder(self.file.parent)
        write_atomic(self.file, text.encode(errors="backslashreplace"), keep=self.copy)
        self._runs = runs

    def _advice(self) -> Message:
        return Message(
            "Mend it with an editor, put {copy} in its place, which is what it was before the last change, or move it "
            "away to begin with an empty list of waiting runs.",
            copy=self.copy.name,
        )

    def _read(self) -> list[Waiting]:
        try:
            content: list[_WaitingTable] = read_json(self.file, list[_WaitingTable], advice=self._advice())
        except FileNotFoundError:
            return []
        runs = [Waiting(one["job"], one["title"], one["config"]) for one in content]
        strange = next((run.job for run in runs if run.job not in JOBS), None)
        if strange is not None:
            raise RunError(
                "{file} names a job {strange!r}. Known are: {jobs}.", file=self.file, strange=strange, jobs=JOBS
            )
        return runs
