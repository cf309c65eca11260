"""A zip file of pictures becomes a folder of pictures: whole, or not there at all.

Nothing in an archive is trusted: names that lead out of the folder, links and passwords are refused in words.
"""

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Generator
from pathlib import Path, PurePosixPath

from sslstudio.engine.core.atomic_files import inside, leads_out, write_atomic
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message

MARKER = ".unpacked.json"  # what the folder was made from
STAGE = Message("Unpacking the pictures")
REPORT_EVERY = 50  # files
SPARE = 0.95  # share of the free disk that an archive may take
LEFT_OUT = ("__MACOSX/", ".DS_Store", "Thumbs.db")  # what systems put into archives beside the pictures


def unpack(archive: Path, into: Path, control: RunControl) -> Generator[Preparing, None, Path]:
    """Unpack `archive` into a folder of its name below `into`, and return that folder.

    The same archive is unpacked once. Raises DataError for what is no zip file, is damaged, needs a password, holds
    names that lead elsewhere, or is larger than the disk has room for; nothing of it is left then, nor when stopped.
    """
    about = _about(archive)
    folder, known = _place(archive, into, about)
    if known:
        return folder
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(archive) as content:
            wanted = _choose_members(content, archive)
            _check_room(wanted, into, archive)
            yield from _extract(content, wanted, beside, control)
        if control.stopping:
            raise DataError("Stopped while {archive} was unpacked.", archive=archive.name)
        write_atomic(beside / MARKER, json.dumps(about).encode())
        beside.rename(folder)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise DataError(
            "{archive} is not a zip file that can be read: {error}. Unpack it yourself.",
            archive=archive.name,
            error=error,
        ) from error
    except OSError as error:
        raise DataError(
            "{archive} could not be unpacked into {into}: {reason}.",
            archive=archive.name,
            into=into,
            reason=error.strerror or error,
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _about(archive: Path) -> dict[str, object]:
    try:
        found = archive.stat()
    except OSError as error:
        raise DataError("{archive} cannot be read: {reason}.", archive=archive, reason=error.strerror) from error
    return {"archive": archive.name, "size": found.st_size, "changed": found.st_mtime_ns}


def _place(archive: Path, into: Path, about: dict[str, object]) -> tuple[Path, bool]:
    """The folder for an archive, and whether it is there already. Another archive of that name gets another number."""
    number = 1
    while True:
        folder = into / (archive.stem if number == 1 else f"{archive.stem} {number}")
        if not folder.exists():
            return folder, False
        try:
            if json.loads((folder / MARKER).read_text(encoding="utf-8")) == about:
                return folder, True
        except (OSError, ValueError):
            pass  # somebody else's folder: it is left alone
        number += 1


def _choose_members(content: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    """Choose the files to take. Raises DataError for names that lead elsewhere, links and passwords."""
    wanted = []
    for one in content.infolist():
        name = one.filename.replace("\\", "/")
        if one.is_dir() or any(name.startswith(out) or name.endswith(f"/{out}") or name == out for out in LEFT_OUT):
            continue
        path = PurePosixPath(name)
        if leads_out(name) or ":" in path.parts[0] or stat.S_ISLNK(one.external_attr >> 16):
            raise DataError(
                "{archive} holds {filename!r}, which leads out of its folder: it is left alone.",
                archive=archive.name,
                filename=one.filename,
            )
        if one.flag_bits & 1:
            raise DataError("{archive} needs a password. Unpack it yourself and drop the folder.", archive=archive.name)
        wanted.append(one)
    if not wanted:
        raise DataError("There is no file in {archive}.", archive=archive.name)
    return wanted


def _check_room(wanted: list[zipfile.ZipInfo], into: Path, archive: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    needed, free = sum(one.file_size for one in wanted), shutil.disk_usage(into).free
    if needed > SPARE * free:
        raise DataError(
            "{archive} takes {needed:,.1f} GB unpacked, and {into} has room for {free:,.1f} GB. Make "
            "room, or unpack it on another disk and drop the folder.",
            archive=archive.name,
            needed=needed / 1000000000.0,
            into=into,
            free=free / 1000000000.0,
        )


def _extract(
    content: zipfile.ZipFile, wanted: list[zipfile.ZipInfo], folder: Path, control: RunControl
) -> Generator[Preparing, None, None]:
    for done, one in enumerate(wanted):
        if done % REPORT_EVERY == 0:
            yield Preparing(stage=STAGE, done=done, total=len(wanted))
        if control.stopping:
            return
        file = inside(folder, one.filename.replace("\\", "/"))
        file.parent.mkdir(parents=True, exist_ok=True)
        with content.open(one) as source, file.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    yield Preparing(stage=STAGE, done=len(wanted), total=len(wanted))
