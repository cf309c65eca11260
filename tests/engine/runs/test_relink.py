"""Pictures that have moved are found again, and another folder is not taken for them."""

from pathlib import Path

import pytest

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.multi_folder import folders_of, write_album
from sslstudio.engine.runs.relink import (
    BEFORE,
    gone_folder,
    pictures_folder,
    relink,
    relink_listed,
    without_listed,
)
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder

PATHS = [f"cats/{number}.png" for number in range(10)]


def made_run(tmp_path: Path) -> Path:
    run = RunFolder.create(tmp_path / "run", {"job": "pretrain", "data": {"folder": "/gone/pets", "side": 48}})
    run.write_json("split.json", {"train": PATHS[:6], "validation": PATHS[6:8], "test": PATHS[8:]})
    return run.path


def folder_with(tmp_path: Path, paths: list[str]) -> Path:
    for path in paths:
        (tmp_path / "pets" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / path).touch()
    return tmp_path / "pets"


def test_a_run_is_told_where_its_pictures_are_now(tmp_path: Path) -> None:
    run, folder = made_run(tmp_path), folder_with(tmp_path, PATHS[:9])
    before = (run / CONFIG).read_bytes()
    assert pictures_folder(run) == Path("/gone/pets")
    assert relink(run, folder) == 9
    assert RunFolder.open(run).config()["data"] == {"folder": str(folder), "side": 48}
    assert (run / BEFORE).read_bytes() == before
    moved = folder.rename(tmp_path / "animals")
    assert relink(run, moved) == 9
    assert (run / BEFORE).read_bytes() == before


def test_another_folder_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    run, folder = made_run(tmp_path), folder_with(tmp_path, PATHS[:4])
    before = (run / CONFIG).read_bytes()
    with pytest.raises(DataError, match="Only 4 of the 10 pictures"):
        relink(run, folder)
    assert (run / CONFIG).read_bytes() == before
    assert not (run / BEFORE).exists()


def test_one_of_several_folders_is_found_again_or_left_out(tmp_path: Path) -> None:
    here, there = folder_with(tmp_path / "here", PATHS), folder_with(tmp_path / "usb", PATHS)
    place = tmp_path / "both"
    write_album(place, {"here": here, "usb": there})
    run = RunFolder.create(tmp_path / "run", {"job": "pretrain", "data": {"folder": str(place)}})
    run.write_json("split.json", {"train": [f"{name}/{path}" for name in ("here", "usb") for path in PATHS],
                                  "validation": [], "test": []})  # fmt: skip
    assert gone_folder(place) is None
    moved = there.rename(tmp_path / "moved")
    assert gone_folder(place) == ("usb", there)
    with pytest.raises(DataError, match=r"Only 0 of the 10 pictures of this run are in .*, where it looks for cats/0"):
        relink_listed(run.path, "usb", tmp_path / "run")
    assert gone_folder(place) == ("usb", there)
    assert relink_listed(run.path, "usb", moved) == 10
    assert folders_of(place) == {"here": here, "usb": moved}
    without_listed(run.path, "usb")
    assert folders_of(place) == {"here": here}
    with pytest.raises(DataError, match="the only folder"):
        without_listed(run.path, "here")
    assert gone_folder(tmp_path / "nowhere") == ("", tmp_path / "nowhere")
