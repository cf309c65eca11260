"""Confusions come back as they were written; a damaged file is said in words."""

from pathlib import Path

import numpy as np
import pytest

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.runs.confusions import confusions_file, read_confusions, where_confused, write_confusions


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    file = confusions_file(tmp_path, "pretrained")
    paths = ("a/1.png", "grün/2.png", "odd\udce4.png")
    counts = np.random.default_rng(0).integers(0, 70_000, (3, 4, 4)).astype(np.float64)
    write_confusions(file, paths, counts)
    again, confusions = read_confusions(file)
    assert again == paths
    np.testing.assert_array_equal(confusions, counts)
    assert file.name == "confusions-pretrained.npz"


@pytest.mark.parametrize("content", [None, b"", b"PK torn"])
def test_a_damaged_file_is_said_in_words(tmp_path: Path, content: bytes | None) -> None:
    file = confusions_file(tmp_path, "scratch")
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RunError, match=r"confusions-scratch\.npz cannot be read"):
        read_confusions(file)


def test_where_a_class_was_taken_for_another_most_first_and_over_the_folds(tmp_path: Path) -> None:
    counts = np.zeros((3, 2, 2))
    counts[:, 0, 1] = (2, 0, 7)
    for number in range(2):
        fold = tmp_path / f"fold-{number + 1}"
        fold.mkdir()
        write_confusions(confusions_file(fold, "scratch"), tuple(f"{number}{one}" for one in "abc"), counts + number)
    found = where_confused(tmp_path, "scratch", 0, 1)
    assert list(found.items()) == [("1c", 8), ("0c", 7), ("1a", 3), ("0a", 2), ("1b", 1)]
    assert set(where_confused(tmp_path, "scratch", 1, 0)) == {"1a", "1b", "1c"}
    with pytest.raises(RunError, match="Score that run again"):
        where_confused(tmp_path, "pretrained", 0, 1)
