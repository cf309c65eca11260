"""Predictions of a fine-tuned network: over the test pictures of a run, or over any folder."""

import csv
import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.halving import in_halves
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.spreadsheet import harmless
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.scores import Array, one_hot_confusions
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.masks.files import mask_png
from sslstudio.engine.labels.types import MaskLabels
from sslstudio.engine.models.mask_read_out import Answering
from sslstudio.engine.transforms.finetune_views import IGNORE, vary
from sslstudio.engine.transforms.geometry import to_float

CHUNK = 64


@dataclass(frozen=True)
class Predictor:
    """A trained network and what is needed to use it."""

    network: Answering
    kind: str
    names: tuple[str, ...]
    device: Device
    views: int = 1
    flip: bool = True

    @torch.no_grad()
    def chunks(self, pictures: Pictures, control: RunControl) -> Iterator[tuple[list[str], Tensor]]:
        """Probabilities (b, C) or (b, C, side, side) on the CPU, chunk by chunk, smaller ones where memory is short.

        Raises RunError when stopped.
        """
        self.network.eval()

        def ask(chosen: Tensor) -> Tensor:
            with self.device.autocast():
                return self.chances(to_float(pictures.take(chosen))).cpu()

        for chunk in pictures.chunks(CHUNK):
            if control.stopping:
                raise RunError("Stopped while predicting; what was written is kept.")
            for chosen, chances in in_halves(ask, chunk, self.device):
                yield [pictures.paths[number] for number in chosen.tolist()], chances

    def chances(self, images: Tensor) -> Tensor:
        """Probabilities for float (B, 3, H, W) in [0, 1]: the mean over `views` looks, the first one as it is.

        A mask's further look is the mirrored picture (turned pictures would blur its edges), if mirroring is allowed.
        """
        total = self._answers(images)
        if self.kind == "segmentation":
            return (total + self._answers(images.flip(-1)).flip(-1)) / 2 if self.views > 1 and self.flip else total
        for number in range(1, self.views):
            rng = generator(0, "views at the test", number, device=images.device)
            total = total + self._answers(vary(images, None, rng, flip=self.flip)[0])
        return total / self.views

    def _answers(self, images: Tensor) -> Tensor:
        return self.network(images).float().softmax(dim=1)  # type: ignore[no-any-return]


def score_classes(
    predictor: Predictor, pictures: Pictures, truth: Sequence[int], table: Path, control: RunControl
) -> Generator[Preparing, None, Array]:
    """Predict labelled pictures, write the table, return the confusions (n, C, C) in the order of `pictures`."""
    rows: list[tuple[str, Tensor]] = []
    for names, chances in predictor.chunks(pictures, control):
        rows += zip(names, chances, strict=True)
        yield Preparing(stage=Message("Scoring the test pictures"), done=len(rows), total=len(pictures))
    write_class_table(table, predictor.names, rows, truth)
    return one_hot_confusions(truth, [int(chances.argmax()) for _, chances in rows], len(predictor.names))


def write_class_table(
    file: Path, names: Sequence[str], rows: Sequence[tuple[str, Tensor]], truth: Sequence[int] | None = None
) -> None:
    """A CSV that Excel opens: file, label (if known), predicted, confidence, and the probability of each class."""
    head = ["file", *(["label"] if truth is not None else []), "predicted", "confidence", *(f"p_{n}" for n in names)]
    lines: list[list[str | float]] = []
    for number, (path, chances) in enumerate(rows):
        best = int(chances.argmax())
        known = [names[truth[number]]] if truth is not None else []
        lines.append([path, *known, names[best], float(chances[best]), *chances.tolist()])
    write_table(file, head, lines)


def write_table(file: Path, head: Sequence[str], lines: Sequence[Sequence[str | float]], separator: str = ",") -> None:
    """A CSV in UTF-8 with a byte order mark, without which Excel takes it for another encoding.

    Numbers get four decimals; with ';' between the cells a decimal comma, which goes with it in a spreadsheet.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(map(harmless, head))
    writer.writerows([_cell(value, separator) for value in line] for line in lines)
    write_atomic(file, text.getvalue().encode("utf-8-sig", errors="surrogateescape"))


def _cell(value: str | float, separator: str) -> str:
    if isinstance(value, str):
        return str(harmless(value))
    return f"{value:.4f}".replace(".", ",") if separator == ";" else f"{value:.4f}"


def score_masks(
    predictor: Predictor, pictures: Pictures, root: Path, masks: MaskLabels, table: Path, control: RunControl
) -> Generator[Preparing, None, Array]:
    """Predict masks at the size of the true ones (below `root`), write them and the table; returns (n, C, C)."""
    classes = len(predictor.names)
    lines: list[list[str | float]] = []
    confusions: list[npt.NDArray[np.float64]] = []
    for names, chances in predictor.chunks(pictures, control):
        for path, chance in zip(names, chances, strict=True):
            truth = decode_mask(root / masks.of[path], masks.coding, None)
            guess = mask_of(chance, truth.shape[0], truth.shape[1])
            write_mask(table.with_suffix("") / f"{path}.png", guess)
            confusions.append(confusion_of(truth, guess, classes))
            lines.append([path, masks.of[path], mean_iou(confusions[-1])])
        yield Preparing(stage=Message("Scoring the test pictures"), done=len(lines), total=len(pictures))
    write_table(table, ["file", "mask", "iou"], lines)
    return np.stack(confusions)


def mask_of(chances: Tensor, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Class numbers (height, width) from probabilities (C, side, side)."""
    sized = F.interpolate(chances[None], size=(height, width), mode="bilinear", align_corners=False)[0]
    guess: npt.NDArray[np.uint8] = sized.argmax(dim=0).to(torch.uint8).numpy()
    return guess


def write_mask(file: Path, mask: npt.NDArray[np.uint8]) -> None:
    """An 8-bit palette PNG whose values are the class numbers."""
    make_folder(file.parent)
    write_atomic(file, mask_png(mask))


def confusion_of(truth: npt.NDArray[np.uint8], guess: npt.NDArray[np.uint8], classes: int) -> Array:
    """(C, C) pixel counts of one picture, pixels marked to be ignored left out."""
    known = truth != IGNORE
    cells = truth[known].astype(np.int64) * classes + guess[known]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes).astype(np.float64)


def mean_iou(confusion: Array) -> float:
    """Mean IoU over the classes that occur in one picture's truth or prediction."""
    right = np.diagonal(confusion)
    union = confusion.sum(0) + confusion.sum(1) - right
    occurs = union > 0
    return float((right[occurs] / union[occurs]).mean()) if occurs.any() else float("nan")
