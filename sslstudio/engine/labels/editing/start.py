"""Where the labels of a folder of pictures are kept, and what they begin with."""

import hashlib
import json
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import filelock

from sslstudio.engine.core.errors import DataError, RunError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import (
    discard_folder,
    folder_beside,
    make_parents,
    put_folder,
    rename_patiently,
    sync_folder,
    write_atomic,
    write_plain,
)
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.edits import LabelClass
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.masks.files import mask_png
from sslstudio.engine.labels.types import Recognised

FOLDER = Message("Labels")  # in the user's own
LOCK = ".lock"  # of whoever edits them


def labels_folder(home: Path, pictures: Path) -> Path | None:
    """The folder in `home`/Labels in which somebody has labelled these pictures: where labels were kept before there
    were projects. None when there is none."""
    root, wanted = home / FOLDER, str(pictures.resolve())
    taken = sorted(root.iterdir()) if root.is_dir() else []
    return next((one for one in taken if label_files.pictures_of(one) == wanted and is_edited(one)), None)


def is_edited(folder: Path) -> bool:
    """Whether anybody has labelled in this folder of labels, ever."""
    return label_files.is_labelling(folder) and (folder / label_files.JOURNAL).exists()


def begin(folder: Path, recognised: Recognised) -> Generator[Preparing, None, None]:
    """Make the folder of labels with everything that was recognised. What the program began before and nobody has
    changed is replaced; other labels are left as they are.

    Raises DataError for a mask that cannot be read, or when the folder holds something else than labels; RunError when
    the disk does not take it.
    """
    if not can_begin(folder):
        if label_files.is_labelling(folder):
            return
        raise DataError(
            "{folder} is needed for labels, and holds something else: {about} and {classes} are not both there. It was "
            "left as it is. Move it away or give it another name, then try again.",
            folder=folder,
            about=label_files.ABOUT,
            classes=label_files.CLASSES,
        )
    try:
        beside = folder_beside(folder)
        try:
            yield from _fill(beside, recognised)
            _put(beside, folder)
        finally:
            discard_folder(beside)  # made above, for this alone
    except OSError as error:
        raise RunError(
            "The labels could not be begun in {folder}: {reason}.", folder=folder, reason=error.strerror or error
        ) from error


def _fill(folder: Path, recognised: "Recognised") -> Generator[Preparing, None, None]:
    yield from _copy_masks(folder, recognised)
    classes = recognised.classes
    made: label_files.Classes = {
        "classification": _number_classes(classes.names if classes else ()),
        "segmentation": _number_classes(recognised.masks.names[1:] if recognised.masks else ()),
    }
    of = {path: number + 1 for path, number in classes.of.items()} if classes else {}
    label_files.write_classes(folder, made)
    label_files.write_labels_table(folder / label_files.LABELS, of, made["classification"])
    label_files.write_about(folder, recognised.pictures.root.resolve())
    if recognised.drawn is not None:  # a comparison keeps the labels that it began with: what tests belongs to them
        recognised.drawn.write(folder)
    write_atomic(folder / label_files.BEGUN, json.dumps({"digest": _digest(folder)}).encode("ascii"))


def _put(beside: Path, folder: Path) -> None:
    """Give `beside` the place of a folder that can be begun anew; what was there goes file by file. Where somebody has
    labelled meanwhile, nothing happens."""
    if not folder.exists():
        put_folder(beside, folder)
        return
    before = folder_beside(folder)
    before.rmdir()
    rename_patiently(folder, before)
    try:
        if not can_begin(before):
            raise FileExistsError
        put_folder(beside, folder)
    except OSError:
        rename_patiently(before, folder)
        return
    with suppress(OSError):  # what cannot be removed stays, hidden
        for file in _files(before):
            file.unlink(missing_ok=True)
        for place in sorted((one for one in before.rglob("*") if one.is_dir()), reverse=True):
            place.rmdir()
        before.rmdir()
        sync_folder(folder.parent)


def can_begin(folder: Path) -> bool:
    """Whether nothing would be lost if labels were begun here: there is no such folder, it is empty, or it is just as
    the program has begun it."""
    try:
        if folder.is_symlink():
            return False
        if not label_files.is_labelling(folder):
            return not folder.exists() or (folder.is_dir() and all(one.name == LOCK for one in folder.iterdir()))
        return not is_edited(folder) and not _is_open(folder) and _is_as_begun(folder)
    except OSError:  # it may not be looked into
        return False


def _is_as_begun(folder: Path) -> bool:
    try:
        noted = read_json(folder / label_files.BEGUN, dict[str, Any])
        digest = _digest(folder)
        return bool(digest) and noted.get("digest") == digest
    except FileNotFoundError:
        return _is_blank(folder)
    except (OSError, StudioError):
        return False


def _is_blank(folder: Path) -> bool:
    """Whether it says nothing at all. Earlier versions noted nothing where they began: what looks like one of theirs
    may be labels that came back from a backup."""
    names = {label_files.LABELS, label_files.CLASSES, label_files.ABOUT, LOCK}
    try:
        return (
            all(file.name in names and file.parent == folder for file in _files(folder))
            and not label_files.read_labels_table(folder)
            and not any(label_files.read_classes(folder).values())
        )
    except DataError:
        return False


def _digest(folder: Path) -> str:
    """Of all that is in a folder of labels, but where its pictures are: that may change by itself. '' with a link in
    it. Raises OSError."""
    found = hashlib.blake2b(digest_size=16)
    for file in sorted(_files(folder)):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink():
            return ""
        if name not in (label_files.ABOUT, label_files.BEGUN, LOCK):
            found.update(os.fsencode(name) + b"\0" + hashlib.blake2b(file.read_bytes()).digest())
    return found.hexdigest()


def _files(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_symlink() or not one.is_dir()]


def _is_open(folder: Path) -> bool:
    lock = filelock.FileLock(str(folder / LOCK), timeout=0)
    try:
        with lock:
            return False
    except filelock.Timeout:
        return True


def _number_classes(names: Sequence[str]) -> dict[int, LabelClass]:
    return {number: LabelClass(number, name, number) for number, name in enumerate(names, start=1)}


def _copy_masks(folder: Path, recognised: Recognised) -> Generator[Preparing, None, None]:
    masks, root = recognised.masks, recognised.pictures.root
    for done, (path, mask) in enumerate(masks.of.items() if masks else (), start=1):
        assert masks is not None
        file = label_files.mask_file(folder, path)
        make_parents(file.parent)
        # The folder gets its name when all is there: the single file need not be whole at once.
        write_plain(file, mask_png(decode_mask(root / mask, masks.coding, None)))
        yield Preparing(stage=Message("Taking over the masks that are there"), done=done, total=len(masks.of))
