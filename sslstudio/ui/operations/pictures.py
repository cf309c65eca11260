"""What the window asks about pictures and their labels, off the UI thread."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.file_parts import FIRST, choose_parts, left_out_words
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.images.index import ImageIndex, scanning
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.editing.edits import Kind
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.recognise import recognising
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.projects.runs import runs_in

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.clinic.clinic import Clinic
    from sslstudio.engine.finetuning.use.similarity import LookAlike
    from sslstudio.engine.finetuning.use.suggestions import KnownLabels, Suggested
    from sslstudio.engine.tasks.base import Puzzle
    from sslstudio.engine.training.config import DataConfig, PretrainConfig

SUGGESTED = 12  # pictures to label next: what they teach counts for the next dozen


@dataclass(frozen=True)
class Seen:
    """What a scan that goes on has found so far: how many pictures, and the first of them."""

    pictures: int
    first: tuple[Path, ...]


def look_at_folder(
    folder: Path,
    labels_file: str,
    roles: Mapping[str, str],
    control: RunControl,
    *,
    channels: str = "",
    pages: str = FIRST,
) -> Generator[Preparing | Seen, None, Recognised]:
    """Look for the pictures of a folder and the labels beside them; roles: what a person said that they are. `channels`
    and `pages`: see `choose_parts`."""
    index = yield from scan_pictures(folder)
    yield Preparing(stage=Message("Looking for labels"), done=0, total=0)
    return choose_parts((yield from recognising(index, labels_file, roles)), channels, pages)


def scan_pictures(folder: Path) -> Generator[Preparing | Seen, None, ImageIndex]:
    """Look for the pictures of a folder."""
    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    steps, root = scanning(folder), root_of(folder)
    while True:
        try:
            found = next(steps)
        except StopIteration as end:
            index: ImageIndex = end.value
            return index
        yield Seen(found.pictures, tuple(root / path for path in found.first))


def check_pictures(
    recognised: Recognised, config: "DataConfig", control: RunControl
) -> Generator[Preparing, None, ImageIndex]:
    """Read every picture once, as the training will; the index then knows what cannot be read, and why."""
    from sslstudio.engine.compute import device
    from sslstudio.engine.images.cache.pixel_cache import build_cache
    from sslstudio.engine.training.session import suitable_side

    side = config.side or suitable_side(recognised.pictures, device.choose())
    cache = yield from build_cache(recognised.pictures, side, control=control)
    sizes = [(int(height), int(width)) for height, width in cache.sizes.tolist()]
    return replace(cache.index, notes=tuple(left_out_words(cache.index, sizes, side)))


def make_puzzles(
    config: "PretrainConfig", count: int, draw: int, control: RunControl
) -> Generator[Preparing, None, list["Puzzle"]]:
    """Make puzzles of a task on the user's pictures."""
    from sslstudio.engine.pretraining.preview import PuzzlesReady, preview_puzzles

    puzzles: list[Puzzle] = []
    for said in preview_puzzles(config, count, draw, control):
        if isinstance(said, PuzzlesReady):
            puzzles = said.puzzles
        else:
            yield said
    return puzzles


@dataclass(frozen=True)
class CheckedUp:
    """What the clinic says about a folder, with a drawn example for each finding (uint8 (h, w, 3))."""

    clinic: "Clinic"
    examples: dict[str, Any]


def examine_folder(
    data: "DataConfig", options: dict[str, Any], control: RunControl
) -> Generator[Preparing, None, CheckedUp]:
    """Examine whether the tasks suit the pictures of a folder."""
    from sslstudio.engine.clinic.run import examine

    found = yield from examine(data, options, control)
    return CheckedUp(found.clinic, found.example_sheets())


def draw_sample(folder: Path, control: RunControl) -> Generator[Preparing, None, Path]:
    """Draw the sample pictures, unless they are there."""
    from sslstudio.engine.sample.make import make_sample

    done = folder / ".complete"
    if not done.exists():
        yield from make_sample(folder)
        if control.stopping:
            raise RunError("Stopped while drawing the sample pictures.")
        write_atomic(done, b"")
    return folder


def open_labels(folder: Path, recognised: Recognised, control: RunControl) -> Generator[Preparing, None, Labelling]:
    """Open the labels in a folder; made from what was recognised where nobody has labelled yet."""
    yield from begin(folder, recognised)
    return Labelling(folder)


def open_picture(path: Path, control: RunControl) -> npt.NDArray[np.uint8]:
    """Read a picture with all its pixels (h, w, 3)."""
    return np.asarray(read_picture(path).convert("RGB"))


def compare_pictures(
    index: ImageIndex, run: Path | None, runs: Sequence[Path], control: RunControl
) -> Generator[Preparing, None, "LookAlike"]:
    """Place the pictures on a map, alike ones side by side, by a pretraining run: this one, or the newest in `runs`."""
    from sslstudio.engine.finetuning.use.similarity import look_alike

    found = yield from look_alike(index, run or _find_pretrained(runs), control)
    return found


def _find_pretrained(runs: Sequence[Path]) -> Path | None:
    usable = (one.path for one in runs_in(runs) if one.job == "pretrain" and (one.path / "last.safetensors").exists())
    return next(usable, None)


@dataclass(frozen=True)
class Asked:
    """Among which pictures some to label are asked for, with which labels of this kind, and how they are set apart."""

    recognised: Recognised
    index: ImageIndex
    kind: Kind
    labelled: frozenset[str]
    classes: dict[str, int]
    drawn: DrawnTest | None
    data: dict[str, Any]

    @property
    def labels(self) -> "KnownLabels":
        """For the engine."""
        from sslstudio.engine.finetuning.use.suggestions import KnownLabels

        return KnownLabels(self.kind, self.labelled, self.classes)

    def draw(self) -> DrawnTest:
        """What is held for the test: as it was drawn before, or as it will be if one of the pictures gets a label."""
        from sslstudio.engine.training.config import DataConfig
        from sslstudio.engine.training.session import propose_drawn

        return self.drawn or propose_drawn(self.recognised, DataConfig(**self.data))


def suggest_next(
    alike: "LookAlike", asked: Asked, run: Path | None, kept: dict[Path, dict[str, float]], control: RunControl
) -> Generator[Preparing, None, "Suggested"]:
    """Choose the pictures to label next. run: a fine-tuned one, whose doubts count and are `kept` for later."""
    from sslstudio.engine.finetuning.use.similarity import doubts
    from sslstudio.engine.finetuning.use.suggestions import suggest_mixed

    if run is not None and run not in kept:
        kept[run] = yield from doubts(asked.index, run, control)
    unsure = kept[run] if run is not None else None
    return suggest_mixed(alike, asked.index, asked.labels, asked.draw(), SUGGESTED, unsure)


def draw_next(asked: Asked, control: RunControl) -> Generator[Preparing, None, "Suggested"]:
    """Draw the pictures to label next at random."""
    from sslstudio.engine.finetuning.use.suggestions import order_at_random

    yield Preparing(stage=Message("Drawing pictures at random"), done=0, total=0)
    return order_at_random(asked.index, asked.labels, asked.draw())
