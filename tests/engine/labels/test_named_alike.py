"""Labels get the numbers of a network's classes by their names, whatever their own order is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import plain
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.named_alike import classes_alike, masks_alike
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import ClassLabels, MaskLabels

NAMES = ("background", "disc", "square", "star")
DIFFERENT = st.permutations(NAMES[1:]).flatmap(lambda names: st.integers(1, 3).map(lambda n: tuple(names[:n])))


def masks_of(folder: Path, *pictures: Any, suffix: str = "png", **options: Any) -> MaskLabels:
    """The masks of a folder with one picture a mask, as they are recognised."""
    for place in ("images", "masks"):
        (folder / place).mkdir(parents=True)
    for number, mask in enumerate(pictures):
        values = np.asarray(mask, np.uint8)
        Image.fromarray(np.full((*values.shape[:2], 3), 40 * number, np.uint8)).save(folder / f"images/{number}.png")
        Image.fromarray(values).save(folder / f"masks/{number}.{suffix}", **options)
    masks = recognise(scan(folder)).masks
    assert masks is not None
    return masks


def decoded(folder: Path, masks: MaskLabels, number: int = 0) -> list[int]:
    """The numbers in the first line of a mask."""
    file = next(mask for path, mask in masks.of.items() if path.endswith(f"{number}.png"))
    line: list[int] = decode_mask(folder / file, masks.coding, None)[0].tolist()
    return line


def block(*values: Any) -> list[Any]:
    """A mask with so many columns, eight rows of the same."""
    return [list(values)] * 8


@given(given=DIFFERENT)
def test_classes_and_masks_are_renumbered_by_name(given: tuple[str, ...]) -> None:
    named = ClassLabels(plain("a table"), given, {str(number): number for number in range(len(given))})
    found = classes_alike(NAMES, named)
    assert [NAMES[found.of[str(number)]] for number in range(len(given))] == list(given)
    coding = MaskCoding("ids", tuple(range(len(given) + 1)))
    alike = masks_alike(NAMES, MaskLabels(plain("masks"), ("background", *given), {}, coding))
    numbers = alike.coding.numbers or tuple(range(len(given) + 1))
    assert [NAMES[number] for number in numbers] == ["background", *given]
    assert alike.names == NAMES


def test_other_classes_are_refused_or_do_not_count(tmp_path: Path) -> None:
    coding = MaskCoding("ids", (0, 1, 2))
    masks = MaskLabels(plain("masks"), ("background", "dog", "square"), {}, coding)
    classes = ClassLabels(plain("a table"), ("dog", "square"), {"a": 0, "b": 1})
    for call in (lambda **how: masks_alike(NAMES, masks, **how), lambda **how: classes_alike(NAMES, classes, **how)):
        with pytest.raises(DataError, match=r"knows the classes background, disc.*has the classes .*dog, square"):
            call()
    assert masks_alike(NAMES, masks, partly=True).coding.numbers == (0, IGNORE, 2)
    assert classes_alike(NAMES, classes, partly=True).of == {"b": 2}
    with pytest.raises(DataError, match="no labels that were recognised"):
        masks_alike(NAMES, None, partly=True)
    with pytest.raises(DataError, match="Name them alike"):
        masks_alike(("background", "cat"), masks, partly=True)


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ((0, 1, 4), [0, 1, 2]),  # 2 is missing: 4 is not the second class for that
        ((0, 4, 2), [0, 2, IGNORE]),
        ((0, 4, 4), [0, 2, 2]),  # two values only, so that they are read as black and white
    ],
)
def test_numbers_in_masks_are_names(tmp_path: Path, columns: tuple[int, ...], wanted: list[int]) -> None:
    names = masks_of(tmp_path / "taught", block(0, 1, 4)).names
    assert names == ("background", "class 1", "class 4")
    theirs = masks_of(tmp_path / "other", block(*columns))
    assert decoded(tmp_path / "other", masks_alike(names, theirs, partly=True)) == wanted
    if IGNORE in wanted:
        with pytest.raises(DataError, match="class 2, class 4"):
            masks_alike(names, theirs)


def test_a_value_that_the_network_does_not_know_is_no_class_of_it(tmp_path: Path) -> None:
    theirs = masks_of(tmp_path, block(0, 0, 7))
    with pytest.raises(DataError, match="the folder has the classes background, object"):
        masks_alike(("background", "class 1", "class 4"), theirs)


@pytest.mark.parametrize("names", [("background", "object"), ("background", "square")])
@pytest.mark.parametrize("value", [1, 255])
def test_an_unnamed_class_is_the_only_one_of_the_network(tmp_path: Path, names: tuple[str, ...], value: int) -> None:
    found = masks_alike(names, masks_of(tmp_path, block(0, value, 0)))
    assert found.names == names
    assert decoded(tmp_path, found) == [0, 1, 0]


def test_a_named_class_is_that_of_a_network_that_was_taught_an_unnamed_one() -> None:
    theirs = MaskLabels(plain("masks"), ("background", "square"), {}, MaskCoding("ids", (0, 1)))
    assert masks_alike(("background", "object"), theirs).names == ("background", "object")
    with pytest.raises(DataError, match="background, disc"):
        masks_alike(("background", "disc"), theirs)


def test_colours_are_names_and_one_that_is_missing_moves_no_other(tmp_path: Path) -> None:
    black, red, green, blue = (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
    names = masks_of(tmp_path / "taught", block(black, red, green, blue)).names
    assert names == ("background", "#0000ff", "#00ff00", "#ff0000")
    theirs = masks_alike(names, masks_of(tmp_path / "other", block(black, red, blue)))
    assert decoded(tmp_path / "other", theirs) == [0, 3, 1]
    only = masks_alike(names, masks_of(tmp_path / "only", block(black, black, green)))
    assert decoded(tmp_path / "only", only) == [0, 0, 2]


def test_colours_that_were_saved_with_loss_are_the_same_within_what_is_lost(tmp_path: Path) -> None:
    black, red, green = (0, 0, 0), (250, 0, 0), (4, 246, 2)
    names = ("background", "#00fe00", "#0000ff", "#fe0000")
    wide = [[colour for colour in (black, red, green) for _ in range(24)]] * 32
    theirs = masks_alike(names, masks_of(tmp_path, wide, suffix="jpg", quality=95, subsampling=0))
    assert decoded(tmp_path, theirs)[4::24] == [0, 3, 1]


def test_what_is_alike_already_stays_as_it_is() -> None:
    classes = ClassLabels(plain("a table"), ("a", "b"), {"x": 1})
    assert classes_alike(("a", "b"), classes) is classes
    masks = MaskLabels(plain("masks"), ("background", "a"), {}, MaskCoding("ids", (0, 3)))
    assert masks_alike(("background", "a"), masks) == masks


def _coco(folder: Path, kinds: dict[int, str], marks: dict[str, tuple[int, int, int, int]]) -> MaskLabels:
    """A picture with a COCO file beside it: categories by number, and a box-shaped outline of each class."""
    folder.mkdir(parents=True)
    Image.new("RGB", (24, 16)).save(folder / "a.png")
    number = {name: key for key, name in kinds.items()}
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 24, "height": 16}],
        "categories": [{"id": key, "name": name} for key, name in kinds.items()],
        "annotations": [
            {"id": place, "image_id": 7, "category_id": number[name], "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0,
             "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]]}
            for place, (name, (x, y, w, h)) in enumerate(marks.items(), start=1)
        ],
    }  # fmt: skip
    (folder / "coco.json").write_text(json.dumps(content))
    masks = recognise(scan(folder)).masks
    assert masks is not None
    return masks


@pytest.mark.parametrize("kinds", [{0: "star", 1: "disc", 5: "square"}, {3: "square", 9: "disc"}, {0: "square"}])
def test_a_coco_file_that_lists_classes_in_another_order_is_scored_by_names(
    kinds: dict[int, str], tmp_path: Path
) -> None:
    marks = {"disc": (2, 2, 6, 5), "square": (12, 4, 8, 8), "star": (1, 10, 5, 5)}
    wanted = np.zeros((16, 24), np.uint8)
    here = {name: place for name, place in marks.items() if name in kinds.values()}
    for name, (x, y, w, h) in here.items():
        wanted[y : y + h, x : x + w] = NAMES.index(name)
    masks = _coco(tmp_path / "other", kinds, here)
    alike = masks_alike(NAMES, masks)
    np.testing.assert_array_equal(decode_mask(tmp_path / "other" / alike.of["a.png"], alike.coding, None), wanted)
    others = _coco(tmp_path / "others", {1: "dog", 2: "cat"}, {"dog": (2, 2, 6, 5), "cat": (12, 4, 8, 8)})
    with pytest.raises(DataError, match="cat"):
        masks_alike(NAMES, others)
