"""Labels on disk, open to every other program: labels.csv, classes.csv and one PNG a mask, in a folder of their own.

labels.csv    file,label: one line a labelled picture
classes.csv   kind,number,name,colour: the classes of pictures, and those of pixels with their value in the masks
masks/        a/b.png.png is the mask of the picture a/b.png: 8 bits, the value is the class, 0 is background
about.json    the folder of the pictures
journal.jsonl what was done since the files were written (see `label_journal`)
begun.json    what the program began it with, by which it is known again while nobody has changed it (`labelling_start`)
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.files.atomic_files import make_folder, remove_file, write_atomic
from sslstudio.engine.core.files.checked_files import read_json, read_table
from sslstudio.engine.core.files.named_paths import inside, leads_out
from sslstudio.engine.core.files.spreadsheet import harmless
from sslstudio.engine.labels.editing.edits import KINDS, Kind, LabelClass, check_class
from sslstudio.engine.labels.editing.stroke import Mask
from sslstudio.engine.labels.masks.files import mask_png

LABELS, CLASSES, MASKS, ABOUT, JOURNAL = "labels.csv", "classes.csv", "masks", "about.json", "journal.jsonl"
BEGUN = "begun.json"


class _About(TypedDict):
    pictures: str


Classes = dict[Kind, dict[int, LabelClass]]


def is_labelling(folder: Path) -> bool:
    """Whether a folder holds labels that were made in the program."""
    return (folder / ABOUT).is_file() and (folder / CLASSES).is_file()


def pictures_of(folder: Path) -> str:
    """The folder of the pictures that these labels are for, '' when it cannot be read."""
    try:
        return str(read_json(folder / ABOUT, _About)["pictures"])
    except (OSError, StudioError):
        return ""


def write_about(folder: Path, pictures: Path) -> None:
    """Note which pictures the labels are for."""
    write_atomic(folder / ABOUT, json.dumps({"pictures": str(pictures)}).encode("ascii"))


def read_classes(folder: Path) -> Classes:
    """The classes of both kinds. Raises DataError when the file is missing or damaged."""
    found: Classes = {kind: {} for kind in KINDS}
    for line in _rows(folder / CLASSES):
        try:
            made = LabelClass(int(line["number"]), line["name"], int(line["colour"]))
            check_class(made)
            kind = next(kind for kind in KINDS if kind == line["kind"])
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            raise DataError(
                "{folder} is damaged: it needs lines of kind, number, name and colour, and has {line}.",
                folder=folder / CLASSES,
                line=line,
            ) from error
        found[kind][made.number] = made
    return found


def write_classes(folder: Path, classes: Classes) -> None:
    """Both kinds in one table."""
    lines = [[kind, one.number, one.name, one.colour] for kind in KINDS for _, one in sorted(classes[kind].items())]
    _write(folder / CLASSES, ["kind", "number", "name", "colour"], lines)


def read_labels_table(folder: Path) -> dict[str, str]:
    """Picture -> name of its class."""
    return {line["file"]: line["label"] for line in _rows(folder / LABELS) if line.get("file") and line.get("label")}


def write_labels_table(file: Path, of: Mapping[str, int], classes: Mapping[int, LabelClass]) -> None:
    """One line a labelled picture, in order of their paths."""
    _write(file, ["file", "label"], [[path, classes[of[path]].name] for path in sorted(of)])


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        return read_table(file, error=DataError)
    except OSError as error:
        raise DataError(
            "The labels in {file} cannot be read: {name}: {error}.", file=file.parent, name=file.name, error=error
        ) from error


def _write(file: Path, header: list[str], lines: Iterable[list[Any]]) -> None:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(header)
    table.writerows(map(harmless, line) for line in lines)
    write_atomic(file, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "surrogateescape"))  # the mark is for Excel


def mask_file(folder: Path, path: str) -> Path:
    """Where the mask of a picture is. Raises DataError for a path that leads out of the folder."""
    if leads_out(path):  # '/x' would be below the masks with what stands before it
        inside(folder, path)
    return inside(folder, MASKS, f"{path}.png")


def masks_in(folder: Path) -> list[str]:
    """The pictures that have a mask, in order."""
    root = folder / MASKS
    return sorted(file.relative_to(root).as_posix().removesuffix(".png") for file in root.rglob("*.png"))


def read_mask(folder: Path, path: str) -> Mask | None:
    """Class numbers (h, w), None when there is no mask. Raises DataError when it is damaged."""
    file = mask_file(folder, path)
    try:
        with Image.open(file) as image:
            return np.array(image, np.uint8)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError("The mask {file} cannot be read: {error}.", file=file, error=error) from error


def write_mask_file(folder: Path, path: str, mask: Mask | None) -> None:
    """Write the mask of a picture, or take it away."""
    file = mask_file(folder, path)
    if mask is None:
        remove_file(file)
        return
    make_folder(file.parent)
    write_atomic(file, mask_png(mask))
