"""Lists of the pictures of each part, as Pascal VOC, YOLO and others keep them."""

from pathlib import Path

import pytest

from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import Recognised


def _write(root: Path, **texts: str) -> None:
    for name, text in texts.items():
        file = root / f"{name.replace('__', '/')}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _pictures(root: Path, folder: str = "JPEGImages", count: int = 8) -> None:
    (root / folder).mkdir(parents=True)
    for number in range(count):
        (root / folder / f"2007_{number:06d}.jpg").write_bytes(b"")


def _parts(found: Recognised) -> dict[str, list[int]]:
    parts: dict[str, list[int]] = {}
    for path, part in found.given_split.items():
        parts.setdefault(part, []).append(int(path[-10:-4]))
    return parts


@pytest.mark.parametrize("above", ["", "VOC2012/", "VOCdevkit/VOC2012/"])
def test_image_sets_of_voc_give_parts(above: str, tmp_path: Path) -> None:
    root = tmp_path / above
    _pictures(root)
    _write(
        root,
        ImageSets__Main__train="2007_000000\n2007_000001\n2007_000002\n",
        ImageSets__Main__val="2007_000003\n2007_000004\n",
        ImageSets__Main__trainval="".join(f"2007_{n:06d}\n" for n in range(5)),
        ImageSets__Main__test="2007_000005\n2007_000006\n",
        ImageSets__Main__cat_train="2007_000000 -1\n2007_000001  1\n",
    )
    found = recognise(scan(tmp_path))
    assert _parts(found) == {"train": [0, 1, 2], "validation": [3, 4], "test": [5, 6]}
    told = {one.path: one for one in found.roles}
    assert told[f"{above}ImageSets/Main/val.txt"].role == "part"
    assert told[f"{above}ImageSets/Main/val.txt"].count == 2


def test_those_of_masks_hold_where_there_are_masks(tmp_path: Path) -> None:
    _pictures(tmp_path)
    (tmp_path / "SegmentationClass").mkdir()
    _write(
        tmp_path,
        ImageSets__Main__train="2007_000000\n2007_000001\n", ImageSets__Main__val="2007_000002\n2007_000003\n",
        ImageSets__Segmentation__train="2007_000000\n2007_000002\n", ImageSets__Segmentation__val="2007_000001\n",
    )  # fmt: skip
    found = recognise(scan(tmp_path))
    assert _parts(found) == {"train": [0, 2], "validation": [1, 3]}
    assert "2 pictures are in the lists of several parts" in " ".join(found.notes)


def test_lists_of_paths_beside_the_pictures(tmp_path: Path) -> None:
    """As SegNet's lists name the mask behind the picture, and those of YOLO begin with a point."""
    _pictures(tmp_path, "images")
    _write(
        tmp_path,
        train="".join(f"/data/CamVid/images/2007_{n:06d}.jpg /data/CamVid/annot/2007_{n:06d}.png\n" for n in range(5)),
        test="./images/2007_000006.jpg\n./images/2007_000007.jpg\n",
    )
    assert _parts(recognise(scan(tmp_path))) == {"train": [0, 1, 2, 3, 4], "test": [6, 7]}


def test_lists_of_something_else_and_those_that_are_left_out_give_no_parts(tmp_path: Path) -> None:
    _pictures(tmp_path, "images")
    _write(tmp_path, train="a\nb\n2007_000001\n", val="c\nd\n")
    assert not recognise(scan(tmp_path)).given_split
    _write(tmp_path, train="2007_000001\n2007_000002\n", val="2007_000003\n")
    found = recognise(scan(tmp_path))
    assert found.given_split
    found = recognise(scan(tmp_path), roles={"val.txt": "ignore"})
    assert not found.given_split
    assert {one.path: one.role for one in found.roles}["val.txt"] == "ignore"
