"""How large a picture is that only its decoder can read, from its first bytes: asked before anything is decoded."""

import re
from typing import BinaryIO

HEAD = 1 << 16  # bytes in which the header is looked for

_JXL_BITS = (9, 13, 18, 30)
_JXL_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # ISO/IEC 18181-1, table of aspect ratios


def size_said(codec: str, file: BinaryIO) -> tuple[int, int, int] | None:
    """Width, height and bytes a pixel of a picture by jpeg2k, avif or jpegxl; None where it does not say."""
    file.seek(0)
    head = file.read(HEAD)
    return {"jpeg2k": _jpeg2000, "avif": _avif, "jpegxl": _jpegxl}[codec](head)


def _jpeg2000(head: bytes) -> tuple[int, int, int] | None:
    """From the marker SIZ (ITU-T T.800, A.5.1)."""
    place = head.find(b"\xff\x4f\xff\x51")
    if place < 0 or len(head) < place + 42:
        return None
    at = place + 8
    x, y, x0, y0 = (int.from_bytes(head[at + 4 * number : at + 4 * number + 4], "big") for number in range(4))
    channels = int.from_bytes(head[at + 32 : at + 34], "big")
    deep = (head[at + 34] & 0x7F) >= 8
    return x - x0, y - y0, max(1, channels) * 6 if deep else max(1, channels) * 5  # it decodes to 32-bit values first


def _avif(head: bytes) -> tuple[int, int, int] | None:
    """From the largest box 'ispe' (ISO/IEC 23008-12, 6.5.3)."""
    found = [(int.from_bytes(one[1][:4], "big"), int.from_bytes(one[1][4:], "big"))
             for one in re.finditer(rb"ispe\0\0\0\0(.{8})", head, re.DOTALL)]  # fmt: skip
    return (*max(found, key=lambda one: one[0] * one[1]), 8) if found else None


def _jpegxl(head: bytes) -> tuple[int, int, int] | None:
    """From the header of the codestream (ISO/IEC 18181-1, SizeHeader)."""
    place = head.find(b"\xff\x0a")
    if place < 0 or len(head) < place + 16:
        return None
    bits = _Bits(head[place + 2 : place + 16])
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.take(_JXL_BITS[bits.take(2)]) + 1
    ratio = bits.take(3)
    if ratio:
        wide, high = _JXL_RATIOS[ratio - 1]
        return height * wide // high, height, 16
    width = (bits.take(5) + 1) * 8 if small else bits.take(_JXL_BITS[bits.take(2)]) + 1
    return width, height, 16


class _Bits:
    """Numbers of so many bits, the lowest first."""

    def __init__(self, content: bytes) -> None:
        self._rest = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return value
