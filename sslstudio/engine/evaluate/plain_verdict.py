"""The result of a fine-tuning for people who know none of the field's words: how good, against what, and what next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.evaluate.arms import GENERAL, PRETRAINED
from sslstudio.engine.runs.metrics import ClassLine, FinetuneMetrics, ScoreInterval

Next = Literal["label", "use"]
WEAK = 0.7  # share of a class that is found, or of its area that is met, below which it is named
WANTED = 20  # further labels that are asked for


@dataclass(frozen=True)
class PlainVerdict:
    """Sentences in the order in which one asks; NOTHING where there is nothing to say. `useful`: it is better than
    guessing, as far as the test pictures can tell. `next`: what to do, `label` or `use` it; `next_step` says it."""

    score: Message
    guessing: Message
    worth: Message
    weakest: Message
    next: Next
    next_step: Message
    useful: bool


def plain_verdict(metrics: FinetuneMetrics, *, own: bool = True) -> PlainVerdict:
    """Say what a result means. Nothing is praised that the interval of the score does not tell from guessing. own: it
    started from a pretraining on one's own pictures, and not from general weights alone or from nothing."""
    part = metrics["parts"].get(PRETRAINED) or next(iter(metrics["parts"].values()))
    headline = metrics["headline"]
    score, guessed = part["scores"][headline], metrics["baseline"].get(headline) or 0.0
    useful = (score["low"] or 0.0) > guessed
    weakest, name = _weakest(part["per_class"], masks=metrics["kind"] == "segmentation")
    label = not useful or bool(weakest)
    return PlainVerdict(
        _score(score, metrics["n_test"], masks=metrics["kind"] == "segmentation"),
        _guessing(guessed, useful=useful),
        _worth(metrics, own=own) if useful else NOTHING,
        weakest if useful else NOTHING,
        "label" if label else "use",
        _next_step(name if useful else "", useful=useful, label=label),
        useful,
    )


def _score(score: ScoreInterval, n_test: int, *, masks: bool) -> Message:
    words = {"value": score["value"] or 0.0, "low": score["low"] or 0.0, "high": score["high"] or 0.0, "n": n_test}
    if masks:
        return Message(
            "What it marks and what should be marked agree by {value:.0%} of their area (likely between {low:.0%} and "
            "{high:.0%}), on {n:,} pictures that it had not seen.",
            **words,
        )
    return Message(
        "It puts {value:.0%} of the pictures into the right class (likely between {low:.0%} and {high:.0%}), on {n:,} "
        "pictures that it had not seen, each class counting the same.",
        **words,
    )


def _guessing(guessed: float, *, useful: bool) -> Message:
    if useful:
        return Message(
            "Always guessing the commonest would get {guessed:.0%}: it is better than that.", guessed=guessed
        )
    return Message(
        "Always guessing the commonest would get {guessed:.0%}: it cannot be told from guessing. Do not use it yet.",
        guessed=guessed,
    )


def _worth(metrics: FinetuneMetrics, *, own: bool) -> Message:
    """What it has gained by what it knew before the labels: against a twin that knew nothing, and, where it has learnt
    from one's own pictures, against general weights alone."""
    gap = metrics["difference"]
    if gap is None or gap["value"] is None:
        return NOTHING
    points = 100 * gap["value"]
    if (gap["low"] or 0.0) > 0:
        said = Message("Against a network that knew nothing before your labels: {points:+.0f} points.", points=points)
    elif (gap["high"] or 0.0) < 0:
        said = Message("A network that knew nothing before your labels is better: {points:+.0f} points.", points=points)
    else:
        said = Message(
            "Whether it is better than a network that knew nothing before your labels cannot be told from so few test "
            "pictures ({points:+.0f} points).",
            points=points,
        )
    return join([said, _against_general(metrics) if own else NOTHING])


def _against_general(metrics: FinetuneMetrics) -> Message:
    """Two intervals that do not meet are far apart; where they meet nothing is said but that."""
    parts, headline = metrics["parts"], metrics["headline"]
    if GENERAL not in parts or PRETRAINED not in parts:
        return NOTHING
    mine, general = parts[PRETRAINED]["scores"][headline], parts[GENERAL]["scores"][headline]
    value = general["value"] or 0.0
    if (mine["low"] or 0.0) > (general["high"] or 0.0):
        return Message(
            "Knowing only photographs in general would get {value:.0%}: your own pictures helped.", value=value
        )
    if (general["low"] or 0.0) > (mine["high"] or 0.0):
        return Message("Knowing only photographs in general gets {value:.0%}, which is better.", value=value)
    return Message(
        "Knowing only photographs in general gets {value:.0%}: whether your own pictures helped cannot be told.",
        value=value,
    )


def _weakest(lines: Sequence[ClassLine], *, masks: bool) -> tuple[Message, str]:
    """The class that is found worst, and its name; nothing where all are found well."""
    shares = [(line.get("iou") if masks else line.get("recall"), line["name"]) for line in lines if line["n"]]
    known = [(share, name) for share, name in shares if share is not None]
    if not known or min(known)[0] >= WEAK:
        return NOTHING, ""
    share, name = min(known)
    if masks:
        return Message("Hardest: {name}, of which {share:.0%} of the area is met.", name=name, share=share), name
    return Message("Hardest: {name}, of which {share:.0%} are found.", name=name, share=share), name


def _next_step(name: str, *, useful: bool, label: bool) -> Message:
    if name:
        return Message("Label {wanted} more pictures of {name}, then learn again.", wanted=WANTED, name=name)
    if not useful:
        return Message("Label {wanted} more pictures of each class, then learn again.", wanted=WANTED)
    if label:
        return Message("Label {wanted} more pictures, then learn again.", wanted=WANTED)
    return Message("Let it answer new pictures.")
