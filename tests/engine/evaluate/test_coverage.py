"""How often the 95 % intervals hold the truth: simulated with the program's own functions, on four ways in which test
pictures fall into classes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.evaluate.intervals import Array, bound_gap, bound_recall
from sslstudio.engine.evaluate.scores import difference, one_hot_confusions, score

LOW, HIGH = 0.93, 0.98
STUDIES = 2000
Study = Callable[[np.random.Generator], tuple[float, float, float]]


@dataclass(frozen=True)
class Design:
    """The shares of the classes, and how often each is recognised."""

    shares: tuple[float, ...]
    recalls: tuple[float, ...]

    def count(self, rng: np.random.Generator, n: int) -> Array:
        """Test pictures of each class: one at least."""
        return np.maximum(1, rng.multinomial(n, self.shares)).astype(np.float64)


DESIGNS = {
    "2 even": Design((0.5, 0.5), (0.8, 0.8)),
    "90 and 10": Design((0.9, 0.1), (0.9, 0.7)),
    "5 even": Design((0.2,) * 5, (0.8,) * 5),
    "50 to 3": Design((0.5, 0.25, 0.15, 0.07, 0.03), (0.8,) * 5),
}
all_designs = pytest.mark.parametrize("name", DESIGNS)
all_sizes = pytest.mark.parametrize("n", [40, 60, 100, 200, 400])


def coverage(study: Study, studies: int, *named: str | int) -> float:
    """The share of the studies (low, high and truth of each) of which the interval holds the truth."""
    rng = np.random.default_rng(derive(0, "coverage", *named))
    found = [study(rng) for _ in range(studies)]
    return float(np.mean([low <= truth <= high for low, high, truth in found]))


@pytest.mark.slow
@all_designs
@all_sizes
def test_a_balanced_accuracy_lies_where_it_is_said_to(name: str, n: int) -> None:
    design = DESIGNS[name]

    def study(rng: np.random.Generator) -> tuple[float, float, float]:
        count = design.count(rng, n)
        right = rng.binomial(count.astype(int), design.recalls).astype(np.float64)
        return *bound_recall(right, count), float(np.mean(design.recalls))

    assert LOW <= coverage(study, STUDIES, name, n) <= HIGH


def disagreements(rng: np.random.Generator, design: Design, count: Array, gap: float) -> tuple[Array, Array]:
    """Pictures of each class that only the first, only the second network has right, which is worse by `gap`. On three
    in ten pictures both answers hang on the same."""
    recall = np.asarray(design.recalls)
    first = 0.3 * gap + 0.7 * recall * (1 - recall + gap)
    second = 0.7 * (1 - recall) * (recall - gap)
    drawn = rng.multinomial(count.astype(int), np.stack([first, second, 1 - first - second], axis=1))
    return drawn[:, 0].astype(np.float64), drawn[:, 1].astype(np.float64)


@pytest.mark.slow
@all_designs
@all_sizes
@pytest.mark.parametrize("gap", [0.0, 0.15])
def test_a_difference_lies_where_it_is_said_to(name: str, n: int, gap: float) -> None:
    """Where a class has hardly a picture on which the two disagree, an interval that errs does so by being wide."""
    design = DESIGNS[name]

    def study(rng: np.random.Generator) -> tuple[float, float, float]:
        count = design.count(rng, n)
        return *bound_gap(*disagreements(rng, design, count, gap), count), gap

    rare = n * min(design.shares) < 10
    assert LOW <= coverage(study, STUDIES, name, n, str(gap)) <= (1.0 if rare else HIGH)


def test_a_rare_class_is_not_taken_for_a_sure_one() -> None:
    """The case that was worst. Four pictures of a rare class are often all right, a bootstrap of pictures sees nothing
    vary in it, and held the truth in 73 of 100 studies."""
    design = DESIGNS["90 and 10"]

    def study(rng: np.random.Generator) -> tuple[float, float, float]:
        count = design.count(rng, 40).astype(int)
        right = rng.binomial(count, design.recalls)
        truth = np.repeat([0, 1], count)
        guess = np.concatenate([np.where(np.arange(n) < some, label, 1 - label)
                                for label, (n, some) in enumerate(zip(count, right, strict=True))])  # fmt: skip
        found = score("classification", one_hot_confusions(truth.tolist(), guess.tolist(), 2))["balanced_accuracy"]
        return found.low, found.high, float(np.mean(design.recalls))

    assert coverage(study, 150, "quick") >= 0.9


def test_few_groups_are_not_taken_for_many() -> None:
    """Twelve patients with six pictures each, which are more or less difficult: percentiles held 91 of 100."""

    def study(rng: np.random.Generator) -> tuple[float, float, float]:
        chance = 1 / (1 + np.exp(-1.4 - rng.normal(0, 1, 12)))
        truth = rng.integers(0, 2, 72)
        right = rng.random(72) < np.repeat(chance, 6)
        confusions = one_hot_confusions(truth.tolist(), np.where(right, truth, 1 - truth).tolist(), 2)
        found = score("classification", confusions, [f"{number // 6}" for number in range(72)])["accuracy"]
        return found.low, found.high, EASY

    assert coverage(study, 150, "groups") >= 0.92


EASY = float((1 / (1 + np.exp(-1.4 - np.random.default_rng(0).normal(0, 1, 1_000_000)))).mean())


def test_the_bounds_of_a_score_are_those_that_were_simulated() -> None:
    """Scores of confusions, and the functions of counts that the simulations ask."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 3, 80)
    first, second = (np.where(rng.random(80) < share, truth, (truth + 1) % 3) for share in (0.8, 0.6))
    count = np.bincount(truth).astype(np.float64)
    ours, theirs = (one_hot_confusions(truth.tolist(), guess.tolist(), 3) for guess in (first, second))
    found = score("classification", ours)["balanced_accuracy"]
    assert (found.low, found.high) == bound_recall(np.diagonal(ours.sum(0)), count)
    only = [np.bincount(truth[(mine == truth) & (other != truth)], minlength=3).astype(np.float64)
            for mine, other in ((first, second), (second, first))]  # fmt: skip
    gap = difference("classification", ours, theirs)
    assert (gap.low, gap.high) == pytest.approx(bound_gap(only[0], only[1], count))
