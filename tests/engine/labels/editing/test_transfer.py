"""Corrections from elsewhere, by names of classes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.transfer import correcting, name_of, other_labels
from tests.engine.labels.editing.test_store import CLASSIFY, PATHS, empty

NAMES = st.sampled_from(["", "leaf", "shell", "sea urchin"])
LABELS = st.dictionaries(st.sampled_from(PATHS), NAMES)


def correct(store: Labelling, labels: dict[str, str]) -> None:
    for edit in correcting(store, labels):
        store.apply(edit)


@settings(max_examples=30, deadline=None)
@given(before=LABELS, corrections=LABELS)
def test_corrected_labels_are_as_told_all_others_as_before_and_both_are_on_the_disk(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], corrections: dict[str, str]
) -> None:
    folder = empty(tmp_path_factory.mktemp("labels"))
    with Labelling(folder) as store:
        correct(store, before)
        lacking, differing = other_labels(store, corrections)
        assert lacking == {path: name for path, name in corrections.items() if name and not before.get(path)}
        assert differing == {
            path: name for path, name in corrections.items() if name and before.get(path) and name != before[path]
        }
        correct(store, corrections)
        assert list(correcting(store, corrections)) == []
    with Labelling(folder) as again:
        wanted = {path: {**before, **corrections}.get(path, "") for path in PATHS}
        assert {path: name_of(again, path) for path in PATHS} == wanted


def test_a_class_is_known_by_its_name_however_it_is_written(tmp_path: Path) -> None:
    with Labelling(empty(tmp_path)) as store:
        store.apply(store.adding(CLASSIFY, "Sea urchin"))
        correct(store, {"a.png": " sea  URCHIN"})
        assert [one.name for one in store.names(CLASSIFY)] == ["Sea urchin"]
        assert name_of(store, "a.png") == "Sea urchin"


def test_a_name_that_means_no_label_is_refused(tmp_path: Path) -> None:
    with Labelling(empty(tmp_path)) as store, pytest.raises(DataError, match="no label"):
        correct(store, {"a.png": "N/A"})
