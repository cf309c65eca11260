"""Joint-embedding losses against plain loops over numbers, and their values where these are known."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.models import joint_embedding_losses as losses
from sslstudio.engine.models.joint_embedding_losses import VicregLossConfig

Rows = npt.NDArray[np.float64]
seeds = st.integers(0, 10_000)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "rows"))


def unit(row: Rows) -> Rows:
    return np.asarray(row / np.sqrt((row**2).sum()))


def plain_variance(rows: Rows) -> float:
    total = 0.0
    for column in rows.T:
        variance = sum((value - column.mean()) ** 2 for value in column) / (len(column) - 1)
        total += max(0.0, 1.0 - math.sqrt(variance + 1e-4))
    return float(total / rows.shape[1])


def plain_covariance(rows: Rows) -> float:
    count, length = rows.shape
    total = 0.0
    for i in range(length):
        for j in range(length):
            if i != j:
                both = sum((row[i] - rows[:, i].mean()) * (row[j] - rows[:, j].mean()) for row in rows)
                total += (both / (count - 1)) ** 2
    return float(total / length)


def plain_nt_xent(pairs: Rows, temperature: float) -> float:
    """Equation 1 and Algorithm 1 of SimCLR, with views numbered as there: 2k - 1 and 2k are partners."""
    views = [unit(view) for pair in pairs for view in pair]
    total = 0.0
    for i, view in enumerate(views):
        partner = i + 1 if i % 2 == 0 else i - 1
        below = sum(math.exp(float(view @ views[k]) / temperature) for k in range(len(views)) if k != i)
        total -= math.log(math.exp(float(view @ views[partner]) / temperature) / below)
    return total / len(views)


@given(st.integers(2, 9), st.integers(2, 6), st.floats(0.1, 3.0), seeds)
@settings(max_examples=20, deadline=None)
def test_variance_and_covariance_are_those_of_the_paper(count: int, length: int, scale: float, seed: int) -> None:
    rows = normal(count, length, seed=seed) * scale + 1
    plain = rows.double().numpy()
    assert float(losses.variance_loss(rows)) == pytest.approx(plain_variance(plain), rel=1e-3, abs=1e-5)
    assert float(losses.covariance_loss(rows)) == pytest.approx(plain_covariance(plain), rel=1e-3, abs=1e-5)


@given(st.integers(2, 7), st.integers(1, 4), st.integers(2, 5), seeds)
@settings(max_examples=20, deadline=None)
def test_rows_of_several_places_are_the_mean_over_places(count: int, places: int, length: int, seed: int) -> None:
    rows = normal(count, places, length, seed=seed)
    for loss in (losses.variance_loss, losses.covariance_loss):
        each = [float(loss(rows[:, place])) for place in range(places)]
        assert float(loss(rows)) == pytest.approx(sum(each) / places, rel=1e-4, abs=1e-6)


def test_the_covariances_of_few_rows_have_a_floor() -> None:
    """Of independent values: (D - 1) / (N - 1). What VICRegL would push down with each place by itself."""
    few = sum(float(losses.covariance_loss(normal(64, 128, seed=seed))) for seed in range(4)) / 4
    assert few == pytest.approx(127 / 63, rel=0.1)
    assert float(losses.covariance_loss(normal(64 * 36, 128))) < 0.1


@given(st.integers(1, 7), st.integers(2, 6), st.floats(0.1, 1.0), seeds)
@settings(max_examples=20, deadline=None)
def test_nt_xent_is_that_of_the_paper(count: int, length: int, temperature: float, seed: int) -> None:
    pairs = normal(count, 2, length, seed=seed)
    assert float(losses.nt_xent(pairs, temperature)) == pytest.approx(
        plain_nt_xent(pairs.double().numpy(), temperature), rel=1e-3, abs=1e-5
    )


@given(st.integers(1, 5), seeds)
@settings(max_examples=20, deadline=None)
def test_byol_regresses_unit_vectors(count: int, seed: int) -> None:
    predicted, wanted = normal(count, 2, 5, seed=seed), normal(count, 2, 5, seed=seed + 1)
    both = zip(predicted.double().numpy().reshape(-1, 5), wanted.double().numpy().reshape(-1, 5), strict=True)
    plain = float(np.mean([((unit(p) - unit(w)) ** 2).sum() for p, w in both]))
    assert float(losses.regression_loss(predicted, wanted)) == pytest.approx(plain, rel=1e-4, abs=1e-5)


def test_vicreg_is_the_weighted_sum_of_its_terms() -> None:
    first, second = normal(6, 4, seed=1) * 0.5, normal(6, 4, seed=2) * 0.5
    a, b = first.double().numpy(), second.double().numpy()
    likeness = float(np.mean([(x - y) ** 2 for x, y in zip(a.flatten(), b.flatten(), strict=True)]))
    plain = (
        2.0 * likeness
        + 3.0 * (plain_variance(a) + plain_variance(b)) / 2
        + 5.0 * (plain_covariance(a) + plain_covariance(b))
    )
    config = VicregLossConfig(invariance=2.0, variance=3.0, covariance=5.0)
    loss = losses.vicreg_loss(config, first, second, (first - second).square().mean())
    assert float(loss) == pytest.approx(plain, rel=1e-4)


def test_the_weights_are_those_of_the_paper() -> None:
    config = VicregLossConfig()
    assert (config.invariance, config.variance, config.covariance) == (25.0, 25.0, 1.0)


def test_collapse_is_seen_by_every_loss() -> None:
    same = torch.ones(8, 2, 4)
    assert float(losses.variance_loss(same[:, 0])) == pytest.approx(0.99)
    assert float(losses.covariance_loss(same[:, 0])) == 0.0
    assert float(losses.nt_xent(same, 0.2)) == pytest.approx(math.log(15))
    assert float(losses.spread(same[:, 0])) == pytest.approx(0.0, abs=1e-6)


def test_best_and_worst_values() -> None:
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert float(losses.variance_loss(corners)) == 0.0
    assert float(losses.covariance_loss(corners)) == pytest.approx(0.0, abs=1e-6)
    apart = torch.eye(6).unsqueeze(1).expand(-1, 2, -1)
    assert float(losses.nt_xent(apart, 0.01)) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.regression_loss(corners, 3 * corners)) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.regression_loss(corners, -corners)) == pytest.approx(4.0)


def test_one_picture_gives_finite_numbers() -> None:
    pair = normal(1, 2, 4)
    found = [losses.variance_loss(pair[:, 0]), losses.covariance_loss(pair[:, 0]), losses.nt_xent(pair, 0.2)]
    assert torch.stack(found).tolist() == pytest.approx([0.99, 0.0, 0.0])
    assert float(losses.spread(pair[:, 0])) == pytest.approx(0.0, abs=1e-6)


def slope(loss: Tensor, rows: Tensor) -> Tensor:
    """The gradient of a loss at rows."""
    return torch.autograd.grad(loss, rows)[0]


def test_the_gradient_of_variance_drives_rows_apart_and_stays_finite_at_a_collapse() -> None:
    rows = (normal(16, 4) * 0.1).requires_grad_()
    centred = rows.detach() - rows.detach().mean(0)
    towards = slope(losses.variance_loss(rows), rows)
    assert bool(((towards * centred).sum(0) < 0).all())  # a step against it makes each deviation larger
    same = torch.ones(16, 4, requires_grad=True)
    assert bool(torch.isfinite(slope(losses.variance_loss(same), same)).all())


def test_variance_that_is_large_enough_is_left_alone() -> None:
    rows = (normal(64, 4) * 3).requires_grad_()
    assert float(slope(losses.variance_loss(rows), rows).abs().max()) == 0.0


def test_nt_xent_pulls_partners_together() -> None:
    pairs = normal(5, 2, 6).requires_grad_()
    before = losses.nt_xent(pairs, 0.5)
    towards = slope(before, pairs)
    assert float(losses.nt_xent(pairs.detach() - 0.1 * towards, 0.5)) < float(before.detach())
    along = (towards * pairs.detach()).sum(dim=2)
    assert torch.allclose(along, torch.zeros_like(along), atol=1e-6)  # only directions count, not lengths


def test_spread_is_one_for_directions_all_over() -> None:
    assert float(losses.spread(normal(4000, 64))) == pytest.approx(1.0, abs=0.01)
    assert float(losses.spread(normal(4000, 64) + 100)) < 0.02
    few = torch.eye(64)[:4].repeat(500, 1)  # only 4 of 64 directions are used
    assert float(losses.spread(few)) < 0.3


def test_nearest_finds_the_most_alike_whatever_the_length() -> None:
    rows = normal(7, 5)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert losses.nearest(rows[order] * 10, rows).tolist() == order.tolist()
    assert float(losses.score_retrieval(order)) == pytest.approx(0.0)
    assert float(losses.score_retrieval(torch.tensor([0, 1, 0, 3]))) == pytest.approx(0.75)


def test_mixed_precision_around_the_losses_changes_nothing() -> None:
    rows, pairs = normal(32, 16) + 5, normal(16, 2, 8)
    plain = [losses.covariance_loss(rows), losses.variance_loss(rows), losses.nt_xent(pairs, 0.2)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = [losses.covariance_loss(rows), losses.variance_loss(rows), losses.nt_xent(pairs, 0.2)]
    assert all(value.dtype == torch.float32 for value in mixed)
    assert torch.equal(torch.stack(plain), torch.stack(mixed))
