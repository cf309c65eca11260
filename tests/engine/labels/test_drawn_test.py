"""What tests is drawn at random, once, by names alone, and outlives folders, undo and copies."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.drawn_test import STATE, TABLE, DrawnTest, random_number, read_drawn
from sslstudio.engine.labels.editing.edits import Kind
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.transfer import labels_below
from sslstudio.engine.labels.recognise import recognise

PATHS = [f"{number:03}.png" for number in range(100)]
CLASSES: Kind = "classification"


def drawn(held: int = 20) -> DrawnTest:
    return DrawnTest.draw(PATHS, PATHS[:held], {})


@given(
    names=st.sets(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\n"), min_size=1)),
    seed=st.integers(0, 9),
)
@settings(max_examples=50, deadline=None)
def test_the_files_say_it_again(names: set[str], seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("labels")
    chosen = np.random.default_rng(seed).permutation(sorted(names))
    made = DrawnTest.draw(names, chosen[: len(chosen) // 3].tolist(), {CLASSES: chosen[-2:].tolist()})
    made = made.with_asked(chosen[:1].tolist(), "segmentation")
    made.write(folder)
    again = read_drawn(folder)
    assert again is not None
    assert (again.every, again.numbers, again.held, again.asked) == (made.every, made.numbers, made.held, made.asked)
    assert {kind: paths for kind, paths in again.before.items() if paths} == {
        kind: paths for kind, paths in made.before.items() if paths
    }


def test_the_order_is_by_the_name_alone() -> None:
    assert random_number("a/b.png") == 7_518_850_735_153  # a format: it is written with the labels
    first, second = DrawnTest.draw(PATHS, PATHS[:20], {}), DrawnTest.draw(PATHS[:60], PATHS[:20], {})
    assert first.next_ones(PATHS[:60], (), 20) == second.next_ones(PATHS[:60], (), 20)


def test_one_of_so_many_is_drawn_and_both_kinds_are_mixed() -> None:
    draw = drawn()
    assert draw.every == 5
    test = draw.next_ones(PATHS, (), 9)
    mixed = draw.mixed(PATHS[50:], test, 12)
    assert len(mixed) == 12
    assert [place for place, path in enumerate(mixed) if path in draw.held] == [2, 7]
    assert draw.mixed([], test, 12) == test  # the rest of one kind where the other ends
    assert draw.mixed(PATHS[50:53], test[:1], 12) == [*PATHS[50:52], test[0], PATHS[52]]


def test_what_has_been_reached_tests_and_the_rest_does_not_yet() -> None:
    draw = drawn()
    order = draw.next_ones(PATHS, (), 20)
    draw = draw.with_asked([order[2], PATHS[70]], CLASSES)
    assert [path for path in PATHS if draw.is_drawn(path, CLASSES)] == sorted(order[:3])
    assert not any(draw.is_drawn(path, "segmentation") for path in PATHS)
    assert draw.with_asked([order[1]], CLASSES) is draw  # it never goes back
    assert draw.next_ones(PATHS, order[2:3], 3) == [*order[:2], order[3]]  # what was passed over is asked for again


def test_of_pictures_that_come_later_the_same_share_is_held() -> None:
    later = [f"later/{number}.png" for number in range(2000)]
    share = np.mean([drawn().is_held(path) for path in later])
    assert 0.17 < share < 0.23


def test_every_picture_is_equally_likely_to_be_drawn_first() -> None:
    """Over many names the first ten of a hundred are a uniform sample."""
    found = Counter[int]()
    for seed in range(400):
        named = {f"{seed}-{number}.png": number for number in range(40)}
        draw = DrawnTest.draw(named, named, {})
        found.update(named[path] for path in draw.next_ones(list(named), (), 10))
    counts = np.array([found[number] for number in range(40)])
    chi = ((counts - 100) ** 2 / (100 * 0.75)).sum()  # of 39 degrees of freedom
    assert chi < 70  # beyond, once in 600


@pytest.fixture
def labels(sample_folder: Path, tmp_path: Path) -> Path:
    index = recognise(scan(sample_folder)).pictures
    to_end(begin(tmp_path / "labels", recognise(index.subset(index.paths), "")))
    with Labelling(tmp_path / "labels") as store:
        edit = store.labelling(list(store.of)[5:], None)
        assert edit is not None
        store.apply(edit)
    return tmp_path / "labels"


def test_labels_keep_what_was_labelled_before_the_first_suggestion(labels: Path, sample_folder: Path) -> None:
    paths = recognise(scan(sample_folder)).pictures.paths
    assert read_drawn(labels) is None
    proposed = DrawnTest.draw(paths, paths[::5], {})
    with Labelling(labels) as store:
        before = frozenset(store.of)
        asked = proposed.next_ones(paths, before, 3)
        for path in asked[:2]:
            edit = store.labelling([path], 1)
            assert edit is not None
            store.apply(edit)
            store.note_asked(proposed, CLASSES, [path])
    found = recognise(scan(sample_folder), str(labels)).drawn
    assert found is not None
    assert found == read_drawn(labels)
    assert found.before[CLASSES] == before
    assert [path for path in paths if found.is_drawn(path, CLASSES)] == sorted(
        path for path in paths if found.is_held(path) and found.number(path) <= found.number(asked[1])
    )


def test_labels_of_one_of_several_folders_keep_it(labels: Path, sample_folder: Path, tmp_path: Path) -> None:
    paths = recognise(scan(sample_folder)).pictures.paths
    draw = DrawnTest.draw(paths, paths[::5], {CLASSES: paths[:3]}).with_asked(paths[:20], CLASSES)
    draw.write(labels)
    to_end(labels_below(labels, tmp_path / "both", "zoo", tmp_path))
    again = read_drawn(tmp_path / "both")
    assert again is not None
    assert all(again.is_drawn(f"zoo/{path}", CLASSES) == draw.is_drawn(path, CLASSES) for path in paths)
    assert all(again.was_before(f"zoo/{path}", CLASSES) == draw.was_before(path, CLASSES) for path in paths)


@pytest.mark.parametrize("content", [b"{}", b"no", b'{"format": 99, "every": 5, "asked": {}}'])
def test_damage_is_said_and_nothing_suggested_tests(labels: Path, content: bytes) -> None:
    drawn().write(labels)
    (labels / STATE).write_bytes(content)
    with pytest.raises(DataError, match="suggested ones would test"):
        read_drawn(labels)
    (labels / TABLE).unlink()
    with pytest.raises(DataError, match="suggested ones would test"):
        read_drawn(labels)


def test_no_file_name_is_a_formula_for_a_spreadsheet(tmp_path: Path) -> None:
    drawn = DrawnTest(5, {"=1+1.png": 0, "@a.png": 1, "b.png": 2}, frozenset({"=1+1.png"}), {}, {})
    drawn.write(tmp_path)
    text = (tmp_path / "drawn.csv").read_text(encoding="utf-8-sig")
    assert "\n'=1+1.png," in text
    assert read_drawn(tmp_path) == drawn
