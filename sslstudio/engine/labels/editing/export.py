"""Labels made in the program as a folder to take along: tables, masks as PNG, and the files of other programs."""

from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.errors import ConfigError, DataError, RunError, did_you_mean
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import copy_file, discard_folder, folder_beside, put_folder
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.other_programs import FOLDERS, write_for_others
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.formats.coco.writer import write_coco
from sslstudio.engine.labels.masks.coding import IGNORE
from sslstudio.engine.labels.types import Recognised

COCO = "coco.json"
FORMATS = ("coco", *FOLDERS)  # of other programs
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


def read_formats(text: str) -> tuple[str, ...]:
    """'coco,yolo' -> ('coco', 'yolo'); 'all' for every one. Raises ConfigError, in words, for one that there is not."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in (*FORMATS, "all"):
            raise ConfigError(
                "{name} is no format of labels that is written. {hint} There are {known:or}.",
                name=name,
                hint=did_you_mean(name, FORMATS),
                known=[*FORMATS, "all"],
            )
    return FORMATS if "all" in names or not names else tuple(dict.fromkeys(names))


def export_recognised(
    recognised: Recognised, out: Path, formats: Collection[str] = FORMATS
) -> Generator[Preparing, None, Exported]:
    """Write the labels that were recognised in a folder, whatever format they came in, as `export_labels` does.

    Raises DataError where there are none.
    """
    if recognised.classes is None and recognised.masks is None:
        problems = list(recognised.problems.values())
        raise (
            problems[0]
            if problems
            else DataError(
                "No labels were recognised in {folder}: there is nothing to write. Say with --labels which file or "
                "folder holds them.",
                folder=recognised.pictures.root,
            )
        )
    _check_free(out)
    made = folder_beside(out)
    try:
        yield from begin(made / "labels", recognised)
        return (yield from export_labels(made / "labels", out, formats))
    finally:
        discard_folder(made)


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("{out} is not empty. Choose a new folder, so that nothing is overwritten.", out=out)


def export_labels(folder: Path, out: Path, formats: Collection[str] = FORMATS) -> Generator[Preparing, None, Exported]:
    """Write the saved labels of `folder` into a new folder, which gets its name when all of it is there: tables, masks
    as PNG, and these formats of other programs.

    Raises DataError when there is something in it already or a mask is damaged, RunError when the disk does not take
    it.
    """
    _check_free(out)
    part: Path | None = None
    try:
        part = folder_beside(out)
        made = yield from _fill(folder, part, out, formats)
        put_folder(part, out)
        return made
    except OSError as error:
        raise RunError(
            "The labels could not be written to {out}: {reason}.", out=out, reason=error.strerror or error
        ) from error
    finally:
        if part is not None:
            discard_folder(part)


def _fill(folder: Path, part: Path, out: Path, formats: Collection[str]) -> Generator[Preparing, None, Exported]:
    for name in (label_files.LABELS, label_files.CLASSES, label_files.ABOUT):
        copy_file(folder / name, part / name)
    paths = label_files.masks_in(folder)
    for done, path in enumerate(paths, start=1):
        copy = label_files.mask_file(part, path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy_file(label_files.mask_file(folder, path), copy)
        yield Preparing(stage=STAGE, done=done, total=len(paths))
    patches = (yield from _write_others(part, paths, formats)) if paths and formats else 0
    return Exported(out, len(label_files.read_labels_table(part)), len(paths), patches)


def _write_others(part: Path, paths: list[str], formats: Collection[str]) -> Generator[Preparing, None, int]:
    for done, path in enumerate(paths, start=1):
        label_files.read_mask(part, path)  # one that is damaged is named
        yield Preparing(stage=CHECKING, done=done, total=len(paths))
    names = [""] * (IGNORE + 1)
    for number, one in label_files.read_classes(part)["segmentation"].items():
        names[number] = one.name
    names[IGNORE] = names[IGNORE] or NOT_COUNTED
    masks = {path: str(label_files.mask_file(part, path).relative_to(part)) for path in paths}
    patches, about = 0, Message("Labels made with SSL Studio")
    if "coco" in formats:
        patches = yield from write_coco(part / COCO, part, masks, names, about)
    if others := [name for name in FOLDERS if name in formats]:
        yield from write_for_others(part, paths, names, label_files.read_labels_table(part), others)
    return patches
