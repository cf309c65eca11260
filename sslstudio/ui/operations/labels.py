"""What labelling asks of the engine, off the UI thread."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.formats.decode import read_picture

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.finetuning.similarity import LookAlike
    from sslstudio.engine.images.index import ImageIndex
    from sslstudio.engine.labels.editing.store import Labelling
    from sslstudio.engine.labels.types import Recognised

SUGGESTED = 24  # pictures to label next


def open_labels(folder: Path, recognised: "Recognised", control: RunControl) -> Generator[Preparing, None, "Labelling"]:
    """Open the labels in a folder; made from what was recognised where nobody has labelled yet."""
    from sslstudio.engine.labels.editing.start import begin
    from sslstudio.engine.labels.editing.store import Labelling

    yield from begin(folder, recognised)
    return Labelling(folder)


def open_picture(path: Path, control: RunControl) -> npt.NDArray[np.uint8]:
    """Read a picture with all its pixels (h, w, 3)."""
    return np.asarray(read_picture(path).convert("RGB"))


def compare_pictures(
    index: "ImageIndex", run: Path | None, runs: Sequence[Path], control: RunControl
) -> Generator[Preparing, None, "LookAlike"]:
    """Place the pictures on a map, alike ones side by side, by a pretraining run: this one, or the newest in `runs`."""
    from sslstudio.engine.finetuning.similarity import look_alike

    found = yield from look_alike(index, run or _newest_pretrained(runs), control)
    return found


def _newest_pretrained(runs: Sequence[Path]) -> Path | None:
    from sslstudio.engine.projects.runs import runs_in

    usable = (one.path for one in runs_in(runs) if one.job == "pretrain" and (one.path / "last.safetensors").exists())
    return next(usable, None)


def suggest_next(
    alike: "LookAlike", labelled: frozenset[str], index: "ImageIndex", run: Path | None, control: RunControl
) -> Generator[Preparing, None, list[str]]:
    """Choose the pictures to label next. run: a fine-tuned one, whose doubts count then."""
    from sslstudio.engine.evaluate.active_learning import suggest
    from sslstudio.engine.finetuning.similarity import doubts

    unsure: Any = None
    if run is not None:
        of = yield from doubts(index, run, control)
        unsure = [of.get(path, 0.0) for path in alike.paths]
    known = [number for number, path in enumerate(alike.paths) if path in labelled]
    return [alike.paths[number] for number in suggest(alike.features, known, SUGGESTED, unsure)]
