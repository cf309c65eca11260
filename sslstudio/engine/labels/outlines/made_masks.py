"""Masks of what was drawn, made once for each state of the files and pictures, in the cache folder."""

import hashlib
import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Final

import filelock

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import (
    cannot_write,
    discard_folder,
    folder_beside,
    put_folder,
    write_plain,
)
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.cache.store import make_folder
from sslstudio.engine.labels.masks.files import mask_png, mask_size
from sslstudio.engine.labels.outlines.shapes import Drawing, paint

STAGE: Final = Message("Making masks from the outlines")
FORMAT: Final = 1
STATES_KEPT: Final = 4  # of one folder of pictures
_A_STEP: Final = 20  # pictures between two events


def make_masks(
    drawings: Mapping[str, Drawing], names: Sequence[str], root: Path, source: str
) -> Generator[Preparing, None, dict[str, str]]:
    """Picture -> its mask, whose values are places in `names`, names[0] the background.

    The size is the picture's own where the drawing says none. Raises DataError for shapes that do not fit, RunError
    when the disk does not take the masks.
    """
    home = cache_folder() / "outlines" / _digest(str(root.resolve()), source)
    make_folder(home)
    state = home / _digest(FORMAT, names, sorted(drawings.items(), key=lambda item: item[0]))
    order = sorted(drawings)
    try:
        with filelock.FileLock(home / "lock", thread_local=False):  # a generator may be closed by another thread
            if not state.is_dir():
                yield from _fill(drawings, order, names, root, state)
                _forget(home, state)
    except OSError as error:
        raise cannot_write(state, error) from error
    return {path: str(state / f"{place}.png") for place, path in enumerate(order)}


def _fill(
    drawings: Mapping[str, Drawing], order: Sequence[str], names: Sequence[str], root: Path, state: Path
) -> Generator[Preparing, None, None]:
    number = {name: place for place, name in enumerate(names)}
    part = folder_beside(state)
    try:
        for place, path in enumerate(order):
            drawing = drawings[path]
            told = drawing.height > 0 and drawing.width > 0
            height, width = (drawing.height, drawing.width) if told else mask_size(root / path)
            write_plain(part / f"{place}.png", mask_png(paint(drawing, number, height, width)))
            if (place + 1) % _A_STEP == 0 or place + 1 == len(order):
                yield Preparing(stage=STAGE, done=place + 1, total=len(order))
        put_folder(part, state)
    finally:
        discard_folder(part)


def _forget(home: Path, state: Path) -> None:
    others = sorted(home.glob("*/"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
    for one in [one for one in others if one != state][STATES_KEPT - 1 :]:
        shutil.rmtree(one, ignore_errors=True)


def _digest(*values: object) -> str:
    return hashlib.blake2b(os.fsencode(repr(values)), digest_size=16).hexdigest()
