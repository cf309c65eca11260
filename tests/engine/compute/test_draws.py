"""Numbers that are drawn first are those that are drawn on the way, and what draws them can be compiled whole."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.compute.draws import (
    Draw,
    Listed,
    Note,
    by_share,
    chosen_rows,
    find_cuts,
    integers,
    mixed_rows,
    normal,
    uniform,
)
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import AnyTask, load_tasks


def test_each_kind_is_drawn_from_the_generator_as_it_always_was() -> None:
    ours, theirs = generator(3), generator(3)
    assert torch.equal(uniform((2, 3), -1.0, 2.0, ours), torch.empty(2, 3).uniform_(-1.0, 2.0, generator=theirs))
    assert torch.equal(normal((4,), ours), torch.randn(4, generator=theirs))
    assert torch.equal(integers(5, (4,), ours), torch.randint(5, (4,), generator=theirs))
    rows, pictures = mixed_rows(2, 4, ours)
    assert torch.equal(rows, torch.randperm(8, generator=theirs))
    assert torch.equal(pictures, rows % 4)


def task_of(name: str) -> AnyTask:
    kind = load_tasks()[name]
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), seed=0)
    with seed_init(0, "task"):
        task = kind(kind.Config(), encoder.spec)
    task.attach(encoder)
    return task


@pytest.mark.parametrize("name", load_tasks())
def test_a_batch_of_numbers_that_were_drawn_first_is_the_same_to_the_bit(name: str) -> None:
    task = task_of(name)
    first, second = torch.randint(0, 256, (2, 4, 3, 48, 48), generator=generator(1), dtype=torch.uint8)
    note = Note(generator(5))
    task.make_batch(first, note)
    wanted = task.make_batch(second, generator(6))
    found = task.make_batch(second, Listed(Listed.draw(note.draws, generator(6)), torch.device("cpu")))
    for ours, theirs in ((found.inputs, wanted.inputs), (found.targets, wanted.targets)):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def drawn_for(count: int, rng: torch.Generator | Note | Listed) -> list[torch.Tensor]:
    """What a task may draw: a row a picture, several, pictures in the second dimension, one for all, chosen rows."""
    plain = [
        uniform((count,), 0.0, 1.0, rng), normal((3 * count, 2), rng), integers(9, (3, count), rng),
        uniform((2,), 0.0, 1.0, rng),
    ]  # fmt: skip
    return [*plain, torch.cat([torch.arange(0), *(rows for _, rows in chosen_rows(2 * count, 0.7, 3, rng))])]


@given(pictures=st.integers(2, 20), size=st.integers(1, 4))
def test_the_shares_of_a_batch_use_the_numbers_of_the_whole(pictures: int, size: int) -> None:
    size = min(size, pictures)
    note = Note(generator(0))
    whole = drawn_for(pictures, note)
    numbers = Listed.draw(note.draws, generator(0))
    bounds = [pictures * rank // size for rank in range(size + 1)]
    shares = []
    for first, last in itertools.pairwise(bounds):
        alone = Note(generator(1))
        drawn_for(last - first, alone)
        cuts = find_cuts(note.draws, alone.draws, pictures, first, last)
        assert cuts is not None
        shares.append(drawn_for(last - first, Listed(numbers, torch.device("cpu"), cuts)))
    for number, dim in ((0, 0), (1, 0), (2, 1)):
        assert torch.equal(torch.cat([share[number] for share in shares], dim), whole[number])
    assert all(torch.equal(share[3], whole[3]) for share in shares)
    rows = [share[4] + 2 * first for share, first in zip(shares, bounds[:-1], strict=True)]
    assert torch.equal(torch.cat(rows).sort().values, whole[4].sort().values)


@given(pictures=st.integers(2, 20), size=st.integers(1, 4), times=st.integers(1, 4))
def test_the_shares_of_a_mixed_batch_are_its_rows_put_together(pictures: int, size: int, times: int) -> None:
    size = min(size, pictures)
    note = Note(generator(0))
    mixed_rows(times, pictures, note)
    draw, drawn = note.draws[0], mixed_rows(times, pictures, generator(0))[0]
    bounds = [pictures * rank // size for rank in range(size + 1)]
    numbers = by_share(draw, drawn, bounds[1:-1])
    whole = mixed_rows(times, pictures, Listed([numbers], torch.device("cpu")))
    assert torch.equal(whole[0].sort().values, torch.arange(times * pictures))
    turns, owners = [], []
    for first, last in itertools.pairwise(bounds):
        alone = Note(generator(1))
        mixed_rows(times, last - first, alone)
        cuts = find_cuts(note.draws, alone.draws, pictures, first, last)
        assert cuts is not None
        rows, picture = mixed_rows(times, last - first, Listed([numbers], torch.device("cpu"), cuts))
        assert torch.equal(rows % (last - first) + first, picture)
        turns.append(rows // (last - first))
        owners.append(picture)
        kept = drawn[(drawn % pictures >= first) & (drawn % pictures < last)]
        assert torch.equal(turns[-1] * pictures + picture, kept), "in the order in which they were drawn"
    assert torch.equal(torch.cat(turns) * pictures + torch.cat(owners), whole[0])


def test_what_cannot_be_cut() -> None:
    assert find_cuts([Draw("uniform", (4,))], [], 4, 0, 2) is None
    assert find_cuts([Draw("uniform", (4, 4))], [Draw("uniform", (2, 2))], 4, 0, 2) is None
