"""What a person decided on doubtful labels: doubts.csv in the run, open to any program. Labels are never changed."""

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import read_table
from sslstudio.engine.core.files.spreadsheet import harmless
from sslstudio.engine.core.messages import Message

FILE = "doubts.csv"
KEEP, CHANGE, UNSURE = "keep", "change", "unsure"


@dataclass(frozen=True)
class Decision:
    """A line of doubts.csv. `decision` is keep, change (to `suggested`) or unsure."""

    file: str
    label: str
    suggested: str
    decision: str
    decided_at: str = ""


def read_decisions(run: Path) -> dict[str, Decision]:
    """The decisions by picture. Raises DataError when the file is not one that was written here."""
    file = run / FILE
    if not file.exists():
        return {}
    names = [field.name for field in fields(Decision)]
    rows = read_table(file, names, error=DataError, advice=Message("Move it away to decide anew."))
    return {row["file"]: Decision(*(row[name] for name in names)) for row in rows}


def decide(run: Path, file: str, label: str, suggested: str, decision: str) -> dict[str, Decision]:
    """Write down one decision (a later one on the same picture replaces it) and return all. Raises DataError."""
    if decision not in (KEEP, CHANGE, UNSURE):
        raise DataError(
            "{decision!r} is no decision: {keep}, {change} and {unsure} are.",
            decision=decision,
            keep=KEEP,
            change=CHANGE,
            unsure=UNSURE,
        )
    made = Decision(file, label, suggested, decision, time.strftime("%Y-%m-%d %H:%M:%S"))
    found = {**read_decisions(run), file: made}
    _write(run / FILE, found)
    return found


def take_back(run: Path, file: str) -> dict[str, Decision]:
    """Forget the decision on one picture and return the others."""
    found = read_decisions(run)
    found.pop(file, None)
    _write(run / FILE, found)
    return found


def _write(file: Path, decisions: Mapping[str, Decision]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([field.name for field in fields(Decision)])
    writer.writerows(map(harmless, astuple(decisions[path])) for path in sorted(decisions))
    write_atomic(file, text.getvalue().encode("utf-8-sig", errors="surrogateescape"))
