"""Where the labels of a folder of pictures are kept, and what they begin with."""

import shutil
from collections.abc import Generator, Sequence
from pathlib import Path

import filelock

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.edits import LabelClass
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.masks.files import mask_png
from sslstudio.engine.labels.types import Recognised

FOLDER = Message("Labels")  # in the user's own


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
    """Make the folder of labels with everything that was recognised; nothing happens where somebody has labelled.

    Raises DataError for a mask that cannot be read.
    """
    if is_edited(folder) or _is_open(folder):
        return
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    yield from _copy_masks(beside, recognised)
    classes = recognised.classes
    made: label_files.Classes = {
        "classification": _numbered(classes.names if classes else ()),
        "segmentation": _numbered(recognised.masks.names[1:] if recognised.masks else ()),
    }
    of = {path: number + 1 for path, number in classes.of.items()} if classes else {}
    label_files.write_classes(beside, made)
    label_files.write_labels_table(beside / label_files.LABELS, of, made["classification"])
    label_files.write_about(beside, recognised.pictures.root.resolve())
    shutil.rmtree(folder, ignore_errors=True)  # nobody has labelled in it
    beside.rename(folder)


def _is_open(folder: Path) -> bool:
    lock = filelock.FileLock(str(folder / ".lock"), timeout=0)
    if not folder.is_dir():
        return False
    try:
        with lock:
            return False
    except filelock.Timeout:
        return True


def _numbered(names: Sequence[str]) -> dict[int, LabelClass]:
    return {number: LabelClass(number, name, number) for number, name in enumerate(names, start=1)}


def _copy_masks(folder: Path, recognised: Recognised) -> Generator[Preparing, None, None]:
    masks, root = recognised.masks, recognised.pictures.root
    for done, (path, mask) in enumerate(masks.of.items() if masks else (), start=1):
        assert masks is not None
        file = label_files.mask_file(folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        # The folder gets its name when all is there: the single file need not be whole at once.
        file.write_bytes(mask_png(decode_mask(root / mask, masks.coding, None)))
        yield Preparing(stage=Message("Taking over the masks that are there"), done=done, total=len(masks.of))
