"""What two readings, of a network and of the same one untrained, say: numbers and a sentence."""

from typing import Any, TypedDict

from sslstudio.engine.core.events import Probed
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.probe_difference import HARMS, HELPS, Difference, compare
from sslstudio.engine.evaluate.probes import Counts, Labels, score_name, stage_scores
from sslstudio.engine.evaluate.rankme import Reach


class _Numbers(TypedDict):
    rank: float
    spread: float
    untrained_rank: float
    untrained_spread: float


SAYS = {HELPS: Message("It helps"), HARMS: Message("It harms")}


def stage_rows(kind: str, ours: Counts, theirs: Counts) -> list[dict[str, float]]:
    """For each stage the scores of both probes on both networks."""
    scores = {
        "linear": stage_scores(kind, ours.linear),
        "knn": stage_scores(kind, ours.knn),
        "untrained_linear": stage_scores(kind, theirs.linear),
        "untrained_knn": stage_scores(kind, theirs.knn),
    }
    stages = range(len(scores["linear"]))
    return [{"stage": stage + 1, **{name: values[stage] for name, values in scores.items()}} for stage in stages]


def probed(
    at: tuple[int, float],
    labels: Labels,
    counts: tuple[Counts, Counts],
    reaches: tuple[Reach, Reach],
    taught: int,
    seed: int,
    general: bool = False,
) -> Probed:
    """The event: `at` step and share; `counts` and `reaches` ours and untrained; `taught` labels a class. `general`:
    the other network is not untrained, but has the general weights that this one began with."""
    ours, theirs = counts
    gap = compare(labels.kind, ours.linear, theirs.linear, labels.group.numpy(), seed)
    rows = stage_rows(labels.kind, ours, theirs)
    best = max(rows, key=lambda row: (row["linear"], row["stage"]))
    n = int((ours.linear[0].sum(axis=(2, 3)) > 0).any(axis=0).sum())
    return Probed(
        step=at[0],
        share=at[1],
        labels=taught,
        n=n,
        stages=rows,
        best_stage=int(best["stage"]),
        difference={"value": gap.value, "low": gap.low, "high": gap.high, "ours": gap.ours, "untrained": gap.theirs},
        verdict=gap.verdict,
        text=_sentence(labels, gap, taught, n, ours.linear.shape[1], general),
        **_numbers(*reaches),
    )


def _sentence(labels: Labels, gap: Difference, taught: int, n: int, draws: int, general: bool) -> Message:
    each = Message("labelled pictures") if labels.kind == "segmentation" else Message("labels a class")
    values: dict[str, Any] = dict(
        says=SAYS.get(gap.verdict, Message("No difference yet")),
        taught=taught,
        each=each,
        score=score_name(labels.kind),
        ours=gap.ours,
        theirs=gap.theirs,
        gap=gap.value,
        low=gap.low,
        high=gap.high,
        n=n,
        draws=draws,
    )
    if general:
        return Message(
            "{says}: with {taught} {each} a linear probe reads a {score} of {ours:score} from these "
            "features and {theirs:score} from the general weights as they were before, {gap:points} (95 % interval "
            "{low:signed} to {high:signed}; {n} scored pictures, {draws} draws of labels; each network at the "
            "best of its four stages, chosen on other pictures than it is scored on).",
            **values,
        )
    return Message(
        "{says}: with {taught} {each} a linear probe reads a {score} of {ours:score} from these "
        "features and {theirs:score} from the same network untrained, {gap:points} (95 % interval "
        "{low:signed} to {high:signed}; {n} scored pictures, {draws} draws of labels; each network at the "
        "best of its four stages, chosen on other pictures than it is scored on).",
        **values,
    )


def unlabelled(at: tuple[int, float], ours: Reach, theirs: Reach) -> Probed:
    """The event where there are no labels, or too few."""
    text = Message(
        "Not enough labels to probe with. The features use about {rank:.1f} directions (RankMe; "
        "untrained {untrained_rank:.1f}) and spread {spread:.3f} (untrained {untrained_spread:.3f}). That shows a "
        "collapse; it does not show whether they help.",
        rank=ours.rank,
        untrained_rank=theirs.rank,
        spread=ours.spread,
        untrained_spread=theirs.spread,
    )
    return Probed(
        step=at[0],
        share=at[1],
        labels=0,
        n=0,
        stages=[],
        best_stage=0,
        difference={},
        verdict="",
        text=text,
        **_numbers(ours, theirs),
    )


def _numbers(ours: Reach, theirs: Reach) -> _Numbers:
    return {
        "rank": ours.rank,
        "spread": ours.spread,
        "untrained_rank": theirs.rank,
        "untrained_spread": theirs.spread,
    }
