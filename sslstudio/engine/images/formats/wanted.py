"""Which part of a file of many is the picture, and what of the file is then not used.

A file may hold several pages, frames or slices and several channels. `#page=3` behind a file's name means its third
page; `root_with_channels` makes a place whose pictures are read with chosen channels.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message

PAGE = "#page="
CHANNELS = "#channels="
MOST = 3  # channels that a picture is made of
_PAGE = re.compile(re.escape(PAGE) + r"(0*[1-9]\d{0,6})\Z")
_CHANNELS = re.compile(re.escape(CHANNELS) + r"([\d,]+)\Z")
KINDS = ("channels", "slices", "frames", "pages", "series")


class Wanted(NamedTuple):
    """What is asked of a file. `page`: its number from 1, None for the first of perhaps many; `channels`: numbers from
    1, one for grey, two or three for red, green, blue; () for what is usual."""

    page: int | None = None
    channels: tuple[int, ...] = ()


class LeftOut(NamedTuple):
    """One of many: `found` of a kind (one of KINDS) are in the file, the first `used` of them are in the picture."""

    kind: str
    found: int
    used: int = 1

    def words(self) -> Message:
        """The sentence for people."""
        return left_words(self.kind, self.found, self.used)


def left_words(kind: str, found: int, used: int) -> Message:
    """The sentence for what is left out of a file."""
    many = used > 1
    if kind == "channels":
        return (
            Message("{n} channels, the first {used} are used as red, green, blue", n=found, used=used)
            if many
            else Message("{n} channels, the first is used", n=found)
        )
    if kind == "slices":
        return Message("{n} slices, the first is used", n=found)
    if kind == "frames":
        return Message("{n} frames, the first is used", n=found)
    if kind == "series":
        return Message("{n} series of pictures, the first is used", n=found)
    return Message("{n} pages, the first is used", n=found)


def to_text(left: Sequence[LeftOut]) -> str:
    """What is left out as a short text for a table: 'channels:5:1 pages:40:1', '' for nothing."""
    return " ".join(f"{one.kind}:{one.found}:{one.used}" for one in left)


def from_text(text: str) -> tuple[LeftOut, ...]:
    """The reverse of `to_text`; what is not understood is passed over."""
    parts = [part.split(":") for part in text.split()]
    return tuple(
        LeftOut(kind, int(found), int(used))
        for kind, found, used in (part for part in parts if len(part) == 3)
        if kind in KINDS and found.isdecimal() and used.isdecimal()
    )


def split_name(path: str) -> tuple[str, Wanted]:
    """A path with or without '#page=N' and '#channels=N,N' behind it -> the file's path, and what is wanted of it."""
    if "#" not in path:
        return path, Wanted()
    channels: tuple[int, ...] = ()
    if match := _CHANNELS.search(path):
        channels, path = tuple(int(part) for part in match[1].split(",") if part), path[: match.start()]
    match = _PAGE.search(path)
    return (path[: match.start()], Wanted(int(match[1]), channels)) if match else (path, Wanted(None, channels))


def file_of(path: str) -> str:
    """The file that a picture's path stands for: without its page."""
    return split_name(path)[0]


def page_path(path: str, page: int, digits: int = 1) -> str:
    """The path of a page (from 1) of a file; as many digits for all of them keep them in order."""
    return f"{path}{PAGE}{page:0{digits}}"


def channels_suffix(channels: Sequence[int]) -> str:
    """What stands behind the path of a picture that is to be read with these channels."""
    return f"{CHANNELS}{','.join(map(str, channels))}" if channels else ""


def read_channels(text: str) -> tuple[int, ...]:
    """'3,1,2' -> (3, 1, 2); '' -> (). Raises ConfigError for what is no list of one to three numbers from 1."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not all(part.isdecimal() and 1 <= int(part) <= 65_535 for part in parts) or len(parts) > MOST:
        raise ConfigError(
            "channels = {text!r} is not a choice of channels. Give one number for a grey picture, or three for red, "
            "green and blue, such as 1 or 3,1,2.",
            text=text,
        )
    return tuple(int(part) for part in parts)
