"""COCO files -> labels of the pictures of a folder: masks, kept in the cache folder, or one class a picture.

The masks are made once for each state of the files and of the list of pictures. Nothing is written beside the pictures.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files import atomic_files
from sslstudio.engine.core.files.checked_files import checked, read_json
from sslstudio.engine.core.messages import NOTHING, Message, to_stored
from sslstudio.engine.images.cache.store import make_folder
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels.formats.coco.raster import paint
from sslstudio.engine.labels.formats.coco.reader import CocoFile, CocoPicture, Mark, read_file
from sslstudio.engine.labels.formats.coco.search import find_files, near
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.masks.files import mask_png, mask_size
from sslstudio.engine.labels.outlines.files import path_of
from sslstudio.engine.labels.picture_names import find_pictures, lookup_of
from sslstudio.engine.labels.roles import LABELS, Role
from sslstudio.engine.labels.types import ASKED_FOR, SOURCES, Choices, ClassLabels, Found, LabelSource, MaskLabels

STAGE: Final = Message("Making masks from the outlines")
FORMAT: Final = 3
STATES_KEPT: Final = 4  # of the files, whose masks stay in the cache
CERTAINTY: Final = 0.7  # below mask files and tables, which lie there because somebody put them beside the pictures
MOST_CLASSES: Final = 254  # a mask has a byte a pixel, 0 is background and 255 is not counted
_A_STEP = 20  # pictures between two events
_SHOWN = 3  # examples named in a sentence

Listed = dict[str, tuple[CocoFile, CocoPicture]]  # path of a picture that is here -> what is said of it


class _Elsewhere(DataError):
    """A file about other pictures."""


@SOURCES.register("coco")
class Coco(LabelSource):
    """Files in the format of the COCO data set."""

    def takes(self, asked: Path) -> float:
        """Any JSON: what is wrong with one that is not COCO is said when it is read."""
        return 0.5 if asked.suffix.lower() == ".json" else 0.0

    def candidates(self, index: ImageIndex, choices: Choices) -> Generator[Preparing, None, list[Found]]:
        """What the file asked for gives, else those that lie beside or above the pictures."""
        files, large = ([choices.asked], []) if choices.asked else find_files(index)
        notes = tuple(
            Message(
                "{file} is large ({size} MB) and was not read: choose it as labels to use it.",
                file=file.name,
                size=file.stat().st_size >> 20,
            )
            for file in large
        )
        if not files:
            return [Found("masks", None, note, CERTAINTY, notes=(note,)) for note in notes]
        found = yield from coco_labels(files, index, choices.asked is not None)
        one = _describe(found, len(index), (*notes, *found.notes), ASKED_FOR if choices.asked else CERTAINTY)
        if one.labels is None:
            return [one]
        told = (Role(path_of(file, index.root), LABELS, one.reason, len(one.labels.of)) for file in files)
        return [replace(one, roles=tuple(told))]


def _describe(coco: "CocoLabels", pictures: int, notes: tuple[Message, ...], certainty: float) -> Found:
    reason = Message(
        "The {found_in} lists {n:,} of the pictures.", found_in=coco.found_in, n=len(coco.masks or coco.classes)
    )
    if coco.masks:
        missing = pictures - len(coco.masks)
        without = Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing)
        masks = MaskLabels(coco.found_in, coco.names, coco.masks, coco.coding, (without,) if missing else ())
        called = Message("outlines in the {found_in}", found_in=coco.found_in)
        return Found("masks", masks, reason, certainty, called, Message("the outlines"), notes)
    if coco.classes:
        classes = ClassLabels(coco.found_in, coco.names, coco.classes)
        called = Message("labels in the {found_in}", found_in=coco.found_in)
        return Found("classes", classes, reason, certainty, called, Message("the labels of the file"), notes)
    return Found("masks", None, NOTHING, certainty, notes=notes)


@dataclass(frozen=True)
class CocoLabels:
    """`masks`: picture -> mask file, its values numbers of `names`, names[0] the background; or `classes`: picture ->
    number of `names`; one of them is empty, or both where nothing could be taken. `notes` are for people."""

    found_in: Message
    names: tuple[str, ...]
    masks: dict[str, str]
    classes: dict[str, int]
    notes: tuple[Message, ...]

    @property
    def coding(self) -> MaskCoding:
        """What the values in the masks mean."""
        return MaskCoding("ids", tuple(range(len(self.names))), ignore=IGNORE)


def coco_labels(
    files: Sequence[Path], pictures: ImageIndex, asked: bool, cache_dir: Path | None = None
) -> Generator[Preparing, None, CocoLabels]:
    """The labels that these files (at least one) give to the pictures.

    Raises DataError for a file that cannot be used if it was asked for; else it becomes a note.
    """
    places = [pictures.root.resolve(), *roots_of(pictures.root).values(), *(file.resolve() for file in files)]
    digest = hashlib.blake2b(b"\0".join(map(os.fsencode, places)), digest_size=16)
    folder = (cache_dir or cache_folder()) / "coco" / digest.hexdigest()
    make_folder(folder)
    lock = atomic_files.take_lock(folder / "lock", timeout=-1)
    try:
        stamp = _stamp(files, pictures, asked)
        made = _read_made(folder, stamp)
        if made is None:
            atomic_files.remove_file(folder / "made.json")
            masks = _room_for_masks(folder, stamp)
            made = yield from _make(files, pictures, asked, masks)
            content = json.dumps(
                to_stored([stamp, list(vars(made).values())])
            )  # surrogates of odd names survive as escapes
            _write(folder / "made.json", content.encode("ascii"))
        masks = _masks_folder(folder, stamp)
    finally:
        lock.release()
    return replace(made, masks={path: str(masks / mask) for path, mask in made.masks.items()})


def _masks_folder(folder: Path, stamp: list[Any]) -> Path:
    """Those of each state of the files lie in a folder of their own: a run goes on with what it began with."""
    return folder / f"masks-{hashlib.blake2b(json.dumps(stamp).encode(), digest_size=8).hexdigest()}"


def _room_for_masks(folder: Path, stamp: list[Any]) -> Path:
    """An empty place for the masks of this state; of earlier states the newest stay."""
    masks = _masks_folder(folder, stamp)
    shutil.rmtree(masks, ignore_errors=True)
    earlier = sorted(folder.glob("masks*/"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
    for one in earlier[STATES_KEPT - 1 :]:
        shutil.rmtree(one, ignore_errors=True)
    return masks


def _stamp(files: Sequence[Path], pictures: ImageIndex, asked: bool) -> list[Any]:
    """What is the same as long as the labels are."""
    abouts = [file.stat() if file.exists() else None for file in files]
    names = hashlib.blake2b(digest_size=16)
    for path in pictures.paths:
        names.update(os.fsencode(path) + b"\0")
    return [FORMAT, asked, [[one.st_size, one.st_mtime_ns] if one else [] for one in abouts], names.hexdigest()]


def _read_made(folder: Path, stamp: list[Any]) -> CocoLabels | None:
    try:
        found, fields = read_json(folder / "made.json", tuple[list[Any], list[Any]])
        found_in, names, masks, classes, notes = fields
        checked([masks, classes], tuple[dict[str, str], dict[str, int]], folder)
        labels = CocoLabels(found_in, tuple(names), masks, classes, tuple(notes))
    except (OSError, StudioError, ValueError, TypeError):
        return None
    masks = _masks_folder(folder, stamp)
    whole = found == stamp and all((masks / mask).is_file() for mask in labels.masks.values())
    return labels if whole else None


def _make(
    files: Sequence[Path], pictures: ImageIndex, asked: bool, masks_folder: Path
) -> Generator[Preparing, None, CocoLabels]:
    notes: list[Message] = []
    listed: Listed = {}
    for file in files:
        try:
            content = read_file(file)
            found, said = _match(content, pictures)
            _check_labels(content, found)
        except DataError as error:
            if asked:
                raise
            if isinstance(error, _Elsewhere) and not near(file, pictures):
                continue  # what lies above the pictures may be about anything
            notes.append(Message("{file} was not taken as labels. {error}", file=file.name, error=error))
            continue
        twice = found.keys() & listed.keys()
        if twice:
            notes.append(
                Message(
                    "{twice:,} {twice:plural(picture|pictures)} of {file} are in another file too, which was taken.",
                    twice=len(twice),
                    file=file.name,
                )
            )
        listed = found | listed
        notes += said
    taken_files = list(dict.fromkeys(content.file.name for content, _ in listed.values()))
    found_in = Message("COCO file {taken_files}", taken_files=taken_files[:_SHOWN])
    if not any(mark.outlined for _, picture in listed.values() for mark in picture.marks):
        kinds, classes, of_boxes = _classes(listed)
        return CocoLabels(found_in, kinds, {}, classes, (*notes, *of_boxes))
    names = ("background", *_collect_names(listed))
    if len(names) - 1 > MOST_CLASSES:
        raise DataError(
            "{found_in} marks {names} classes; masks can hold {most_classes}. Export fewer.",
            found_in=found_in,
            names=len(names) - 1,
            most_classes=MOST_CLASSES,
        )
    masks = yield from _paint_all(listed, names, pictures.root, masks_folder)
    return CocoLabels(found_in, names, masks, {}, (*notes, *_mark_notes(listed)))


def _match(content: CocoFile, pictures: ImageIndex) -> tuple[Listed, list[Message]]:
    """Match the file's pictures with those beside it, if it lies beside any, else with those of all folders."""
    beside = near(content.file, pictures)
    named = [picture.name for picture in content.pictures]
    found = find_pictures(named, lookup_of(beside))
    if not any(found) and len(beside) < len(pictures):
        found = find_pictures(named, lookup_of(pictures.paths))
    listed, twice = _by_path(content, found)
    if not listed:
        raise _Elsewhere(
            "{file} lists {named:,} {named:plural(picture|pictures)} and none is in this folder: it says "
            "{some}; the pictures are called {others}. Choose the folder that it belongs to.",
            file=content.file.name,
            named=len(named),
            some=_some(named),
            others=_some(pictures.paths),
        )
    missing = [name for name, paths in zip(named, found, strict=True) if not paths]
    torn = [name for name, paths in zip(named, found, strict=True) if len(paths) > 1]
    notes = []
    if twice:
        notes.append(
            Message(
                "{n:,} {n:plural(picture is|pictures are)} listed more than once in {file}: what is marked was put "
                "together ({some}).",
                n=len(twice),
                file=content.file.name,
                some=_some(twice),
            )
        )
    if missing:
        notes.append(
            Message(
                "{missing:,} {missing:plural(picture|pictures)} of {file} not in this folder: {some}.",
                missing=len(missing),
                file=content.file.name,
                some=_some(missing),
            )
        )
    if torn:
        notes.append(
            Message(
                "{torn:,} {torn:plural(name|names)} in {file} for more than one picture: {some}.",
                torn=len(torn),
                file=content.file.name,
                some=_some(torn),
            )
        )
    return listed, notes


def _by_path(content: CocoFile, found: Sequence[Sequence[str]]) -> tuple[Listed, list[str]]:
    """What is said of each picture, and those that are listed under several numbers: exports that were joined do that,
    each with a part of what is marked. Raises DataError where these are of different sizes."""
    listed: Listed = {}
    twice: dict[str, None] = {}
    for one, paths in zip(content.pictures, found, strict=True):
        if len(paths) != 1:
            continue
        before = listed[paths[0]][1] if paths[0] in listed else None
        if before is None:
            listed[paths[0]] = (content, one)
            continue
        sizes = {(each.height, each.width) for each in (before, one) if each.height and each.width}
        if len(sizes) > 1:
            raise DataError(
                "{file} lists {picture} twice, with different sizes. Keep one of the two.",
                file=content.file.name,
                picture=printable(paths[0]),
            )
        height, width = sizes.pop() if sizes else (0, 0)
        listed[paths[0]] = (content, replace(before, height=height, width=width, marks=[*before.marks, *one.marks]))
        twice[paths[0]] = None
    return listed, list(twice)


def _some(names: Sequence[str]) -> str:
    return ", ".join(printable(name) for name in names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


# One class a picture


def _check_labels(content: CocoFile, listed: Listed) -> None:
    """Raises DataError when the file gives neither masks nor one class a picture."""
    marks = [mark for _, picture in listed.values() for mark in picture.marks]
    if not marks:
        raise DataError(
            "{file} marks nothing in the pictures of this folder. Export it with outlines.", file=content.file.name
        )
    if any(mark.outlined for mark in marks):
        return
    of = {path: {content.names[mark.category] for mark in picture.marks} for path, (_, picture) in listed.items()}
    if any(len(found) > 1 for found in of.values()):
        why = Message("some pictures have several classes")
    elif len({name for found in of.values() for name in found}) < 2:
        why = Message("there is one class only")
    else:
        return
    raise DataError(
        "{file} has no outlines: boxes alone give no masks, and as labels of whole pictures they do "
        "not do, because {why}. Export polygons or masks.",
        file=content.file.name,
        why=why,
    )


def _classes(listed: Listed) -> tuple[tuple[str, ...], dict[str, int], tuple[Message, ...]]:
    names = tuple(_collect_names(listed))
    of = {}
    for path, (content, picture) in listed.items():
        found = {content.names[mark.category] for mark in picture.marks}
        if len(found) == 1:
            of[path] = names.index(found.pop())
    boxes = any(mark.box for _, picture in listed.values() for mark in picture.marks)
    return (
        names,
        of,
        (Message("There are no outlines: the boxes were taken as labels of the whole pictures."),) if boxes else (),
    )


def _collect_names(listed: Listed) -> list[str]:
    """Collect the names that are given to something, in the order of the files."""
    used: dict[str, None] = {}
    for content in {id(content): content for content, _ in listed.values()}.values():
        marked = {mark.category for other, picture in listed.values() if other is content for mark in picture.marks}
        used |= dict.fromkeys(name for category, name in content.names.items() if category in marked)
    return list(used)


# Masks


def _paint_all(
    listed: Listed, names: Sequence[str], root: Path, folder: Path
) -> Generator[Preparing, None, dict[str, str]]:
    atomic_files.make_folder(folder)
    number = {name: place for place, name in enumerate(names)}
    masks: dict[str, str] = {}
    for done, (path, (content, picture)) in enumerate(listed.items(), start=1):
        if not picture.height or not picture.width:
            picture.height, picture.width = _size(root / path, content)
        mask = paint(picture, {category: number.get(name, 0) for category, name in content.names.items()})
        masks[path] = f"{done}.png"
        _write(folder / masks[path], mask_png(mask))  # what they belong to is noted when all are there
        if done % _A_STEP == 0 or done == len(listed):
            yield Preparing(stage=STAGE, done=done, total=len(listed))
    return masks


def _write(file: Path, content: bytes) -> None:
    """Not synced: what is lost with the power is made again."""
    atomic_files.write_atomic(file, content, confirmed=False)


def _size(picture: Path, content: CocoFile) -> tuple[int, int]:
    try:
        return mask_size(picture)
    except DataError as error:
        raise DataError(
            "{file} does not say how large {picture} is, and it cannot be read.",
            file=content.file.name,
            picture=picture.name,
        ) from error


def _mark_notes(listed: Listed) -> list[Message]:
    marks: list[Mark] = [mark for _, picture in listed.values() for mark in picture.marks]
    kinds = Counter("crowd" if mark.crowd else "box" for mark in marks if mark.crowd or not mark.outlined)
    empty = sum(not picture.marks for _, picture in listed.values())
    notes = []
    if kinds["crowd"]:
        notes.append(
            Message(
                "{kinds:,} {kinds:plural(crowd|crowds)} roughly outlined: what lies in it is not counted.",
                kinds=kinds["crowd"],
            )
        )
    if kinds["box"]:
        notes.append(
            Message(
                "{kinds:,} {kinds:plural(object|objects)} with a box and no outline: what lies in it is not counted.",
                kinds=kinds["box"],
            )
        )
    if empty:
        notes.append(
            Message("{empty:,} {empty:plural(picture|pictures)} with nothing marked: background only.", empty=empty)
        )
    return notes
