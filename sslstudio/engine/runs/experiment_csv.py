"""The tables of a comparison or a tournament as CSV, one number a field, for other programs."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

Table = Mapping[str, Any]


def efficiency_csv(table: Table) -> str:
    """One line for each row and number of labels: the score, the difference to scratch and what the labels are worth,
    each with its 95 % interval; empty where it is not known."""
    head = ["row", "labels", "draws", table["headline"], "low", "high"]
    head += ["difference", "difference_low", "difference_high", "verdict", "worth", "worth_low", "worth_high"]
    lines = [
        [row["title"], cell["labels"], len(cell["draws"]), *_interval(cell["score"]), *_interval(cell["difference"]),
         cell.get("verdict"), *_interval(cell["worth"])]
        for row in table["rows"] for cell in row["cells"]
    ]  # fmt: skip
    return _written(head, lines)


def tournament_csv(table: Table) -> str:
    """One line for each run of each round; the winner's own run is the last."""
    head = [
        "round",
        "place",
        "task",
        "minutes",
        "steps",
        "difference",
        "low",
        "high",
        "verdict",
        "rank",
        "outcome",
        "why",
    ]
    rounds = [(str(number), rows) for number, rows in enumerate(table["rounds"], start=1)]
    rounds += [("winner", [table["winner"]])] if table["winner"] else []
    lines = [
        [name, place, row["title"], row["minutes"], row["steps"], *_interval((row["probe"] or {}).get("difference")),
         *((row["probe"] or {}).get(key) for key in ("verdict", "rank")), row["outcome"], row["words"]]
        for name, rows in rounds for place, row in enumerate(rows, start=1)
    ]  # fmt: skip
    return _written(head, lines)


def _interval(estimate: Mapping[str, Any] | None) -> list[Any]:
    return [(estimate or {}).get(key) for key in ("value", "low", "high")]


def _written(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if value is None else value for value in line] for line in lines)
    return text.getvalue()
