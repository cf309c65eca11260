"""Labels of a folder in other formats, on a command line: read back, they are the same."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.cli.main import main
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.recognise import recognise

READ_FROM = {"coco": "coco.json", "geojson": "geojson", "labelme": "labelme", "voc": "voc/SegmentationClass",
             "yolo": "yolo/labels"}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures with masks of two classes, named by a list."""
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        mask = np.zeros((24, 32), np.uint8)
        mask[3:12, 4 : 14 + number], mask[15:20, 10:25] = 1, 2
        for kind, values in (("images", pixels), ("masks", mask)):
            (tmp_path / f"set/{kind}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / f"set/{kind}/p{number}.png")
    (tmp_path / "set/classes.txt").write_text("vessel\nnerve\n")
    return tmp_path / "set"


@pytest.mark.parametrize("kind", ["coco", "geojson", "labelme", "voc", "yolo"])
def test_each_format_is_read_back_as_the_same_masks(kind: str, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["labels", str(folder), "--format", kind, "--out", str(out)]) == 0
    written = {one.name for one in out.iterdir()} - {"labels.csv", "classes.csv", "about.json", "masks"}
    assert written == {READ_FROM[kind].partition("/")[0]}
    before = recognise(scan(folder)).masks
    other = tmp_path / "other"
    shutil.copytree(folder / "images", other / "images")
    if kind == "voc":
        shutil.copytree(out / "voc/SegmentationClass/images", other / "SegmentationClass")
        shutil.copyfile(out / "voc/labelmap.txt", other / "labelmap.txt")
    else:
        place = READ_FROM[kind]
        (shutil.copyfile if kind == "coco" else shutil.copytree)(out / place, other / Path(place).name)
        if kind == "yolo":
            shutil.copyfile(out / "yolo/data.yaml", other / "data.yaml")
    after = recognise(scan(other)).masks
    assert before is not None
    assert after is not None
    assert sorted(after.names[1:]) == ["nerve", "vessel"]
    for path, file in before.of.items():
        first = decode_mask(folder / file, before.coding, None)
        again = decode_mask(other / after.of[path], after.coding, None)
        for number, name in enumerate(before.names[1:], start=1):
            np.testing.assert_array_equal(first == number, again == after.names.index(name))


def test_what_cannot_be_written_is_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labels", str(folder), "--format", "coca", "--out", str(tmp_path / "a")]) == 2
    assert "Did you mean 'coco'?" in capsys.readouterr().err
    assert main(["labels", str(folder / "images"), "--out", str(tmp_path / "a")]) == 2
    assert "No labels were recognised" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main(["labels", str(folder), "--out", str(folder)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_classes_alone_are_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(6):
        (tmp_path / f"set/{'ab'[number % 2]}").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"set/{'ab'[number % 2]}/{number}.png").write_bytes(b"")
    assert main(["labels", str(tmp_path / "set"), "--out", str(tmp_path / "out"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["labelled"], said["masks"], said["formats"]) == (6, 0, [])
    assert "a/0.png,a" in (tmp_path / "out/labels.csv").read_text(encoding="utf-8-sig")
