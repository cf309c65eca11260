"""Labels may be changed while something is trained on them, and what was begun with some must not go on with others.

A comparison or a tournament, which takes hours, keeps a copy of the labels that it began with. A fine-tuning notes what
its labels were, and does not go on when they are others.
"""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NotRequired, TypedDict

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.dataset.file_parts import choose_parts
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.images.index import scan
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.labels.editing.start import begin, can_begin, is_edited
from sslstudio.engine.labels.masks.coding import IGNORE
from sslstudio.engine.labels.named_alike import named_alike
from sslstudio.engine.labels.recognise import recognise, recognising
from sslstudio.engine.labels.types import MaskLabels, Recognised
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.trash import free_path, moved
from sslstudio.engine.training.config import DataConfig

FOLDER = "labels"  # of a comparison
FILE = "labels.json"  # of a fine-tuning


# Comparisons


@dataclass(frozen=True)
class Kept:
    """The pictures with the labels that a comparison began with. `note`: a sentence where they are others by now."""

    data: DataConfig
    note: Message = NOTHING


def keep_labels(out: Path, data: DataConfig, kind: str = "") -> Generator[Preparing, None, Kept]:
    """Have the comparison in `out` use the labels as they were when its first run began.

    kind: classification or segmentation; "" for what a probe takes, which is masks only where there are no classes.
    Masks that were not made in the program are read where they are. Raises DataError when the labels cannot be read,
    or when somebody labels in just that folder.
    """
    folder = out / FOLDER
    kept = data.replace(labels=str(folder.resolve()))
    if is_edited(folder):
        raise DataError(
            "{folder} holds labels that somebody has made, and what is begun in {out} would keep its own there. "
            "Choose another folder for it.",
            folder=folder,
            out=out,
        )
    if folder.is_dir():
        note = _told(data, kept, kind)
        if not note or any(out.rglob("split.json")):  # else nothing has been trained with them
            return Kept(kept, note)
    recognised = yield from recognising(scan(Path(data.folder)), data.labels, data.roles)
    recognised = choose_parts(recognised, "", data.pages)
    if kind == "classification" or (not kind and recognised.classes):
        recognised = replace(recognised, masks=None)
    elif recognised.masks and not _made_here(data):
        return Kept(data)
    if recognised.classes is None and recognised.masks is None:
        return Kept(data)
    if not can_begin(folder):  # kept by an earlier version, or changed by somebody
        moved(folder, free_path(folder))
    yield from begin(folder, recognised)
    return Kept(kept)


def _made_here(data: DataConfig) -> bool:
    """Whether the labels are a folder of the program's own."""
    return bool(data.labels) and (root_of(Path(data.folder)) / Path(data.labels).expanduser()).is_dir()


def _told(data: DataConfig, kept: DataConfig, kind: str) -> Message:
    """A sentence where the labels are others than those that were kept."""
    index = scan(Path(data.folder))
    try:
        now, then = (choose_parts(recognise(index, one.labels, one.roles), "", data.pages) for one in (data, kept))
    except DataError:  # they are gone, and not needed
        return NOTHING
    kind = kind or ("classification" if then.classes else "segmentation")
    paths = then.pictures.paths
    changed = sum(_label(kind, now, path) != _label(kind, then, path) for path in paths)
    if not changed:
        return NOTHING
    return Message(
        "Labels that have changed since this began: {changed:,}. It goes on with those that it began "
        "with, so that all its rows are of the same. Begin a new one to use the labels as they are "
        "now.",
        changed=changed,
    )


# Fine-tunings


class LabelSnapshot(TypedDict):
    """labels.json. `digest` is of the labels of all pictures; `values`: what stands in the masks for each class."""

    digest: str
    classes: NotRequired[Sequence[str]]
    values: NotRequired[dict[str, int]]


def note_labels(run: RunFolder, kind: str, recognised: Recognised, paths: Sequence[str]) -> None:
    """Write down with a run what the labels of these pictures are, for `check_labels`."""
    labels = recognised.classes if kind == "classification" else recognised.masks
    content: LabelSnapshot = {
        "digest": _digest(kind, recognised, paths),
        "classes": labels.names if labels else (),
    }
    if kind == "segmentation" and recognised.masks:
        content["values"] = _values(recognised.masks)
    run.write_json(FILE, content)


def as_begun(run: RunFolder, kind: str, recognised: Recognised) -> Recognised:
    """The labels numbered as when the run began: classes that were added, emptied or listed in another order since
    then change the numbers of the others. What is of a class that the run does not know does not count.

    Raises DataError when it knows none of the classes.
    """
    noted, plan = _noted(run), read_plan(run)
    names = (noted and noted.get("classes")) or (plan and plan["classes"])  # older runs note no classes
    try:
        return named_alike(kind, names, recognised, partly=True) if names else recognised
    except DataError as error:
        raise _changed(run) from error


def check_labels(run: RunFolder, kind: str, recognised: Recognised, paths: Sequence[str]) -> None:
    """Raises DataError when these pictures or their labels are others than when the run began."""
    noted = _noted(run)
    if noted and (noted["digest"] != _digest(kind, recognised, paths) or not _mean_the_same(noted, recognised)):
        raise _changed(run)


def _noted(run: RunFolder) -> LabelSnapshot | None:
    noted: LabelSnapshot | None = run.read_json(FILE, LabelSnapshot)
    return noted


def _changed(run: RunFolder) -> DataError:
    return DataError(
        "The labelled pictures of {run}, or their labels, have changed since it was begun: its "
        "networks would be trained on different ones, and could not be compared. Begin a new "
        "fine-tuning with the labels as they are now.",
        run=run.path.name,
    )


def _values(masks: MaskLabels) -> dict[str, int]:
    """What stands in the masks for each class."""
    numbers = masks.coding.numbers or range(len(masks.coding.values))
    known = zip(numbers, masks.coding.values, strict=True)
    return {masks.names[number]: value for number, value in known if number != IGNORE}


def _mean_the_same(noted: LabelSnapshot, recognised: Recognised) -> bool:
    """Whether the values in the masks stand for the classes that they stood for. Files that are the same may mean
    others: a list of classes was edited, or further masks have shown what the values are."""
    masks = recognised.masks
    if "values" not in noted or masks is None:
        return True
    now = _values(masks)
    gone = [value for name, value in noted["values"].items() if name not in now]
    moved = [name for name, value in noted["values"].items() if now.get(name, value) != value]
    return not moved and not set(gone) & set(masks.coding.values)


def _digest(kind: str, recognised: Recognised, paths: Sequence[str]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(paths):
        found.update(path.encode(errors="surrogateescape") + b"\0" + _label(kind, recognised, path) + b"\0")
    return found.hexdigest()


def _label(kind: str, recognised: Recognised, path: str) -> bytes:
    """The name of a picture's class, or its mask as it lies on the disk; nothing where there is none."""
    if kind == "classification":
        classes = recognised.classes
        return classes.names[classes.of[path]].encode() if classes and path in classes.of else b""
    masks = recognised.masks
    if masks is None or path not in masks.of:
        return b""
    try:
        return (recognised.pictures.root / masks.of[path]).read_bytes()
    except OSError:  # it is named when it is needed
        return b""
