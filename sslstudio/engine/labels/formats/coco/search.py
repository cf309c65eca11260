"""COCO files that lie beside or above the pictures of a folder."""

import os
from collections.abc import Collection
from pathlib import Path

from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels.folder_words import MASK_WORDS, PICTURE_WORDS, SPLIT_WORDS, folder_words
from sslstudio.engine.labels.formats.coco.reader import looks_like_coco
from sslstudio.engine.labels.types import LARGEST

_FOLDERS = 200  # looked into; in more of them nobody keeps one file each
_FILES = 50  # looked at in a folder; more are one a picture, which is not COCO
_PREDICTED = "answers.jsonl"  # lies beside what this program predicted, which is no label
_OWN = b'{"info": {"description": "Predicted by '  # how the file itself begins, wherever it lies


def find_files(index: ImageIndex) -> tuple[list[Path], list[Path]]:
    """The files that look like COCO, in order: those to read, and those that are too large to be read unasked."""
    found = [file for folder in _folders(index) for file in _files_in(folder)]
    small = [file for file in found if file.stat().st_size <= LARGEST]
    return small, [file for file in found if file not in small]


def pictures_folder(file: Path) -> Path:
    """Where the pictures of a file of labels are looked for: beside it; above a folder that is for labels only."""
    return file.parent.parent if _is_called(file.parent.name, MASK_WORDS) else file.parent


def near(file: Path, pictures: ImageIndex) -> list[str]:
    """The pictures beside the file: those below the innermost folder around it that holds any; else none."""
    for name, folder in roots_of(pictures.root).items():
        if file.resolve().is_relative_to(folder.resolve()):
            inner = file.resolve().parent.relative_to(folder.resolve()).parts
            parts = [name, *inner] if name else list(inner)
            for end in range(len(parts), 0, -1):
                below = "/".join(parts[:end]) + "/"
                if found := [path for path in pictures.paths if path.startswith(below)]:
                    return found
            return pictures.paths
    return []


def _folders(index: ImageIndex) -> list[Path]:
    folders: list[Path] = []
    roots = roots_of(index.root)
    if index.ignored.get(".json"):
        prefixes = {"/".join(parts[:end]) for run in index.runs if (parts := run.prefix.rstrip("/").split("/"))
                    for end in range(1, len(parts) + 1)} - {""}  # fmt: skip
        folders += [*roots.values(), *(index.root / prefix for prefix in sorted(prefixes)[:_FOLDERS])]
        folders += [one for root in roots.values() for one in _for_labels(root)]
    for root in roots.values():
        if _is_called(root.resolve().name, PICTURE_WORDS | SPLIT_WORDS.keys()):
            above = root.resolve().parent
            folders += [above, *_for_labels(above)]
    return list(dict.fromkeys(folders))


def _for_labels(folder: Path) -> list[Path]:
    """Its folders that are called annotations, labels ..."""
    try:
        with os.scandir(folder) as entries:
            names = [one.name for one in entries if _is_called(one.name, MASK_WORDS) and one.is_dir()]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def _is_called(name: str, known: Collection[str]) -> bool:
    words = folder_words(name)
    return bool(words) and set(words) <= set(known)


def _files_in(folder: Path) -> list[Path]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.lower().endswith(".json"))
    except OSError:
        return []
    if len(names) > _FILES or (folder / _PREDICTED).exists():
        return []
    files = [folder / name for name in names if name[0] != "."]
    return [file for file in files if looks_like_coco(file) and not _is_predicted(file)]


def _is_predicted(file: Path) -> bool:
    """Whether this program's own answers are in it, wherever it was copied to."""
    try:
        with open_regular(file) as opened:
            return opened.read(len(_OWN)) == _OWN
    except OSError:
        return False
