"""Files of labels below the folders of the pictures, and which picture each is about."""

import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular, parse_json
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels.folder_words import MASK_WORDS, PICTURE_WORDS, folder_words
from sslstudio.engine.labels.picture_names import find_pictures, lookup_of
from sslstudio.engine.labels.types import LARGEST

MOST_FILES: Final = 500_000  # looked at below a folder
_WORDS = MASK_WORDS | PICTURE_WORDS


def files_below(index: ImageIndex, suffixes: Collection[str]) -> tuple[list[Path], list[Path]]:
    """The files with these suffixes, in order, and those that are too large to be read unasked; no hidden ones."""
    if not any(index.ignored.get(suffix) for suffix in suffixes):
        return [], []
    found: list[Path] = []
    for root in roots_of(index.root).values():
        for folder, inner, names in os.walk(root):
            inner[:] = sorted(name for name in inner if name[0] not in ".$@")
            found += [Path(folder, name) for name in sorted(names) if _fits(name, suffixes)]
            if len(found) > MOST_FILES:
                return [], []
    sizes = {file: size for file in found if (size := _size_of(file)) is not None}
    return [file for file, size in sizes.items() if size <= LARGEST], sorted(
        file for file, size in sizes.items() if size > LARGEST
    )


def _size_of(file: Path) -> int | None:
    """None for what is no file with content: a link to nowhere, a pipe."""
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_size if stat.S_ISREG(about.st_mode) else None


def _fits(name: str, suffixes: Collection[str]) -> bool:
    return name[0] != "." and Path(name).suffix.lower() in suffixes


def match(names: Sequence[str], paths: Sequence[str]) -> list[str]:
    """The picture that each name means, '' where there is none or more than one. Folders that only say "labels" or
    "images" do not count: train/labels/1.txt is about train/images/1.jpg."""
    plain: dict[str, list[str]] = {}
    for path in paths:
        plain.setdefault(_plain(path), []).append(path)
    as_is = find_pictures(names, lookup_of(paths))
    barely = find_pictures([_plain(name) for name in names], lookup_of(list(plain)))
    return [
        _only(one) or _only(plain[other[0]] if len(other) == 1 else [])
        for one, other in zip(as_is, barely, strict=True)
    ]


def _only(found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 else ""


def _plain(path: str) -> str:
    *folders, name = path.replace("\\", "/").split("/")
    return "/".join([*(one for one in folders if not set(folder_words(one)) <= _WORDS), name])


def place_of(file: Path, index: ImageIndex) -> str:
    """Where a file lies below the folders of the pictures, without its suffix, as pictures' paths are written."""
    for name, root in roots_of(index.root).items():
        if file.is_relative_to(root):
            inner = file.relative_to(root).with_suffix("").as_posix()
            return f"{name}/{inner}" if name else inner
    return file.stem


def path_of(file: Path, root: Path) -> str:
    """The file as roles name it: relative to the folder of the pictures where it lies in it."""
    for name, folder in roots_of(root).items():
        if file.is_relative_to(folder):
            return "/".join(filter(None, [name, file.relative_to(folder).as_posix()]))
    return file.as_posix()


def text_of(file: Path) -> str:
    """Raises DataError where it cannot be read, is too large, or is no UTF-8."""
    try:
        if file.stat().st_size > LARGEST:
            raise DataError("{file} is larger than {most} MB.", file=file.name, most=LARGEST >> 20)
        with open_regular(file) as opened:
            return opened.read().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError("{file} cannot be read: {reason}.", file=file.name, reason=error) from error


def json_of(file: Path) -> Any:
    """Raises DataError, with the line, for what is no JSON."""
    try:
        return parse_json(text_of(file), file.name, error=DataError)
    except (ValueError, RecursionError) as error:
        raise DataError("{file} is not JSON that can be read: {reason}.", file=file.name, reason=error) from error


def xml_of(file: Path) -> ElementTree.Element:
    """Raises DataError, with the line, for what is no XML, and for XML that defines words of its own (entities): they
    can be made to fill the memory or to read other files, and no labels need them."""
    text = text_of(file)
    if "<!doctype" in (lower := text.lower()) or "<!entity" in lower:
        raise DataError("{file} defines words of its own (DOCTYPE), which is not read.", file=file.name)
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError("{file} is not XML that can be read: {reason}.", file=file.name, reason=error) from error
