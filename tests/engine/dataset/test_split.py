"""Laws of the split: a partition, balanced, seeded, and nothing that belongs together is torn apart."""

import math
import random
from collections import Counter

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.split import Split, draw_labelled, group_paths, make_split, suggest_groups

SHARES = st.sampled_from([(0.1, 0.2), (0.02, 0.05), (0.25, 0.25), (0.3, 0.6), (0.5, 0.1)])
CLASS_SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=6)
SEEDS = st.integers(0, 5)


def pictures(sizes: list[int]) -> dict[str, int]:
    return {f"{label}/{number:03}.png": label for label, size in enumerate(sizes) for number in range(size)}


def parts(split: Split) -> list[tuple[str, ...]]:
    return [split.train, split.validation, split.test]


def assert_partition(split: Split, paths: list[str]) -> None:
    assert sorted(path for part in parts(split) for path in part) == sorted(paths)


@given(CLASS_SIZES, SHARES, SEEDS)
@settings(deadline=None, max_examples=60)
def test_shares_hold_within_rounding_in_every_class(sizes: list[int], shares: tuple[float, float], seed: int) -> None:
    labels = pictures(sizes)
    split = make_split(list(labels), labels, validation=shares[0], test=shares[1], seed=seed)
    assert_partition(split, list(labels))
    for part, share in ((split.validation, shares[0]), (split.test, shares[1])):
        counts = Counter(labels[path] for path in part)
        for label, size in enumerate(sizes):
            assert abs(counts[label] - share * size) <= 1 + 1e-9
    for label, size in enumerate(sizes):
        assert any(labels[path] == label for path in split.train)
        assert size < 3 or any(labels[path] == label for path in split.test)


@given(st.integers(1, 200), SHARES, SEEDS)
@example(3, (0.3, 0.6), 0)
@settings(deadline=None, max_examples=40)
def test_without_labels_the_sizes_are_the_shares(count: int, shares: tuple[float, float], seed: int) -> None:
    paths = [f"{number}.png" for number in range(count)]
    split = make_split(paths, None, validation=shares[0], test=shares[1], seed=seed)
    assert_partition(split, paths)
    assert abs(len(split.validation) - shares[0] * count) <= 1
    assert abs(len(split.test) - shares[1] * count) <= 1
    assert count < 3 or all(parts(split))


@given(CLASS_SIZES, st.integers(1, 12), SHARES, SEEDS, st.booleans())
@settings(deadline=None, max_examples=60)
def test_no_group_straddles(
    sizes: list[int], groups: int, shares: tuple[float, float], seed: int, labelled: bool
) -> None:
    labels = pictures(sizes)
    group_of = {path: f"g{(7 * place) % groups}" for place, path in enumerate(labels)}
    count = len(set(group_of.values()))
    half = {path: label for place, (path, label) in enumerate(labels.items()) if place % 2}
    split = make_split(
        list(labels), half if labelled else None, validation=shares[0], test=shares[1], seed=seed, groups=group_of
    )
    assert_partition(split, list(labels))
    seen = [{group_of[path] for path in part} for part in parts(split)]
    assert len(set.union(*seen)) == sum(map(len, seen))
    assert seen[0]
    if not labelled and count >= 3:
        assert all(seen)


@given(CLASS_SIZES, SEEDS)
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_paths_does_not_matter(sizes: list[int], seed: int) -> None:
    labels = pictures(sizes)
    mixed = list(labels)
    random.Random(seed).shuffle(mixed)
    first = make_split(list(labels), labels, validation=0.1, test=0.2, seed=seed)
    again = make_split(mixed, {path: labels[path] for path in mixed}, validation=0.1, test=0.2, seed=seed)
    assert first == again


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("big", [20, 25, 30])
def test_a_big_group_among_single_pictures_leaves_the_shares_right(big: int, seed: int) -> None:
    """It is placed first, while each part can still make room for it: placed last it would fill the smaller parts."""
    singles = [f"{number:03}.png" for number in range(100 - big)]
    group = [f"g{number:03}.png" for number in range(big)]
    split = make_split([*singles, *group], None, validation=0.1, test=0.2, seed=seed, groups=dict.fromkeys(group, "g"))
    assert len(split.validation) == 10
    assert len(split.test) == 20
    assert set(group) <= set(split.train)


def test_another_seed_is_another_split() -> None:
    labels = pictures([30, 30])
    one, other = (make_split(list(labels), labels, validation=0.1, test=0.2, seed=seed) for seed in (0, 1))
    assert one != other


def test_groups_are_balanced_over_parts_and_classes() -> None:
    labels = {f"p{patient}_{n}.png": patient % 2 for patient in range(60) for n in range(1 + patient % 5)}
    groups = group_paths(list(labels), r"name:(p\d+)")
    split = make_split(list(labels), labels, validation=0.15, test=0.25, seed=0, groups=groups)
    assert len(split.test) == pytest.approx(0.25 * len(labels), abs=4)
    assert len(split.validation) == pytest.approx(0.15 * len(labels), abs=4)
    shares = Counter(labels[path] for path in split.test)
    assert abs(shares[0] - shares[1]) <= 6


def test_pictures_without_a_label_train() -> None:
    labels = pictures([20, 20])
    unlabelled = [f"pool/{number}.png" for number in range(50)]
    split = make_split([*labels, *unlabelled], labels, validation=0.1, test=0.2, seed=0)
    assert set(unlabelled) <= set(split.train)
    assert len(split.test) == 8


GIVEN_PATHS = [f"{number:02}.png" for number in range(40)]


def test_a_given_test_part_stays_and_validation_comes_from_the_rest() -> None:
    given_parts = {path: "test" if place < 10 else "train" for place, path in enumerate(GIVEN_PATHS)}
    split = make_split(GIVEN_PATHS, None, validation=0.1, test=0.2, seed=0, given=given_parts)
    assert split.test == tuple(GIVEN_PATHS[:10])
    assert len(split.validation) == 3


def test_test_is_drawn_from_train_when_only_validation_is_given() -> None:
    given_parts = {path: "validation" if place < 10 else "train" for place, path in enumerate(GIVEN_PATHS)}
    split = make_split(GIVEN_PATHS, None, validation=0.1, test=0.2, seed=0, given=given_parts)
    assert split.validation == tuple(GIVEN_PATHS[:10])
    assert len(split.test) == 6


def test_all_given_is_all_taken() -> None:
    names = ("train", "validation", "test", "train")
    given_parts = {path: names[place % 4] for place, path in enumerate(GIVEN_PATHS)}
    split = make_split(GIVEN_PATHS, None, validation=0.3, test=0.3, seed=0, given=given_parts)
    assert [len(part) for part in parts(split)] == [20, 10, 10]


def test_what_has_no_part_given_follows_its_group() -> None:
    groups = dict.fromkeys(GIVEN_PATHS[:5], "a")
    split = make_split(
        GIVEN_PATHS, None, validation=0.1, test=0.2, seed=0, groups=groups, given={GIVEN_PATHS[0]: "test"}
    )
    assert split.test == tuple(GIVEN_PATHS[:5])


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to train on"):
        make_split(["a.png"], None, validation=0.5, test=0.6, seed=0)


def test_json_and_back() -> None:
    split = Split(("a.png",), ("b.png",), ())
    assert Split.from_json(split.to_json()) == split
    with pytest.raises(DataError, match="no test"):
        Split.from_json({"train": [], "validation": []})


# Rules for groups


def test_group_rules() -> None:
    paths = ["a/x/p1_1.png", "a/y/p1_2.png", "b/p2_1.png", "c.png"]
    assert group_paths(paths, "") == {}
    by_folder = group_paths(paths, "folder:1")
    assert [by_folder[path] for path in paths[:3]] == ["a", "a", "b"]
    by_name = group_paths(paths, r"name:(p\d+)_")
    assert [by_name[path] for path in paths[:3]] == ["p1", "p1", "p2"]
    assert group_paths(paths, r"name:p\d")[paths[1]] == "p1"
    assert len(set(by_name.values())) == 3
    assert len(set(group_paths(paths, "folder:2").values())) == 4


@pytest.mark.parametrize("rule", ["patient", "folder:0", "folder:x", "folder:3", "name:(", "name:", "name:zebra"])
def test_rules_that_cannot_be_used_are_explained_with_an_example(rule: str) -> None:
    with pytest.raises(ConfigError, match=r"name:\(patient\\d\+\)"):
        group_paths(["a/b/c.png"], rule)


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        ("patient{g:03}_slice_{n:02}.png", r"name:(patient[_-]?\d+)"),
        ("brain/Subject-{g}-{n}.jpg", r"name:(Subject[_-]?\d+)"),
        ("video{g}/frame_{n:04}.jpg", "folder:1"),
        ("tumour/case_{g}/{n}.png", "folder:2"),
        ("TCGA-AB-{g:04}_{n}.png", r"name:(TCGA-\w\w-\w{{4}})"),
    ],
)
def test_names_like_patients_suggest_a_rule(names: str, rule: str) -> None:
    paths = [names.format(g=g, n=n) for g in range(6) for n in range(5)]
    suggested = suggest_groups(paths)
    assert suggested == rule.replace("{{", "{").replace("}}", "}")
    assert len(set(group_paths(paths, suggested).values())) == 6


@pytest.mark.parametrize(
    "names",
    ["IMG_{n:04}.jpg", "cat/{n}.png", "{n:08x}.png", "patient{n}.png", "frame_{n:05}.png", "staircase{n}_{n}.png"],
)
def test_other_names_suggest_nothing(names: str) -> None:
    assert suggest_groups([names.format(n=n) for n in range(40)]) is None


def test_few_or_mixed_names_suggest_nothing() -> None:
    assert suggest_groups([]) is None
    assert suggest_groups([f"patient1_{n}.png" for n in range(40)]) is None
    mixed = [f"patient{n % 5}_{n}.png" for n in range(20)] + [f"IMG_{n}.png" for n in range(20)]
    assert suggest_groups(mixed) is None


# Drawing labelled pictures


@given(CLASS_SIZES, st.integers(1, 20), st.integers(0, 20), SEEDS)
@settings(deadline=None, max_examples=40)
def test_drawn_pictures_are_nested(sizes: list[int], count: int, more: int, seed: int) -> None:
    labels = pictures(sizes)
    drawn = draw_labelled(list(labels), labels, count, seed)
    assert Counter(labels[path] for path in drawn) == {label: min(size, count) for label, size in enumerate(sizes)}
    assert set(drawn) <= set(draw_labelled(list(labels), labels, count + more, seed))


def test_a_class_is_drawn_from_on_its_own() -> None:
    labels = pictures([30, 30])
    both = draw_labelled(list(labels), labels, 5, 0)
    alone = draw_labelled(
        [path for path in labels if labels[path] == 1], {p: 1 for p in labels if labels[p] == 1}, 5, 0
    )
    assert set(alone) == {path for path in both if labels[path] == 1}


def test_without_classes_the_count_is_in_all() -> None:
    paths = [f"{number}.png" for number in range(30)]
    assert len(draw_labelled(paths, None, 7, 0)) == 7
    assert set(draw_labelled(paths, None, 7, 0)) < set(draw_labelled(paths[::-1], None, 8, 0))
    assert len(draw_labelled(paths, None, 100, 0)) == 30


def test_a_class_without_pictures_is_named() -> None:
    with pytest.raises(DataError, match=r"class number 1, the class of b\.png"):
        draw_labelled(["a.png"], {"a.png": 0, "b.png": 1}, 3, 0)
    with pytest.raises(ConfigError, match="too few"):
        draw_labelled(["a.png"], None, 0, 0)


def test_the_targets_add_up_for_a_hundred_small_classes() -> None:
    labels = pictures([7] * 100)
    split = make_split(list(labels), labels, validation=0.1, test=0.2, seed=0)
    assert len(split.test) == pytest.approx(140, abs=1)
    assert len(split.validation) == pytest.approx(70, abs=1)
    assert math.isclose(len(split.train), 490, abs_tol=2)


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 8), min_size=8), st.sets(st.integers(0, 60)), st.booleans())
def test_pictures_that_come_later_leave_the_others_where_they_are_and_no_group_torn(
    group_of: dict[int, int], later: set[int], grouped: bool
) -> None:
    groups = {f"{number}.png": f"patient{group}" if grouped else f"/{number}" for number, group in group_of.items()}
    first = [path for path in groups if int(path[:-4]) not in later]
    assume(first)
    stored = make_split(first, None, validation=0.2, test=0.3, seed=1, groups=groups)
    drawn = make_split(list(groups), None, validation=0.2, test=0.3, seed=1, groups=groups)
    grown = stored.with_later(drawn, groups)
    assert grown.within(first) == stored
    assert sorted(grown.train + grown.validation + grown.test) == sorted(groups)
    part_of = {path: part for part in ("train", "validation", "test") for path in getattr(grown, part)}
    assert len({(groups[path], part) for path, part in part_of.items()}) == len(set(groups.values()))
    assert stored.with_later(stored, groups) == stored


def test_groups_that_a_person_gave_hold_where_there_is_no_rule() -> None:
    paths = ["a/1.png", "a/2.png", "b/1.png"]
    assert groups_of(paths, "", {}) == {}
    assert groups_of(paths, "", {"a/1.png": "x", "b/1.png": "x"}) == {
        "a/1.png": "x",
        "a/2.png": "/a/2.png",
        "b/1.png": "x",
    }
    assert groups_of(paths, "folder:1", {"a/1.png": "x"}) == group_paths(paths, "folder:1")


def test_numbers_of_patients_below_classes_suggest_a_rule() -> None:
    paths = [
        f"{kind}/P{n + 6 * (kind == 'ill'):03}/{i}.png" for kind in ("ill", "well") for n in range(6) for i in range(5)
    ]
    assert suggest_groups(paths) == "folder:2"
    again = [path.replace("P01", "P00") for path in paths]
    assert suggest_groups(again) in ("folder:2", "subfolder:1")
