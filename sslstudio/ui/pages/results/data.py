"""A fine-tuning run read back for the results page. Nothing is computed here: metrics.json and the tables of
predictions say it all. Runs on another thread."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PySide6.QtGui import QImage

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.test_predictions import Prediction, mask_file, predictions_of
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.pages.results.mask_overlay import Overlay, mask_image
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.picture import to_image

if TYPE_CHECKING:
    from sslstudio.engine.evaluate.class_rates import ClassRates
    from sslstudio.engine.labels.masks.decode import MaskCoding
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.verdicts.ladder import Ladder

LARGE = 900  # pixels of the short side of a picture that is looked at closely


@dataclass(frozen=True)
class Results:
    """What the results page shows of a run."""

    run: Path
    folder: Path
    source: str
    metrics: FinetuneMetrics
    predictions: Mapping[str, list[Prediction]]  # part -> the ones most worth a look first
    coding: "MaskCoding | None" = None  # what the values of the true masks mean
    rates: Mapping[str, "list[ClassRates]"] = field(default_factory=dict)  # part -> of each class
    ladder: "Ladder | None" = None  # what it says, question by question
    network: Path | None = None  # the run whose weights they are; of a cross-validation its first fold


def load_results(run: Path, control: RunControl) -> Results:
    """Read a finished fine-tuning run. Raises DataError when it has no result yet."""
    from sslstudio.engine.evaluate.class_rates import rates_of
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.training.recognised_record import find_changes
    from sslstudio.engine.verdicts.effort import read_effort
    from sslstudio.engine.verdicts.ladder import climb

    opened = RunFolder.open(run)
    metrics = opened.finetune_metrics()
    if metrics is None:
        raise DataError("{run} has no result yet: go on with it until it is finished.", run=run.name)
    config = opened.config()
    data = config.get("data", {})
    found = {part: predictions_of(run, part) for part in metrics["parts"]}
    folder = root_of(Path(data.get("folder", "")))
    masks = metrics["kind"] == "segmentation"
    place, labels = str(data.get("folder", "")), str(data.get("labels", ""))
    roles = dict(data.get("roles", {}))
    coding = _coding(opened, place, labels, roles, metrics["classes"]) if masks else None
    shown: FinetuneMetrics = {**metrics, "notes": [*metrics["notes"], *find_changes(opened, place, labels)]}
    network = run if opened.read_json("folds.json") is None else run / "fold-1"
    ladder = climb(metrics, read_effort(run))
    rates = {} if masks else {part: rates_of(run, part, metrics["classes"]) for part in metrics["parts"]}
    return Results(run, folder, config.get("source", ""), shown, found, coding, rates, ladder, network)


def _coding(run: "RunFolder", folder: str, labels: str, roles: Mapping[str, str], names: Sequence[str]) -> "MaskCoding":
    """What the values of the masks mean, in the numbers of the network's classes."""
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.named_alike import masks_alike
    from sslstudio.engine.labels.recognise import recognise
    from sslstudio.engine.training.recognised_record import recall

    masks = (recall(run, folder, labels) or recognise(scan(Path(folder)), labels, roles)).masks
    if masks is None:
        raise DataError(
            "The masks of {folder} are gone: the pictures cannot be compared with them.",
            folder=Path(folder).name,
        )
    with suppress(DataError):  # they are called otherwise by now
        return masks_alike(names, masks, partly=True).coding
    return masks.coding


def confused_in(run: Path, part: str, truth: int, predicted: int, control: RunControl) -> dict[str, int]:
    """The test pictures in which a class was taken for another, and in how many pixels, most first."""
    from sslstudio.engine.runs.confusions import where_confused

    return where_confused(run, part, truth, predicted)


def items_of(
    folder: Path, predictions: list[Prediction], captions: Mapping[str, str] | None = None
) -> list[GalleryItem]:
    """Predictions as gallery items. captions: what is said of each file instead of how well it did."""
    items = [_item(folder, one) for one in predictions]
    if captions is None:
        return items
    return [
        replace(item, caption=captions[one.file], tip=f"{item.tip}\n{item.caption}")
        for item, one in zip(items, predictions, strict=True)
    ]


def _item(folder: Path, one: Prediction) -> GalleryItem:
    if one.iou is not None:
        return GalleryItem(folder / one.file, formatting.overlap(one.iou), tip=one.file)
    sure = formatting.percent(one.confidence, 0)
    caption = f"{one.predicted} {sure}"
    told = formatting.tr("{0}\nYour label: {1}\nThe network says: {2}, {3} sure").format(
        one.file, one.label, one.predicted, sure
    )
    return GalleryItem(folder / one.file, caption, "bad" if one.wrong else "good", told)


def load_picture(path: Path, control: RunControl) -> QImage:
    """A picture to look at closely."""
    return to_image(np.asarray(read_picture(path, LARGE).convert("RGB")))


def load_overlay(results: Results, part: str, one: Prediction, control: RunControl) -> Overlay:
    """A picture with its two masks, ready to be painted."""
    from sslstudio.engine.labels.masks.decode import decode_mask

    if results.coding is None:
        raise DataError("These pictures have no masks.")
    picture = read_picture(results.folder / one.file, LARGE)
    truth = decode_mask(results.folder / one.mask, results.coding, None)
    with Image.open(mask_file(results.run, part, one.file)) as image:
        predicted = np.asarray(image, dtype=np.uint8)
    title = formatting.facts_line([one.file, formatting.overlap(one.iou or 0.0)])
    shown = to_image(np.asarray(picture.convert("RGB")))
    return Overlay(title, shown, mask_image(truth), mask_image(predicted), (truth, predicted))
