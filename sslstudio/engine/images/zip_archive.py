"""A zip file of pictures becomes a folder of pictures: whole, or not there at all.

Nothing in an archive is trusted: names that lead out of the folder, links and passwords are refused in words.
"""

import json
import re
import shutil
import stat
import zipfile
from collections.abc import Generator
from pathlib import Path, PurePosixPath

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import (
    discard_folder,
    folder_beside,
    put_folder,
    write_atomic,
    writing_from,
)
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.files.named_paths import inside, leads_out
from sslstudio.engine.core.messages import Message

MARKER = ".unpacked.json"  # what the folder was made from
STAGE = Message("Unpacking the pictures")
REPORT_EVERY = 50  # files
MOST_PACKED = 200  # times of its size that an archive of pictures may become ...
BOMB = 1_000_000_000  # ... above so many bytes
SPARE = 0.95  # share of the free disk that an archive may take
UTF8 = 0x800  # the flag of a name that is in UTF-8
# Tried in order on names without that flag: strict ones first, whose bytes hardly ever fit by chance.
CODE_PAGES = ("ascii", "utf-8", "gb2312", "cp932")
SCRIPTS = (
    "[\u00c0-\u017f]",
    "[\u0370-\u03ff]",
    "[\u0400-\u04ff]",
    "[\u05d0-\u05ea]",
    "[\u0600-\u06ff]",
    "[\u0300-\u036f]",
)
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
    beside: Path | None = None
    try:
        beside = folder_beside(folder)
        with zipfile.ZipFile(archive) as content:
            wanted = _choose_members(content, archive)
            _check_room(wanted, into, archive)
            yield from _extract(content, wanted, beside, control)
        if control.stopping:
            raise DataError("Stopped while {archive} was unpacked.", archive=archive.name)
        write_atomic(beside / MARKER, json.dumps(about).encode())
        put_folder(beside, folder)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise DataError(
            "{archive} is no zip file, or is damaged, cut off or packed in an unusual way. Copy or load it again, or "
            "unpack it yourself and drop the folder.",
            archive=archive.name,
        ) from error
    except OSError as error:
        raise DataError(
            "{archive} could not be unpacked into {into}: {reason}.",
            archive=archive.name,
            into=into,
            reason=error.strerror or error,
        ) from error
    finally:
        if beside is not None:
            discard_folder(beside)
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
            if read_json(folder / MARKER) == about:
                return folder, True
        except (OSError, StudioError):
            pass  # somebody else's folder: it is left alone
        number += 1


def _choose_members(content: zipfile.ZipFile, archive: Path) -> dict[str, zipfile.ZipInfo]:
    """Choose the files to take, by their names with / between folders. Raises DataError for names that lead elsewhere,
    links and passwords."""
    wanted: dict[str, zipfile.ZipInfo] = {}
    names = _names_of(content.infolist())
    for one in content.infolist():
        name = names[one.filename]
        if name.endswith("/") or any(
            name.startswith(out) or name.endswith(f"/{out}") or name == out for out in LEFT_OUT
        ):
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
        wanted[name] = one
    if not wanted:
        raise DataError("There is no file in {archive}.", archive=archive.name)
    return wanted


def _names_of(members: list[zipfile.ZipInfo]) -> dict[str, str]:
    """The names as they were meant: with / between folders, also where a Windows program wrote back-slashes, and in
    the letters of the system that wrote them, where the archive does not say that they are UTF-8 (PKWARE's APPNOTE,
    appendix D: bit 11; else they are in the code page of whoever wrote them, and zipfile reads code page 437)."""
    raw = {one.filename: _raw_name(one) for one in members}
    page = _code_page([bytes_ for bytes_ in raw.values() if bytes_ is not None])
    return {
        name: (name if bytes_ is None or page is None else bytes_.decode(page)).replace("\\", "/")
        for name, bytes_ in raw.items()
    }


def _raw_name(one: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a name that is not plain ASCII and not said to be UTF-8."""
    if one.flag_bits & UTF8 or one.filename.isascii():
        return None
    try:
        return one.filename.encode("cp437")
    except UnicodeEncodeError:
        return None


def _code_page(names: list[bytes]) -> str | None:
    """The encoding in which all these names make sense, or None to leave them as they were read."""
    for page in CODE_PAGES:
        try:
            texts = [name.decode(page) for name in names]
        except UnicodeDecodeError:
            continue
        if page == "cp932" and not all(map(_is_japanese, texts)):
            continue
        if page == "utf-8" and not _is_one_script("/".join(texts)):
            continue
        return page
    return None


def _is_one_script(text: str) -> bool:
    """Whether letters that UTF-8 writes with two bytes are of one script, and Latin ones stand in words: pairs of bytes
    of Chinese names are such letters by chance, of any script and alone."""
    found = [re.findall(letters, text) for letters in SCRIPTS]
    short = sum("\x7f" < one < "\u0800" for one in text)
    if sum(map(bool, found)) > 1 or sum(map(len, found)) < short:
        return False
    return len(found[0]) <= 2 * len(re.findall(f"[A-Za-z]{SCRIPTS[0]}|{SCRIPTS[0]}[A-Za-z]", text))


def _is_japanese(text: str) -> bool:
    """Whether what is not ASCII comes as kana, or as two characters that follow one another: bytes of European names
    fit this code page by chance."""
    return re.search("[\u3041-\u30ff\uff66-\uff9f]|[\u4e00-\u9fff]{2}", text) is not None


def _check_room(wanted: dict[str, zipfile.ZipInfo], into: Path, archive: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    needed, free = sum(one.file_size for one in wanted.values()), shutil.disk_usage(into).free
    if needed > SPARE * free:
        raise DataError(
            "{archive} takes {needed:,.1f} GB unpacked, and {into} has room for {free:,.1f} GB. Make "
            "room, or unpack it on another disk and drop the folder.",
            archive=archive.name,
            needed=needed / 1000000000.0,
            into=into,
            free=free / 1000000000.0,
        )
    if needed > max(BOMB, MOST_PACKED * archive.stat().st_size):
        raise DataError(
            "{archive} would become {needed:,.1f} GB, more than {times} times of what it is, as pictures never do: it "
            "is left alone. Unpack it yourself if you trust it, and drop the folder.",
            archive=archive.name,
            needed=needed / 1e9,
            times=MOST_PACKED,
        )


def _extract(
    content: zipfile.ZipFile, wanted: dict[str, zipfile.ZipInfo], folder: Path, control: RunControl
) -> Generator[Preparing, None, None]:
    for done, (name, one) in enumerate(wanted.items()):
        if done % REPORT_EVERY == 0:
            yield Preparing(stage=STAGE, done=done, total=len(wanted))
        if control.stopping:
            return
        file = inside(folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        with content.open(one) as source:
            for _ in writing_from(source, file):  # never more than the archive has said, and there is room for
                pass
    yield Preparing(stage=STAGE, done=len(wanted), total=len(wanted))
