"""Predictions on disk: tables that Excel opens, masks whose values are class numbers, scores that follow from both."""

import csv
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix, jaccard_score

from sslstudio.engine.compute.device import choose
from sslstudio.engine.compute.seeding import derive, seed_init
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import plain
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.predict import (
    CHUNK,
    Predictor,
    confusion_of,
    mask_of,
    mean_iou,
    score_classes,
    score_masks,
    write_class_table,
    write_mask,
)
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.masks.decode import MaskCoding
from sslstudio.engine.labels.masks.files import PALETTE
from sslstudio.engine.labels.types import MaskLabels
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import Classifier, PixelScale, Segmenter
from sslstudio.engine.transforms.finetune_views import IGNORE

SIDE = 16
COUNT = CHUNK + 6
NAMES = ("none", "cell", "Zelle, groß")
Masks = npt.NDArray[np.uint8]
T = TypeVar("T")


def finish(run: Generator[Preparing, None, T]) -> tuple[list[Preparing], T]:
    events = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def rng(*purpose: str | int) -> np.random.Generator:
    return np.random.default_rng(derive(0, *purpose))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """More pictures than one chunk holds, wider than high, in two folders; their masks lie beside the root."""
    root = tmp_path_factory.mktemp("data")
    for folder in ("images/a", "images/b", "masks/a", "masks/b"):
        (root / folder).mkdir(parents=True)
    draw = rng("pictures")
    for number in range(COUNT):
        name = f"{'ab'[number % 2]}/{number:03}"
        pixels = draw.integers(0, 200, 3) + draw.integers(0, 56, (20, 28, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(root / f"images/{name}.png")
        mask = draw.integers(0, 4, (20, 28)).astype(np.uint8)
        Image.fromarray(np.where(mask == 3, IGNORE, mask).astype(np.uint8)).save(root / f"masks/{name}.png")
    building = build_cache(scan(root / "images"), SIDE, cache_dir=tmp_path_factory.mktemp("cache"), workers=1)
    cache = finish(building)[1]
    return Pictures(cache, list(reversed(cache.index.paths)), choose("cpu"))


def predictor(pictures: Pictures, kind: str) -> Predictor:
    encoder = build_encoder(EncoderConfig(name="small", stem="tiny"), 0)
    network = Classifier if kind == "classification" else Segmenter
    with seed_init(0, "head"):
        model = network(PixelScale(pictures.spread(16)), encoder, len(NAMES))
    return Predictor(model, kind, NAMES, choose("cpu"))


def read_table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def test_the_probabilities_come_for_every_picture_in_order(pictures: Pictures) -> None:
    chunks = list(predictor(pictures, "classification").chunks(pictures, RunControl()))
    assert [len(names) for names, _ in chunks] == [CHUNK, COUNT - CHUNK]
    assert [name for names, _ in chunks for name in names] == list(pictures.paths)
    chances = torch.cat([part for _, part in chunks])
    assert chances.shape == (COUNT, 3)
    torch.testing.assert_close(chances.sum(1), torch.ones(COUNT))
    assert not chances.requires_grad
    alone = predictor(pictures, "classification")
    (first,) = [
        part for _, part in alone.chunks(Pictures(pictures._cache, pictures.paths[-1:], choose("cpu")), RunControl())
    ]
    torch.testing.assert_close(first[0], chances[-1])  # nothing depends on what is in the same chunk


def test_a_stop_ends_the_predicting(pictures: Pictures) -> None:
    control = RunControl()
    chunks = predictor(pictures, "classification").chunks(pictures, control)
    next(chunks)
    control.stop()
    with pytest.raises(RunError, match="Stopped while predicting"):
        next(chunks)


def test_classes_are_scored_as_the_table_says(pictures: Pictures, tmp_path: Path) -> None:
    truth = rng("truth").integers(0, 3, COUNT).tolist()
    run = score_classes(predictor(pictures, "classification"), pictures, truth, tmp_path / "p.csv", RunControl())
    events, confusions = finish(run)
    assert [(event.done, event.total) for event in events] == [(CHUNK, COUNT), (COUNT, COUNT)]
    rows = read_table(tmp_path / "p.csv")
    assert [row["file"] for row in rows] == list(pictures.paths)
    assert [row["label"] for row in rows] == [NAMES[label] for label in truth]
    guessed = [NAMES.index(row["predicted"]) for row in rows]
    assert len(set(guessed)) > 1
    assert confusions.shape == (COUNT, 3, 3)
    assert np.array_equal(confusions.sum(0), confusion_matrix(truth, guessed, labels=[0, 1, 2]))
    assert [tuple(np.argwhere(one)[0]) for one in confusions] == list(zip(truth, guessed, strict=True))
    for row in rows:
        shares = {name: float(row[f"p_{name}"]) for name in NAMES}
        assert sum(shares.values()) == pytest.approx(1, abs=2e-4)
        assert float(row["confidence"]) == max(shares.values()) == shares[row["predicted"]]


def test_a_table_opens_in_excel_whatever_the_names(tmp_path: Path) -> None:
    chances = torch.tensor([0.25, 0.125, 0.625])
    write_class_table(tmp_path / "p.csv", NAMES, [('a "b", c\nd/ß.png', chances)])
    content = (tmp_path / "p.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbffile,predicted,confidence,p_none,")
    assert read_table(tmp_path / "p.csv") == [
        {
            "file": 'a "b", c\nd/ß.png', "predicted": "Zelle, groß", "confidence": "0.6250",
            "p_none": "0.2500", "p_cell": "0.1250", "p_Zelle, groß": "0.6250",
        }
    ]  # fmt: skip


def test_a_file_name_that_is_no_text_does_not_stop_the_table(tmp_path: Path) -> None:
    odd = b"bl\xe4tter.png".decode("utf-8", "surrogateescape")
    write_class_table(tmp_path / "p.csv", NAMES, [(odd, torch.tensor([1.0, 0.0, 0.0]))])
    assert b"bl\xe4tter.png" in (tmp_path / "p.csv").read_bytes()


def mask_labels(pictures: Pictures) -> MaskLabels:
    of = {path: f"masks/{path}" for path in pictures.paths}
    return MaskLabels(plain("folder"), NAMES, of, MaskCoding("ids", (0, 1, 2), ignore=IGNORE))


def test_masks_are_scored_as_the_files_say(pictures: Pictures, tmp_path: Path) -> None:
    root = pictures._cache.index.root.parent
    table = tmp_path / "predictions.csv"
    run = score_masks(predictor(pictures, "segmentation"), pictures, root, mask_labels(pictures), table, RunControl())
    events, confusions = finish(run)
    assert events[-1].done == events[-1].total == COUNT
    rows = read_table(table)
    assert [row["file"] for row in rows] == list(pictures.paths)
    for row, confusion in zip(rows, confusions, strict=True):
        truth = np.asarray(Image.open(root / row["mask"]))
        guess = np.asarray(Image.open(tmp_path / "predictions" / f"{row['file']}.png"))
        assert guess.shape == truth.shape == (20, 28)
        known = truth != IGNORE
        assert np.array_equal(confusion, confusion_matrix(truth[known], guess[known], labels=[0, 1, 2]))
        wanted = jaccard_score(truth[known], guess[known], average="macro", zero_division=0.0)
        assert float(row["iou"]) == pytest.approx(wanted, abs=6e-5)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (48, 20), (7, 9), (1, 1)])
def test_a_mask_has_the_size_asked_for(height: int, width: int) -> None:
    chances = torch.zeros(3, 16, 16)
    chances[1, :, :8] = chances[2, :, 8:] = 1.0
    mask = mask_of(chances, height, width)
    assert (mask.shape, mask.dtype.name) == ((height, width), "uint8")
    assert set(mask[:, : width // 2].ravel().tolist()) <= {1}
    assert set(mask[:, (width + 1) // 2 :].ravel().tolist()) <= {2}


def test_a_mask_takes_the_most_likely_class() -> None:
    chances = torch.softmax(torch.from_numpy(rng("chances").normal(size=(5, 9, 9))), 0)
    assert np.array_equal(mask_of(chances, 9, 9), chances.argmax(0).numpy())


@pytest.mark.parametrize("classes", [2, 3, 9, 10, 17, 200])
def test_the_values_of_a_saved_mask_are_the_class_numbers(tmp_path: Path, classes: int) -> None:
    mask = rng("mask", classes).integers(0, classes, (30, 40)).astype(np.uint8)
    mask.flat[:classes] = np.arange(classes)
    write_mask(tmp_path / "deep" / "er" / "m.png", mask)
    content = (tmp_path / "deep" / "er" / "m.png").read_bytes()
    assert content[24:26] == bytes([8, 3])  # IHDR: 8 bits, palette
    with Image.open(tmp_path / "deep" / "er" / "m.png") as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), mask)
        seen = np.asarray(image.convert("RGB"))
    colours = [tuple(seen[mask == number][0].tolist()) for number in range(classes)]
    assert colours[0] == (0, 0, 0)
    assert (0, 0, 0) not in colours[1:]
    shown = min(classes, len(PALETTE))
    assert ["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours[:shown]] == list(PALETTE[:shown])


def test_pixels_to_be_ignored_count_nowhere() -> None:
    truth = np.array([[0, 1, IGNORE], [2, IGNORE, 1]], np.uint8)
    guess = np.array([[0, 2, 1], [2, 0, 1]], np.uint8)
    assert confusion_of(truth, guess, 3).tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert confusion_of(np.full((2, 2), IGNORE, np.uint8), guess[:, :2], 3).sum() == 0


def test_the_iou_of_a_picture_is_over_the_classes_that_occur_in_it() -> None:
    empty: npt.NDArray[Any] = np.zeros((3, 3))
    assert np.isnan(mean_iou(empty))
    assert mean_iou(np.diag([5.0, 0.0, 3.0])) == 1.0
    assert mean_iou(np.array([[2.0, 2.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.0]])) == pytest.approx((2 / 4 + 4 / 6) / 2)
