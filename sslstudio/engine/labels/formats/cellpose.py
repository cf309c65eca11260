"""Cellpose (Stringer et al., Nature Methods 2021): `x_cp_masks.png` or .tif, and `x_seg.npy`, beside the picture x.

Every cell has a number of its own; all of them are one class.
"""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.mask_names import OBJECT
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.engine.labels.outlines.files import place_of
from sslstudio.engine.labels.outlines.plain_pickle import load_plain
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, check_size
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.outlines.told import beside_roles
from sslstudio.engine.labels.types import LARGEST, SOURCES, Choices, Found, LabelSource, MaskLabels

CERTAINTY: Final = 0.85  # above mask files, whose rules take these for pictures
_MASKS: Final = "_cp_masks"
_SEG: Final = "_seg"
_ONE_CLASS: Final = Message("The masks number single objects; all of them were taken as one class, 'object'.")


@SOURCES.register("cellpose")
class CellposeMasks(LabelSource):
    """The mask files."""

    among_pictures = True

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """Those that have a picture."""
        stems = {path.rpartition(".")[0]: path for path in index.paths}
        masks = {stem: path for stem, path in stems.items() if stem.endswith(_MASKS)}
        of = {stems[bare]: path for stem, path in masks.items() if (bare := stem.removesuffix(_MASKS)) in stems}
        if not of:
            return []
        notes = [_ONE_CLASS]
        if missing := len(index) - len(masks) - len(of):
            notes.append(Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing))
        coding = MaskCoding("binary", (0, 1), instances=True)
        found_in = Message("masks of Cellpose")
        labels = MaskLabels(found_in, ("background", OBJECT), of, coding, tuple(notes))
        reason = Message("{n:,} files are called as Cellpose calls its masks.", n=len(of))
        itself = Message("the masks of Cellpose")
        told = beside_roles(masks.values(), of, reason, index)
        return [
            Found("masks", labels, reason, CERTAINTY, found_in, itself, files=frozenset(masks.values()), roles=told)
        ]


@SOURCES.register("cellpose_seg")
class CellposeSeg(DrawnSource):
    """The files that its window saves."""

    called = Message("_seg.npy files of Cellpose")
    suffixes = (".npy",)

    def fits(self, file: Path) -> bool:
        """The name says it."""
        return file.stem.endswith(_SEG)

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture, the one that is called like the file."""
        masks = _masks(file)
        check_size(*masks.shape)
        flat = masks.ravel() > 0
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        runs: list[int] = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
        height, width = masks.shape
        shape = Shape(OBJECT, runs=(0, *runs) if flat[0] else tuple(runs), place=(0, 0, width, height))
        return [Drawing(place_of(file, index).removesuffix(_SEG), height, width, [shape])]


def _masks(file: Path) -> np.ndarray[Any, np.dtype[Any]]:
    """(height, width) numbers of cells."""
    try:
        if file.stat().st_size > LARGEST:
            raise DataError("{file} is larger than {most} MB.", file=file.name, most=LARGEST >> 20)
        with open_regular(file) as opened:
            stream = io.BytesIO(opened.read())
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        header(stream)
        content = load_plain(stream)
        masks = content["masks"]
    except OSError as error:
        raise DataError("{file} cannot be read: {reason}.", file=file.name, reason=error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("{file} is not as Cellpose writes it: {problem}.", file=file.name, problem=error) from error
    if not isinstance(masks, np.ndarray) or masks.ndim != 2 or not masks.size or masks.dtype.kind not in "biu":
        raise DataError("{file} holds no masks of one flat picture.", file=file.name)
    return masks
