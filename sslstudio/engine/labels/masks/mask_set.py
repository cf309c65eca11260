"""The masks of a set of pictures, read once: what their values mean, and how they lie on their pictures.

What was learnt is kept in the cache folder for as long as the files are the same; masks that have to be turned are
written there, turned. Nothing is written beside the pictures.
"""

import hashlib
import io
import json
import os
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.exif import TURNS
from sslstudio.engine.images.multi_folder import where
from sslstudio.engine.labels.masks.coding import MaskCoding, learning
from sslstudio.engine.labels.masks.files import read_codes
from sslstudio.engine.labels.masks.fit import Fit, compare

FORMAT: Final = 2
FEW: Final = 64  # masks that are read faster than what is kept of them is found
STAGE: Final = Message("Turning masks as their pictures are shown")
_SHOWN = 3  # examples named in a sentence


@dataclass(frozen=True)
class MaskSet:
    """`of`: picture -> mask, relative to the root, or absolute where a turned one was written; those whose mask cannot
    lie on them are left out."""

    coding: MaskCoding
    of: dict[str, str]
    fit: Fit

    def notes(self) -> list[Message]:
        """What is to be said of sizes and values."""
        return [*_note_fit(self.fit), *_note_values(self.coding)]


def read_masks(root: Path, of: Mapping[str, str], cache_dir: Path | None = None) -> Generator[Preparing, None, MaskSet]:
    """Read all masks (picture -> mask) and compare their sizes with those of the pictures.

    Raises DataError when the values look like photographs, hold one value only, or when no mask fits its picture.
    """
    folder = (cache_dir or cache_folder()) / "masks" / _stamp(root, of)
    kept = _read_kept(folder) if len(of) > FEW else None
    if kept is None:
        coding = yield from learning([root / mask for mask in sorted(set(of.values()))])
        fit = compare(root, of)
        if len(of) > FEW:
            _keep(folder, coding, fit)
    else:
        coding, fit = kept
    fitting = {picture: mask for picture, mask in of.items() if picture not in fit.refused}
    if not fitting:
        raise DataError(_no_fit(of, fit))
    turned = yield from _turn_all(root, fit.turned, folder)
    return MaskSet(coding, {picture: turned.get(mask, mask) for picture, mask in fitting.items()}, fit)


def _stamp(root: Path, of: Mapping[str, str]) -> str:
    """What is the same as long as the files are."""
    found = hashlib.blake2b(str(FORMAT).encode(), digest_size=16)
    for pair in sorted(of.items()):
        for path in pair:
            full = where(root, path)
            try:
                about = os.stat(full)
                found.update(os.fsencode(f"{full}\0{about.st_size}\0{about.st_mtime_ns}\0"))
            except OSError:
                found.update(os.fsencode(f"{full}\0"))
    return found.hexdigest()


def _read_kept(folder: Path) -> tuple[MaskCoding, Fit] | None:
    try:
        coding, fit = read_json(folder / "learnt.json", tuple[dict[str, Any], dict[str, Any]])
        for key in ("values", "void", "numbers"):
            coding[key] = tuple(coding[key])
        return MaskCoding(**coding), Fit(**fit)
    except (OSError, StudioError, ValueError, TypeError, KeyError):
        return None


def _keep(folder: Path, coding: MaskCoding, fit: Fit) -> None:
    with suppress(OSError, StudioError, UnicodeEncodeError):  # it costs time only
        make_folder(folder)
        write_atomic(folder / "learnt.json", json.dumps([asdict(coding), asdict(fit)]).encode("ascii"))


def _turn_all(root: Path, turned: Mapping[str, int], folder: Path) -> Generator[Preparing, None, dict[str, str]]:
    written: dict[str, str] = {}
    for number, (mask, orientation) in enumerate(turned.items(), start=1):
        digest = hashlib.blake2b(os.fsencode(mask), digest_size=12).hexdigest()
        file = folder / f"{digest}.png"
        if not file.exists():
            make_folder(folder)
            if not _turn(root / mask, orientation, file):
                continue
        written[mask] = str(file)
        if number % 20 == 0 or number == len(turned):
            yield Preparing(stage=STAGE, done=number, total=len(turned))
    return written


def _turn(mask: Path, orientation: int, file: Path) -> bool:
    """Write a mask turned; False when it cannot be read, which is said when it is needed."""
    content = io.BytesIO()
    try:
        with Image.open(mask) as image:
            ImageOps.exif_transpose(image).transpose(TURNS[orientation]).save(content, "PNG")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        content = io.BytesIO()
        try:
            codes = read_codes(mask, as_colours=False)
            Image.fromarray(codes.clip(0, 65535).astype(np.uint16)).transpose(TURNS[orientation]).save(content, "PNG")
        except (DataError, OSError, ValueError):
            return False
    write_atomic(file, content.getvalue(), confirmed=False)  # it is made again
    return True


def _no_fit(of: Mapping[str, str], fit: Fit) -> Message:
    picture = next(iter(fit.refused))
    return Message(
        "The masks do not lie on their pictures: {mask} has other proportions than {picture}{turned}. Save masks of "
        "the size of their pictures.",
        mask=of[picture],
        picture=picture,
        turned=_SWAPPED if fit.refused[picture] == "swapped" else "",
    )


_SWAPPED = Message(", width and height changed about")


def _note_fit(fit: Fit) -> list[Message]:
    notes = []
    if fit.turned:
        notes.append(
            Message(
                "{n:,} {n:plural(mask lay|masks lay)} on the stored pixels of pictures that are shown turned (EXIF): "
                "{n:plural(it was|they were)} turned likewise.",
                n=len(fit.turned),
            )
        )
    if fit.open:
        notes.append(
            Message(
                "{n:,} {n:plural(picture is|pictures are)} shown turned (EXIF), and sizes do not tell how "
                "{n:plural(its mask lies|their masks lie)}: taken as lying like the picture that is shown.",
                n=fit.open,
            )
        )
    if fit.scaled:
        notes.append(
            Message(
                "{n:,} {n:plural(mask has|masks have)} another size than {n:plural(its picture|their pictures)} and "
                "the same proportions: scaled.",
                n=fit.scaled,
            )
        )
    if fit.refused:
        swapped = sum(kind == "swapped" for kind in fit.refused.values())
        notes.append(
            Message(
                "{n:,} {n:plural(mask has|masks have)} other proportions than {n:plural(its picture|their pictures)} "
                "({swapped:,} with width and height changed about) and {n:plural(was|were)} left out: {examples}.",
                n=len(fit.refused),
                swapped=swapped,
                examples=list(fit.refused)[:_SHOWN],
            )
        )
    return notes


def _note_values(coding: MaskCoding) -> list[Message]:
    notes = []
    if coding.instances:
        notes.append(Message("The masks number single objects; all of them were taken as one class, 'object'."))
    for value in coding.void:
        if value == 255:
            notes.append(Message("The value 255 in the masks marks what is not counted."))
        elif coding.kind == "colours":
            notes.append(Message("The colour {colour} in the masks marks what is not counted.", colour=f"#{value:06x}"))
        else:
            notes.append(
                Message(
                    "The value {value} lies as a band between black and white: taken as a border that is not counted.",
                    value=value,
                )
            )
    if coding.soft:
        notes.append(
            Message(
                "The masks have soft edges: what lies between the {n} values of classes is not counted.",
                n=len(coding.values),
            )
        )
    return notes
