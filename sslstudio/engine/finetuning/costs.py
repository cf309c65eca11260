"""What each arm of a fine-tuning cost: seconds of training and of reading features, and steps.

spent.json    reading: seconds in which the read-out of a part was fitted; arms: what each arm cost in all

Decoding, scoring and what else all arms share is in no arm's cost.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from sslstudio.engine.core.files.checked_files import Count, Share
from sslstudio.engine.evaluate.arms import FROM_SCRATCH, UNTRAINED
from sslstudio.engine.runs.run_folder import RunFolder

FILE = "spent.json"
READ_BY = {UNTRAINED: FROM_SCRATCH}  # whose read-out an arm has, where it is not its own


class ArmCost(TypedDict):
    """Seconds of training and of reading features; steps, 0 where the arm is only read."""

    seconds: Share
    steps: Count


class Spent(TypedDict):
    """spent.json; `arms` is empty until the run is finished."""

    reading: dict[str, float]
    arms: dict[str, ArmCost]


def _read(run: RunFolder) -> Spent:
    found: Spent | None = run.read_json(FILE, Spent)
    return found or {"reading": {}, "arms": {}}


def note_reading(run: RunFolder, part: str, seconds: float) -> None:
    """Keep how long the read-out of a part took: a run that goes on does not fit it again."""
    spent = _read(run)
    run.write_json(FILE, {**spent, "reading": {**spent["reading"], part: seconds}})


def note_costs(run: RunFolder, parts: Sequence[str], trained: Mapping[str, tuple[float, int]]) -> None:
    """Keep the cost of each arm, by the seconds and steps of those that were `trained` and by what was noted of the
    reading."""
    spent = _read(run)
    for part in parts:
        seconds, steps = trained.get(part, (0.0, 0))
        by = part if part in spent["reading"] else READ_BY.get(part, part)
        reading = spent["reading"].get(by, 0.0)
        spent["arms"][part] = {"seconds": seconds + reading, "steps": steps}
    run.write_json(FILE, spent)


def read_costs(run: RunFolder) -> Mapping[str, ArmCost]:
    """What each arm cost; empty for runs of earlier versions. Raises RunError when spent.json is damaged."""
    return _read(run)["arms"]
