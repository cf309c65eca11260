"""What a fine-tuned network proposes as labels: its answers for the project's own pictures, kept apart from the labels.

A folder of predictions as `finetuning/use/predict.py` writes it, and beside it

rejected.json   the pictures whose proposal a person has turned down

Nothing that reads labels looks here: a proposal is no label, and tests nothing, until a person accepts it. Then it is
an ordinary label, which is in the journal of the labels like any other.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import open_regular, read_limited
from sslstudio.engine.images.formats.errors import BROKEN, check_size
from sslstudio.engine.runs.folder_predictions import ABOUT, answers_in, parsed

REJECTED = "rejected.json"
_EACH = 3  # bytes a pixel of a mask: as it is decoded, as an array, in the numbers of the labels
FOLDER = "proposals"  # in a project: one folder a run


@dataclass(frozen=True)
class Proposal:
    """A class by its name, or the file of a mask ('' and None for the other), and how sure the network is (0 to 1)."""

    path: str
    label: str
    mask: Path | None
    sure: float


@dataclass(frozen=True)
class Proposals:
    """All of one network, the least sure first. `classes`: the names of its classes, in masks by their values."""

    folder: Path
    run: str
    kind: str
    classes: tuple[str, ...]
    of: Mapping[str, Proposal]
    rejected: set[str] = field(default_factory=set)

    def reject(self, path: str, *, rejected: bool = True) -> None:
        """Turn one down, or take that back. Raises RunError when the disk does not take it; then nothing changes."""
        wanted = self.rejected | {path} if rejected else self.rejected - {path}
        write_atomic(self.folder / REJECTED, json.dumps(sorted(wanted), ensure_ascii=True).encode("ascii"))
        self.rejected.clear()
        self.rejected.update(wanted)

    def left(self, labelled: Collection[str], held: Collection[str] = ()) -> list[Proposal]:
        """Those that wait for a person: not labelled, not turned down, not of pictures that are held for the test."""
        closed = {*labelled, *held, *self.rejected}
        return [one for path, one in self.of.items() if path not in closed]


def read_proposals(folder: Path) -> Proposals:
    """Those in a folder of predictions. Raises RunError when it is damaged."""
    about = parsed(_text(folder / ABOUT))
    if not isinstance(about, dict) or not isinstance(about.get("classes"), list):
        raise RunError("The proposals in {folder} cannot be read: {about} is damaged.", folder=folder, about=ABOUT)
    found = {
        one.file: Proposal(one.file, one.predicted, folder / one.mask if one.mask else None, one.confidence)
        for one in answers_in(folder)
    }
    names = tuple(map(str, about["classes"]))
    rejected = parsed(_text(folder / REJECTED)) if (folder / REJECTED).exists() else []
    turned_down = {str(path) for path in rejected} if isinstance(rejected, list) else set()
    return Proposals(folder, Path(str(about.get("run", ""))).name, str(about.get("kind")), names, found, turned_down)


def read_proposed_mask(one: Proposal, number_of: Mapping[int, int]) -> npt.NDArray[np.uint8]:
    """The mask (h, w) in the numbers of the labels. number_of: value in the proposal -> class number; others are 0, the
    background. Raises RunError when the file is gone or damaged."""
    table = np.zeros(256, np.uint8)
    for value, number in number_of.items():
        table[value] = number
    try:
        with open_regular(one.mask or Path()) as file, Image.open(file) as image:
            check_size(*image.size, _EACH)
            values: npt.NDArray[np.uint8] = np.asarray(image, np.uint8)
    except (DataError, *BROKEN) as error:
        raise RunError("The proposed mask of {path} cannot be read: {error}.", path=one.path, error=error) from error
    mapped: npt.NDArray[np.uint8] = table[values]
    return mapped


def _text(file: Path) -> Any:
    try:
        return read_limited(file).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise RunError("{file} cannot be read: {reason}.", file=file, reason=error.strerror) from error
