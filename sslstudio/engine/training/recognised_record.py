"""What a run recognised when it began (pictures, labels, given parts) is kept in its folder.

Its results, its report and what is exported from it are of that, whatever has become of the files beside the pictures.

recognised.json.gz: JSON; pictures as folders with their names, labels in the order of the pictures.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import RECORD, parse_json
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.engine.images.index import ImageIndex, Unreadable, printable
from sslstudio.engine.images.multi_folder import root_of, where
from sslstudio.engine.images.scanner import Run
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.engine.labels.roles import Role
from sslstudio.engine.labels.types import ClassLabels, MaskLabels, Recognised
from sslstudio.engine.runs.run_folder import RunFolder

FILE = "recognised.json.gz"
FORMAT = 1
PARTS = ("train", "validation", "test")  # each is a digit in the file
_NO_PART = len(PARTS)
_GONE = -1  # the size of a file that is not there
_SHOWN = 3  # examples named in a sentence


def keep_recognised(run: RunFolder, labels: str, recognised: Recognised) -> None:
    """Write down what was recognised. The folds of a cross-validation have it in the folder around them."""
    if _file_of(run) is not None:
        return
    index, classes, masks = recognised.pictures, recognised.classes, recognised.masks
    paths, place = index.paths, _labels_place(index.root, labels)
    files = [_below(masks.of.get(path), place) for path in paths] if masks else []
    parts = recognised.given_split
    content = {
        "format": FORMAT,
        "labels": labels,
        "pictures": [[run.prefix, run.names, run.pictures] for run in index.runs],
        "sizes": _sizes(index.root, paths),
        "channels": index.channels,
        "unreadable": [[one.path, one.reason] for one in index.unreadable],
        "ignored": index.ignored,
        "parts": "".join(str(PARTS.index(parts[path]) if path in parts else _NO_PART) for path in paths),
        "notes": recognised.notes,
        "groups": [recognised.groups.get(path) for path in paths] if recognised.groups else None,
        "excluded": recognised.excluded,
        "together": [recognised.together.get(path) for path in paths] if recognised.together else None,
        "roles": [one.to_json() for one in recognised.roles],
        "classes": classes
        and {
            "found_in": classes.found_in,
            "names": classes.names,
            "notes": classes.notes,
            "of": [classes.of.get(path) for path in paths],
        },
        "masks": masks
        and {
            "found_in": masks.found_in,
            "names": masks.names,
            "notes": masks.notes,
            "coding": vars(masks.coding),
            "of": files,
            "sizes": _sizes(index.root, [masks.of.get(path, "") for path in paths]),
        },
    }
    text = json.dumps(to_stored(content), separators=(",", ":"))  # ASCII: odd names survive as escapes
    write_atomic(run.path / FILE, gzip.compress(text.encode("ascii"), 3, mtime=0))


def recall(run: RunFolder, folder: str, labels: str) -> Recognised | None:
    """Read what the run recognised, whose settings name this folder and these labels.

    None for one of an earlier version, one that was told of other labels since, and one whose masks are not where they
    were. Raises RunError when the file is damaged.
    """
    content = _content(run)
    if content is None or Path(content["labels"]).name != Path(labels).name:
        return None
    root = root_of(Path(folder))
    try:
        return _rebuild(content, root, _labels_place(root, labels))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RunError("{path} is damaged: {error}.", path=run.path / FILE, error=error) from error


def find_changes(run: RunFolder, folder: str, labels: str) -> list[Message]:
    """Tell which pictures and masks are gone or others than when the run began, in sentences; none of a run of an
    earlier version, which did not note what there was."""
    content = _content(run)
    try:
        recognised = recall(run, folder, labels)
        root = root_of(Path(folder))
    except DataError:  # the list of its folders is gone, which is said elsewhere
        return []
    if content is None or recognised is None:
        return []
    paths, said = recognised.pictures.paths, list[Message]()
    now = _sizes(root, paths)
    gone = [path for path, size in zip(paths, now, strict=True) if size == _GONE]
    changed = _pick_changed(paths, content["sizes"], now)
    if gone:
        said.append(
            Message(
                "{n:,} {n:plural(picture|pictures)} that this run began with {n:plural(is|are)} gone: {examples}.",
                n=len(gone),
                examples=_examples(gone),
            )
        )
    if changed:
        said.append(
            Message(
                "{n:,} {n:plural(picture|pictures)} {n:plural(has|have)} changed since this run began: {examples}.",
                n=len(changed),
                examples=_examples(changed),
            )
        )
    if masks := recognised.masks:
        files = [masks.of.get(path, "") for path in paths]
        sizes = _sizes(root, files)
        torn = _pick_changed(paths, content["masks"]["sizes"], sizes)
        torn += [path for path, file, size in zip(paths, files, sizes, strict=True) if file and size == _GONE]
        if torn:
            said.append(
                Message(
                    "The masks of {n:,} {n:plural(picture|pictures)} have changed or are gone since this run began: "
                    "{examples}.",
                    n=len(torn),
                    examples=_examples(torn),
                )
            )
    return said


def _file_of(run: RunFolder) -> Path | None:
    return next((file for file in (run.path / FILE, run.path.absolute().parent / FILE) if file.is_file()), None)


def _content(run: RunFolder) -> dict[str, Any] | None:
    file = _file_of(run)
    if file is None:
        return None
    try:
        with gzip.open(file) as packed:
            plain = packed.read(RECORD + 1)
    except (OSError, ValueError, EOFError, zlib.error, MemoryError) as error:
        raise RunError("{path} is damaged: {error}.", path=file, error=error) from error
    if len(plain) > RECORD:
        raise RunError("{path} is damaged: {error}.", path=file, error=Message("it unpacks without end"))
    content = parse_json(plain, file)
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise RunError("{path} is damaged: {error}.", path=file, error=Message("it has no format number"))
    return content if content["format"] <= FORMAT else None


def _rebuild(content: Mapping[str, Any], root: Path, place: Path | None) -> Recognised:
    runs = tuple(Run(prefix, names, number) for prefix, names, number in content["pictures"])
    unreadable = tuple(Unreadable(path, reason) for path, reason in content["unreadable"])
    index = ImageIndex(root, runs, unreadable, dict(content["ignored"]), tuple(content.get("channels", ())))
    paths = index.paths
    if out := next(filter(leads_out, map(file_of, paths)), ""):
        raise ValueError(Message("{path!r} is no picture in a folder", path=out[:80]))
    classes, masks = content["classes"], content["masks"]
    given = {path: PARTS[int(part)] for path, part in zip(paths, content["parts"], strict=True) if int(part) < _NO_PART}
    return Recognised(
        index,
        classes
        and ClassLabels(
            classes["found_in"],
            tuple(classes["names"]),
            {path: number for path, number in zip(paths, classes["of"], strict=True) if number is not None},
            tuple(classes["notes"]),
        ),
        masks and _masks(masks, paths, root, place),
        given,
        tuple(content["notes"]),
        groups={path: group for path, group in zip(paths, content.get("groups") or [], strict=False) if group},
        excluded=tuple(content.get("excluded", ())),
        together={path: name for path, name in zip(paths, content.get("together") or [], strict=False) if name},
        roles=tuple(Role(**{**one, "choices": tuple(one["choices"])}) for one in content.get("roles", [])),
    )


def _masks(masks: Mapping[str, Any], paths: Sequence[str], root: Path, place: Path | None) -> MaskLabels:
    """Raises FileNotFoundError where the folder of masks that were made of outlines, or of labels, is gone."""
    of: dict[str, str] = {}
    for path, file in zip(paths, masks["of"], strict=True):
        if file is not None:
            of[path] = str(place / file[0]) if isinstance(file, list) and place else file
    first = next(filter(os.path.isabs, of.values()), "")
    if first and not os.path.exists(first):
        raise FileNotFoundError(first)
    coding = {**masks["coding"], "values": tuple(masks["coding"]["values"])}
    coding |= {key: tuple(coding.get(key, ())) for key in ("numbers", "void")}
    return MaskLabels(masks["found_in"], tuple(masks["names"]), of, MaskCoding(**coding), tuple(masks["notes"]))


def _labels_place(root: Path, labels: str) -> Path | None:
    """The folder of labels made in the program, which moves with its project: masks in it are kept relative to it."""
    place = root / Path(labels).expanduser() if labels else None
    return place if place and place.is_dir() else None


def _below(mask: str | None, place: Path | None) -> str | list[str] | None:
    """The mask, in a list as a path below `place` if it lies there."""
    if mask is None or place is None or not mask.startswith(f"{place}{os.sep}"):
        return mask
    return [mask[len(str(place)) + 1 :]]


def _sizes(root: Path, files: Iterable[str]) -> list[int]:
    """Bytes of each file. Times are not kept: they change where a folder is copied."""
    found = []
    for file in files:
        try:
            found.append(os.stat(where(root, file)).st_size if file else _GONE)
        except OSError:
            found.append(_GONE)
    return found


def _pick_changed(paths: Sequence[str], before: Sequence[int], now: Sequence[int]) -> list[str]:
    return [path for path, old, new in zip(paths, before, now, strict=True) if old != new and _GONE not in (old, new)]


def _examples(paths: Sequence[str]) -> str:
    return ", ".join(map(printable, paths[:_SHOWN])) + (" ..." if len(paths) > _SHOWN else "")
