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
from sslstudio.engine.images.formats.wanted import read_channels
from sslstudio.engine.images.index import picture_file
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.test_predictions import Prediction, mask_file, predictions_of
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.pages.results.mask_overlay import Overlay
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.mask_image import mask_image
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
    channels: tuple[int, ...] = ()  # that the network sees, () for the usual ones

    def file(self, path: str) -> Path:
        """Where a picture is, to be read as the network sees it."""
        return picture_file(self.folder, path, self.channels)


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
    channels = read_channels(str(data.get("channels", "")))
    network = run if opened.read_json("folds.json") is None else run / "fold-1"
    ladder = climb(metrics, read_effort(run))
    rates = {} if masks else {part: rates_of(run, part, metrics["classes"]) for part in metrics["parts"]}
    return Results(
        run, folder, config.get("source", ""), shown, found, coding, rates, ladder, network=network, channels=channels
    )


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


def warns_of_copies(note: str) -> bool:
    """Whether a note says that test pictures have near copies among those that were trained on."""
    template = getattr(note, "template", note)
    return "near copy among the pictures trained" in template and not template.startswith("No test picture")


def confused_in(run: Path, part: str, truth: int, predicted: int, control: RunControl) -> dict[str, int]:
    """The test pictures in which a class was taken for another, and in how many pixels, most first."""
    from sslstudio.engine.runs.confusions import where_confused

    return where_confused(run, part, truth, predicted)


def items_of(
    results: Results, part: str, predictions: list[Prediction], captions: Mapping[str, str] | None = None
) -> list[GalleryItem]:
    """Predictions of a part as gallery items. captions: what is said of each file instead of how well it did."""
    folder = results.folder
    items = [_item(folder, one, results, part) for one in predictions]
    if captions is None:
        return items
    return [
        replace(item, caption=captions[one.file], tip=f"{item.tip}\n{item.caption}")
        for item, one in zip(items, predictions, strict=True)
    ]


def _item(folder: Path, one: Prediction, results: Results, part: str) -> GalleryItem:
    file = results.file(one.file)
    if one.iou is not None:
        truth = (folder / one.mask, results.coding) if results.coding is not None and one.mask else None
        return GalleryItem(
            file, formatting.overlap(one.iou), tip=one.file, file=one.file, labelled=True,
            confidence=one.iou, part="test", truth=truth, answer=mask_file(results.run, part, one.file),
        )  # fmt: skip
    sure = formatting.percent(one.confidence, 0)
    caption = f"{one.predicted} {sure}"
    told = formatting.tr("{0}\nYour label: {1}\nThe network says: {2}, {3} sure").format(
        one.file, one.label, one.predicted, sure
    )
    return GalleryItem(
        file, caption, "bad" if one.wrong else "good", told, file=one.file, label=one.label,
        predicted=one.predicted, confidence=one.confidence, part="test",
    )  # fmt: skip


def load_picture(path: Path, control: RunControl) -> QImage:
    """A picture to look at closely."""
    return to_image(np.asarray(read_picture(path, LARGE).convert("RGB")))


def load_overlay(results: Results, part: str, one: Prediction, control: RunControl) -> Overlay:
    """A picture with its two masks, ready to be painted."""
    from sslstudio.engine.labels.masks.decode import decode_mask

    if results.coding is None:
        raise DataError("These pictures have no masks.")
    picture = read_picture(results.file(one.file), LARGE)
    truth = decode_mask(results.folder / one.mask, results.coding, None)
    with Image.open(mask_file(results.run, part, one.file)) as image:
        predicted = np.asarray(image, dtype=np.uint8)
    title = formatting.facts_line([one.file, formatting.overlap(one.iou or 0.0)])
    shown = to_image(np.asarray(picture.convert("RGB")))
    return Overlay(title, shown, mask_image(truth), mask_image(predicted), (truth, predicted))
