"""What other systems do differently, as rules: names that they refuse, names that they take for one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.files.file_names import FORBIDDEN, LONGEST, free_among, is_reserved, portable_name, same_name
from sslstudio.engine.projects.project import free_project
from sslstudio.engine.projects.relocate import fitting_name


@pytest.mark.parametrize("name", ["CON", "con", "nul.txt", "COM1", "lpt9.tar.gz", "AUX .x", "PRN", "conin$", "com¹"])
def test_what_windows_keeps_for_itself_is_known(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["Consul", "COM10", "null", "a.con", "lpt", "com"])
def test_what_only_looks_like_it_is_free(name: str) -> None:
    assert not is_reserved(name)
    assert portable_name(name, "x") == name


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("CON", "CON-"),
        ("nul.tar", "nul-.tar"),
        ("Pets...", "Pets"),
        ("Pets. . ", "Pets"),
        ("a:b/c\\d", "a-b-c-d"),
        ("line\nbreak", "line-break"),
        ("...", "Pictures"),
        ("???", "Pictures"),
        ("", "Pictures"),
        ("Äpfel 日本 ✓", "Äpfel 日本 ✓"),
    ],
)
def test_the_nearest_name_is_taken(name: str, wanted: str) -> None:
    assert portable_name(name, "Pictures") == wanted


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_becomes_one_that_every_system_takes_and_stays_so(name: str) -> None:
    made = portable_name(name, "Pictures")
    assert 0 < len(made) <= LONGEST + 1
    assert not set(made) & FORBIDDEN
    assert made == made.strip()
    assert made[-1] not in ". "
    assert made[0] != "."
    assert not is_reserved(made)
    assert portable_name(made, "Pictures")[:LONGEST] == made[:LONGEST]
    if len(made) <= LONGEST:
        assert fitting_name(made) == made  # a person might have written it


def test_names_that_differ_by_case_or_by_accents_are_one() -> None:
    assert same_name("Pets", "pETS")
    assert same_name("caf\u00e9", "cafe\u0301")
    assert free_among("pets", ["Pets", "PETS 2"]) == "pets 3"


def test_a_project_gets_no_name_that_only_this_system_takes(tmp_path: Path) -> None:
    (tmp_path / "Aux-").mkdir()
    assert free_project(tmp_path, "aux") == "aux- 2"
    assert free_project(tmp_path, "x" * 300) == "x" * LONGEST
