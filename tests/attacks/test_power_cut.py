"""The power fails at any moment: a share of what `python -m tests.attacks.power_cut` tries, and that it can fail."""

from pathlib import Path

import pytest

from sslstudio.engine.core.files import atomic_files
from tests.attacks import power_cut


@pytest.mark.parametrize("name", list(power_cut.CASES))
def test_what_was_confirmed_is_there_after_a_power_cut(tmp_path: Path, name: str) -> None:
    assert power_cut.attack(name, tmp_path, 30, seed=5) == []


@pytest.mark.slow
def test_after_any_of_many_power_cuts() -> None:
    assert power_cut.main(["--n", "5000", "--seed", "1"]) == 0


@pytest.mark.parametrize(("name", "left_out"), [
    ("project", "sync_file"), ("weights", "sync_file"), ("queue", "sync_folder"), ("folders", "sync_tree"),
])  # fmt: skip
def test_it_is_noticed_when_something_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, left_out: str
) -> None:
    monkeypatch.setattr(atomic_files, left_out, lambda _: None)
    assert power_cut.attack(name, tmp_path, 120, seed=5)
