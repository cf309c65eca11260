from pathlib import Path

import pytest

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.runs.run_folder import RunFolder, list_runs
from sslstudio.engine.runs.trash import bring_back, remove, set_aside


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made = RunFolder.create(tmp_path / "runs" / "first", {"job": "pretrain"}).path
    (made / "last.safetensors").write_bytes(b"weights")
    return made


def names(folder: Path) -> list[str]:
    return [one.path.name for one in list_runs(folder)]


def test_a_discarded_run_is_listed_no_more_and_comes_back_whole(run: Path) -> None:
    place = set_aside(run)
    assert not run.exists()
    assert names(run.parent) == []
    assert bring_back(place) == run
    assert names(run.parent) == ["first"]
    assert (run / "last.safetensors").read_bytes() == b"weights"
    assert [one.name for one in run.parent.iterdir()] == ["first"]


def test_nothing_is_overwritten_when_the_name_is_taken_by_now(run: Path) -> None:
    place = set_aside(run)
    RunFolder.create(run, {"job": "finetune"})
    second = set_aside(run)
    assert second != place
    RunFolder.create(run, {"job": "finetune"})
    back = bring_back(place)
    assert back.name == "first 2"
    assert RunFolder(back).job == "pretrain"


def test_only_what_was_set_aside_is_removed(run: Path) -> None:
    with pytest.raises(RunError, match="not discarded"):
        remove(run)
    assert run.exists()
    remove(set_aside(run))
    assert list(run.parent.iterdir()) == []


def test_what_is_no_run_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match="is not a run"):
        set_aside(tmp_path / "pictures")
    assert (tmp_path / "pictures").is_dir()
