"""The worst answers of a fine-tuned run as small pictures: the surest mistakes, or the masks that fit least."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.named_paths import inside
from sslstudio.engine.core.messages import NOTHING, Message, printable
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.images.formats.errors import BROKEN, check_size
from sslstudio.engine.images.formats.wanted import read_channels
from sslstudio.engine.images.index import picture_file
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.labels.masks.files import PALETTE
from sslstudio.engine.report.html import inline
from sslstudio.engine.report.page import Shown
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.test_predictions import Prediction, read_predictions
from sslstudio.engine.training.config import FinetuneConfig, PretrainConfig

MOST = 24
SIDE = 160


def worst_answers(
    run: RunFolder, config: PretrainConfig | FinetuneConfig, metrics: FinetuneMetrics
) -> tuple[list[Shown], Message]:
    """Up to 24 pictures of the first part that are still there, and a sentence on how they were chosen."""
    part = next(iter(metrics["parts"]))
    file = run.path / f"predictions-{part}.csv"
    if not file.exists():  # cross-validated: each fold has its own
        return [], NOTHING
    rows = read_predictions(file)
    root, channels = root_of(Path(config.data.folder)), read_channels(config.data.channels)
    if metrics["kind"] == "segmentation":
        overlaps = sorted((row.iou, row.file) for row in rows if row.iou is not None and not math.isnan(row.iou))[:MOST]
        masks = run.path / f"predictions-{part}"
        found = [_mask(picture_file(root, name, channels), masks, name, iou) for iou, name in overlaps]
        said = Message("The masks that overlap least first; the network's mask is drawn over the picture.")
        return [one for one in found if one is not None], said
    wrong = sorted((row for row in rows if row.wrong), key=lambda row: -row.confidence)
    found = [_class(picture_file(root, row.file, channels), row) for row in wrong[:MOST]]
    said = Message(
        "{wrong:,} of {tested:,} test pictures were answered wrong; those it was surest of come first.",
        wrong=len(wrong),
        tested=len(rows),
    )
    return [one for one in found if one is not None], said


def _class(place: Path, row: Prediction) -> Shown | None:
    picture = _picture(place)
    if picture is None:
        return None
    caption = Message(
        "{predicted} ({confidence:.0%} sure), labelled {label}: {file}",
        predicted=row.predicted,
        confidence=row.confidence,
        label=row.label,
        file=printable(row.file),
    )
    return Shown(inline(picture), caption, caption)


def _mask(place: Path, masks: Path, name: str, iou: float) -> Shown | None:
    picture, file = _picture(place), inside(masks, f"{name}.png")
    if picture is None or not file.exists():
        return None
    try:
        with Image.open(file) as image:
            check_size(*image.size)
            numbers = np.array(image.convert("L").resize(picture.size, Image.Resampling.NEAREST), np.uint8)
    except BROKEN:
        return None
    over = np.zeros((*numbers.shape, 4), np.uint8)
    for number in np.unique(numbers[numbers > 0]):
        colour = PALETTE[1 + (int(number) - 1) % (len(PALETTE) - 1)]
        over[numbers == number] = (*(int(colour[at : at + 2], 16) for at in (1, 3, 5)), 120)
    picture.paste(Image.fromarray(over[..., :3]), mask=Image.fromarray(over[..., 3]))
    caption = Message("IoU {iou:.2f}: {file}", iou=iou, file=printable(name))
    return Shown(inline(picture), caption, caption)


def _picture(file: Path) -> Image.Image | None:
    try:
        picture = read_picture(file, SIDE)
    except DataError:
        return None
    picture.thumbnail((2 * SIDE, 2 * SIDE))
    return picture
