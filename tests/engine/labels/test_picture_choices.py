"""Single pictures that a person leaves out or keeps together."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sslstudio.cli.main import main
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.dataset.file_parts import choose_parts
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.picture_choices import excluding, keeping_together, taking_back
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import draw_split


def _save(path: Path, shade: int = 128, size: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size, 3), shade, np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        for number in range(10):
            _save(tmp_path / "pictures" / name / f"{number}.png", 10 * number)
    return tmp_path / "pictures"


def test_an_excluded_picture_is_in_nothing_that_was_recognised(folder: Path) -> None:
    found = recognise(scan(folder), roles=excluding({}, ["cat/3.png", "dog/0.png"]))
    assert len(found.pictures) == 18
    assert "cat/3.png" not in found.pictures.paths
    assert found.classes is not None
    assert "cat/3.png" not in found.classes.of
    assert found.excluded == ("cat/3.png", "dog/0.png")
    assert any(str(note) == "2 pictures excluded by you." for note in found.notes)
    assert not any("Nothing here is called" in str(note) for note in found.notes)
    split = draw_split(found, DataConfig(folder=str(folder)))
    assert not {"cat/3.png", "dog/0.png"} & {*split.train, *split.validation, *split.test}


def test_a_mask_stays_a_mask_when_its_picture_is_excluded(tmp_path: Path) -> None:
    for number in range(6):
        _save(tmp_path / "images" / f"{number}.png", 40 * number)
        mask = np.zeros((8, 8), np.uint8)
        mask[:4] = 1
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "masks" / f"{number}.png")
    found = recognise(scan(tmp_path), roles=excluding({}, ["images/2.png"]))
    assert found.masks is not None
    assert len(found.masks.of) == 5
    assert found.pictures.paths == [f"images/{number}.png" for number in (0, 1, 3, 4, 5)]


def test_what_is_taken_back_is_there_again_and_roles_of_folders_stay(folder: Path) -> None:
    chosen = excluding({"dog": "class"}, ["cat/3.png"])
    assert taking_back(chosen, ["cat/3.png", "dog"]) == {"dog": "class"}
    assert recognise(scan(folder), roles=taking_back(chosen, ["cat/3.png"])).excluded == ()


def test_all_excluded_is_refused_and_a_picture_that_is_gone_is_said(folder: Path) -> None:
    index = scan(folder)
    with pytest.raises(DataError, match="Every picture"):
        recognise(index, roles=excluding({}, index.paths))
    found = recognise(index, roles=excluding({}, ["cat/no such.png"]))
    assert any("cat/no such.png" in str(note) for note in found.notes)


def test_a_page_of_a_file_can_be_excluded(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((8, 8), 60 * number, np.uint8)) for number in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    roles = excluding({}, ["stack.tif#page=2"])
    found = choose_parts(recognise(scan(tmp_path), roles=roles), "", "all")
    assert found.pictures.paths == ["stack.tif#page=1", "stack.tif#page=3"]
    assert found.excluded == ("stack.tif#page=2",)


def test_copies_that_are_kept_together_are_on_one_side_of_the_split(folder: Path) -> None:
    groups = [[f"cat/{number}.png", f"dog/{number}.png"] for number in range(10)]
    found = recognise(scan(folder), roles=keeping_together({}, groups))
    for seed in range(3):
        split = draw_split(found, DataConfig(folder=str(folder), split_seed=seed))
        part_of = {path: part for part in ("train", "validation", "test") for path in getattr(split, part)}
        assert split.test
        assert all(part_of[one] == part_of[other] for one, other in groups)


@given(st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=4), max_size=8), st.lists(st.integers(0, 3)))
def test_groups_only_grow_and_each_name_is_in_one(links: list[list[int]], owners: list[int]) -> None:
    paths = [f"{number}.png" for number in range(12)]
    base = {f"{number}.png": f"patient {owner}" for number, owner in enumerate(owners[:12])}
    together = {f"{one}.png": str(number) for number, members in enumerate(links) for one in members}
    found = groups_of(paths, "", base, together)
    for name in set(together.values()):
        assert len({found[path] for path, other in together.items() if other == name}) == 1
    for owner in set(base.values()):
        assert len({found[path] for path, other in base.items() if other == owner}) <= 1
    if together:
        assert set(found) == set(paths)


def test_the_command_line_leaves_pictures_out(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "out.txt"
    listed.write_text("cat/1.png\n\ndog/2.png\n", encoding="utf-8")
    assert main(["index", str(folder), "--exclude", "cat/0.png", "--exclude", f"@{listed}"]) == 0
    said = capsys.readouterr().out
    assert "17 pictures" in said
    assert "3 pictures excluded by you." in said
    assert main(["index", str(folder), "--exclude", "@nowhere.txt"]) != 0
    assert "the list cannot be read" in capsys.readouterr().err
