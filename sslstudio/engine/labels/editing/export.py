"""Labels made in the program as a folder to take along: tables, masks as PNG, and the files of other programs."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.atomic_files import copy_file, discard_folder, folder_beside, put_folder
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.other_programs import write_for_others
from sslstudio.engine.labels.formats.coco.writer import write_coco
from sslstudio.engine.labels.masks.coding import IGNORE

COCO = "coco.json"
NOT_COUNTED = Message("not counted")  # what the value IGNORE is called there
STAGE = Message("Writing the labels")
CHECKING = Message("Checking the masks")


@dataclass(frozen=True)
class Exported:
    """What was written into the folder `out`: so many labelled pictures, masks, and patches in the COCO file."""

    out: Path
    labelled: int
    masks: int
    patches: int


def export_labels(folder: Path, out: Path) -> Generator[Preparing, None, Exported]:
    """Write the saved labels of `folder` into a new folder, which gets its name when all of it is there.

    Raises DataError when there is something in it already or a mask is damaged, RunError when the disk does not take
    it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("{out} is not empty. Choose a new folder, so that nothing is overwritten.", out=out)
    part: Path | None = None
    try:
        part = folder_beside(out)
        made = yield from _fill(folder, part, out)
        put_folder(part, out)
        return made
    except OSError as error:
        raise RunError(
            "The labels could not be written to {out}: {reason}.", out=out, reason=error.strerror or error
        ) from error
    finally:
        if part is not None:
            discard_folder(part)


def _fill(folder: Path, part: Path, out: Path) -> Generator[Preparing, None, Exported]:
    for name in (label_files.LABELS, label_files.CLASSES, label_files.ABOUT):
        copy_file(folder / name, part / name)
    paths = label_files.masks_in(folder)
    for done, path in enumerate(paths, start=1):
        copy = label_files.mask_file(part, path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy_file(label_files.mask_file(folder, path), copy)
        yield Preparing(stage=STAGE, done=done, total=len(paths))
    patches = (yield from _write_others(part, paths)) if paths else 0
    return Exported(out, len(label_files.read_labels_table(part)), len(paths), patches)


def _write_others(part: Path, paths: list[str]) -> Generator[Preparing, None, int]:
    for done, path in enumerate(paths, start=1):
        label_files.read_mask(part, path)  # one that is damaged is named
        yield Preparing(stage=CHECKING, done=done, total=len(paths))
    names = [""] * (IGNORE + 1)
    for number, one in label_files.read_classes(part)["segmentation"].items():
        names[number] = one.name
    names[IGNORE] = names[IGNORE] or NOT_COUNTED
    masks = {path: str(label_files.mask_file(part, path).relative_to(part)) for path in paths}
    patches = yield from write_coco(part / COCO, part, masks, names, Message("Labels made with SSL Studio"))
    yield from write_for_others(part, paths, names, label_files.read_labels_table(part))
    return patches
