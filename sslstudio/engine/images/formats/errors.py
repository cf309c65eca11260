"""Why a picture cannot be read, in plain words. The texts hold no path: whoever lists the files adds it."""

import errno
import logging
import os
import re
import struct
import warnings
import zlib
from typing import BinaryIO, Literal

from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.file_type import Kind

PIXELS_LIMIT = 250_000_000
BYTES_LIMIT = 1_000_000_000  # of all that is in memory at once while a picture is read, for each thread

# What the libraries raise over a damaged file. A damaged file is foreign input to a dozen C and Python parsers: each
# of these was seen or is documented, and none may stop the reading of the other files.
BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    AssertionError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip

_EARLY = re.compile(
    r"truncat|unexpected end|end of (the )?(file|data|stream|input)|less than expected|premature|too short|eof\b"
    r"|insufficient|failed to read \d+ bytes|not enough (image )?data|short read",
    re.IGNORECASE,
)
_TAIL = 4096

_LIBRARIES = re.compile(r"(PIL|pydicom|tifffile|imagecodecs)\b")
_SILENT = ("ignore", None, Warning, _LIBRARIES, 0)


class CannotOpen(DataError):
    """The file cannot be read now (permission, network, memory). The reason is of the moment: do not remember it."""


def silence() -> None:
    """Keep what the libraries say about odd files (a broken EXIF block, an unknown tag) off the screen.

    `warnings.catch_warnings` swaps the state of the whole process and so is no use with threads. This adds one
    filter, for the libraries' own modules only, and adds it again if someone has taken it away.
    """
    if _SILENT not in warnings.filters:
        warnings.filterwarnings("ignore", module=_LIBRARIES.pattern)


def silence_log(name: str) -> None:
    """Let a library's logger say nothing: what matters of a file becomes a reason."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL + 1)


def check_size(width: int, height: int, bytes_per_pixel: float = 1, more: int = 0) -> None:
    """Raises DataError before anything is decoded if the picture has no pixels or more than can be held.

    `bytes_per_pixel`: of everything that is in memory at once while it is read and converted; `more`: bytes beside.
    """
    if width < 1 or height < 1:
        raise DataError("not a picture that can be read: it is {width}x{height} pixels", width=width, height=height)
    if width * height > PIXELS_LIMIT:
        limit = Message("{n} million pixels", n=PIXELS_LIMIT // 1_000_000)
        raise DataError(
            "too large: {width}x{height} pixels is over the limit of {limit}; cut it into smaller ones",
            width=width,
            height=height,
            limit=limit,
        )
    needed = width * height * bytes_per_pixel + more
    if needed > BYTES_LIMIT:
        limit = Message("{n} MB", n=BYTES_LIMIT // 1_000_000)
        raise DataError(
            "too large: {width}x{height} pixels need {needed:,.0f} MB of memory while they are read, and the limit is "
            "{limit}; cut it into smaller ones, or save it with fewer bits or channels",
            width=width,
            height=height,
            needed=needed / 1e6,
            limit=limit,
        )


def from_os(error: OSError) -> CannotOpen:
    """The reason for what the system said when the file was opened or read."""
    if isinstance(error, FileNotFoundError):
        return CannotOpen("the file is gone, or it is a link that leads nowhere")
    if isinstance(error, PermissionError):
        return CannotOpen("no permission to read it")
    return CannotOpen("it cannot be opened: {reason}", reason=error.strerror or error)


def from_library(error: Exception, kind: Kind, file: BinaryIO) -> DataError:
    """The reason for what a decoder raised over the content of `file`."""
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # EINVAL: sent to a place before 0
        return from_os(error)
    text = " ".join(str(error).split())
    if isinstance(error, EOFError) or _EARLY.search(text) or _ends_early(kind, file):
        return DataError("the file ends too early")
    words = text.encode("ascii", "replace").decode()[:160] or type(error).__name__
    if kind is Kind.DICOM:  # its libraries quote what stands in the file, and that may be a patient's name
        words = type(error).__name__
    return DataError("not a picture that can be read: damaged {value} data ({words})", value=kind.value, words=words)


def _ends_early(kind: Kind, file: BinaryIO) -> bool:
    """Whether the end mark or the promised length is missing. Asked only after decoding has failed."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(32)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    if kind is Kind.JPEG:
        return b"\xff\xd9" not in tail
    if kind is Kind.PNG:
        return b"IEND" not in tail
    if kind is Kind.GIF:
        return not tail.rstrip(b"\0").endswith(b";")
    if kind is Kind.TIFF:
        return size < _end_of_first_page(file, head)
    return size < _read_length(kind, head)


def _read_length(kind: Kind, head: bytes) -> int:
    """Read how many bytes the file's header says it has; 0 where it does not say."""
    if kind is Kind.WEBP:
        return 8 + int.from_bytes(head[4:8], "little")
    if kind is Kind.BMP:
        return int.from_bytes(head[2:6], "little")
    return 0


def _end_of_first_page(file: BinaryIO, head: bytes) -> int:
    """Where the list of facts about the first page of an ordinary TIFF ends; 0 for a TIFF of more than 4 GB."""
    if head[2:4] not in (b"*\0", b"\0*"):
        return 0
    order: Literal["little", "big"] = "little" if head.startswith(b"II") else "big"
    start = int.from_bytes(head[4:8], order)
    file.seek(start)
    return start + 2 + 12 * int.from_bytes(file.read(2), order)
