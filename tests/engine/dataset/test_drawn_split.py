"""Where pictures were suggested, what tests is a uniform random sample, whatever was suggested."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.dataset.split import Split, make_split
from sslstudio.engine.finetuning.split_policy import suited
from sslstudio.engine.images.index import ImageIndex, scan
from sslstudio.engine.images.scanner import Run
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.editing.made_here import FOUND_IN
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import ClassLabels, Recognised
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import draw_split, propose_drawn

KIND = "classification"
DATA = DataConfig(folder="none")
NAMES = tuple(f"{number:03}.png" for number in range(120))


def of(labels: dict[str, int], drawn: DrawnTest | None, names: tuple[str, ...] = NAMES) -> Recognised:
    index = ImageIndex(Path("none"), (Run("", "/".join(names), len(names)),), (), {})
    classes = ClassLabels(FOUND_IN, ("a", "b", "c"), labels) if labels else None
    return Recognised(index, classes, None, {}, drawn=drawn)


def parts(split: Split) -> list[str]:
    return [*split.train, *split.validation, *split.test]


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_what_tests_depends_on_nothing_that_was_suggested(data: st.DataObject) -> None:
    """Law: with so many drawn pictures labelled, the test is the beginning of a random order that is fixed by names;
    neither suggestions nor labels given out of turn move it, and nothing suggested ever tests."""
    draw = propose_drawn(of({}, None), DATA)
    outside = [path for path in NAMES if not draw.is_held(path)]
    suggested = data.draw(st.lists(st.sampled_from(outside), unique=True, max_size=60), label="suggested")
    count = data.draw(st.integers(1, 20), label="drawn")
    asked = draw.next_ones(NAMES, (), count)
    later = [path for path in NAMES if draw.is_held(path) and path not in asked]
    turn = data.draw(st.lists(st.sampled_from(later), unique=True, max_size=4), label="out of turn") if later else []
    labels = {path: data.draw(st.integers(0, 2)) for path in [*suggested, *asked, *turn]}
    split = draw_split(of(labels, draw.with_asked(asked, KIND)), DATA)
    assert {path for path in split.test if path in labels} == set(asked)
    assert not set(suggested) & set(split.test)
    assert set(turn) <= set(split.validation)
    assert sorted(parts(split)) == list(NAMES)
    assert not {path for path in NAMES if draw.is_held(path)} & set(split.train)  # no pretraining sees it either


def test_every_picture_tests_equally_often_though_suggestions_are_of_one_kind() -> None:
    """Over many folders: the pictures of the first half are suggested alone, and test as often as the others."""
    found = Counter[bool]()
    for seed in range(60):
        names = tuple(f"{seed}-{number:03}.png" for number in range(100))
        draw = propose_drawn(of({}, None, names), DATA.replace(split_seed=seed))
        asked = draw.next_ones(names, (), 10)
        suggested = [path for path in names[:50] if not draw.is_held(path)][:30]
        labels = {path: number % 3 for number, path in enumerate([*suggested, *asked])}
        split = draw_split(of(labels, draw.with_asked(asked, KIND), names), DATA)
        found.update(names.index(path) < 50 for path in split.test if path in labels)
    assert found.total() == 600
    assert abs(found[True] - 300) < 3.3 * np.sqrt(600 * 0.25)


def test_what_is_held_is_what_a_pretraining_without_labels_has_not_seen() -> None:
    unlabelled = of({}, None)
    assert draw_split(unlabelled, DATA).test == tuple(sorted(propose_drawn(unlabelled, DATA).held))


def test_labels_from_before_are_set_apart_as_ever() -> None:
    old = {path: number % 3 for number, path in enumerate(NAMES[:40])}
    before = draw_split(of(old, None), DATA)
    draw = replace(propose_drawn(of({}, None), DATA), before={KIND: frozenset(old)})
    asked = draw.next_ones(NAMES, old, 3)
    new = dict.fromkeys([*asked, *(path for path in NAMES[40:] if not draw.is_held(path))][:20], 1)
    split = draw_split(of(old | new, draw.with_asked(asked, KIND)), DATA)
    assert {path for path in split.test if path in old} == {path for path in before.test if path in old}
    assert {path for path in split.test if path in new} == set(asked)


def test_a_group_is_never_torn_apart_and_what_was_suggested_in_one_that_tests_counts_nowhere() -> None:
    names = tuple(f"p{number // 4:02}/{number % 4}.png" for number in range(120))
    index = ImageIndex(
        Path("none"),
        tuple(Run(f"p{one:02}/", "0.png/1.png/2.png/3.png", 4) for one in range(30)),
        (),
        {},
    )
    plain = propose_drawn(replace(of({}, None), pictures=index), DATA)  # drawn before groups were known
    asked = plain.next_ones(names, (), 6)
    torn = [path for path in names if path[:3] in {one[:3] for one in asked} and not plain.is_held(path)]
    labels = {path: number % 3 for number, path in enumerate([*asked, *torn, *names[-9:]])}
    recognised = replace(of(labels, plain.with_asked(asked, KIND)), pictures=index)
    split = draw_split(recognised, DATA.replace(groups="folder:1"))
    where = {path: part for part in ("train", "validation", "test") for path in getattr(split, part)}
    assert set(asked) <= set(split.test)
    assert not set(torn) & set(parts(split))
    for group in {path[:3] for path in names}:
        assert len({where[path] for path in names if path[:3] == group and path in where}) <= 1


def test_another_split_of_a_pretraining_does_not_make_suggested_pictures_test() -> None:
    draw = propose_drawn(of({}, None), DATA)
    asked = draw.next_ones(NAMES, (), 5)
    suggested = [path for path in NAMES if not draw.is_held(path)][:30]
    labels = {path: number % 3 for number, path in enumerate([*asked, *suggested])}
    kept = make_split(NAMES, labels, validation=0.1, test=0.4, seed=9)
    split = suited(kept, KIND, of(labels, draw.with_asked(asked, KIND)), DATA)
    assert {path for path in split.test if path in labels} == set(asked)


def test_without_a_record_everything_splits_as_ever(sample_folder: Path) -> None:
    """The digest is of the splits as they were before there were suggestions."""
    recognised = recognise(scan(sample_folder))
    assert recognised.drawn is None
    splits = [
        draw_split(asked, DataConfig(folder=str(sample_folder), split_seed=seed))
        for seed in range(3)
        for asked in (recognised, replace(recognised, classes=None), replace(recognised, classes=None, masks=None))
    ]
    found = hashlib.blake2b(json.dumps([one.to_json() for one in splits]).encode(), digest_size=8).hexdigest()
    assert found == "e5ca1af1a01e9297"


@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_each_kind_of_labels_has_its_own_order(sample_folder: Path, kind: str) -> None:
    recognised = recognise(scan(sample_folder))
    paths = recognised.pictures.paths
    draw = propose_drawn(recognised, DataConfig(folder=str(sample_folder)))
    asked = draw.next_ones(paths, (), 4)
    split = suited(
        None, kind, replace(recognised, drawn=draw.with_asked(asked, kind)), DataConfig(folder=str(sample_folder))
    )
    assert set(split.test) == set(asked)  # all pictures of the sample have labels; the others that are held watch
