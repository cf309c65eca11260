"""How sure the ranking of a tournament is, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from sslstudio.engine.core.messages import Message

Table = Mapping[str, Any]


def tournament_notes(table: Table) -> list[Message]:
    """What is to be known of a tournament.json, in sentences."""
    notes = [Message("All tasks of a round had the same time; who goes on does so from its weights.")]
    if table["rounds"]:
        notes += _closeness([row["probe"] for row in table["rounds"][-1] if row["probe"]])
    return notes


def _closeness(probes: Sequence[Table]) -> list[Message]:
    """Whether the last round tells its first two apart, in words."""
    if not probes:
        return []
    if not probes[0]["difference"]:
        return [Message("Without labels the tasks are ranked by RankMe, which shows a collapse and little more.")]
    notes = []
    if probes[0]["verdict"] != "helps":
        notes.append(
            Message("Even the first one cannot be told from the untrained network yet: more time, or another task.")
        )
    if len(probes) > 1 and probes[1]["difference"]["high"] > probes[0]["difference"]["value"]:
        notes.append(Message("The first two are closer than their intervals are wide: the second may be as good."))
    return notes
