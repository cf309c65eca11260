"""A folder of masks a picture, one file an object: x/images/x.png and x/masks/1.png, 2.png ... (as the Data Science
Bowl of 2018 gives nuclei). They are put together in the cache folder; nothing is written beside the pictures."""

import hashlib
import os
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import discard_folder, folder_beside, put_folder, write_plain
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.cache.store import make_folder
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import where
from sslstudio.engine.labels.folder_words import MASK_WORDS, PICTURE_WORDS, folder_words, stem_of
from sslstudio.engine.labels.mask_names import BACKGROUND, OBJECT
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.engine.labels.masks.files import mask_png, read_codes
from sslstudio.engine.labels.roles import MASKS, Role
from sslstudio.engine.labels.types import SOURCES, Choices, Found, LabelSource, MaskLabels

CERTAINTY: Final = 0.85  # above mask files, which would take the first of them
STAGE: Final = Message("Putting the masks of single objects together")
_LEAST: Final = 2  # pictures that have such a folder
_A_STEP: Final = 20  # pictures between two events


@SOURCES.register("object_masks")
class ObjectMasks(LabelSource):
    """All objects are one class."""

    among_pictures = True

    def candidates(self, index: ImageIndex, choices: Choices) -> Generator[Preparing, None, list[Found]]:
        """The masks of the pictures that have a folder of them."""
        of = find_object_masks(index)
        if len(of) < _LEAST:
            return []
        files = frozenset(mask for masks in of.values() for mask in masks)
        try:
            made = yield from _together(index.root, of)
        except DataError as error:
            why = Message("Masks of single objects: not taken as masks. {error}", error=error)
            return [Found("masks", None, why, CERTAINTY, notes=(why,))]
        reason = Message("{n:,} pictures have a folder of masks, one an object.", n=len(of))
        note = Message(
            "{n:,} masks of single objects were put together, one mask a picture; all are one class, 'object'.",
            n=len(files),
        )
        notes = [note]
        if missing := len(index) - len(files) - len(of):
            notes.append(Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing))
        found_in = Message("masks of single objects")
        coding = MaskCoding("binary", (0, 1), instances=True)
        labels = MaskLabels(found_in, (BACKGROUND, OBJECT), made, coding, tuple(notes))
        counts = Counter(_any_picture(mask) for mask in files)
        told = tuple(Role(path, MASKS, reason, count) for path, count in sorted(counts.items()))
        return [Found("masks", labels, reason, CERTAINTY, found_in, found_in, files=files, roles=told)]


def _any_picture(mask: str) -> str:
    """'train/*/masks' for 'train/x/masks/1.png': the folders of all pictures at once."""
    *above, _picture, folder, _name = mask.split("/")
    return "/".join([*above, "*", folder])


def find_object_masks(index: ImageIndex) -> dict[str, list[str]]:
    """Picture -> its masks: those in a folder for masks beside a folder that holds this picture alone; {} where the
    masks are called like their pictures, one each."""
    lone: dict[str, str] = {}
    masks: dict[str, list[str]] = {}
    for run in index.runs:
        above, _, name = run.prefix.rstrip("/").rpartition("/")
        words = set(folder_words(name))
        if above and words and words <= MASK_WORDS:
            masks.setdefault(above, []).extend(run.prefix + one for one in run.names.split("/"))
        elif words and words <= PICTURE_WORDS and run.pictures == 1:
            lone[above] = run.prefix + run.names
    of = {lone[above]: sorted(files) for above, files in masks.items() if above in lone}
    single = all(len(files) == 1 and stem_of(files[0]) == stem_of(picture) for picture, files in of.items())
    return {} if single else of


def _together(root: Path, of: Mapping[str, Sequence[str]]) -> Generator[Preparing, None, dict[str, str]]:
    state = cache_folder() / "object-masks" / _stamp(root, of)
    try:
        if not state.is_dir():
            make_folder(state.parent)
            part = folder_beside(state)
            try:
                for done, masks in enumerate(of.values(), start=1):
                    write_plain(part / f"{done}.png", _one_mask(root, masks))
                    if done % _A_STEP == 0 or done == len(of):
                        yield Preparing(stage=STAGE, done=done, total=len(of))
                put_folder(part, state)
            finally:
                discard_folder(part)
    except OSError as error:
        raise RunError(
            "{file} could not be written: {reason}. Is the disk full or read-only?", file=state, reason=error.strerror
        ) from error
    return {picture: str(state / f"{place}.png") for place, picture in enumerate(of, start=1)}


def _one_mask(root: Path, masks: Sequence[str]) -> bytes:
    whole = None
    for mask in masks:
        inside = read_codes(Path(where(root, mask)), as_colours=False) > 0
        if whole is not None and whole.shape != inside.shape:
            raise DataError("{mask} has another size than the other masks of its picture.", mask=mask)
        whole = inside if whole is None else whole | inside
    assert whole is not None  # a folder that is listed holds a file
    return mask_png(whole.astype(np.uint8))


def _stamp(root: Path, of: Mapping[str, Sequence[str]]) -> str:
    """What is the same as long as the files are."""
    found = hashlib.blake2b(digest_size=16)
    for picture, masks in of.items():
        found.update(os.fsencode(f"{picture}\0"))
        for mask in masks:
            file = where(root, mask)
            about = os.stat(file)
            found.update(os.fsencode(f"{file}\0{about.st_size}\0{about.st_mtime_ns}\0"))
    return found.hexdigest()
