"""The runs that a comparison or a tournament is made of: where each is kept, whether it is settled, how to do it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslstudio.engine.core.atomic_files import write_atomic
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.core.messages import Message, from_stored, to_stored
from sslstudio.engine.evaluate.scores import Array
from sslstudio.engine.evaluate.verdict import TITLES
from sslstudio.engine.experiments.compare_config import SCRATCH, CompareConfig, cell_folder
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.trash import out_of_the_way

DONE, REFUSED, FAILED = "done", "refused", "failed"


@dataclass(frozen=True)
class Place:
    """A run of a comparison: its folder, and beside it a lock and a JSON file that is written when it is settled."""

    path: Path

    @property
    def lock(self) -> Path:
        """Locked by who works on it."""
        return self.path.with_name(f"{self.path.name}.lock")

    @property
    def record(self) -> Path:
        """Where it is written that it is settled. Removed, it is done again."""
        return self.path.with_name(f"{self.path.name}.json")

    def note(self, outcome: str, words: str = "", **facts: Any) -> None:
        """Write down that it is settled."""
        content = {"outcome": outcome, "words": words, **facts}
        self.record.parent.mkdir(parents=True, exist_ok=True)  # a run that was refused has made no folder
        write_atomic(self.record, (json.dumps(to_stored(content), indent=1) + "\n").encode())

    def facts(self) -> dict[str, Any]:
        """What was written down; empty while it is not settled."""
        try:
            content: dict[str, Any] = from_stored(json.loads(self.record.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise RunError(
                "{record} is damaged: {error}. Remove it, and that run is done again.", record=self.record, error=error
            ) from error
        return content

    def outcome(self) -> str | None:
        """done, refused or failed; None while it is not settled."""
        return self.facts().get("outcome")

    def finished(self) -> bool:
        """Whether the run in the folder has come to its end."""
        events = RunFolder(self.path).events()
        return bool(events) and isinstance(events[-1], RunFinished) and events[-1].outcome == "finished"

    def metrics(self) -> dict[str, Any]:
        """The result of the run; empty while there is none."""
        return RunFolder(self.path).metrics() or {}


def cell_place(config: CompareConfig, source: str, labels: int, draw: int) -> Place:
    """Where a cell is kept."""
    return Place(cell_folder(config, source, labels, draw))


def carried_out(place: Place, start: Callable[[], Iterator[Event]], control: RunControl) -> Iterator[Event]:
    """The rest of a run: nothing when it is finished, from its last checkpoint, or all of it with `start`."""
    if place.finished():
        return
    if (place.path / "last.safetensors").exists():
        yield from resume(place.path, control)
        return
    if place.path.exists():  # killed before its first checkpoint, as a rule: nobody knows what else it may be
        out_of_the_way(place.path)
    yield from start()


@dataclass(frozen=True)
class Scored:
    """The test pictures of a cell and their confusions (n, C, C)."""

    paths: tuple[str, ...]
    confusions: Array


def tidy(place: Place, *, keep_weights: bool) -> None:
    """Keep of a finished cell what the tables need: hundreds of cells would fill a disk with weights."""
    if not keep_weights:
        for file in place.path.glob("*.safetensors"):
            file.unlink()


def scored_pictures(place: Place) -> Scored:
    """The test pictures of a finished cell, which has one part. Raises RunError when they cannot be read."""
    part = next(iter(place.metrics().get("parts", {})), SCRATCH)
    return Scored(*read_confusions(confusions_file(place.path, part)))


def result_words(place: Place) -> Message:
    """One line on how it went."""
    facts, metrics = place.facts(), place.metrics()
    if facts["outcome"] != DONE:
        return Message("{outcome}: {words}", outcome=facts["outcome"], words=facts["words"])
    seconds = facts.get("seconds", 0)
    if metrics.get("job") == "finetune":
        name = metrics["headline"]
        part = next(iter(metrics["parts"].values()))
        title, value = TITLES[name], part["scores"][name]["value"]
        return Message("{title} {value:score} ({seconds:.0f} s)", title=title, value=value, seconds=seconds)
    return Message("pretrained ({seconds:.0f} s)", seconds=seconds)
