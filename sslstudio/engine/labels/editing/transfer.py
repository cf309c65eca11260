"""Labels from elsewhere: corrections that were made somewhere else become edits of the labels made in the program, by
names of classes; and labels of pictures that lie in one of several folders from now on are taken over."""

import os
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import copy_file, discard_folder, folder_beside, put_folder, write_plain
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.drawn_test import STATE, TABLE
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.edits import Edit
from sslstudio.engine.labels.editing.store import Labelling

STAGE = Message("Taking over the labels")
A_STEP = 100  # masks between two events


def name_of(store: Labelling, path: str) -> str:
    """What the class of a picture is called, '' for none."""
    known = store.classes["classification"].get(store.of.get(path, 0))
    return known.name if known else ""


def correcting(store: Labelling, labels: Mapping[str, str]) -> Iterator[Edit]:
    """The edits after which these pictures have the classes of these names ('': no label); classes that are missing are
    made. Each edit is to be applied before the next one is asked for: it builds on it.

    Raises DataError for a name that no class can have.
    """
    paths_of: dict[str, list[str]] = {}
    for path, name in labels.items():
        paths_of.setdefault(name, []).append(path)
    for name, paths in paths_of.items():
        if name and _number(store, name) is None:
            yield store.adding("classification", name)
        edit = store.labelling(paths, _number(store, name))
        if edit is not None:
            yield edit


def _number(store: Labelling, name: str) -> int | None:
    """Names that differ only in case or spaces are one class, as they are when a class is added."""
    plain = " ".join(name.split()).casefold()
    return next((one.number for one in store.names("classification") if one.name.casefold() == plain), None)


def other_labels(store: Labelling, labels: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Of labels from elsewhere those of pictures that have none in the store, and those of pictures that have another
    one there."""
    lacking, differing = {}, {}
    for path, name in labels.items():
        if name and path not in store.of:
            lacking[path] = name
        elif name and store.of[path] != _number(store, name):
            differing[path] = name
    return lacking, differing


# To another folder of labels


def labels_below(source: Path, target: Path, name: str, pictures: Path) -> Generator[Preparing, None, None]:
    """Copy a folder of labels to `target`, which is whole or not there: each picture's path begins with `name` now.

    What else lies in it comes too; `source` stays as it is. Raises DataError while somebody edits it, RunError when the
    disk does not take it.
    """
    beside: Path | None = None
    try:
        beside = folder_beside(target)
        with closing(Labelling(source)) as labels:  # what the journal holds is in the files then
            known = {f"{name}/{path}": number for path, number in labels.of.items()}
            own = (label_files.LABELS, label_files.MASKS, label_files.JOURNAL, label_files.BEGUN, TABLE, STATE)
            _copy_others(source, beside, own)
            label_files.write_labels_table(beside / label_files.LABELS, known, labels.classes["classification"])
            if labels.drawn is not None:
                labels.drawn.below(name).write(beside)
            masked = sorted(labels.masked)
            for done, path in enumerate(masked):
                if done % A_STEP == 0:
                    yield Preparing(stage=STAGE, done=done, total=len(masked))
                file = label_files.mask_file(beside, f"{name}/{path}")
                file.parent.mkdir(parents=True, exist_ok=True)
                copy_file(label_files.mask_file(source, path), file)
        label_files.write_about(beside, pictures)
        write_plain(beside / label_files.JOURNAL, b"")  # by which it is known that somebody has labelled
        put_folder(beside, target)
    except OSError as error:
        raise RunError(
            "The labels could not be copied to {target}: {reason}.", target=target, reason=error.strerror or error
        ) from error
    finally:
        if beside is not None:
            discard_folder(beside)


def _copy_others(source: Path, target: Path, own: Collection[str]) -> None:
    """Copy what else lies in a folder of labels. Raises OSError."""
    for place, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in own and not name.startswith(".")]
        there = target / Path(place).relative_to(source)
        there.mkdir(exist_ok=True)
        for name in files:
            if name not in own and not name.startswith("."):
                copy_file(Path(place) / name, there / name)
