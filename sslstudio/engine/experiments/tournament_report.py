"""The table of a tournament as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from sslstudio.engine.experiments.report import NOTHING, grid, signed
from sslstudio.engine.experiments.tournament_notes import tournament_notes

Table = Mapping[str, Any]


def tournament_markdown(table: Table) -> str:
    """tournament.md: the rounds, the winner, and how sure that is."""
    blocks = [f"# Tournament on {table['folder']}, {table['minutes']:g} minutes"]
    for number, rows in enumerate(table["rounds"], start=1):
        blocks.append(f"## Round {number}\n\n" + _round(rows))
    if table["winner"]:
        blocks.append("## The winner went on\n\n" + _round([table["winner"]]))
    if table["winner_run"]:
        blocks.append(f"Its run is {table['winner_run']}. Next, on a few labels: sslstudio finetune "
                      f"{table['folder']} --from {table['winner_run']} --out RUN")  # fmt: skip
    blocks.append("\n".join(f"- {note}" for note in tournament_notes(table)))
    return "\n\n".join(blocks) + "\n"


def _round(rows: Sequence[Table]) -> str:
    head = ["", "Task", "Minutes", "Steps", "Probe against untrained (95 % interval)", "Verdict", "RankMe (untrained)"]
    return grid(head, [_line(place, row) for place, row in enumerate(rows, start=1)])


def _line(place: int, row: Table) -> list[str]:
    probe = row["probe"]
    if row["outcome"] != "done" or not probe:
        return [NOTHING, row["title"], NOTHING, NOTHING, f"{row['outcome']}: {row['words']}", NOTHING, NOTHING]
    return [
        str(place),
        row["title"],
        f"{row['minutes']:.1f}",
        f"{row['steps']:,}",
        signed(probe["difference"] or None),
        probe["verdict"] or "no labels",
        f"{probe['rank']:.1f} ({probe['untrained_rank']:.1f})",
    ]
