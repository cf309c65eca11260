"""A tree of about 200 odd files, all readable ones drawn from one picture that no turn or mirror leaves as it is."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw

HEIGHT, WIDTH = 64, 96
Outcome = Literal["readable", "unreadable", "ignored"]


class Odd(NamedTuple):
    """A file to make. `look` says how near to the reference it must be, `reason` a part of why it cannot be read."""

    path: str
    content: bytes
    look: str = "colour"
    outcome: Outcome = "readable"
    reason: str = ""


@dataclass(frozen=True)
class Made:
    """The tree as it was made."""

    root: Path
    odds: tuple[Odd, ...]

    def of(self, outcome: Outcome) -> list[Odd]:
        """Those that must come out so."""
        return [odd for odd in self.odds if odd.outcome == outcome]


def reference() -> Image.Image:
    """Gradients of red (left to right) and green (downwards), a bright disc top left, a dark bar at the right."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    pixels = np.stack([60 + x * 140 // WIDTH, 60 + y * 120 // HEIGHT, np.full_like(x, 110)], axis=-1)
    image = Image.fromarray(pixels.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 6, 36, 34), fill=(250, 240, 130))
    draw.rectangle((76, 10, 86, 63), fill=(20, 10, 60))
    draw.rectangle((12, 46, 40, 56), fill=(200, 40, 40))
    return image


REFERENCE = reference()
GREY = REFERENCE.convert("L")
ARRAY: npt.NDArray[np.uint8] = np.asarray(REFERENCE)
LUMA: npt.NDArray[np.uint8] = np.asarray(GREY)
CLEAR = Image.new("L", REFERENCE.size, 255)  # fully opaque


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file that Pillow writes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(pixels: npt.NDArray[Any], depth: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of any depth and colour type: (h, w) or (h, w, c) whole numbers of `depth` bits; `chunks` before IDAT."""
    flat = pixels.reshape(len(pixels), -1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in flat]
    else:
        bits = np.unpackbits(flat.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = [np.packbits(row.ravel()).tobytes() for row in bits]
    head = struct.pack(">IIBBBBB", pixels.shape[1], len(pixels), depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", head), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def bmp(pixels: npt.NDArray[np.uint8], bits: int, *, top_down: bool = False) -> bytes:
    """A BMP of 16 (5-5-5), 24 or 32 bits."""
    rows = pixels if top_down else pixels[::-1]
    if bits == 16:
        red, green, blue = (rows[..., channel].astype(np.uint16) >> 3 for channel in range(3))
        body = ((red << 10) | (green << 5) | blue).astype("<u2").tobytes()
    else:
        padding = np.zeros((*rows.shape[:2], bits // 8 - 3), np.uint8)
        body = np.concatenate([rows[..., ::-1], padding], axis=-1).tobytes()
    height = -len(pixels) if top_down else len(pixels)
    info = struct.pack("<IiiHHIIiiII", 40, pixels.shape[1], height, 1, bits, 0, len(body), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + info + body


def exif(orientation: int) -> Image.Exif:
    """An EXIF block that says how the camera was held."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def stored_for(orientation: int) -> Image.Image:
    """The reference as a camera held so would store it (the inverse of what makes it upright)."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    return REFERENCE.transpose(turns[orientation]) if orientation in turns else REFERENCE.copy()


def without_adobe(jpeg: bytes) -> bytes:
    """The JPEG without its Adobe segment: ink is then stored as it is, not inverted."""
    start = jpeg.index(b"\xff\xee")
    return jpeg[:start] + jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big") :]


def _with_corrupt_exif(jpeg: bytes) -> bytes:
    body = b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage"
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def jpegs() -> Iterator[Odd]:
    cmyk = REFERENCE.convert("CMYK")
    ordinary = saved(REFERENCE, "JPEG", quality=92)
    for suffix in ("jpg", "jpeg", "jpe", "jfif", "JPG", "Jpeg"):
        yield Odd(f"jpeg/suffix/plain.{suffix}", ordinary)
    for orientation in range(1, 9):
        content = saved(stored_for(orientation), "JPEG", quality=92, exif=exif(orientation))
        yield Odd(f"jpeg/turned/{orientation}.jpg", content)
    yield Odd("jpeg/turned/nonsense 9.jpg", saved(REFERENCE, "JPEG", quality=92, exif=exif(9)))
    yield Odd("jpeg/corrupt exif.jpg", _with_corrupt_exif(ordinary))
    yield Odd("jpeg/grey.jpg", saved(GREY, "JPEG", quality=92), "grey")
    yield Odd("jpeg/progressive.jpg", saved(REFERENCE, "JPEG", quality=92, progressive=True))
    yield Odd("jpeg/no subsampling.jpg", saved(REFERENCE, "JPEG", quality=92, subsampling=0))
    yield Odd("jpeg/cmyk adobe.jpg", saved(cmyk, "JPEG", quality=92))
    yield Odd("jpeg/cmyk plain.jpg", without_adobe(saved(ImageChops.invert(cmyk), "JPEG", quality=92)))
    yield Odd("jpeg/garbage after the end.jpg", ordinary + os.urandom(100))
    yield Odd("jpeg/two pictures.jpg", ordinary + saved(ImageChops.invert(REFERENCE), "JPEG"))
    large = REFERENCE.resize((1920, 1280))
    yield Odd("jpeg/large.jpg", saved(large, "JPEG", quality=85))


def pngs() -> Iterator[Odd]:
    palette = REFERENCE.quantize(200, dither=Image.Dither.NONE)
    deep = LUMA.astype(np.uint16)
    ordinary = saved(REFERENCE, "PNG")
    yield Odd("png/plain.png", ordinary)
    yield Odd("png/SHOUT.PNG", ordinary)
    yield Odd("png/grey.png", saved(GREY, "PNG"), "grey")
    yield Odd("png/one bit.png", saved(GREY.point(lambda v: 255 * (v > 110)).convert("1"), "PNG"), "shape")
    for depth in (1, 2, 4, 8):
        yield Odd(f"png/grey {depth} bit.png", png(LUMA >> (8 - depth), depth, 0), "shape" if depth < 4 else "like")
        colours = REFERENCE.quantize(2**depth, dither=Image.Dither.NONE)
        yield Odd(f"png/palette {depth} bit.png", saved(colours, "PNG", bits=depth), "shape" if depth < 4 else "colour")
    yield Odd("png/palette one clear.png", saved(palette, "PNG", transparency=palette.getpixel((20, 20))), "shape")
    yield Odd("png/palette half clear.png", saved(palette, "PNG", transparency=bytes([255] * 100 + [254] * 100)))
    yield Odd("png/grey and alpha.png", saved(Image.merge("LA", (GREY, CLEAR)), "PNG"), "grey")
    yield Odd("png/colour and alpha.png", saved(Image.merge("RGBA", (*REFERENCE.split(), CLEAR)), "PNG"))
    unused = Image.merge("RGBA", (*REFERENCE.split(), Image.new("L", REFERENCE.size, 0)))
    yield Odd("png/alpha unused.png", saved(unused, "PNG"))
    yield Odd("png/colour key.png", saved(REFERENCE, "PNG", transparency=(1, 2, 3)))
    yield Odd("png/16 bit full.png", png(deep * 257, 16, 0), "like")
    yield Odd("png/16 bit holding 8.png", png(deep, 16, 0), "like")
    yield Odd("png/16 bit holding 12.png", png(deep * 16, 16, 0), "like")
    yield Odd("png/16 bit with alpha.png", png(np.stack([deep * 257, deep * 0 + 65535], -1), 16, 4), "like")
    rgb = ARRAY.astype(np.uint16)
    yield Odd("png/16 bit colour.png", png(rgb * 257, 16, 2), "hue")
    yield Odd("png/16 bit colour holding 12.png", png(rgb * 16, 16, 2), "hue")
    alpha = np.full((HEIGHT, WIDTH, 1), 65535)
    yield Odd("png/16 bit colour with alpha.png", png(np.concatenate([rgb * 257, alpha], -1), 16, 6), "hue")
    yield Odd("png/turned.png", saved(stored_for(6), "PNG", exif=exif(6)))
    turned = np.asarray(stored_for(8).convert("L")).astype(np.uint16)
    yield Odd("png/16 bit turned.png", png(turned * 257, 16, 0, (b"eXIf", exif(8).tobytes()[6:])), "like")
    frames = [ImageChops.invert(REFERENCE)]
    yield Odd("png/animated.png", saved(REFERENCE, "PNG", save_all=True, append_images=frames))


def small_formats() -> Iterator[Odd]:
    inverted = [ImageChops.invert(REFERENCE)]
    palette = REFERENCE.quantize(256, dither=Image.Dither.NONE)
    yield Odd("webp/lossy.webp", saved(REFERENCE, "WEBP", quality=90))
    yield Odd("webp/lossless.webp", saved(REFERENCE, "WEBP", lossless=True))
    yield Odd("webp/alpha.WebP", saved(Image.merge("RGBA", (*REFERENCE.split(), CLEAR)), "WEBP", lossless=True))
    yield Odd("webp/animated.webp", saved(REFERENCE, "WEBP", save_all=True, append_images=inverted, lossless=True))
    yield Odd("webp/turned.webp", saved(stored_for(5), "WEBP", lossless=True, exif=exif(5)))
    yield Odd("gif/plain.gif", saved(palette, "GIF"))
    yield Odd("gif/grey.gif", saved(GREY, "GIF"), "grey")
    yield Odd("gif/clear.gif", saved(REFERENCE.quantize(255), "GIF", transparency=255))
    yield Odd("gif/animated.gif", saved(palette, "GIF", save_all=True, append_images=inverted, duration=50))
    yield Odd("gif/interlaced.GIF", saved(palette, "GIF", interlace=1))
    yield Odd("bmp/24.bmp", saved(REFERENCE, "BMP"))
    yield Odd("bmp/8 palette.bmp", saved(palette, "BMP"))
    yield Odd("bmp/8 grey.bmp", saved(GREY, "BMP"), "grey")
    yield Odd("bmp/1.bmp", saved(GREY.point(lambda v: 255 * (v > 110)).convert("1"), "BMP"), "shape")
    yield Odd("bmp/16.bmp", bmp(ARRAY, 16))
    yield Odd("bmp/32.bmp", bmp(ARRAY, 32))
    yield Odd("bmp/top down.bmp", bmp(ARRAY, 24, top_down=True))
    yield Odd("bmp/32 unused alpha.bmp", saved(Image.merge("RGBA", (*REFERENCE.split(), CLEAR)), "BMP"))


def wrong_suffixes() -> Iterator[Odd]:
    formats = [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("BMP", "bmp"), ("GIF", "gif"), ("TIFF", "tif")]
    for place, (kind, _) in enumerate(formats):
        wrong = formats[(place + 1) % len(formats)][1]
        image = REFERENCE if kind != "GIF" else REFERENCE.quantize(256, dither=Image.Dither.NONE)
        yield Odd(f"wrong suffix/{kind} named.{wrong}", saved(image, kind))
    yield Odd("wrong suffix/a PNG named.dcm", saved(REFERENCE, "PNG"))
    for kind, _ in formats[:3]:
        yield Odd(f"no suffix/{kind}", saved(REFERENCE, kind))
    yield Odd("no suffix/1.2.840.113619", saved(REFERENCE, "PNG"))


def names() -> Iterator[Odd]:
    content = saved(REFERENCE, "PNG")
    for name in (
        "æøå/blåbærsyltetøy.png", "中文/图片 一.png", "العربية/صورة.png", "emoji 🐈/🖼️.png",
        "cafe\u0301.png", "caf\u00e9.png",
        "  spaces  .png", "two\nlines.png", "tab\there.png", "'quotes\" and `ticks`.png",
        "100% #1 & [x] {y};$HOME~.png",
        "-rf.png", "a.b.c.d.png", "x" * 200 + ".png", "back\\slash.png", "many dots...png", "wild*card?.png",
        "/".join(["deep folder " + "y" * 50] * 12) + "/far down.png",
    ):  # fmt: skip
        yield Odd("names/" + name, content)
    yield Odd("names/" + os.fsdecode(b"latin-1 \xe6\xf8\xe5.png"), content)
    yield Odd("names/" + os.fsdecode(b"folder \xff\xfe/inside.png"), content)


def ignored() -> Iterator[Odd]:
    for path in (
        "notes.txt", "deep/notes.txt", "labels.csv", "Thumbs.db", "film.mp4", "paper.pdf", ".DS_Store", "._plain.jpg",
        ".hidden.png", "README", "no suffix/LICENSE", "report.2024", "picture.jpg.bak", "odd." + "é" * 9,
        "trailing dot.", "x.jpg~", "empty without suffix",
    ):  # fmt: skip
        yield Odd(path, b"" if "empty" in path else b"Nothing to see.", outcome="ignored")
    yield Odd("scan.nii.gz", b"\x1f\x8b", outcome="unreadable", reason="a NIfTI volume: save its slices")
    yield Odd(os.fsdecode(b"odd.\xff\xfe"), b"Nothing to see.", outcome="ignored")


def specials(root: Path) -> Iterator[Odd]:
    """What is no ordinary file: made here, not from bytes."""
    where = root / "special"
    where.mkdir()
    (where / "loop").symlink_to(root, target_is_directory=True)
    (where / "loop to self").symlink_to(where / "loop to self")
    yield Odd("special/loop to self", b"", outcome="unreadable", reason="a broken link")
    (where / "lost.jpg").symlink_to(where / "nothing here.jpg")
    yield Odd("special/lost.jpg", b"", outcome="unreadable", reason="a link that leads nowhere")
    os.mkfifo(where / "pipe.jpg")
    yield Odd("special/pipe.jpg", b"", outcome="unreadable", reason="not a file with content")
    os.mkfifo(where / "pipe")
    yield Odd("special/pipe", b"", outcome="ignored")
    (where / "device.png").symlink_to("/dev/zero")
    yield Odd("special/device.png", b"", outcome="unreadable", reason="not a file with content")
    (where / "good link.png").symlink_to(root / "png" / "plain.png")
    yield Odd("special/good link.png", b"")
    (where / "folder.jpg").mkdir()
    (where / "folder.jpg" / "inside.png").write_bytes(saved(REFERENCE, "PNG"))
    yield Odd("special/folder.jpg/inside.png", b"")


def make(root: Path, *more: Callable[[], Iterator[Odd]]) -> Made:
    """Write the whole tree; `more` yield files that have a module of their own."""
    odds: list[Odd] = []
    for source in (jpegs, pngs, small_formats, wrong_suffixes, names, ignored, *more):
        for odd in source():
            path = root / odd.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(odd.content)
            odds.append(odd)
    odds.extend(specials(root))
    return Made(root, tuple(odds))
