"""One run of an experiment: where it is kept, whether it is settled, how to go on with it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypedDict, Unpack

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.checked_files import Share, read_json
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder, holds_something
from sslstudio.engine.runs.trash import out_of_the_way

AGAIN = Message("Remove it, and that run is done again.")
Outcome = Literal["done", "refused", "failed"]
DONE: Final = "done"
REFUSED: Final = "refused"
FAILED: Final = "failed"


class Spent(TypedDict, total=False):
    """What a run took, and on what: empty where nothing was trained."""

    seconds: Share
    machine: dict[str, str]


class Facts(Spent, total=False):
    """How a run was settled: done, or refused or failed and why. Empty while it is not."""

    outcome: Outcome
    words: str


@dataclass(frozen=True)
class ExperimentRun:
    """A run folder, and beside it a lock and a JSON file that is written when the run is settled.

    source: the task, or what else the row of a comparison is called. labels: how many a cell of a comparison is
    fine-tuned on; 0 for a pretraining. draw: of the labels, from 0. seed: of the pretraining that it is or rests on,
    from 0. times: how many times the usual steps a cell is trained. round: of a tournament, from 1; 0 for the winner's.
    """

    path: Path
    source: str
    labels: int = 0
    draw: int = 0
    seed: int = 0
    times: int = 1
    round: int = 0

    @property
    def is_cell(self) -> bool:
        """False for a pretraining."""
        return self.labels > 0

    @property
    def lock(self) -> Path:
        """Locked by who works on it."""
        return self.path.with_name(f"{self.path.name}.lock")

    @property
    def record(self) -> Path:
        """Where it is written that it is settled. Removed, it is done again."""
        return self.path.with_name(f"{self.path.name}.json")

    def note(self, outcome: Outcome, words: str = "", **spent: Unpack[Spent]) -> None:
        """Write down that it is settled."""
        content: Facts = {"outcome": outcome, "words": words, **spent}
        make_folder(self.record.parent)  # a run that was refused has made no folder
        write_atomic(self.record, (json.dumps(to_stored(content), indent=1) + "\n").encode())

    def facts(self) -> Facts:
        """What was written down; empty while it is not settled. Raises RunError when it is damaged."""
        try:
            content: Facts = read_json(self.record, Facts, advice=AGAIN)
        except FileNotFoundError:
            return {}
        return content

    def outcome(self) -> str | None:
        """done, refused or failed; None while it is not settled."""
        return self.facts().get("outcome")

    def finished(self) -> bool:
        """Whether the run in the folder has come to its end."""
        events = self.folder.events()
        return bool(events) and isinstance(events[-1], RunFinished) and events[-1].outcome == "finished"

    @property
    def folder(self) -> RunFolder:
        """The run itself, with its result."""
        return RunFolder(self.path)

    def carry_out(self, start: Callable[[], Iterator[Event]], control: RunControl) -> Iterator[Event]:
        """The rest of it: nothing when it is finished, from its last checkpoint, or all of it with `start`."""
        if self.finished():
            return
        if (self.path / CONFIG).is_file():  # from its start where it was killed before it had weights
            yield from resume(self.path, control)
            return
        if self.path.exists() and holds_something(self.path):  # nobody knows what it may be
            out_of_the_way(self.path)
        yield from start()
