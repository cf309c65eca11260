"""TIFF files of every depth, layout and compression that microscopes, scanners and satellites write."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile


def tiff(pixels: npt.NDArray[Any], **options: Any) -> bytes:
    """The bytes of a TIFF that tifffile writes."""
    out = io.BytesIO()
    bigtiff, order = options.pop("bigtiff", False), options.pop("byteorder", "<")
    with tifffile.TiffWriter(out, bigtiff=bigtiff, byteorder=order) as writer:
        writer.write(pixels, metadata=None, **options)
    return out.getvalue()


def tiffs(kit: Any) -> Iterator[Any]:
    """All of them; `kit` is the module oddities."""
    yield from _plain(kit)
    yield from _deep(kit)
    yield from _channels(kit)
    yield from _packed(kit)
    yield from _broken(kit)


def _plain(kit: Any) -> Iterator[Any]:
    grey, palette = kit.GREY, kit.REFERENCE.quantize(256)
    yield kit.Odd("tiff/plain.tif", kit.saved(kit.REFERENCE, "TIFF"))
    yield kit.Odd("tiff/grey.TIFF", kit.saved(grey, "TIFF"), "grey")
    yield kit.Odd("tiff/palette.tif", kit.saved(palette, "TIFF"))
    yield kit.Odd("tiff/ink.tif", kit.saved(kit.REFERENCE.convert("CMYK"), "TIFF"))
    yield kit.Odd("tiff/one bit.tif", kit.saved(grey.point(lambda v: 255 * (v > 110)).convert("1"), "TIFF"), "shape")
    fax = grey.point(lambda v: 255 * (v > 110)).convert("1")
    yield kit.Odd("tiff/fax.tif", kit.saved(fax, "TIFF", compression="group4"), "shape")
    yield kit.Odd("tiff/white is zero.tif", tiff(255 - kit.LUMA, photometric="miniswhite"), "grey")
    for orientation in range(2, 9):
        pixels = np.asarray(kit.stored_for(orientation))
        tag = [(274, "H", 1, orientation, True)]
        yield kit.Odd(f"tiff/turned {orientation}.tif", tiff(pixels, photometric="rgb", extratags=tag))
    deep = np.asarray(kit.stored_for(6).convert("L")).astype(np.uint16) * 100
    yield kit.Odd("tiff/deep turned.tif", tiff(deep, extratags=[(274, "H", 1, 6, True)]), "like")


def _deep(kit: Any) -> Iterator[Any]:
    luma = kit.LUMA.astype(np.uint16)
    holes = luma / 255.0
    holes[::7, ::5] = np.nan
    holes[3, 3], holes[4, 4] = np.inf, -np.inf
    for name, pixels in {
        "uint16": luma * 257, "uint16 holding 8": luma, "uint16 holding 12": luma * 16,
        "int16": luma.astype(np.int16) * 50 - 6000, "int8": (luma // 2).astype(np.int8) - 60,
        "uint32": luma.astype(np.uint32) * 10_000_000, "int32": luma.astype(np.int32) * 1000 - 10**6,
        "float16": (luma / 255).astype(np.float16), "float32": (luma * 0.01).astype(np.float32),
        "float64": luma * 1e-9 - 4, "float tiny": (luma * 1e-30).astype(np.float32),
        "float with holes": holes.astype(np.float32), "complex": (luma * (1 + 0j)).astype(np.complex64),
    }.items():  # fmt: skip
        yield kit.Odd(f"tiff/deep/{name}.tif", tiff(pixels, photometric="minisblack"), "like")
    yield kit.Odd("tiff/deep/white is zero.tif", tiff(65535 - luma * 257, photometric="miniswhite"), "like")
    yield kit.Odd("tiff/deep/colour.tif", tiff(kit.ARRAY.astype(np.uint16) * 16, photometric="rgb"), "hue")
    yield kit.Odd("tiff/deep/float colour.tif", tiff(kit.ARRAY.astype(np.float32) / 255, photometric="rgb"), "hue")
    ink = np.asarray(kit.REFERENCE.convert("CMYK")).astype(np.uint16) * 257
    yield kit.Odd("tiff/deep/ink.tif", tiff(ink, photometric="separated"))
    for bits in (10, 12, 14):
        pixels = luma << (bits - 8)
        yield kit.Odd(f"tiff/deep/{bits} bits packed.tif", tiff(pixels, bitspersample=bits, compression="none"), "like")


def _channels(kit: Any) -> Iterator[Any]:
    luma, other = kit.LUMA, np.flipud(kit.LUMA)
    grey16 = luma.astype(np.uint16) * 20
    yield kit.Odd(
        "tiff/channels/2.tif",
        tiff(np.stack([luma, other], -1), photometric="minisblack", planarconfig="contig"),
        "grey",
    )
    planes = np.stack([grey16, np.flipud(grey16)])
    two = tiff(planes, photometric="minisblack", planarconfig="separate")
    yield kit.Odd("tiff/channels/2 deep planes.tif", two, "like")
    five = np.concatenate([kit.ARRAY, other[..., None], other[..., None]], -1)
    yield kit.Odd("tiff/channels/5.tif", tiff(five, photometric="minisblack", planarconfig="contig"))
    bands = (five.astype(np.float32) * np.array([1, 50, 0.01, 7, 7], np.float32)).transpose(2, 0, 1)
    separate = tiff(np.ascontiguousarray(bands), photometric="minisblack", planarconfig="separate")
    yield kit.Odd("tiff/channels/5 float planes.tif", separate, "shape")
    alpha = np.full((kit.HEIGHT, kit.WIDTH, 1), 255, np.uint8)
    rgba = np.concatenate([kit.ARRAY, alpha], -1)
    yield kit.Odd("tiff/channels/alpha.tif", tiff(rgba, photometric="rgb", extrasamples=["unassalpha"]))
    wide = rgba.astype(np.uint16) * 257
    yield kit.Odd("tiff/channels/deep alpha.tif", tiff(wide, photometric="rgb", extrasamples=["unassalpha"]), "hue")
    infrared = np.concatenate([kit.ARRAY, other[..., None]], -1)
    near = tiff(infrared, photometric="rgb", extrasamples=["unspecified"])
    yield kit.Odd("tiff/channels/infrared.tif", near)
    planar = np.ascontiguousarray(kit.ARRAY.transpose(2, 0, 1))
    yield kit.Odd("tiff/channels/planes.tif", tiff(planar, photometric="rgb", planarconfig="separate"))
    pages = np.stack([kit.ARRAY, 255 - kit.ARRAY, 255 - kit.ARRAY])
    yield kit.Odd("tiff/channels/pages.tif", tiff(pages, photometric="rgb"))
    stack = np.stack([grey16, np.flipud(grey16)])
    yield kit.Odd("tiff/channels/deep pages.tif", tiff(stack, photometric="minisblack"), "like")
    volume = tiff(np.stack([grey16] * 4), photometric="minisblack", volumetric=True, tile=(2, 16, 16))
    yield kit.Odd("tiff/channels/volume.tif", volume, "like")


def _packed(kit: Any) -> Iterator[Any]:
    colour, deep = kit.ARRAY, kit.LUMA.astype(np.uint16) * 20
    for name in ("lzw", "deflate", "packbits", "zstd", "lzma", "jpeg2000", "png"):
        yield kit.Odd(f"tiff/packed/{name}.tif", tiff(colour, photometric="rgb", compression=name))
        if name != "packbits":
            yield kit.Odd(f"tiff/packed/{name} deep.tif", tiff(deep, compression=name), "like")
    yield kit.Odd("tiff/packed/jpeg.tif", tiff(colour, photometric="rgb", compression="jpeg"))
    yield kit.Odd("tiff/packed/pillow jpeg.tif", kit.saved(kit.REFERENCE, "TIFF", compression="jpeg", quality=92))
    yield kit.Odd("tiff/packed/predictor.tif", tiff(colour, photometric="rgb", compression="lzw", predictor=True))
    deep_predictor = tiff(deep, compression="deflate", predictor=True)
    yield kit.Odd("tiff/packed/predictor deep.tif", deep_predictor, "like")
    numbers = kit.saved(kit.REFERENCE.quantize(256), "TIFF", compression="tiff_lzw")
    yield kit.Odd("tiff/packed/palette.tif", numbers)
    ink = kit.saved(kit.REFERENCE.convert("CMYK"), "TIFF", compression="tiff_deflate")
    yield kit.Odd("tiff/packed/ink.tif", ink)
    yield kit.Odd("tiff/packed/tiles.tif", tiff(colour, photometric="rgb", tile=(16, 32), compression="deflate"))
    yield kit.Odd("tiff/packed/tiles deep.tif", tiff(deep, tile=(32, 16)), "like")
    yield kit.Odd("tiff/packed/strips.tif", tiff(colour, photometric="rgb", rowsperstrip=5))
    yield kit.Odd("tiff/packed/big.tif", tiff(colour, photometric="rgb", bigtiff=True))
    yield kit.Odd("tiff/packed/big endian.tif", tiff(deep, byteorder=">"), "like")


def _broken(kit: Any) -> Iterator[Any]:
    deep, early = tiff(kit.LUMA.astype(np.uint16) * 20), "ends too early"
    plain = kit.saved(kit.REFERENCE, "TIFF", compression="tiff_lzw")
    for name, content in {"deep": deep, "packed": plain}.items():
        for part, size in {"half": len(content) // 2, "start": 20}.items():
            yield kit.Odd(f"broken/tiff {name} {part}.tif", content[:size], "", "unreadable", early)
    huge = bytearray(deep)
    for tag in (b"\0\1", b"\1\1"):  # width and height
        place = huge.index(tag[::-1] if tag == b"\1\0" else tag[::-1] if huge[:2] == b"MM" else tag)
        huge[place : place + 12] = huge[place : place + 2] + b"\4\0\1\0\0\0" + (40000).to_bytes(4, "little")
    yield kit.Odd("broken/bomb.tif", bytes(huge), "", "unreadable", "too large: 40000x40000 pixels")
    garbled = bytearray(tiff(kit.LUMA.astype(np.uint16) * 20, compression="deflate"))
    start = tifffile.TiffFile(io.BytesIO(bytes(garbled))).pages.first.dataoffsets[0]
    garbled[start : start + 40] = b"\xaa" * 40
    yield kit.Odd("broken/garbled.tif", bytes(garbled), "", "unreadable", "damaged TIFF data")
