"""Near duplicates: copies are found whatever was done to them, and nothing else is."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.dataset.near_duplicates import across, copies_among, near_duplicates, signature, straddling
from sslstudio.engine.dataset.split import Split

SIDE = 48


def different(count: int, seed: int = 0) -> Tensor:
    """uint8 (count, 3, SIDE, SIDE): smooth fields with some grain, each unlike the others."""
    rng = generator(seed, "different")
    fields = torch.nn.functional.interpolate(torch.rand(count, 3, 9, 9, generator=rng), size=SIDE, mode="bicubic")
    grain = 0.03 * torch.randn(count, 3, SIDE, SIDE, generator=rng)
    return ((fields + grain).clamp(0, 1) * 255).to(torch.uint8)


def as_image(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.permute(1, 2, 0).numpy())


def as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def saved_again(picture: Tensor) -> Tensor:
    file = io.BytesIO()
    as_image(picture).save(file, "JPEG", quality=60)
    return as_tensor(Image.open(file))


def resized(picture: Tensor) -> Tensor:
    small = as_image(picture).resize((37, 37), Image.Resampling.BICUBIC)
    return as_tensor(small.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def brightened(picture: Tensor) -> Tensor:
    return (picture.float() * 0.8 + 40).clamp(0, 255).to(torch.uint8)


CHANGES = {"saved again": saved_again, "resized": resized, "brightened": brightened}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_only_that(change: str) -> None:
    pictures = different(40)
    copy = CHANGES[change](pictures[7])
    assert not torch.equal(copy, pictures[7])
    assert near_duplicates(torch.cat([pictures, copy[None]])) == [(7, 40)]


def test_all_changes_at_once_on_every_picture() -> None:
    pictures = different(40)
    copies = torch.stack([saved_again(brightened(resized(picture))) for picture in pictures])
    assert near_duplicates(torch.cat([pictures, copies])) == [(one, one + 40) for one in range(40)]


def test_different_pictures_have_no_copies() -> None:
    assert near_duplicates(different(400)) == []


def test_blank_pictures_are_not_copies_of_each_other() -> None:
    blank = torch.full((6, 3, SIDE, SIDE), 40, dtype=torch.uint8)
    noise = torch.randint(0, 3, blank.shape, dtype=torch.uint8, generator=generator(0, "noise"))
    assert near_duplicates(torch.cat([blank, blank + noise])) == []


def test_chunks_and_the_whole_give_the_same() -> None:
    pictures = torch.cat([different(20), different(7)])  # the first seven again
    whole = near_duplicates(pictures)
    assert whole == [(one, one + 20) for one in range(7)]
    assert near_duplicates(iter(torch.split(pictures, 6))) == whole


def test_only_the_first_ones_are_compared_when_there_is_a_limit() -> None:
    pictures = torch.cat([different(20), different(7)])
    assert near_duplicates(pictures, limit=22) == [(0, 20), (1, 21)]
    assert near_duplicates(iter(torch.split(pictures, 6)), limit=22) == [(0, 20), (1, 21)]


def test_a_chain_is_one_group_across_blocks_of_rows() -> None:
    first, last = different(2).float()
    steps = torch.linspace(0, 1, 12).view(-1, 1, 1, 1)
    chain = (first * (1 - steps) + last * steps).to(torch.uint8)
    assert near_duplicates(chain[[0, 11]]) == []
    apart = torch.cat([torch.cat([link[None], different(50, seed)]) for seed, link in enumerate(chain, start=5)])
    assert near_duplicates(apart) == [tuple(range(0, 12 * 51, 51))]


def test_many_equal_pictures_are_one_group() -> None:
    assert near_duplicates(different(1).expand(600, -1, -1, -1)) == [tuple(range(600))]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare(count: int) -> None:
    assert near_duplicates(different(2)[:count]) == []
    assert near_duplicates(iter([])) == []


def test_pictures_smaller_than_the_signature() -> None:
    tiny = different(8)[:, :, :12, :12].contiguous()
    assert near_duplicates(torch.cat([tiny, tiny[3:4]])) == [(3, 8)]


def test_a_signature_has_length_one_and_does_not_see_brightness() -> None:
    pictures = different(5) // 2
    signed = signature(pictures)
    torch.testing.assert_close(signed.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(signature(pictures + 60), signed, atol=1e-4, rtol=0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=14), st.randoms(use_true_random=False))
def test_groups_are_a_partition_whatever_the_order(of: list[int], random) -> None:  # type: ignore[no-untyped-def]
    originals = different(6)
    order = list(range(len(of)))
    random.shuffle(order)
    found = near_duplicates(originals[[of[place] for place in order]])
    members = [one for group in found for one in group]
    assert len(members) == len(set(members))
    assert all(list(group) == sorted(group) and len(group) > 1 for group in found)
    expected = {frozenset(place for place, one in enumerate(of) if one == which) for which in of}
    assert {frozenset(order[one] for one in group) for group in found} == {one for one in expected if len(one) > 1}


SPLIT = Split(train=("a", "b", "c"), validation=("d",), test=("e", "f"))
PATHS = ("a", "b", "c", "d", "e", "f", "left over")


@pytest.mark.parametrize(
    ("groups", "pairs"),
    [
        ([], []),
        ([(0, 1, 2)], []),  # all in training
        ([(4, 5)], []),  # both in the test
        ([(0, 4), (1, 2)], [("e", "a")]),
        ([(3, 5)], [("f", "d")]),  # watched with, then tested on
        ([(1, 3, 4, 5)], [("d", "b"), ("e", "b"), ("f", "b")]),
        ([(0, 6), (6, 5)], []),  # a picture that is in no part leaks nothing
    ],
)
def test_copies_across_the_split(groups: list[tuple[int, ...]], pairs: list[tuple[str, str]]) -> None:
    assert across(groups, PATHS, SPLIT) == pairs
    assert straddling(groups, PATHS, SPLIT) == len(pairs)


@pytest.mark.parametrize("change", CHANGES)
def test_copies_among_others_are_found_by_their_numbers(change: str) -> None:
    others, tested = different(300), different(40, seed=1)
    tested[[3, 31]] = torch.stack([CHANGES[change](others[280]), CHANGES[change](others[7])])
    assert copies_among(tested, others) == {3: 280, 31: 7}
    assert copies_among(iter([tested[:16], tested[16:]]), iter([others[:100], others[100:]])) == {3: 280, 31: 7}
    assert copies_among(tested, others, limit=100) == {31: 7}


def test_where_nothing_is_there_nothing_is_a_copy() -> None:
    some = different(4)
    assert copies_among(some, some[:0]) == copies_among(some[:0], some) == {}
    blank = torch.full((3, 3, SIDE, SIDE), 120, dtype=torch.uint8)
    assert copies_among(blank, blank) == {}
