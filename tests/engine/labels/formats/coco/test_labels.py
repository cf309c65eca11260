"""COCO files as labelling programs write them become masks, or classes, or one clear sentence."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.evaluate.predict import write_mask
from sslstudio.engine.images.index import scan
from sslstudio.engine.images.multi_folder import write_album
from sslstudio.engine.labels.formats.coco.writer import write_coco
from sslstudio.engine.labels.masks.decode import IGNORE, decode_mask
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import MaskLabels, Recognised

Mask = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
SQUARE = [[2, 1, 5, 1, 5, 4, 2, 4]]  # columns 2-4, rows 1-3
CATEGORIES = [{"id": 7, "name": "cell"}, {"id": 3, "name": "wall"}, {"id": 9, "name": "never seen"}]


def pictures(root: Path, *paths: str, size: tuple[int, int] = (10, 8)) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(root / path)


def coco(file: Path, images: list[str], annotations: list[dict[str, Any]], **other: Any) -> Path:
    """Pictures of 10 x 8 numbered from 1; every annotation is of the first one unless it says otherwise."""
    content = {
        "info": {},
        "images": [{"id": n, "file_name": name, "width": 10, "height": 8} for n, name in enumerate(images, 1)],
        "annotations": [{"id": n, "image_id": 1, "category_id": 7, **one} for n, one in enumerate(annotations, 1)],
        "categories": CATEGORIES,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content | other))
    return file


def found(root: Path, labels: str = "") -> Recognised:
    return recognise(scan(root), labels)


def masks_of(root: Path, labels: str = "") -> MaskLabels:
    masks = found(root, labels).masks
    assert masks is not None
    return masks


def mask_of(masks: MaskLabels, path: str) -> Mask:
    return decode_mask(Path(masks.of[path]), masks.coding, None)


def test_outlines_become_masks_in_the_cache_folder(tmp_path: Path, own_cache: Path) -> None:
    pictures(tmp_path, "images/a.png", "images/b.png", "images/c.png")
    coco(tmp_path / "result.json", ["images/a.png", "b.png"], [{"segmentation": SQUARE}])
    before = sorted(tmp_path.rglob("*"))
    masks = masks_of(tmp_path)
    assert (masks.found_in, masks.names) == ("COCO file result.json", ("background", "cell"))
    assert sorted(masks.of) == ["images/a.png", "images/b.png"]  # c is not listed: it has no label
    assert masks.notes == ("1 picture without a mask.",)
    assert found(tmp_path).notes == ("1 picture with nothing marked: background only.",)
    mask = mask_of(masks, "images/a.png")
    assert mask[1:4, 2:5].all()
    assert mask.sum() == 9
    assert not mask_of(masks, "images/b.png").any()
    assert all(Path(file).is_relative_to(own_cache) for file in masks.of.values())
    assert sorted(tmp_path.rglob("*")) == before


def test_the_smaller_of_two_lies_on_top_and_numbers_follow_the_file(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    whole = {"size": [8, 10], "counts": [0, 80]}
    small = {"segmentation": SQUARE, "area": 10_000}  # what the file says of sizes is not believed
    coco(tmp_path / "a.json", ["a.png"], [small, {"category_id": 3, "segmentation": whole}])
    masks = masks_of(tmp_path)
    assert masks.names == ("background", "cell", "wall")
    mask = mask_of(masks, "a.png")
    assert (mask == 1).sum() == 9
    assert (mask == 2).sum() == 71


def test_crowds_and_boxes_without_an_outline_are_not_counted(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    crowd = {"segmentation": {"size": [8, 10], "counts": "0`2"}, "iscrowd": 1}  # all 80 pixels, in the short writing
    box = {"segmentation": [], "bbox": [0, 6, 10, 2]}
    coco(tmp_path / "a.json", ["a.png"], [{"segmentation": SQUARE}, crowd])
    assert (mask_of(masks_of(tmp_path), "a.png") == IGNORE).sum() == 71
    coco(tmp_path / "a.json", ["a.png"], [{"segmentation": SQUARE}, box, crowd | {"segmentation": SQUARE}])
    mask = mask_of(masks_of(tmp_path), "a.png")
    assert (mask == IGNORE).sum() == 20
    assert (mask == 1).sum() == 9
    assert found(tmp_path).notes == (
        "1 crowd roughly outlined: what lies in it is not counted.",
        "1 object with a box and no outline: what lies in it is not counted.",
    )


def test_made_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    file = coco(tmp_path / "a.json", ["a.png"], [{"segmentation": SQUARE}])
    first = masks_of(tmp_path)
    made = Path(first.of["a.png"]).stat().st_mtime_ns
    assert masks_of(tmp_path) == first
    assert Path(first.of["a.png"]).stat().st_mtime_ns == made
    coco(file, ["a.png", "b.png"], [{"segmentation": SQUARE, "image_id": 2, "category_id": 3}])
    os.utime(file, ns=(1, 1))
    again = masks_of(tmp_path)
    assert again.names == ("background", "wall")
    assert mask_of(again, "b.png").any()
    assert not mask_of(again, "a.png").any()
    Path(again.of["b.png"]).unlink()  # somebody tidies up the cache
    assert mask_of(masks_of(tmp_path), "b.png").any()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.data())
def test_what_is_predicted_here_reads_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """The law: masks -> COCO -> labels gives the same class in every pixel."""
    root = tmp_path_factory.mktemp("law")
    names = ["background", "a", "b", "c"]
    shapes = array_shapes(min_dims=2, max_dims=2, max_side=9)
    drawn = data.draw(st.lists(arrays(np.uint8, shapes, elements=st.integers(0, 3)), min_size=1, max_size=3))
    drawn.append(np.array([[1, 0]], np.uint8))  # something is marked somewhere
    for number, mask in enumerate(drawn):
        write_mask(root / f"{number}.mask", mask)
        pictures(root, f"p/{number}.png", size=(mask.shape[1], mask.shape[0]))
    of = {f"p/{number}.png": f"{number}.mask" for number in range(len(drawn))}
    for _ in write_coco(root / "coco.json", root, of, names, "law"):
        pass
    read = masks_of(root, "coco.json")
    for path, mask in zip(of, drawn, strict=True):
        assert np.array_equal(np.array(read.names)[mask_of(read, path)], np.array(names)[mask])


def test_one_file_a_part_as_roboflow_writes_them(tmp_path: Path) -> None:
    pictures(tmp_path, "train/1.png", "train/2.png", "valid/1.png")
    for part, names in (("train", ["1.png", "2.png"]), ("valid", ["1.png"])):
        coco(tmp_path / part / "_annotations.coco.json", names, [{"segmentation": SQUARE}])
    seen = found(tmp_path)
    assert seen.masks is not None
    assert sorted(seen.masks.of) == ["train/1.png", "train/2.png", "valid/1.png"]
    assert mask_of(seen.masks, "valid/1.png").any()
    assert seen.given_split["valid/1.png"] == "validation"


def test_a_file_above_the_pictures_and_one_in_annotations(tmp_path: Path) -> None:
    pictures(tmp_path, "data/images/a.png")
    coco(tmp_path / "data" / "annotations" / "instances_default.json", ["a.png"], [{"segmentation": SQUARE}])
    assert masks_of(tmp_path / "data").of.keys() == {"images/a.png"}
    assert masks_of(tmp_path / "data" / "images").of.keys() == {"a.png"}


def test_a_file_in_one_of_several_folders_speaks_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pictures(tmp_path / name, "p/1.png")
        coco(tmp_path / name / "annotations" / "all.json", ["1.png"], [{"segmentation": SQUARE}] if name == "b" else [])
    write_album(tmp_path / "set", {name: tmp_path / name for name in ("a", "b")})
    masks = masks_of(tmp_path / "set")
    assert sorted(masks.of) == ["b/p/1.png"]  # that of a marks nothing
    assert mask_of(masks, "b/p/1.png").any()
    assert found(tmp_path / "set").notes[0].startswith("all.json was not taken as labels. all.json marks nothing")


def test_mask_files_go_before_a_file_that_nobody_asked_for(tmp_path: Path) -> None:
    pictures(tmp_path, "images/a.png")
    write_mask(tmp_path / "masks" / "a.png", np.eye(8, 10, dtype=np.uint8))
    coco(tmp_path / "a.json", ["a.png"], [{"segmentation": SQUARE}])
    seen = found(tmp_path)
    assert seen.masks is not None
    assert seen.masks.found_in == "mask folder masks"
    assert seen.notes == ("There are outlines in the COCO file a.json too; the mask files were taken.",)
    assert masks_of(tmp_path, "a.json").found_in == "COCO file a.json"


def test_predictions_beside_the_pictures_are_no_labels(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    coco(tmp_path / "predicted" / "coco.json", ["a.png"], [{"segmentation": SQUARE}])
    (tmp_path / "predicted" / "answers.jsonl").touch()
    pictures(tmp_path, "predicted/b.png")
    assert found(tmp_path).masks is None


def test_missing_and_unclear_names_are_said(tmp_path: Path) -> None:
    pictures(tmp_path, "x/a.png", "y/a.png", "b.png", *(f"x/{number}.png" for number in range(4)))
    coco(tmp_path / "l.json", ["b.png", "gone.png", "a.png"], [{"segmentation": SQUARE}])
    assert found(tmp_path).notes[:2] == (
        "1 picture of l.json not in this folder: gone.png.",
        "1 name in l.json for more than one picture: a.png.",
    )


def test_boxes_of_one_class_a_picture_are_class_labels(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png", "c.png")
    box = {"bbox": [1, 1, 3, 3]}
    coco(tmp_path / "l.json", ["a.png", "b.png"], [box, box, box | {"image_id": 2, "category_id": 3}])
    seen = found(tmp_path)
    assert seen.masks is None
    assert seen.classes is not None
    assert {path: seen.classes.names[number] for path, number in seen.classes.of.items()} == {
        "a.png": "cell", "b.png": "wall",
    }  # fmt: skip
    assert seen.notes == ("There are no outlines: the boxes were taken as labels of the whole pictures.",)
    assert found(tmp_path, "l.json").classes == seen.classes


@pytest.mark.parametrize(
    ("second", "why"), [({"category_id": 3}, "several classes"), ({"category_id": 7}, "one class only")]
)
def test_boxes_that_say_neither_are_refused(tmp_path: Path, second: dict[str, int], why: str) -> None:
    pictures(tmp_path, "a.png")
    box = {"bbox": [1, 1, 3, 3]}
    coco(tmp_path / "l.json", ["a.png"], [box, box | second])
    with pytest.raises(DataError, match=f"boxes alone give no masks.*{why}"):
        found(tmp_path, "l.json")
    seen = found(tmp_path)  # not asked for: said, and nothing is lost
    assert (seen.masks, seen.classes) == (None, None)
    assert seen.notes[0].startswith("l.json was not taken as labels. l.json has no outlines")


def test_a_picture_without_a_size_is_measured(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", size=(6, 5))
    file = coco(tmp_path / "l.json", ["a.png"], [{"segmentation": SQUARE}])
    file.write_text(file.read_text().replace('"width": 10, "height": 8', '"width": null'))
    assert mask_of(masks_of(tmp_path), "a.png").shape == (5, 6)


RLE = {"size": [8, 10], "counts": [0, 80]}
IMAGE = {"id": 1, "file_name": "a.png", "width": 10, "height": 8}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{not json", "l.json is not JSON that can be read: it is damaged at line 1"),
        ("[1, 2]", "it holds no lists with names"),
        ({"shapes": [], "imagePath": "a.png"}, "it is labelme's file of one picture"),
        ({"images": []}, "it has no list called 'annotations'"),
        ({"images": [IMAGE, IMAGE]}, "two of its pictures have the number 1"),
        ({"images": [{"id": 1}]}, "it needs a name for 'file_name'"),
        ({"images": [IMAGE | {"width": 10**9}]}, "it says that picture 1 has"),
        ({"annotations": [{"image_id": 5, "category_id": 7}]}, "belongs to picture 5"),
        ({"annotations": [{"image_id": 1, "category_id": 8}]}, "the category 8"),
        ({"annotations": ["x"]}, "a whole number for 'image_id'"),
        ({"annotations": [{"segmentation": [[1, 2, float("nan"), 4, 5, 6]]}]}, "does not consist of numbers"),
        ({"annotations": [{"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}]}, "an x without a y"),
        ({"annotations": [{"segmentation": RLE | {"size": [10, 8]}}]}, "are for 8 x 10 pixels"),
        ({"annotations": [{"segmentation": RLE | {"counts": [0, 79]}}]}, "do not fill its picture"),
        ({"annotations": [{"segmentation": RLE | {"counts": "0P"}}]}, "are not whole numbers"),
        ({"annotations": [{"bbox": [1, 2]}]}, "has 2 numbers instead of 4"),
        ({"images": [IMAGE | {"file_name": "z.png"}]}, "lists 1 picture and none is in this folder"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path: Path, content: Any, said: str) -> None:
    pictures(tmp_path, "a.png")
    file = coco(tmp_path / "l.json", ["a.png"], [])
    if isinstance(content, str):
        file.write_text(content)
    elif "shapes" in content or content == {"images": []}:
        file.write_text(json.dumps(content))
    else:
        marks = [{"image_id": 1, "category_id": 7} | one if isinstance(one, dict) else one
                 for one in content.get("annotations", [])]  # fmt: skip
        file.write_text(json.dumps(json.loads(file.read_text()) | content | {"annotations": marks}))
    with pytest.raises(DataError, match=r"l\.json") as error:
        found(tmp_path, "l.json")
    assert said in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    with pytest.raises(DataError, match="cannot be read"):
        found(tmp_path, "gone.json")


def test_a_cache_that_takes_nothing_is_said(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path / "p", "a.png")
    coco(tmp_path / "p" / "a.json", ["a.png"], [{"segmentation": SQUARE}])
    (tmp_path / "full").write_text("a file where the cache is to be")
    monkeypatch.setenv("SSLSTUDIO_CACHE", str(tmp_path / "full"))
    with pytest.raises(StudioError, match="full"):
        found(tmp_path / "p")


def test_a_picture_under_two_numbers_has_the_marks_of_both(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    other = {"image_id": 3, "category_id": 3, "segmentation": [[6, 5, 9, 5, 9, 7, 6, 7]]}
    coco(tmp_path / "merged.json", ["a.png", "b.png", "a.png"], [{"segmentation": SQUARE}, other])
    seen = found(tmp_path)
    assert seen.masks is not None
    assert seen.masks.names == ("background", "cell", "wall")
    assert sorted(np.unique(mask_of(seen.masks, "a.png"))) == [0, 1, 2]
    assert any("listed more than once in merged.json" in note for note in seen.notes)


def test_own_predictions_are_no_labels_wherever_they_lie(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    own = {"info": {"description": "Predicted by run (pretrained)"}}
    coco(tmp_path / "coco.json", ["a.png", "b.png"], [{"segmentation": SQUARE}], **own)
    assert found(tmp_path).masks is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_id": 10**400}, "needs a whole number for 'image_id'"),
        ({"category_id": 2**70}, "needs a whole number for 'category_id'"),
        ({"segmentation": [[10**400, 1, 9, 1, 9, 9]]}, "does not consist of numbers"),
        ({"segmentation": [[float("nan"), 1, 9, 1, 9, 9]]}, "does not consist of numbers"),
        ({"bbox": [1, 1, 2**80, 1]}, "does not consist of numbers"),
        ({"segmentation": {"size": [8, 10], "counts": "o" * 1_000_000}}, "not whole numbers"),
    ],
)
def test_numbers_of_any_length_are_refused_in_words_and_at_once(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    pictures(tmp_path, "a.png")
    coco(tmp_path / "a.json", ["a.png"], [{"segmentation": SQUARE, **change}])
    began = time.process_time()
    with pytest.raises(DataError, match=said):
        found(tmp_path, "a.json")
    assert time.process_time() - began < 2
