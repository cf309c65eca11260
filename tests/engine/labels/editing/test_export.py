"""Labels taken along are all there, for this program and for others, and nothing is overwritten."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.editing.export import COCO, Exported, export_labels
from sslstudio.engine.labels.editing.files import LABELS, mask_file, masks_in, read_classes, read_mask
from sslstudio.engine.labels.editing.other_programs import FOLDERS, _places
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.stroke import Patch, Rect
from sslstudio.engine.labels.formats.coco.writer import read_coco
from sslstudio.engine.labels.masks.coding import IGNORE
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.recognise import recognise
from tests.engine.labels.editing.test_store import CLASSIFY, empty

SHAPE = (9, 7)


def exported(folder: Path, out: Path) -> Exported:
    return to_end(export_labels(folder, out))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labels, and two masks with a hole, two classes and pixels that do not count."""
    with Labelling(empty(tmp_path / "labels")) as store:
        for name in ("cat", "dog"):
            store.apply(store.adding(CLASSIFY, name))
        for path, number in (("a.png", 1), ("deep/b, c.png", 2)):
            edit = store.labelling([path], number)
            assert edit is not None
            store.apply(edit)
        for name in ("nucleus", "wall"):
            store.apply(store.adding("segmentation", name))
        ring = np.zeros(SHAPE, np.uint8)
        ring[1:6, 1:6], ring[3, 3], ring[7, :], ring[8, 0] = 1, 0, 2, IGNORE
        whole = Rect(0, 0, SHAPE[1], SHAPE[0])
        for path, mask in (("a.png", ring), ("deep/b, c.png", ring[::-1].copy())):
            store.apply(store.painting(path, SHAPE, Patch(whole, np.zeros(SHAPE, np.uint8), mask)))
    return store.folder


def test_every_stage_says_how_far_it_is_and_can_be_stopped(folder: Path, tmp_path: Path) -> None:
    said = [one.stage for one in export_labels(folder, tmp_path / "all")]
    assert list(dict.fromkeys(said)) == [
        "Writing the labels", "Checking the masks", "Writing COCO", "Writing for other programs",
    ]  # fmt: skip
    for stop_at in range(1, len(said)):
        steps = export_labels(folder, tmp_path / "out")
        for _ in range(stop_at):
            next(steps)
        steps.close()
        assert sorted(one.name for one in tmp_path.iterdir()) == ["all", "labels"]


def test_all_of_it_is_in_the_new_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = exported(folder, out)
    assert (made.labelled, made.masks) == (2, 2)
    there = sorted(file.name for file in out.iterdir())
    assert there == sorted(["about.json", "classes.csv", COCO, LABELS, "masks", *FOLDERS])
    assert (out / LABELS).read_bytes() == (folder / LABELS).read_bytes()
    assert read_classes(out) == read_classes(folder)
    found = dict(read_coco(out / COCO))
    assert sorted(found) == masks_in(out) == masks_in(folder)
    for path, mask in found.items():
        np.testing.assert_array_equal(mask, read_mask(folder, path))
        np.testing.assert_array_equal(mask, read_mask(out, path))
    text = (out / COCO).read_text(encoding="utf-8")
    assert "nucleus" in text
    assert "not counted" in text
    with Labelling(out) as again:  # it can be edited and trained on like the first one
        assert len(again.of) == 2
    assert list(tmp_path.glob(".*")) == []


def test_what_is_there_is_never_overwritten(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    for out, mine in ((tmp_path / "full", tmp_path / "full" / "mine.txt"), (tmp_path / "file", tmp_path / "file")):
        mine.write_text("x")
        with pytest.raises(DataError, match="not empty"):
            exported(folder, out)
    assert (tmp_path / "full" / "mine.txt").read_text() == (tmp_path / "file").read_text() == "x"


def test_one_that_is_stopped_or_fails_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    generator = export_labels(folder, tmp_path / "out")
    next(generator)
    generator.close()
    assert sorted(tmp_path.iterdir()) == before
    mask_file(folder, "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"a\.png"):
        exported(folder, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", FOLDERS)
def test_what_other_programs_get_is_read_back_alike(name: str, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(folder, out)
    classes = {number: one.name for number, one in read_classes(folder)["segmentation"].items()}
    pictures = out / name / ("JPEGImages" if name == "voc" else "images")
    if name in ("geojson", "labelme"):
        pictures = out / name
    for path in masks_in(folder):
        (pictures / path).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((SHAPE[1], SHAPE[0]), 90).save(pictures / path)
    found = recognise(scan(out / name))
    assert found.masks is not None
    assert len(found.masks.of) == 2
    for path, mask in found.masks.of.items():
        numbers = decode_mask(out / name / mask, found.masks.coding, None)
        before = read_mask(folder, (out / name / path).relative_to(pictures).as_posix())
        assert before is not None
        assert np.array_equal(numbers == 0, before == 0)
        for number, called in classes.items():
            place = number if name == "voc" else found.masks.names.index(called)
            assert np.array_equal(numbers == place, before == number)


@pytest.mark.parametrize(
    ("paths", "places"),
    [
        (["a.png", "b/c.tif"], ["a", "b/c"]),
        (["a.jpg", "a.png"], ["a.jpg", "a.png"]),
        (["Cat.png", "cat.jpg", "dog.jpg"], ["Cat.png", "cat.jpg", "dog"]),  # one file on Windows and on a Mac
        (["caf\u00e9.png", "cafe\u0301.jpg"], ["caf\u00e9.png", "cafe\u0301.jpg"]),
        (["a.jpg", "a.png", "a.png.tif"], ["a.jpg", "a.png", "a.png.tif"]),
        (["A/x.png", "a/x.jpg"], ["A/x.png", "a/x.jpg"]),
    ],
)
def test_no_two_pictures_get_one_file_on_any_system(paths: list[str], places: list[str]) -> None:
    assert _places(paths) == places


def test_pictures_whose_names_differ_by_case_keep_their_own_outlines(tmp_path: Path) -> None:
    """Cat.png beside cat.jpg are two pictures on every system; their outlines were one file on Windows."""
    mask = np.ones(SHAPE, np.uint8)
    with Labelling(empty(tmp_path / "labels")) as store:
        store.apply(store.adding("segmentation", "nucleus"))
        for path in ("Cat.png", "cat.jpg"):
            patch = Patch(Rect(0, 0, SHAPE[1], SHAPE[0]), np.zeros(SHAPE, np.uint8), mask)
            store.apply(store.painting(path, SHAPE, patch))
    out = tmp_path / "out"
    exported(store.folder, out)
    for name in FOLDERS:
        written = [file.relative_to(out / name).as_posix() for file in (out / name).rglob("*") if file.is_file()]
        assert len({one.casefold() for one in written}) == len(written), written
