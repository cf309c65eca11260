"""Masks survive the way through COCO to the pixel."""

import json
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.evaluate.predict import write_mask
from sslstudio.engine.labels.formats.coco import writer as coco_writer
from sslstudio.engine.labels.formats.coco.raster import from_runs
from sslstudio.engine.labels.formats.coco.writer import patches, read_coco, write_coco

R = TypeVar("R")


@settings(deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=10), elements=st.integers(0, 3)))
def test_patches_cover_each_pixel_once(mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> None:
    rebuilt = np.zeros_like(mask)
    for one in patches(mask):
        inside = from_runs(one["segmentation"]["counts"], *mask.shape)
        assert not rebuilt[inside].any()
        assert one["area"] == inside.sum()
        left, top, width, height = one["bbox"]
        rows, columns = np.nonzero(inside)
        assert (columns.min(), rows.min()) == (left, top)
        assert (columns.max() - left + 1, rows.max() - top + 1) == (width, height)
        rebuilt[inside] = one["category_id"]
    assert np.array_equal(rebuilt, mask)


def test_a_folder_of_masks_is_written_and_read_back(tmp_path: Path) -> None:
    mask = np.zeros((30, 50), np.uint8)
    mask[2:9, 3:12], mask[20:26, 30:44], mask[22:24, 33:36] = 1, 2, 0  # a hole too
    write_mask(tmp_path / "masks" / "ä.png.png", mask)
    write_mask(tmp_path / "masks" / "b.png.png", np.zeros((4, 4), np.uint8))
    of = {"ä.png": "masks/ä.png.png", "b.png": "masks/b.png.png"}
    count = to_end(write_coco(tmp_path / "coco.json", tmp_path, of, ["background", "cell", "wall"], "made up"))
    assert count == 2
    content = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))
    assert content["categories"] == [{"id": 1, "name": "cell"}, {"id": 2, "name": "wall"}]
    assert [(one["file_name"], one["height"], one["width"]) for one in content["images"]] == [
        ("ä.png", 30, 50), ("b.png", 4, 4),
    ]  # fmt: skip
    found = dict(read_coco(tmp_path / "coco.json"))
    assert np.array_equal(found["ä.png"], mask)
    assert not found["b.png"].any()


def test_a_difference_is_not_kept_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.ones((5, 6), np.uint8)
    write_mask(tmp_path / "m.png", mask)
    monkeypatch.setattr(coco_writer, "run_lengths", lambda inside: [1, inside.size - 1])
    with pytest.raises(RunError, match=r"a\.png is another one"):
        to_end(write_coco(tmp_path / "c.json", tmp_path, {"a.png": "m.png"}, ["background", "x"], ""))
