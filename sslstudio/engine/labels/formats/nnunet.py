"""nnU-Net (Isensee et al., Nature Methods 2021): pictures in imagesTr, `_0000` behind the names for the first channel,
masks in labelsTr, the names of their values in dataset.json. What lies in imagesTs has no masks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.outlines.files import json_of
from sslstudio.engine.labels.outlines.told import picture_folders
from sslstudio.engine.labels.roles import LABELS, MASKS, OF_FOLDERS, Role
from sslstudio.engine.labels.types import SOURCES, Choices, Found, LabelSource, MaskLabels

CERTAINTY: Final = 0.9  # a file beside the masks says what they are
_CHANNEL: Final = re.compile(r"(.+)_(\d{4})")

Key = tuple[str, int]  # the name without the channel, the channel


@SOURCES.register("nnunet")
class NnUnet(LabelSource):
    """Masks with the names that their dataset.json gives."""

    among_pictures = True

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The masks of every folder with a dataset.json; each value is a class of its own."""
        found = []
        for prefix, root in roots_of(index.root).items():
            file = root / "dataset.json"
            if file.is_file() and (root / "labelsTr").is_dir():
                found += _of_folder(index, file, f"{prefix}/" if prefix else "")
        return found


def _of_folder(index: ImageIndex, file: Path, prefix: str) -> list[Found]:
    pictures, masks = _files(index, prefix, "imagesTr"), _files(index, prefix, "labelsTr")
    first = {name: path for (name, channel), path in pictures.items() if channel == 0}
    of = {first[name]: path for (name, _), path in masks.items() if name in first}
    if not of:
        return []
    try:
        coding, names = _coding(json_of(file), file)
    except DataError as error:
        why = Message("{file}: {problem} The names are not taken from it.", file=file.name, problem=error)
        return [Found("masks", None, why, CERTAINTY, notes=(why,))]
    notes = []
    if missing := len(first) - len(of):
        notes.append(Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing))
    if further := len(pictures) - len(first):
        notes.append(
            Message("{n:,} files of further channels are pictures of their own here: each is one channel.", n=further)
        )
    found_in = Message("nnU-Net folder with {file}", file=file.name)
    reason = Message("{file} names what the values in labelsTr are.", file=file.name)
    labels = MaskLabels(found_in, names, of, coding, tuple(notes))
    called, itself = Message("masks of nnU-Net"), Message("the masks of nnU-Net")
    told = tuple(_roles(index, prefix, (pictures, masks), of, reason))
    return [Found("masks", labels, reason, CERTAINTY, called, itself, files=frozenset(masks.values()), roles=told)]


def _roles(
    index: ImageIndex, prefix: str, files: tuple[Mapping[Key, str], Mapping[Key, str]], of: Mapping[str, str],
    reason: Message,
) -> Iterator[Role]:  # fmt: skip
    pictures, masks = files
    yield from picture_folders(Message("nnU-Net masks"), {f"{prefix}imagesTr": len(of)}, index)
    why = Message("{n:,} of its {all:,} files are called like a picture in {folder}.", n=len(of), all=len(masks),
                  folder=f"{prefix}imagesTr")  # fmt: skip
    yield Role(f"{prefix}labelsTr", MASKS, why, len(masks), choices=OF_FOLDERS)
    yield Role(f"{prefix}dataset.json", LABELS, reason, len(pictures))


def _files(index: ImageIndex, prefix: str, folder: str) -> dict[Key, str]:
    """(name without the channel, channel) -> path."""
    below = f"{prefix}{folder}/"
    found = {}
    for path in index.paths:
        if path.startswith(below):
            stem = path.removeprefix(below).partition(".")[0]
            match = _CHANNEL.fullmatch(stem) if folder == "imagesTr" else None
            found[(match[1], int(match[2])) if match else (stem, 0)] = path
    return found


def _coding(content: Any, file: Path) -> tuple[MaskCoding, tuple[str, ...]]:
    """Names by value: {"background": 0, "tumour": 1}, or the other way round as version 1 wrote them."""
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, Mapping) or not labels:
        raise DataError("{file} has no list of labels.", file=file.name)
    try:
        pairs = [(str(one), int(other)) if not isinstance(other, str) else (other, int(one))
                 for one, other in labels.items()]  # fmt: skip
    except (TypeError, ValueError) as error:
        raise DataError("{file} has labels of several values each (regions).", file=file.name) from error
    ignored = {number for name, number in pairs if name == "ignore"}
    kept = sorted(((number, name) for name, number in pairs if name != "ignore"), key=lambda one: one[0])
    values = tuple(number for number, _ in kept)
    if len(kept) < 2 or min(values) < 0 or max(values) > IGNORE or max(Counter(values).values()) > 1:
        raise DataError("{file} has labels whose values are not whole numbers of their own.", file=file.name)
    return MaskCoding("ids", values, ignore=IGNORE if ignored else None), tuple(name for _, name in kept)
