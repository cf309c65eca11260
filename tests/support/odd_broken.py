"""Files with the suffix of a picture that cannot be read, each with a part of the reason that must be given."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np


def _bombs(kit: Any) -> Iterator[tuple[str, bytes]]:
    side = struct.pack(">II", 40000, 40000)
    head = b"IHDR" + side + b"\x08\x02\0\0\0"
    tail = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    yield "png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + tail
    deep = head.replace(b"\x08\x02", b"\x10\x02")
    yield "16.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + deep + struct.pack(">I", zlib.crc32(deep)) + tail
    yield "bmp", kit.bmp(kit.ARRAY, 24)[:18] + struct.pack("<ii", 40000, 40000) + kit.bmp(kit.ARRAY, 24)[26:]
    yield "gif", b"GIF89a" + struct.pack("<HH", 40000, 40000) + kit.saved(kit.GREY, "GIF")[10:]
    jpeg = kit.saved(kit.REFERENCE, "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    yield "jpg", jpeg[:place] + struct.pack(">HH", 40000, 40000) + jpeg[place + 4 :]


def broken(kit: Any) -> Iterator[Any]:
    """Files that are empty, cut, damaged, far too large or something else; `kit` is the module oddities."""

    def bad(path: str, content: bytes, reason: str) -> Any:
        return kit.Odd("broken/" + path, content, outcome="unreadable", reason=reason)

    for suffix in ("jpg", "png", "webp", "bmp", "gif", "tif", "dcm"):
        yield bad(f"empty.{suffix}", b"", "empty file")
        yield bad(f"zeros.{suffix}", b"\0" * 500, "nothing but zeros")
        yield bad(f"noise.{suffix}", b"\x80\x01\x02" + bytes(range(200)), "begins like no known picture")
    for kind, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("BMP", "bmp"), ("GIF", "gif")):
        content = kit.saved(kit.REFERENCE if kind != "GIF" else kit.REFERENCE.quantize(256), kind)
        for name, size in (("half", len(content) // 2), ("start", 40), ("nearly whole", len(content) - 60)):
            yield bad(f"{name}.{suffix}", content[:size], "ends too early")
    yield bad("half of 16 bits.png", kit.png(kit.LUMA.astype(np.uint16) * 257, 16, 0)[:1500], "ends too early")
    for suffix, content in _bombs(kit):
        yield bad(f"bomb.{suffix}", content, "too large: 40000x40000 pixels is over the limit of 250 million")
    page = b"<!DOCTYPE html><html><body>404</body></html>"
    yield bad("text.jpg", b"Dear reader, this is no picture.\n" * 9, "it is a text")
    yield bad("danish text.jpg", "Kære læser, blåbær er ikke et billede. ".encode() * 9, "it is a text")
    yield bad("page.png", page, "a web page")
    yield bad("page two.jpg", b"\xef\xbb\xbf\n <HTML>", "a web page")
    yield bad("document.tif", b"%PDF-1.7\n%\xe2\xe3", "a PDF document")
    yield bad("archive.png", b"PK\x03\x04\x14\0\0\0", "a ZIP archive")
    yield bad("telephone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture: save it as JPEG")
    yield bad("BM text.bmp", b"BM is how this text begins, but it is no bitmap.", "it is a text")
    flipped = bytearray(kit.png(kit.LUMA, 8, 0))
    flipped[flipped.index(b"IDAT") + 20] ^= 0xFF
    yield bad("flipped bit.png", bytes(flipped), "damaged PNG data")
