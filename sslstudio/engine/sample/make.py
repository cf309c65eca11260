"""The built-in sample: small natural-history pictures with masks, drawn by the program, the same for a seed."""

import io
import json
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import cannot_write, make_folder, write_atomic
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import Message
from sslstudio.engine.sample.scene import Noise, landscape, occlude, photograph, shadow, shine
from sslstudio.engine.sample.shapes import KINDS, make_frame

MARKER = "sample.json"  # written last: the sample is complete
BEGUN = "sample-unfinished.json"  # written first, renamed to the marker at the end
_VERSION = 1  # of the drawing: another one makes other pictures
_SHARES = (1.15, 0.9, 1.05, 0.85, 1.05)  # of the kinds: nature is not even
_SUPERSAMPLING = 2
_REPORT_EVERY = 25


def make_sample(folder: Path, *, count: int = 2400, side: int = 96, seed: int = 0) -> Generator[Preparing, None, None]:
    """Draw `count` RGB pictures of side x side pixels and their masks (0 background, 1 ... 5 the kinds).

    They go to folder/images/<kind>/0001.png and folder/masks/<kind>/0001.png. A finished sample of the same
    parameters is kept, one that was interrupted is drawn again. Raises DataError when anything else is in the folder.
    """
    about = {"sample": _VERSION, "count": count, "side": side, "seed": seed}
    if _is_finished(folder, about):
        return
    make_folder(folder)
    write_atomic(folder / BEGUN, json.dumps(about).encode())
    noise = Noise(side * _SUPERSAMPLING, np.random.default_rng(derive(seed, "sample", "noise")))
    for done, (kind, number) in enumerate(_list(count)):
        if done % _REPORT_EVERY == 0:
            yield Preparing(stage=Message("Drawing the sample"), done=done, total=count)
        rng = np.random.default_rng(derive(seed, "sample", kind, number))
        picture, mask = draw_picture(kind, side, rng, noise)
        _save(picture, folder / "images" / kind / f"{number:04}.png")
        _save(mask, folder / "masks" / kind / f"{number:04}.png")
    _finish(folder)
    yield Preparing(stage=Message("Drawing the sample"), done=count, total=count)


def draw_picture(
    kind: str, side: int, rng: np.random.Generator, noise: Noise
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """((side, side, 3), (side, side)) one picture of a kind and its mask."""
    draw, habits = KINDS[kind]
    canvas = landscape(noise.side, rng, noise)
    frame = make_frame(canvas, list(KINDS).index(kind) + 1, habits)
    draw(frame)
    shadow(canvas)
    shine(canvas)
    occlude(canvas)
    return photograph(canvas, side)


def _list(count: int) -> Iterator[tuple[str, int]]:
    """(kind, number from 1) of each picture; the kinds have unequal numbers."""
    ends = np.round(np.cumsum(_SHARES) / sum(_SHARES) * count).astype(int).tolist()
    for kind, start, end in zip(KINDS, [0, *ends], ends, strict=False):
        for number in range(1, end - start + 1):
            yield kind, number


def _is_finished(folder: Path, about: Mapping[str, object]) -> bool:
    """True for a sample of these parameters. Raises DataError for a folder that holds something else."""
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise DataError("{folder} is a file; the sample needs a folder. Choose another name.", folder=folder)
    if not any(folder.iterdir()):
        return False
    for name in (MARKER, BEGUN):
        if (folder / name).is_file():
            found = _read(folder / name)
            if found != about:
                raise DataError(
                    "{folder} holds another sample ({found}). Choose an empty or a new folder.",
                    folder=folder,
                    found=found,
                )
            return name == MARKER
    raise DataError(
        "{folder} is not empty and is not a sample of this program: nothing in it was changed. "
        "Choose an empty or a new folder for the sample.",
        folder=folder,
    )


def _read(file: Path) -> Any:
    try:
        return read_json(file)
    except (OSError, StudioError):
        return None  # torn while it was written: not a sample that is known


def _finish(folder: Path) -> None:
    try:
        (folder / BEGUN).replace(folder / MARKER)
    except OSError as error:
        raise cannot_write(folder / MARKER, error) from error


def _save(pixels: NDArray[np.uint8], file: Path) -> None:
    make_folder(file.parent)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", compress_level=1)  # noise does not compress; time counts
    write_atomic(file, content.getvalue(), confirmed=False)  # it is drawn again if the marker is missing
