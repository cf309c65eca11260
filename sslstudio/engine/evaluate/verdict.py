"""The result of a fine-tuning run: scores, baseline, comparison with the twin, and what they say in words."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.evaluate.arms import BASELINES, BESIDE, FROM_SCRATCH, GENERAL, PRETRAINED, UNTRAINED
from sslstudio.engine.evaluate.scores import HEADLINE, Array, Score, always, difference, per_class, score
from sslstudio.engine.runs.metrics import FinetuneMetrics, PartResult, ScoreInterval

TITLES = {"balanced_accuracy": Message("balanced accuracy"), "mean_iou": Message("mean IoU")}
BEGINNING = {"balanced_accuracy": Message("Balanced accuracy"), "mean_iou": Message("Mean IoU")}  # of a sentence
KINDS = {"classification": Message("Classification"), "segmentation": Message("Segmentation")}  # in titles of runs
WITHOUT = {FROM_SCRATCH: Message("from scratch"), UNTRAINED: Message("with untrained features")}  # a pretraining
Scores = Mapping[str, Mapping[str, Score]]  # of each part, by name
FEW = 50  # test pictures under which the interval itself is shaky
NAMED = 5  # classes that are named at most
RARE = 10  # test pictures of a class under which its share weighs more than it tells


def summarise(
    kind: str,
    names: Sequence[str],
    confusions: Mapping[str, Array],
    *,
    n_train: int,
    most_frequent: int,
    groups: Sequence[str] | None = None,
    counted: npt.NDArray[np.bool_] | None = None,
) -> FinetuneMetrics:
    """The content of metrics.json.

    `confusions`: part (pretrained, scratch) -> (n, C, C) on the same test pictures; `most_frequent`: the class that
    is most frequent among the training labels, which the baseline always guesses; `counted`: see `scores.score`.
    """
    headline = HEADLINE[kind]
    scores = {part: score(kind, matrices, groups, counted=counted) for part, matrices in confusions.items()}
    some = next(iter(confusions.values()))
    without = _without(headline, scores)
    gap = difference(kind, confusions[PRETRAINED], confusions[without], groups) if without else None
    guessed = score(kind, always(some, most_frequent), groups, counted=counted)
    baseline = {name: value.value for name, value in guessed.items()}
    return {
        "job": "finetune",
        "kind": kind,
        "classes": list(names),
        "n_train": n_train,
        "n_test": len(some),
        "headline": headline,
        "baseline": baseline,
        "intervals": "effective",
        "parts": {part: _part(kind, names, matrices, scores[part]) for part, matrices in confusions.items()},
        "difference": gap.to_json() if gap else None,
        "compared_with": without,
        "differences": _to_each(kind, confusions, groups),
        "verdict": verdict(headline, scores, gap, baseline),
        "notes": [*_notes(len(some), n_train, gap is not None), *_rare(kind, names, some)],
    }


def _to_each(kind: str, confusions: Mapping[str, Array], groups: Sequence[str] | None) -> dict[str, ScoreInterval]:
    """How much higher the pretrained arm scores than each of the others, picture by picture."""
    if PRETRAINED not in confusions:
        return {}
    others = (part for part in confusions if part != PRETRAINED)
    return {part: difference(kind, confusions[PRETRAINED], confusions[part], groups).to_json() for part in others}


def _without(headline: str, scores: Scores) -> str:
    """The better of the arms without a pretraining, which the pretrained one has to beat; '' where there is nothing to
    compare. These same test pictures say which it is, so luck speaks for it and never for the pretraining."""
    found = [arm for arm in BASELINES if arm in scores]
    if PRETRAINED not in scores or not found:
        return ""
    return max(found, key=lambda arm: scores[arm][headline].value)


def _part(kind: str, names: Sequence[str], confusions: Array, scores: Mapping[str, Score]) -> PartResult:
    total = confusions.sum(0)
    return {
        "scores": {name: value.to_json() for name, value in scores.items()},
        "confusion": np.rint(total).astype(int).tolist(),
        "per_class": per_class(kind, total, names),
    }


def verdict(headline: str, parts: Scores, gap: Score | None, baseline: Mapping[str, float]) -> Message:
    """A few sentences that a person can repeat without lying. What has no twin beside it says so.

    First what always guessing the most frequent class gets as well: a network that does not beat that is of no use,
    whatever its twin does, and then the twin is only named.
    """
    scores = parts[PRETRAINED] if gap else next(iter(parts.values()))
    pixels = _fewer_pixels(scores, baseline)
    if gap is None:
        return join([pixels, _alone(headline, parts, baseline[headline], clear=not pixels)])
    guessed = [one for one in (_no_better(headline, scores, baseline[headline]), pixels) if one]
    compared = _beside_guessing(headline, parts) if guessed else _compared(headline, parts, gap)
    return join([*guessed, compared, _general(headline, parts)])


def _beside_guessing(headline: str, parts: Scores) -> Message:
    """The two scores of a comparison from which nothing follows."""
    without = _without(headline, parts)
    return Message(
        "The {title} is {ours:score} pretrained against {theirs:score} {without}: while guessing does as well, "
        "nothing follows from their difference.",
        title=TITLES[headline],
        ours=parts[PRETRAINED][headline].value,
        theirs=parts[without][headline].value,
        without=WITHOUT[without],
    )


def _general(headline: str, parts: Scores) -> Message:
    """What a network reaches that somebody else has trained, which many would take instead."""
    if GENERAL not in parts:
        return NOTHING
    general, own = parts[GENERAL][headline], parts[PRETRAINED][headline]
    said = Message("Read from general weights it is {general:score}.", general=general.value)
    if BESIDE in parts:
        said = Message(
            "Read from general weights it is {general:score}, from your own beside general ones {beside:score}.",
            general=general.value,
            beside=parts[BESIDE][headline].value,
        )
    if general.low > own.high:
        return join([said, Message("For these pictures general weights are the better start.")])
    return said


def _no_better(headline: str, scores: Mapping[str, Score], baseline: float) -> Message:
    """Nothing where the interval is above the baseline."""
    one = scores[headline]
    if one.low > baseline:
        return NOTHING
    return Message(
        "No better than always guessing the most frequent class, which has a {title} of {baseline:score}: with "
        "pretraining it is {value:score} (95 % interval {low:score} to {high:score}).",
        title=TITLES[headline],
        baseline=baseline,
        value=one.value,
        low=one.low,
        high=one.high,
    )


def _fewer_pixels(scores: Mapping[str, Score], baseline: Mapping[str, float]) -> Message:
    """Nothing where as many pixels are right as guessing gets, or there are no masks."""
    right = scores.get("pixel_accuracy")
    if right is None or not right.high < baseline["pixel_accuracy"]:
        return NOTHING
    return Message(
        "Fewer pixels are right than by always guessing the most frequent class: {value:score} instead of "
        "{baseline:score}.",
        value=right.value,
        baseline=baseline["pixel_accuracy"],
    )


def _alone(headline: str, parts: Scores, baseline: float, *, clear: bool) -> Message:
    part, scores = next(iter(parts.items()))
    one = scores[headline]
    above = Message("above the") if one.low > baseline and clear else Message("not clearly above the")
    name = BEGINNING[headline]
    said = Message(
        "{value:score} (95 % interval {low:score} to {high:score}, n = {n}), {above} {baseline:score} of "
        "always guessing the most frequent class",
        value=one.value,
        low=one.low,
        high=one.high,
        n=one.n,
        above=above,
        baseline=baseline,
    )
    if part == FROM_SCRATCH:
        return Message("{name} from scratch: {said}.", name=name, said=said)
    alone = Message("{name} with pretraining: {said}.", name=name, said=said)
    return Message("{alone} It was not compared with not pretraining.", alone=alone)


def _compared(headline: str, parts: Scores, gap: Score) -> Message:
    """What one draw of labels and one pretraining can say: which network scored higher on these pictures. Whether
    pretraining helps is a question for several draws (decision 0039)."""
    without = _without(headline, parts)
    ours, theirs = (parts[part][headline].value for part in (PRETRAINED, without))
    if gap.low > 0:
        says = Message("Higher with pretraining on these test pictures")
    elif gap.high < 0:
        says = Message("Lower with pretraining on these test pictures")
    else:
        says = Message("No difference can be told from chance")
    return Message(
        "{says}: {title} {ours:score} pretrained against {theirs:score} {without}, a difference of "
        "{gap:points} (95 % interval {low:signed} to {high:signed}, n = {n}). Another draw of labels or another seed "
        "can differ.",
        without=WITHOUT[without],
        says=says,
        title=TITLES[headline],
        ours=ours,
        theirs=theirs,
        gap=gap.value,
        low=gap.low,
        high=gap.high,
        n=gap.n,
    )


def _notes(n_test: int, n_train: int, compared: bool) -> list[str]:
    notes: list[str] = []
    if n_test < FEW:
        notes.append(
            Message(
                "Only {n_test} test pictures: the numbers can be far off. Label more pictures for the test.",
                n_test=n_test,
            )
        )
    if compared:
        notes.append(
            Message(
                "The interval covers the luck of the test pictures, not that of the draw of the {n_train:,} labelled "
                "training pictures: another draw or seed can differ by several points. Whether pretraining helps is "
                "said by a comparison of several draws.",
                n_train=n_train,
            )
        )
    return notes


def _rare(kind: str, names: Sequence[str], confusions: Array) -> list[str]:
    """Which classes have few test pictures: of those one picture more or less moves the score a lot."""
    if kind != "classification":
        return []
    counts = confusions.sum((0, 2)).astype(int).tolist()
    few = [(name, count) for name, count in zip(names, counts, strict=True) if 0 < count < RARE]
    if not few:
        return []
    classes = [Message("{name} ({count})", name=name, count=count) for name, count in few[:NAMED]]
    if len(few) > NAMED:
        classes.append(Message("{more:,} more", more=len(few) - NAMED))
    return [
        Message(
            "Fewer than {rare} test pictures of {classes:and}: what is right of so few is mostly luck. The intervals "
            "allow for it.",
            rare=RARE,
            classes=classes,
        )
    ]
