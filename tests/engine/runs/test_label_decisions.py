"""Decisions on labels are kept openly and can be taken back."""

import csv
from pathlib import Path

import pytest

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.runs.label_decisions import CHANGE, FILE, KEEP, UNSURE, decide, read_decisions, take_back


def test_decisions_are_kept_replaced_and_taken_back(tmp_path: Path) -> None:
    assert read_decisions(tmp_path) == {}
    decide(tmp_path, "b, ß.png", "leaf", "shell", CHANGE)
    decide(tmp_path, "a.png", "leaf", "shell", UNSURE)
    found = decide(tmp_path, "a.png", "leaf", "shell", KEEP)
    assert found == read_decisions(tmp_path)
    assert {name: one.decision for name, one in found.items()} == {"b, ß.png": CHANGE, "a.png": KEEP}
    with (tmp_path / FILE).open(encoding="utf-8-sig", newline="") as lines:
        assert [row["file"] for row in csv.DictReader(lines)] == ["a.png", "b, ß.png"]
    assert set(take_back(tmp_path, "a.png")) == {"b, ß.png"}
    assert set(read_decisions(tmp_path)) == {"b, ß.png"}


def test_a_name_that_is_no_text_is_kept(tmp_path: Path) -> None:
    odd = b"bl\xe4tt.png".decode("utf-8", "surrogateescape")
    decide(tmp_path, odd, "a", "b", KEEP)
    assert odd in read_decisions(tmp_path)


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("picture;verdict\na;b\n")
    with pytest.raises(DataError, match="the columns file, label"):
        decide(tmp_path, "a.png", "leaf", "shell", KEEP)
    assert (tmp_path / FILE).read_text() == "picture;verdict\na;b\n"


def test_other_words_are_no_decisions(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no decision"):
        decide(tmp_path, "a.png", "leaf", "shell", "perhaps")
    assert not (tmp_path / FILE).exists()
