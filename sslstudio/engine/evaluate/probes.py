"""Probes: what can a simple classifier read from frozen features with a few labels?

Every stage of the encoder is probed, since the last one is not the best for every task. The best of four is the
luckiest of four: what is compared with the untrained network is therefore chosen on one half of the draws and pictures
and scored on the other half, for both networks alike.

Letters: n pictures, P places of a picture that are answered for (1 where a picture has one class), D features,
C classes, R draws of labels, S stages.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.linear_and_knn import linear_answers, nearest_answers, neighbours, standardised
from sslstudio.engine.evaluate.scores import HEADLINE
from sslstudio.engine.evaluate.verdict import TITLES
from sslstudio.engine.transforms.finetune_views import IGNORE

Array = npt.NDArray[np.float64]
FOLDS = 5
REPEATS = 8  # foldings that are averaged: with 5 labels a class one folding alone is a lottery
MOST_KNOWN = 3000  # labelled places of a draw at most: the fit grows with their third power
VOTERS = 400  # labelled places that k-NN compares with


@dataclass(frozen=True)
class Labels:
    """What is known of n probed pictures.

    targets   int64 (n, P), class numbers or IGNORE
    group     int64 (n,): pictures of one group are never on both sides, and are resampled together
    """

    kind: str  # classification or segmentation
    classes: int
    targets: Tensor
    group: Tensor

    @property
    def balanced(self) -> bool:
        """Classes of pictures weigh the same; classes of places weigh by how many places they cover."""
        return self.kind == "classification"


@dataclass(frozen=True)
class Draw:
    """A draw of labels: numbers of the pictures that teach, and of those that are scored."""

    taught: Tensor
    scored: Tensor


@dataclass(frozen=True)
class Counts:
    """Right, true and guessed answers of each class: linear and knn, each (S, R, n, 3, C). Zero where not scored."""

    linear: Array
    knn: Array


def best_stage(features: list[Tensor], targets: Tensor, seed: int) -> tuple[int, list[float]]:
    """The stage (1 to S) whose features tell the classes best, by cross-validation on a few labels alone.

    `features`: (n, D) for each stage; `targets`: int64 (n,). Returns the stage and the balanced accuracy of each,
    a mean over repeated stratified folds (leave one of each class out, where a class has at most FOLDS pictures).
    Equal stages: the later one. With a single class, or a single picture of each, there is nothing to choose by:
    the last stage and chance.
    """
    count = int(targets.max()) + 1 if len(targets) else 0
    sizes = torch.bincount(targets, minlength=count)
    usable = (sizes[targets] >= 2).nonzero().flatten()
    if int((sizes >= 2).sum()) < 2:
        return len(features), [1 / max(1, int((sizes > 0).sum()))] * len(features)
    known = targets[usable]
    folds = list(_foldings(known, seed))
    shares = [_cross_validated(standardised(stage[usable]), known, folds, count) for stage in features]
    best = max(range(len(shares)), key=lambda stage: (round(shares[stage], 9), stage))
    return best + 1, shares


def _foldings(targets: Tensor, seed: int) -> Iterator[Tensor]:
    """Fold numbers (n,), REPEATS times: the pictures of a class are dealt out one by one, in a drawn order."""
    rng = np.random.default_rng(derive(seed, "folds"))
    sizes = torch.bincount(targets)
    folds = min(FOLDS, int(sizes[sizes > 0].min()))
    for _ in range(REPEATS):
        fold = torch.zeros_like(targets)
        for number in range(len(sizes)):
            members = (targets == number).nonzero().flatten()
            fold[members[torch.from_numpy(rng.permutation(len(members)))]] = torch.arange(len(members)) % folds
        yield fold


def _cross_validated(features: Tensor, targets: Tensor, foldings: list[Tensor], count: int) -> float:
    right = torch.zeros(len(targets), dtype=torch.float64)
    for fold in foldings:
        for number in range(int(fold.max()) + 1):
            out = fold == number
            answers = linear_answers(features[~out], targets[~out], features[out], count)
            right[out] += (answers == targets[out]).double()
    sizes = torch.bincount(targets, minlength=count)
    recalls = torch.zeros(count, dtype=torch.float64).index_add_(0, targets, right)[sizes > 0] / sizes[sizes > 0]
    return float(recalls.mean()) / len(foldings)


def draws_of(labels: Labels, per_class: int, count: int, seed: int) -> list[Draw]:
    """`count` draws of `per_class` pictures of each class (for masks: in all), at most half of what there is.

    Scored are the pictures of groups that teach nothing in this draw.
    """
    return [_draw(labels, per_class, np.random.default_rng(derive(seed, "labels", number))) for number in range(count)]


def _draw(labels: Labels, per_class: int, rng: np.random.Generator) -> Draw:
    first = labels.targets[:, 0] if labels.balanced else torch.zeros(len(labels.targets), dtype=torch.int64)
    taught = []
    for number in range(int(first.max()) + 1):
        members = (first == number).nonzero().flatten()
        order = torch.from_numpy(rng.permutation(len(members)))
        taught.append(members[order[: min(per_class, len(members) // 2)]])
    chosen = torch.cat(taught).sort().values
    apart = ~torch.isin(labels.group, labels.group[chosen])
    return Draw(chosen, apart.nonzero().flatten())


def labels_taught(labels: Labels, draws: list[Draw]) -> int:
    """How many labelled pictures of a class (for masks: in all) teach a probe: of the class that has most."""
    if not labels.balanced:
        return max(len(draw.taught) for draw in draws)
    return max(int(torch.bincount(labels.targets[draw.taught, 0]).max()) for draw in draws)


def count_answers(features: list[Tensor], labels: Labels, draws: list[Draw], seed: int) -> Counts:
    """Probe each stage on each draw. `features`: (n, P, D) for each stage, on the CPU."""
    shape = (len(features), len(draws), len(labels.targets), 3, labels.classes)
    counts = Counts(np.zeros(shape), np.zeros(shape))
    for stage, values in enumerate(features):
        places = values.shape[1]
        flat = standardised(values.flatten(0, 1)).float().view(len(values), places, -1)
        for number, draw in enumerate(draws):
            linear, knn = _answers(flat, labels, draw, derive(seed, "places", number))
            truth = labels.targets[draw.scored]
            counts.linear[stage, number, draw.scored] = _counted(truth, linear, labels.classes)
            counts.knn[stage, number, draw.scored] = _counted(truth, knn, labels.classes)
    return counts


def _answers(features: Tensor, labels: Labels, draw: Draw, seed: int) -> tuple[Tensor, Tensor]:
    """Class numbers (scored, P) of the linear probe and of k-NN."""
    known, classes = features[draw.taught].flatten(0, 1), labels.targets[draw.taught].flatten()
    usable = (classes != IGNORE).nonzero().flatten()
    order = usable[torch.from_numpy(np.random.default_rng(seed).permutation(len(usable)))] if len(usable) else usable
    some, few = order[:MOST_KNOWN], order[:VOTERS]
    asked = features[draw.scored]
    flat = asked.flatten(0, 1)
    if not len(order):
        nothing = torch.zeros(asked.shape[:2], dtype=torch.int64)
        return nothing, nothing
    linear = linear_answers(known[some], classes[some], flat, labels.classes, balanced=labels.balanced)
    shown = int((torch.bincount(classes[few]) > 0).sum())
    votes = neighbours(len(few) // shown)
    knn = nearest_answers(known[few], classes[few], flat, labels.classes, votes)
    return linear.view(asked.shape[:2]), knn.view(asked.shape[:2])


def _counted(truth: Tensor, answers: Tensor, classes: int) -> Array:
    """(m, 3, C) counts of right, true and guessed answers; truth and answers (m, P)."""
    counts = np.zeros((len(truth), 3, classes))
    row = torch.arange(len(truth))[:, None].expand_as(truth)
    known = truth != IGNORE
    for kind, chosen, values in ((0, known & (truth == answers), truth), (1, known, truth), (2, known, answers)):
        cells = (row[chosen] * classes + values[chosen]).numpy()
        counts[:, kind] = np.bincount(cells, minlength=len(truth) * classes).reshape(len(truth), classes)
    return counts


def headline(kind: str, counts: Array) -> Array:
    """Balanced accuracy or mean IoU of (..., 3, C) counts; a class that does not occur does not count."""
    right, truth, guessed = np.moveaxis(counts, -2, 0)
    whole = truth if kind == "classification" else truth + guessed - right
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole > 0, right / whole, 0.0).sum(-1) / (whole > 0).sum(-1)
    return np.asarray(share, np.float64)


def stage_scores(kind: str, counts: Array) -> list[float]:
    """The score of each stage, a mean over the draws, from (S, R, n, 3, C)."""
    return [float(value) for value in headline(kind, counts.sum(axis=2)).mean(axis=1)]


def score_name(kind: str) -> Message:
    """In words."""
    return TITLES[HEADLINE[kind]]
