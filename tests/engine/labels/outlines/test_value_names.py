"""Lists that lie with masks name their values."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import MaskLabels

COLOURS = {1: (128, 0, 0), 2: (0, 128, 0)}


def _masks(root: Path, kind: str, folder: str = "masks") -> None:
    """Four pictures; masks of 0, 1, 2 as numbers, in these colours, or with a palette; or black and white."""
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 48, 3), np.uint8)
        (root / "images").mkdir(parents=True, exist_ok=True)
        (root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / f"images/p{number}.png")
        values = np.zeros((32, 48), np.uint8)
        values[4:14, 5:20], values[16:28, 25:40] = 1, 2 if kind != "black and white" else 1
        coloured = np.zeros((32, 48, 3), np.uint8)
        for value, colour in COLOURS.items():
            coloured[values == value] = colour
        shown = coloured if kind == "colours" else values * 255 if kind == "black and white" else values
        image = _with_palette(values) if kind == "palette" else Image.fromarray(shown)
        image.save(root / f"{folder}/p{number}.png")


def _with_palette(values: NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(values).convert("P")
    image.putpalette([0, 0, 0, *COLOURS[1], *COLOURS[2]])
    return image


def _recognised(root: Path) -> MaskLabels:
    found = recognise(scan(root))
    assert found.masks is not None
    return found.masks


@pytest.mark.parametrize(
    ("kind", "name", "text", "names"),
    [
        ("colours", "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\nnerve:0,128,0::\n"
         "vessel:128,0,0::\n", ("background", "nerve", "vessel")),
        ("palette", "labelmap.txt", "background:0,0,0::\nnerve:0,128,0::\nvessel:128,0,0::\n",
         ("background", "vessel", "nerve")),
        ("palette", "labelmap.txt", "nerve:0,128,0::\nvessel:128,0,0::\n", ("background", "vessel", "nerve")),
        ("numbers", "labelmap.txt", "background:0,0,0::\nnerve:0,128,0::\nvessel:128,0,0::\n",
         ("background", "nerve", "vessel")),
        ("colours", "label_colors.txt", "0 0 0\tVoid\n128 0 0\tBuilding\n0 128 0\tTree\n",
         ("Void", "Tree", "Building")),
        ("colours", "class_dict.csv", "name,r,g,b\nbg,0,0,0\ncar,128,0,0\nroad way,0,128,0\n",
         ("background", "road way", "car")),
        ("numbers", "class_names.txt", "_background_\nvessel\nnerve\n", ("background", "vessel", "nerve")),
        ("numbers", "class_names.txt", "__ignore__\n_background_\nvessel\nnerve\n", ("background", "vessel", "nerve")),
        ("numbers", "classes.txt", "vessel\nnerve\n", ("background", "vessel", "nerve")),
        ("numbers", "codes.txt", "Animal\nArchway\nBicyclist\nBridge\n", ("Animal", "Archway", "Bicyclist")),
        ("numbers", "labels.txt", "0: background\n1: vessel\n2: nerve\n", ("background", "vessel", "nerve")),
        ("numbers", "dataset.json", '{"labels": {"background": 0, "vessel": 1, "nerve": 2}}',
         ("background", "vessel", "nerve")),
        ("black and white", "classes.txt", "background\ncrack\n", ("background", "crack")),
        ("black and white", "classes.txt", "crack\n", ("background", "crack")),
        ("black and white", "classes.txt", "crack\nspall\ndent\n", ("background", "object")),
        ("numbers", "classes.txt", "vessel\n", ("background", "class 1", "class 2")),
    ],
)  # fmt: skip
def test_a_list_names_the_values(kind: str, name: str, text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    _masks(tmp_path, kind)
    (tmp_path / name).write_text(text)
    assert tuple(map(str, _recognised(tmp_path).names)) == names


def test_the_list_is_told_among_the_roles_and_the_nearest_holds(tmp_path: Path) -> None:
    _masks(tmp_path, "numbers")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "masks/classes.txt").write_text("vessel\nnerve\n")
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert found.masks.names == ("background", "vessel", "nerve")
    told = {one.path: (one.role, str(one.reason)) for one in found.roles}
    assert told["masks/classes.txt"] == ("labels", "It names 3 of the 3 values of the masks.")


def test_folders_of_numbers_take_the_names_of_a_list(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for name in ("0", "1"):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(3):
                (tmp_path / part / name / f"{number}.jpg").write_bytes(b"")
    (tmp_path / "data.yaml").write_text("train: train\nval: val\nnc: 2\nnames: [ripe, unripe]\n")
    found = recognise(scan(tmp_path))
    assert found.classes is not None
    assert found.classes.names == ("ripe", "unripe")
    assert {one.path: one.role for one in found.roles}["data.yaml"] == "labels"
