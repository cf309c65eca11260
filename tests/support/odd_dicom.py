"""DICOM files as scanners and old archives write them, made with pydicom."""

import io
from collections.abc import Iterator
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)


def dicom(pixels: npt.NDArray[Any], syntax: UID = ExplicitVRLittleEndian, /, **elements: Any) -> bytes:
    """A DICOM file of (rows, columns) or (rows, columns, 3) whole numbers; `elements` by keyword."""
    dataset = _dataset(pixels, syntax, elements)
    native = pixels.astype(pixels.dtype.newbyteorder(">")) if syntax == ExplicitVRBigEndian else pixels
    if "PixelData" not in dataset:
        dataset.PixelData = native.tobytes()
    if dataset.BitsAllocated == 8 and syntax.is_encapsulated is False:
        dataset["PixelData"].VR = "OB"
    out = io.BytesIO()
    little, implicit = syntax.is_little_endian, syntax.is_implicit_VR
    dataset.save_as(out, enforce_file_format=True, little_endian=little, implicit_vr=implicit)
    return out.getvalue()


def _dataset(pixels: npt.NDArray[Any], syntax: UID, elements: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid(entropy_srcs=["odd"])
    dataset.Modality, dataset.PatientName = "OT", "Odd^File"
    bits = pixels.dtype.itemsize * 8
    dataset.Rows, dataset.Columns = pixels.shape[:2] if pixels.ndim == 2 or pixels.shape[-1] == 3 else pixels.shape[1:3]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if dataset.SamplesPerPixel == 3 else "MONOCHROME2"
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def dicoms(kit: Any) -> Iterator[Any]:
    """All of them; `kit` is the module oddities."""
    yield from _grey(kit)
    yield from _colour(kit)
    yield from _compressed(kit)
    yield from _containers(kit)
    yield from _broken(kit)


def _grey(kit: Any) -> Iterator[Any]:
    luma = kit.LUMA.astype(np.int16)
    window = {"WindowCenter": 40, "WindowWidth": 400}  # the grey levels as Hounsfield units, exactly in this window
    units = np.rint(40 - 0.5 - 399 / 2 + kit.LUMA * (399 / 255)).astype(np.int16)
    yield kit.Odd("dicom/8 bit.dcm", dicom(kit.LUMA), "grey")
    yield kit.Odd("dicom/8 bit inverted.DCM", dicom(255 - kit.LUMA, PhotometricInterpretation="MONOCHROME1"), "grey")
    yield kit.Odd("dicom/window.dcm", dicom(units, **window), "grey")
    outside = units.copy()
    outside[:3, :3], outside[-3:, :3] = 30000, -30000
    yield kit.Odd("dicom/window and outliers.dcm", dicom(outside, **window), "shape")
    rescale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    yield kit.Odd("dicom/rescale.dcm", dicom((units + 1024).astype(np.uint16), **window, **rescale), "grey")
    steep = {"RescaleSlope": 0.25, "RescaleIntercept": -1000}
    yield kit.Odd("dicom/slope.dicom", dicom(((units + 1000) * 4).astype(np.uint16), **window, **steep), "grey")
    many = {"WindowCenter": [40, 5000], "WindowWidth": [400, 10]}
    yield kit.Odd("dicom/two windows.dcm", dicom(units, **many), "grey")
    exact = {**window, "VOILUTFunction": "LINEAR_EXACT"}
    yield kit.Odd("dicom/linear exact.dcm", dicom(units, **exact), "grey")
    yield kit.Odd("dicom/sigmoid.dcm", dicom(units, **{**window, "VOILUTFunction": "SIGMOID"}), "shape")
    inverted = dicom((79 - units).astype(np.int16), **window, PhotometricInterpretation="MONOCHROME1")
    yield kit.Odd("dicom/window inverted.dcm", inverted, "grey")
    yield kit.Odd("dicom/no window.dcm", dicom(units), "like")
    yield kit.Odd("dicom/12 bits.dcm", dicom(luma.astype(np.uint16) * 16, BitsStored=12, HighBit=11), "like")
    yield kit.Odd("dicom/no window inverted.dcm", dicom(-units, PhotometricInterpretation="MONOCHROME1"), "like")
    padded = units.copy()
    padded[:, :4] = -2000
    yield kit.Odd("dicom/padding.dcm", dicom(padded, PixelPaddingValue=-2000), "shape")
    yield kit.Odd("dicom/wide.dcm", dicom(luma.astype(np.uint32) * 10**6), "like")


def _colour(kit: Any) -> Iterator[Any]:
    yield kit.Odd("dicom/colour.dcm", dicom(kit.ARRAY))
    planes = np.ascontiguousarray(kit.ARRAY.transpose(2, 0, 1)).tobytes()
    yield kit.Odd("dicom/colour planes.dcm", dicom(kit.ARRAY, PlanarConfiguration=1, PixelData=planes))
    ybr = np.asarray(kit.REFERENCE.convert("YCbCr"))
    yield kit.Odd("dicom/ybr.dcm", dicom(ybr, PhotometricInterpretation="YBR_FULL"))
    palette = kit.REFERENCE.quantize(256, dither=0)
    table = np.array(palette.getpalette("RGB"), np.uint16).reshape(-1, 3)
    table = np.vstack([table, np.zeros((256 - len(table), 3), np.uint16)]) * 257
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        elements[f"{name}PaletteColorLookupTableData"] = table[:, channel].astype("<u2").tobytes()
    yield kit.Odd("dicom/palette.dcm", dicom(np.asarray(palette), **elements))


def _compressed(kit: Any) -> Iterator[Any]:
    deep = kit.LUMA.astype(np.uint16) * 16
    twelve = {"BitsStored": 12, "HighBit": 11}
    baseline = encapsulate([kit.saved(kit.GREY, "JPEG", quality=92)])
    yield kit.Odd("dicom/packed/jpeg.dcm", dicom(kit.LUMA, JPEGBaseline8Bit, PixelData=baseline), "grey")
    for name, syntax, frame in (
        ("lossless jpeg", JPEGLosslessSV1, imagecodecs.ljpeg_encode(deep, bitspersample=12)),
        ("jpeg-ls", JPEGLSLossless, imagecodecs.jpegls_encode(deep)),
        ("jpeg 2000", JPEG2000Lossless, imagecodecs.jpeg2k_encode(deep, codecformat="j2k", reversible=True, level=0)),
    ):
        content = dicom(deep, syntax, PixelData=encapsulate([bytes(frame)]), **twelve)
        yield kit.Odd(f"dicom/packed/{name}.dcm", content, "like")
    signed = deep.astype(np.int16) - 2000
    frame = imagecodecs.jpegls_encode((signed & 0xFFF).astype(np.uint16))
    content = dicom(signed, JPEGLSLossless, PixelData=encapsulate([bytes(frame)]), **twelve)
    yield kit.Odd("dicom/packed/jpeg-ls signed.dcm", content, "like")
    dataset = _dataset(deep, ExplicitVRLittleEndian, {"PixelData": deep.tobytes()})
    dataset.compress(RLELossless, generate_instance_uid=False)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    yield kit.Odd("dicom/packed/rle.dcm", out.getvalue(), "like")
    yield kit.Odd("dicom/packed/deflated.dcm", dicom(deep, DeflatedExplicitVRLittleEndian), "like")


def _containers(kit: Any) -> Iterator[Any]:
    deep = kit.LUMA.astype(np.uint16) * 16
    ordinary = dicom(deep)
    for name in (
        "no suffix/IM0001",
        "no suffix/1.2.840.10008.5",
        "wrong suffix/a DICOM file named.png",
        "dicom/SHOUT.DCM",
    ):
        yield kit.Odd(name, ordinary, "like")
    yield kit.Odd("dicom/implicit.dcm", dicom(deep, ImplicitVRLittleEndian), "like")
    yield kit.Odd("dicom/big endian.dcm", dicom(deep, ExplicitVRBigEndian), "like")
    frames = np.stack([deep, deep[::-1], deep[:, ::-1]])
    yield kit.Odd("dicom/frames.dcm", dicom(frames, NumberOfFrames=3), "like")
    yield kit.Odd("dicom/one frame.dcm", dicom(deep, NumberOfFrames=1), "like")
    bare = dicom(deep, ImplicitVRLittleEndian)
    length = int.from_bytes(bare[140:144], "little")  # of the group of file facts, which old files have not
    yield kit.Odd("dicom/no preamble.dcm", bare[144 + length :], "like")


def _broken(kit: Any) -> Iterator[Any]:
    deep = kit.LUMA.astype(np.uint16) * 16
    content = dicom(deep)

    def bad(name: str, content: bytes, reason: str) -> Any:
        return kit.Odd(f"broken/{name}.dcm", content, "", "unreadable", reason)

    yield bad("dicom half", content[: len(content) // 2], "ends too early")
    yield bad("dicom start", content[:400], "holds no picture")
    yield bad("dicom report", dicom(deep, Rows=None, Columns=None), "holds no picture")
    yield bad("dicom bomb", dicom(deep, Rows=40000, Columns=40000), "too large: 40000x40000 pixels")
    unknown = dicom(deep, UID("1.2.840.10008.1.2.4.100"), PixelData=encapsulate([b"\0" * 64]))
    yield bad("dicom film", unknown, "compression 'MPEG2 Main Profile / Main Level' is not supported")
