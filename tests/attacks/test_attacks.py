"""A small share of the attacks; `python -m tests.attacks.damaged_files` makes as many as one likes."""

import sys

import pytest

from tests.attacks import damaged_files, hostile_files, mutated_pictures
from tests.attacks.confined import Tally

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits of memory by the system")


def _assert_well(tally: Tally) -> None:
    assert not tally.told, "\n\n".join(tally.told[:5])


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack sets the folders of the program for itself."""
    for name in ("SSLSTUDIO_CACHE", "SSLSTUDIO_LOG", "SSLSTUDIO_HOME", "HOME", "TMPDIR"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.mark.usefixtures("own_environment")
def test_damaged_and_hostile_files_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR")
    with damaged_files.made_world() as world:
        _assert_well(damaged_files.attack(12, seed=4, inside=world))
        _assert_well(hostile_files.attack("labels: ", inside=world, every=4))


def test_mutated_pictures_are_refused_in_words() -> None:
    _assert_well(mutated_pictures.attack(30, seed=4))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("own_environment")
def test_all_hostile_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR")
    _assert_well(hostile_files.attack())


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("own_environment")
def test_two_thousand_damaged_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR")
    _assert_well(damaged_files.attack(2000, seed=1))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_thousand_mutated_pictures() -> None:
    _assert_well(mutated_pictures.attack(5000, seed=1))
