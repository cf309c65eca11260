"""Probes and their comparison, on features whose worth is known because it was planted."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.events import Probed, from_json, to_json
from sslstudio.engine.evaluate import probe_difference, scores
from sslstudio.engine.evaluate.intervals import student
from sslstudio.engine.evaluate.probe_difference import (
    HARMS,
    HELPS,
    UNCLEAR,
    Difference,
    chosen_fairly,
    compare,
)
from sslstudio.engine.evaluate.probe_report import probed, stage_rows, unlabelled
from sslstudio.engine.evaluate.probes import (
    Counts,
    Labels,
    best_stage,
    count_answers,
    draws_of,
    headline,
    stage_scores,
)
from sslstudio.engine.evaluate.rankme import Reach

CLASSES = 3


def labels_of(n: int, classes: int = CLASSES, group_size: int = 1) -> Labels:
    targets = torch.arange(n) % classes
    return Labels("classification", classes, targets[:, None], torch.arange(n) // group_size)


def features_of(targets: Tensor, strength: float, seed: int, dims: int = 12) -> Tensor:
    """(n, 1, dims): noise, with the class `strength` deviations into its own direction."""
    noise = torch.randn(len(targets), dims, generator=generator(seed, "noise"))
    noise[torch.arange(len(targets)), targets] += strength
    return noise[:, None]


def four(targets: Tensor, strengths: tuple[float, ...], seed: int) -> list[Tensor]:
    return [features_of(targets, strength, 10 * seed + place) for place, strength in enumerate(strengths)]


def judged(
    ours: tuple[float, ...], theirs: tuple[float, ...], n: int = 120, seed: int = 0, draws: int = 6
) -> Difference:
    labels = labels_of(n)
    drawn = draws_of(labels, 5, draws, seed)
    targets = labels.targets[:, 0]
    first, second = (
        count_answers(four(targets, strengths, 2 * seed + side), labels, drawn, 0).linear
        for side, strengths in enumerate((ours, theirs))
    )
    return compare(labels.kind, first, second, labels.group.numpy(), seed)


class TestBestStage:
    def test_the_planted_stage_is_found_with_five_labels_a_class(self) -> None:
        targets = torch.arange(15) % 3
        for planted in range(4):
            strengths = tuple(6.0 if stage == planted else 0.0 for stage in range(4))
            stage, shares = best_stage([f[:, 0] for f in four(targets, strengths, planted)], targets, seed=0)
            assert stage == planted + 1
            assert shares[planted] > 0.85
            assert all(share < 0.75 for place, share in enumerate(shares) if place != planted)

    def test_pure_noise_is_at_chance_and_not_below(self) -> None:
        """Leaving one picture out would favour the other classes; leaving one of each class out does not."""
        targets = torch.arange(20) % 2
        shares = [best_stage([features_of(targets, 0.0, seed)[:, 0]], targets, 0)[1][0] for seed in range(25)]
        assert np.mean(shares) == pytest.approx(0.5, abs=0.08)

    def test_of_equal_stages_the_later_one(self) -> None:
        targets = torch.arange(10) % 2
        same = features_of(targets, 2.0, 1)[:, 0]
        stage, shares = best_stage([same, same, same, same], targets, 0)
        assert stage == 4
        assert len(set(shares)) == 1

    @pytest.mark.parametrize("targets", [[0, 0, 0], [0, 1, 2], [0, 0, 1]])
    def test_where_nothing_can_be_held_out_it_is_the_last_stage_and_chance(self, targets: list[int]) -> None:
        stage, shares = best_stage([torch.randn(3, 5, generator=generator(0))] * 4, torch.tensor(targets), 0)
        assert stage == 4
        assert shares == [1 / len(set(targets))] * 4

    def test_a_class_of_one_picture_and_a_gap_in_the_numbers_do_no_harm(self) -> None:
        targets = torch.tensor([0] * 6 + [5] * 6 + [3])
        stage, shares = best_stage([f[:, 0] for f in four(targets.clamp_max(9), (0.0, 0.0, 8.0, 0.0), 3)], targets, 0)
        assert stage == 3
        assert shares[2] > 0.9

    def test_the_same_seed_gives_the_same_answer(self) -> None:
        targets = torch.arange(12) % 3
        features = [f[:, 0] for f in four(targets, (1.0, 1.0, 1.0, 1.0), 5)]
        assert best_stage(features, targets, 7) == best_stage(features, targets, 7)


class TestDraws:
    @given(st.integers(8, 60), st.integers(2, 4), st.integers(1, 20), st.integers(1, 3), st.integers(0, 9))
    @settings(max_examples=40, deadline=None)
    def test_laws(self, n: int, classes: int, per_class: int, group_size: int, seed: int) -> None:
        labels = labels_of(n, classes, group_size)
        for draw in draws_of(labels, per_class, 3, seed):
            taught, scored = draw.taught.tolist(), draw.scored.tolist()
            assert not {int(g) for g in labels.group[draw.taught]} & {int(g) for g in labels.group[draw.scored]}
            assert len(set(taught)) == len(taught)
            sizes = torch.bincount(labels.targets[:, 0], minlength=classes)
            drawn = torch.bincount(labels.targets[draw.taught, 0], minlength=classes)
            assert drawn.tolist() == [min(per_class, int(size) // 2) for size in sizes]
            if group_size == 1:
                assert sorted(taught + scored) == list(range(n))

    def test_masks_are_drawn_in_all_and_draws_differ(self) -> None:
        labels = Labels("segmentation", 2, torch.zeros(30, 4, dtype=torch.int64), torch.arange(30))
        draws = draws_of(labels, 10, 4, 0)
        assert [len(draw.taught) for draw in draws] == [10] * 4
        assert len({tuple(draw.taught.tolist()) for draw in draws}) == 4


class TestCounts:
    def test_what_teaches_is_not_scored_and_what_is_scored_is_counted_once(self) -> None:
        labels = labels_of(40)
        draws = draws_of(labels, 4, 3, 0)
        counts = count_answers(four(labels.targets[:, 0], (3.0, 0.0), 1), labels, draws, 0)
        assert counts.linear.shape == (2, 3, 40, 3, CLASSES)
        for number, draw in enumerate(draws):
            for probe in (counts.linear, counts.knn):
                assert not probe[:, number, draw.taught].any()
                assert (probe[:, number, draw.scored, 1].sum(-1) == 1).all()
                assert (probe[:, number, draw.scored, 2].sum(-1) == 1).all()

    @given(st.integers(0, 99), st.sampled_from(["classification", "segmentation"]))
    @settings(max_examples=20, deadline=None)
    def test_the_score_is_that_of_the_confusion_matrix(self, seed: int, kind: str) -> None:
        rng = np.random.default_rng(seed)
        confusion = rng.integers(0, 9, (4, 4)).astype(float)
        margins = np.stack([np.diagonal(confusion), confusion.sum(1), confusion.sum(0)])
        expected = scores.SCORERS[kind](confusion)[scores.HEADLINE[kind]]
        assert float(headline(kind, margins)) == pytest.approx(float(expected))

    def test_places_to_be_ignored_neither_teach_nor_count(self) -> None:
        targets = (torch.arange(20)[:, None] + torch.arange(6)) % 2
        targets[:, 0] = 255
        features = [torch.nn.functional.one_hot(targets.clamp_max(1), 2).float()]
        labels = Labels("segmentation", 2, targets, torch.arange(20))
        draws = draws_of(labels, 5, 2, 0)
        counts = count_answers(features, labels, draws, 0)
        assert counts.linear[0, 0, draws[0].scored, 1].sum(-1).tolist() == [5.0] * 15
        assert stage_scores("segmentation", counts.linear) == [1.0]
        assert stage_scores("segmentation", counts.knn) == [1.0]

    def test_a_draw_without_a_single_place_that_counts_is_no_crash(self) -> None:
        labels = Labels("segmentation", 2, torch.full((8, 3), 255), torch.arange(8))
        counts = count_answers([torch.randn(8, 3, 4, generator=generator(1))], labels, draws_of(labels, 2, 2, 0), 0)
        assert not counts.linear.any()


class TestVerdict:
    def test_a_planted_perfect_feature_helps(self) -> None:
        gap = judged((0.0, 9.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
        assert gap.verdict == HELPS
        assert gap.ours > 0.95
        assert gap.theirs == pytest.approx(1 / CLASSES, abs=0.12)
        assert gap.low <= gap.value <= gap.high

    def test_a_planted_loss_harms(self) -> None:
        gap = judged((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 3.0, 0.0))
        assert gap.verdict == HARMS

    def test_the_same_features_are_no_difference_at_all(self) -> None:
        labels = labels_of(60)
        counts = count_answers(four(labels.targets[:, 0], (1.0, 2.0), 4), labels, draws_of(labels, 5, 6, 0), 0).linear
        gap = compare(labels.kind, counts, counts, labels.group.numpy(), 0)
        assert (gap.value, gap.low, gap.high, gap.verdict) == (0.0, 0.0, 0.0, UNCLEAR)

    def test_equally_good_features_are_rarely_told_apart(self) -> None:
        """Pairs of the same worth but other noise: at 95 % two wrong verdicts of forty, at most six by luck."""
        verdicts = [judged((1.0, 1.0), (1.0, 1.0), 90, seed, draws=4).verdict for seed in range(40)]
        assert sum(verdict != UNCLEAR for verdict in verdicts) <= 6

    def test_the_luck_of_the_best_of_many_is_not_counted(self) -> None:
        """Eight useless stages against one: taking the best on the same pictures would look like a gain."""
        values = []
        for seed in range(12):
            labels = labels_of(60)
            drawn = draws_of(labels, 5, 6, seed)
            counts = count_answers(four(labels.targets[:, 0], (0.0,) * 8, seed), labels, drawn, 0).linear
            fair = chosen_fairly(labels.kind, counts, probe_difference.halves(labels.group.numpy(), seed))
            values.append(float(headline(labels.kind, fair.sum(1)).mean()))
            assert max(stage_scores(labels.kind, counts)) > 1 / CLASSES
        assert np.mean(values) == pytest.approx(1 / CLASSES, abs=0.035)

    def test_groups_widen_the_interval(self) -> None:
        """Four copies of each of thirty pictures are thirty pictures: the interval is twice as wide."""
        rng = np.random.default_rng(0)
        pair = np.zeros((2, 1, 4, 120, 3, 2))  # two networks; the same answers in each draw
        truth = np.arange(30).repeat(4) % 2
        for network in pair[:, 0]:
            right = rng.random(30).repeat(4) < 0.6
            network[:, np.arange(120), 1, truth] = 1.0
            network[:, np.arange(120), 2, np.where(right, truth, 1 - truth)] = 1.0
            network[:, np.arange(120), 0, truth] = right
        own, copies = (
            compare("classification", pair[0], pair[1], group, 0) for group in (np.arange(120), np.arange(30).repeat(4))
        )
        assert copies.value == own.value
        assert (copies.high - copies.low) / (own.high - own.low) == pytest.approx(2.0, rel=0.15)

    @pytest.mark.parametrize(("freedom", "point"), [(4, 2.776), (9, 2.262), (30, 2.042), (1e9, 1.960)])
    def test_students_t_is_that_of_the_tables(self, freedom: float, point: float) -> None:
        assert student(freedom) == pytest.approx(point, abs=0.001)


class TestReport:
    def event(self, strength: float) -> Probed:
        labels = labels_of(90)
        drawn = draws_of(labels, 5, 6, 0)
        ours, theirs = (
            count_answers(four(labels.targets[:, 0], strengths, 1), labels, drawn, 0)
            for strengths in ((0.0, 0.0, strength, 0.0), (0.0, 0.0, 0.0, 0.0))
        )
        return probed((7, 0.25), labels, (ours, theirs), (Reach(9.0, 0.5), Reach(4.0, 0.25)), 5, 0)

    def test_says_what_it_rests_on_and_survives_json(self) -> None:
        event = self.event(5.0)
        assert from_json(to_json(event)) == event
        assert event.verdict == HELPS
        assert event.best_stage == 3
        assert [row["stage"] for row in event.stages] == [1, 2, 3, 4]
        for piece in ("It helps", "5 labels a class", "95 % interval", "90 scored pictures", "6 draws"):
            assert piece in event.text

    def test_rows_hold_both_probes_of_both_networks(self) -> None:
        zeros = np.zeros((1, 2, 3, 3, 2))
        ones = zeros.copy()
        ones[..., 1:, 0] = 1.0
        ones[..., 0, 0] = 1.0
        wrong = ones.copy()
        wrong[..., 0, :] = 0.0
        row = stage_rows("classification", Counts(ones, wrong), Counts(wrong, ones))[0]
        assert row == {"stage": 1, "linear": 1.0, "knn": 0.0, "untrained_linear": 0.0, "untrained_knn": 1.0}

    def test_without_labels_it_promises_nothing(self) -> None:
        event = unlabelled((3, 0.5), Reach(12.0, 0.4), Reach(8.0, 0.3))
        assert (event.labels, event.n, event.verdict, event.stages) == (0, 0, "", [])
        assert "does not show whether they help" in event.text
        assert from_json(to_json(event)) == event
