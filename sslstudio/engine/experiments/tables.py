"""The tables of experiments: what stands in table.json and tournament.json, and the same as CSV, one number a field.

Numbers that are not known (an interval of one draw) are None.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.spreadsheet import harmless
from sslstudio.engine.evaluate.arms import BASELINES
from sslstudio.engine.runs.experiment_folder import COMPARE, sheet_of
from sslstudio.engine.runs.metrics import ProbeResult


class Score(TypedDict):
    """A score between 0 and 1, or a difference of two, with its 95 % interval; a mean over `draws`, with Student's
    interval over these alone."""

    value: float
    low: float | None
    high: float | None
    t_low: NotRequired[float | None]
    t_high: NotRequired[float | None]
    draws: NotRequired[int]


class Overall(Score):
    """The mean difference to not pretraining over several numbers of labels."""

    labels: list[int]


class Worth(TypedDict):
    """How many times the labels are needed without a pretraining. A bound of 1 says at least that, -1 at most, 0 that
    it is known. `flat`: without one it does not clearly get better with labels there; what is to be said of it is in
    `factor_of`."""

    value: float
    low: float | None
    high: float | None
    bound: int
    low_bound: int
    high_bound: int
    flat: NotRequired[bool]


class Cell(TypedDict):
    """A row at one number of labels; `draws` are the scores of the single draws. `used`: how many labels a class there
    really were on average (of masks: in all), since a small class gives what it has. `difference` (to
    the better of the rows without a pretraining, on the same draws), `verdict` and `worth` are None for these rows
    themselves, and as long as they lack these labels."""

    labels: int
    used: NotRequired[float]
    n_train: int | None
    score: Score
    draws: list[float]
    difference: Score | None
    verdict: str | None
    worth: Worth | None


class Pretraining(TypedDict):
    """What the pretraining of a row took, and how it does its own task on held-out pictures. Where it was pretrained
    several times, with other seeds: so many `seeds`, and each on average (`chance`, `validation`: of the first)."""

    seeds: NotRequired[int]
    minutes: float
    steps: int
    pictures_per_second: float
    pictures: int
    metric: str | None
    value: float | None
    chance: float | None
    validation: Mapping[str, float | None]
    machine: dict[str, str] | None


class EarlyProbe(TypedDict):
    """What the probe said `share` into the pretraining, and whether fine-tuning came to the same in the end."""

    quarter: str
    share: float | None
    final: str | None
    agrees: bool | None


class Made(TypedDict):
    """What the networks of a row are: encoder (two where they are read side by side) and side of the pictures."""

    encoder: str
    side: int | None


class Tuning(TypedDict):
    """What one fine-tuning of a row takes at one number of labels, on average. Steps of 0: it is only read."""

    labels: int
    minutes: float
    steps: int


class Row(TypedDict):
    """A source: scratch, a task, or weights from elsewhere. Only a task has a pretraining."""

    source: str
    title: str
    note: str
    cells: list[Cell]
    overall: Overall | None
    pretraining: NotRequired[Pretraining | None]
    tuning: NotRequired[list[Tuning]]  # not kept by earlier versions
    made: NotRequired[Made | None]
    probe: NotRequired[EarlyProbe | None]


class Longer(TypedDict):
    """A row that was trained `times` as long with `labels` labels: its score over draws, and the difference to its
    usual steps on the same draws. `steps`, `minutes`: of one fine-tuning, on average."""

    source: str
    title: str
    times: int
    labels: int
    score: Score
    draws: list[float]
    difference: Score | None
    minutes: float | None
    steps: int | None
    note: str


class Agreement(TypedDict):
    """In how many rows the early probe agrees, of those where that is known."""

    agrees: int
    of: int


class Machines(TypedDict):
    """Where it ran, and how long in all."""

    devices: list[str]
    pretraining_seconds: float
    finetuning_seconds: float


class BesideRandom(TypedDict):
    """A row of suggested labels beside the same row with random ones, with as many labels in all. `labels` a class."""

    source: str
    title: str
    labels: int
    score: float
    random: float
    difference: Score


class EfficiencyTable(TypedDict):
    """table.json. `labels` are those of every row, `scratch_labels` those of scratch, which may have more."""

    folder: str
    kind: str
    headline: str
    labels: list[int]
    scratch_labels: list[int]
    draws: int
    steps: int | None
    side: int | None
    encoder: str
    n_test: int
    n_groups: int | None
    baseline: float | None
    rows: list[Row]
    suggested: NotRequired[list[BesideRandom]]
    read_at: NotRequired[int]  # the number of labels at which worth is read, named beforehand
    longer: NotRequired[list[Longer]]
    together: NotRequired[int]  # so many differences have intervals that hold together
    agreement: Agreement
    notes: Sequence[str]
    machine: Machines


class Entry(TypedDict):
    """A run of a tournament. `words` say why it was refused or failed; `probe` is None then."""

    task: str
    title: str
    outcome: str | None
    words: str
    minutes: float
    steps: int
    probe: ProbeResult | None


class TournamentTable(TypedDict):
    """tournament.json: of each round the entries, best first; `winner` is None until it has gone on. `measured`: a
    probe of the winner on the test pictures, by which nothing was chosen; None without enough labels among these."""

    folder: str
    minutes: float
    rounds: list[list[Entry]]
    winner: Entry | None
    winner_run: str
    measured: NotRequired[ProbeResult | None]


Table = EfficiencyTable | TournamentTable


def pretrained_rows(table: EfficiencyTable) -> list[Row]:
    """The rows that begin with a pretraining or with weights from elsewhere; the others are what they have to beat."""
    return [row for row in table["rows"] if row["source"] not in BASELINES]


def verdict_of(difference: Score | None) -> str | None:
    """helps, harms or no difference, by the interval; None while it is not known, or where there is one draw only."""
    low, high = (difference["low"], difference["high"]) if difference else (None, None)
    if difference is None or low is None or high is None or low != low or difference.get("draws", 2) < 2:
        return None
    return "helps" if low > 0 else "harms" if high < 0 else "no difference"


def labels_used(cell: Cell) -> float:
    """How many labels a class there really were; what was asked for in tables that do not say so."""
    return cell.get("used", cell["labels"])


def used_counts(table: EfficiencyTable) -> dict[int, float]:
    """How many labels there really were, by the number that was asked for: of the first row that has it."""
    found: dict[int, float] = {}
    for row in table["rows"]:
        for cell in row["cells"]:
            found.setdefault(cell["labels"], labels_used(cell))
    return {count: found.get(count, count) for count in table["scratch_labels"]}


@dataclass(frozen=True)
class Factor:
    """What can be said of what labels are worth: `how` is "is", "at least", "at most" or "flat". Without an end, the
    interval of what it is reaches past the labels that scratch was given."""

    how: Literal["is", "at least", "at most", "flat"]
    value: float = 0.0
    low: float | None = None
    high: float | None = None


def factor_of(worth: Worth | None) -> Factor | None:
    """Where the score lies past the end of scratch's curve, only the sure end of the interval is said; where that curve
    is flat, nothing. None where it is not known."""
    if worth is None or worth["value"] is None or worth["low"] is None or worth["high"] is None:
        return None
    if worth.get("flat"):
        return Factor("flat")
    if worth["bound"] > 0:
        return None if worth["low_bound"] < 0 else Factor("at least", worth["low"])
    if worth["bound"] < 0:
        return None if worth["high_bound"] > 0 else Factor("at most", worth["high"])
    low = None if worth["low_bound"] else worth["low"]
    return Factor("is", worth["value"], low, None if worth["high_bound"] else worth["high"])


def gain_of(probe: ProbeResult) -> Score | None:
    """By how much the features are better than untrained ones; None without labels, or where it is not known."""
    value, low, high = (probe["difference"].get(key) for key in ("value", "low", "high"))
    return None if value is None else {"value": value, "low": low, "high": high}


def efficiency_table(content: Mapping[str, object]) -> EfficiencyTable | None:
    """What a comparison has told or kept, None while there is nothing in it."""
    return cast(EfficiencyTable, content) if content else None


def tournament_table(content: Mapping[str, object]) -> TournamentTable | None:
    """What a tournament has told or kept, None while there is nothing in it."""
    return cast(TournamentTable, content) if content else None


def csv_of(content: Mapping[str, object], job: str) -> str:
    """A table that has something in it, as CSV."""
    if job == COMPARE:
        return efficiency_csv(cast(EfficiencyTable, content))
    return tournament_csv(cast(TournamentTable, content))


def save_table(file: Path, folder: Path, job: str, content: Mapping[str, object]) -> None:
    """Write the table into a file of the user's choice, Markdown or CSV by its ending. Raises RunError when the disk
    does not take it."""
    markdown = file.suffix.lower() == ".md"
    said = sheet_of(folder, job) if markdown else csv_of(content, job)
    write_atomic(file, said.encode("utf-8" if markdown else "utf-8-sig"))  # by its mark a spreadsheet knows UTF-8


def efficiency_csv(table: EfficiencyTable) -> str:
    """One line for each row and number of labels: the score, the difference to scratch and what the labels are worth,
    each with its 95 % interval; empty where it is not known. Last the rows with several times the steps, whose
    difference is that to their usual steps."""
    head = ["row", "labels", "draws", table["headline"], "low", "high"]
    head += [
        "difference",
        "difference_low",
        "difference_high",
        "verdict",
        "worth",
        "worth_low",
        "worth_high",
        "scratch_flat",
        "labels_used",
        "pretraining_minutes",
        "finetuning_minutes",
        "steps",
        "encoder",
        "side",
        "times_the_steps",
    ]
    lines = [
        [row["title"], cell["labels"], len(cell["draws"]), *_interval(cell["score"]),
         *_interval(cell["difference"]), cell.get("verdict"), *_factor(cell["worth"]),
         labels_used(cell), *_cost(row, cell), 1]
        for row in table["rows"] for cell in row["cells"]
    ]  # fmt: skip
    lines += [
        [one["title"], one["labels"], len(one["draws"]), *_interval(one["score"]), *_interval(one["difference"]),
         *[None] * 7, one["minutes"], one["steps"], None, None, one["times"]]
        for one in table.get("longer", [])
    ]  # fmt: skip
    return _written(head, lines)


def _cost(row: Row, cell: Cell) -> list[Any]:
    done, made = row.get("pretraining"), row.get("made")
    tuning = next((one for one in row.get("tuning", []) if one["labels"] == cell["labels"]), None)
    return [
        done["minutes"] if done else None, *([tuning["minutes"], tuning["steps"]] if tuning else [None, None]),
        *([made["encoder"], made["side"]] if made else [None, None]),
    ]  # fmt: skip


@dataclass(frozen=True)
class Effort:
    """What one fine-tuning of a row takes: the least and the most over the numbers of labels."""

    minutes: tuple[float, float]
    steps: tuple[int, int]


def effort_of(row: Row) -> Effort | None:
    """None where an earlier version has not kept it, or nothing is done."""
    kept = row.get("tuning", [])
    if not kept:
        return None
    minutes, steps = [one["minutes"] for one in kept], [one["steps"] for one in kept]
    return Effort((min(minutes), max(minutes)), (min(steps), max(steps)))


def tournament_csv(table: TournamentTable) -> str:
    """One line for each run of each round; the winner's own run is the last."""
    head = ["round", "place", "task", "minutes", "steps", "difference", "low", "high", "verdict", "rank"]
    rounds = [(str(number), entries) for number, entries in enumerate(table["rounds"], start=1)]
    rounds += [("winner", [table["winner"]])] if table["winner"] else []
    lines = [
        [name, place, entry["title"], entry["minutes"], entry["steps"], *_probed(entry["probe"]), entry["outcome"],
         entry["words"]]
        for name, entries in rounds for place, entry in enumerate(entries, start=1)
    ]  # fmt: skip
    return _written([*head, "outcome", "why"], lines)


def _probed(probe: ProbeResult | None) -> list[Any]:
    if not probe:
        return [None] * 5
    return [*_interval(gain_of(probe)), probe["verdict"], probe["rank"]]


def _interval(estimate: Score | None) -> list[float | None]:
    if not estimate:
        return [None] * 3
    return [estimate.get("value"), estimate.get("low"), estimate.get("high")]


def _factor(worth: Worth | None) -> list[Any]:
    said = factor_of(worth)
    if said is None or said.how == "flat":
        return [None, None, None, said is not None or None]
    ends = {"at least": [None, said.value, None], "at most": [None, None, said.value]}
    return [*ends.get(said.how, [said.value, said.low, said.high]), None]


def _written(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(harmless, head))
    writer.writerows(["" if value is None else harmless(value) for value in line] for line in lines)
    return text.getvalue()
