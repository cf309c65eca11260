"""Masks as COCO JSON (Lin et al., ECCV 2014), which labelling programs and detectors read.

Each connected patch of a class is one annotation, its pixels run-length encoded: exact, holes included. Runs go down
the columns and begin with the pixels that do not belong, as COCO wants them.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.formats.coco.raster import paint, run_lengths
from sslstudio.engine.labels.formats.coco.reader import read_file

Mask = npt.NDArray[np.uint8]  # (height, width) class numbers
STAGE = Message("Writing COCO")
READING = Message("Reading the COCO file back")
A_STEP = 20  # pictures between two events


def write_coco(
    file: Path, root: Path, masks: Mapping[str, str], names: Sequence[str], about: str
) -> Generator[Preparing, None, int]:
    """Write the masks below `root` (picture -> mask file) as COCO; returns how many patches there are. names: of the
    values in the masks, '' for one that does not occur.

    What was written is read back and compared with the masks, pixel by pixel; a difference raises RunError.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (picture, mask_file) in enumerate(masks.items(), start=1):
        mask = read_mask(root / mask_file)
        images.append({"id": number, "file_name": picture, "height": mask.shape[0], "width": mask.shape[1]})
        for found in patches(mask):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **found})
        if number % A_STEP == 0 or number == len(masks):
            yield Preparing(stage=STAGE, done=number, total=len(masks))
    categories = [{"id": number, "name": name} for number, name in enumerate(names) if number > 0 and name]
    content = {
        "info": {"description": about}, "images": images, "annotations": annotations, "categories": categories,
    }  # fmt: skip
    write_atomic(file, json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace"))
    for number, (picture, mask) in enumerate(read_coco(file), start=1):
        if number % A_STEP == 0:
            yield Preparing(stage=READING, done=number, total=len(masks))
        if picture in masks and not np.array_equal(mask, read_mask(root / masks[picture])):
            raise RunError(
                "{file} was read back and its mask of {picture} is another one. Use the PNG masks instead.",
                file=file,
                picture=picture,
            )
    return len(annotations)


def read_mask(file: Path) -> Mask:
    """The class numbers of a predicted mask."""
    with Image.open(file) as image:
        return np.array(image, dtype=np.uint8)


def patches(mask: Mask) -> Iterator[dict[str, Any]]:
    """The connected patches of each class but the background, as COCO describes them."""
    for number in np.unique(mask):
        if number == 0:
            continue
        labelled, _ = ndimage.label(mask == number, structure=np.ones((3, 3), int))
        for place, slices in enumerate(ndimage.find_objects(labelled), start=1):
            inside = labelled == place
            rows, columns = slices
            box = [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start]
            yield {
                "category_id": int(number),
                "segmentation": {"size": list(mask.shape), "counts": run_lengths(inside)},
                "area": int(inside.sum()),
                "bbox": [int(value) for value in box],
                "iscrowd": 0,
            }


def read_coco(file: Path) -> Iterator[tuple[str, Mask]]:
    """(picture, class numbers) of every picture in a COCO file, its categories as the numbers."""
    content = read_file(file)
    for picture in content.pictures:
        yield picture.name, paint(picture, {number: number for number in content.names})
