"""DICOM: stored values -> real values -> what a radiologist's screen shows, by the steps of PS3.3 C.11 and C.7.6.3."""

import os
import zlib
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import _read_file_meta_info as read_file_meta_info
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, convert_color_space
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    HTJ2K,
    UID,
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.errors import check_size, silence_log
from sslstudio.engine.images.formats.tone import Bytes, Values, from_values, stretch
from sslstudio.engine.images.formats.wanted import LeftOut, Wanted

silence_log("pydicom")

DEFLATED_LIMIT = 250_000_000  # bytes: it is in memory four times while it is read

_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # storage classes of masks


def _jpeg_as_stored(data: bytes) -> Values:
    """The values without any change of colours: what they are, the data set says and not the JPEG."""
    try:
        values: Values = imagecodecs.jpeg_decode(data, colorspace="RGB", outcolorspace="RGB")
    except (ValueError, RuntimeError):  # of one channel
        values = imagecodecs.jpeg_decode(data)
    return values


_CODECS = {  # what pydicom alone cannot decode and imagecodecs can
    JPEGExtended12Bit: _jpeg_as_stored,
    JPEGLossless: _jpeg_as_stored,
    JPEGLosslessSV1: _jpeg_as_stored,
    JPEGLSLossless: imagecodecs.jpegls_decode,
    JPEGLSNearLossless: imagecodecs.jpegls_decode,
    HTJ2K: imagecodecs.jpeg2k_decode,
    HTJ2KLossless: imagecodecs.jpeg2k_decode,
    HTJ2KLosslessRPCL: imagecodecs.jpeg2k_decode,
}


def count_frames(file: BinaryIO) -> int:
    """How many frames a file says it has; its pixels are not read."""
    _check_deflated(file)
    dataset = dcmread(file, force=True, stop_before_pixels=True, specific_tags=["NumberOfFrames"])
    return _frames(dataset)


def read_dicom(file: BinaryIO, wanted: Wanted) -> tuple[Image.Image, tuple[LeftOut, ...]]:
    """The first frame, or the one that is wanted, as L or RGB, with the file's own rescaling and window; and what of
    the file is not in it. Raises DataError if it holds no picture.

    Files without the 128-byte preamble (old exports) are read too.
    """
    try:
        dataset = _open(file)
        count = _frames(dataset)
        if wanted.page is not None and wanted.page > count:
            raise DataError("page {asked} was asked for, and it has {n}", asked=wanted.page, n=count)
        frame = (wanted.page or 1) - 1
        image = _render(dataset, _stored_values(dataset, frame), frame)
    except (InvalidDicomError, BytesLengthException) as error:  # whose words may quote the file
        raise DataError("not a picture that can be read: the DICOM file is damaged") from error
    if wanted.channels:
        image = from_values(np.asarray(image), colour=True, channels=wanted.channels)
    return image, (LeftOut("frames", count),) if count > 1 and wanted.page is None else ()


def read_dicom_values(file: BinaryIO, wanted: Wanted) -> tuple[Values, tuple[float, float] | None, bool] | None:
    """The real values (rows, columns) of a frame in grey, the window that the file gives them, and whether large values
    are dark; None for a picture in colour. Raises as `read_dicom`."""
    try:
        dataset = _open(file)
        frame = (wanted.page or 1) - 1
        kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
        stored = _stored_values(dataset, frame)
        if kind == "PALETTE COLOR" or stored.ndim == 3 or wanted.channels:
            return None
        real = _rescaled(dataset, stored, frame)
    except (InvalidDicomError, BytesLengthException) as error:  # whose words may quote the file
        raise DataError("not a picture that can be read: the DICOM file is damaged") from error
    about = _group(dataset, "FrameVOILUTSequence", frame)
    centre, width = _first(about.get("WindowCenter")), _first(about.get("WindowWidth"))
    given = (centre - width / 2, centre + width / 2) if centre is not None and width is not None and width > 0 else None
    return real, given, kind == "MONOCHROME1"


def _frames(dataset: Dataset) -> int:
    return max(1, int(dataset.get("NumberOfFrames", 1) or 1))


def _open(file: BinaryIO) -> Dataset:
    """The whole data set, once its header says that it is not too large."""
    _check_deflated(file)
    _check(dcmread(file, force=True, stop_before_pixels=True), _size(file))
    file.seek(0)
    dataset = dcmread(file, force=True)
    _check_pixels(dataset)
    return dataset


def _size(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _check_deflated(file: BinaryIO) -> None:
    """Raises DataError for a file whose compressed data set becomes too large: it would be inflated whole."""
    file.seek(0)
    if file.read(132)[128:] != b"DICM":
        file.seek(0)
        return
    meta = read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        file.seek(0)
        return
    inflate, made = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while (part := inflate.unconsumed_tail or file.read(1 << 16)) and not inflate.eof:
        made += len(inflate.decompress(part, 1 << 20))
        if made > DEFLATED_LIMIT:
            raise DataError(
                "too large: its compressed data become more than {limit}",
                limit=Message("{n} MB", n=DEFLATED_LIMIT // 1_000_000),
            )
    file.seek(0)


def _check(dataset: Dataset, size: int) -> None:
    if str(dataset.get("SOPClassUID", "")) in _SEGMENTATIONS:
        raise DataError(
            "this DICOM file is a segmentation: it holds masks and no picture; save each as a PNG beside its picture"
        )
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise DataError("this DICOM file holds no picture (a report, a plan or an index of others)")
    depth, samples = (int(dataset.get("BitsAllocated", 8)) + 7) // 8, int(dataset.get("SamplesPerPixel", 1))
    made = 16 if samples == 1 else 10  # real values and 8 bits; colours of another space, twice
    check_size(int(dataset.Columns), int(dataset.Rows), 2 * depth * samples + made, more=size)


def _check_pixels(dataset: Dataset) -> None:
    if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise DataError("the file ends too early: the pixels are missing")


def _stored_values(dataset: Dataset, frame: int) -> Values:
    """(rows, columns) or (rows, columns, 3) as stored; YBR is turned to RGB."""
    syntax = _transfer_syntax(dataset)
    try:
        return pixel_array(dataset, index=frame)
    except (NotImplementedError, RuntimeError) as error:
        if syntax not in _CODECS:
            raise DataError(
                "not a picture that can be read: compression {syntax!r} is not supported", syntax=_name_of(syntax)
            ) from error
        return _decode(dataset, _CODECS[syntax], frame)


def _transfer_syntax(dataset: Dataset) -> UID:
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return UID(dataset.file_meta.TransferSyntaxUID)


def _name_of(syntax: UID) -> str:
    """What the standard calls a transfer syntax; of any other no letter, which may be of something else in the file."""
    return syntax.name if syntax.name != str(syntax) else Message("of another kind")


def _decode(dataset: Dataset, codec: Any, frame: int) -> Values:
    values: Values = codec(get_frame(dataset.PixelData, frame, number_of_frames=_frames(dataset)))
    if values.shape[:2] != (dataset.Rows, dataset.Columns):
        raise DataError("not a picture that can be read: the compressed picture has another size than its header says")
    if values.ndim == 3 and str(dataset.get("PhotometricInterpretation", "")).startswith("YBR_FULL"):
        return convert_color_space(values, "YBR_FULL", "RGB")
    if dataset.get("PixelRepresentation", 0) != 1:
        return values
    shift = 32 - int(dataset.BitsStored)  # the codec gives the bits of negative values without their sign
    return (values.astype(np.int32) << shift) >> shift


def _render(dataset: Dataset, values: Values, frame: int) -> Image.Image:
    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind == "PALETTE COLOR":
        return from_values(_look_up(dataset, values), colour=True)
    if values.ndim == 3:
        return from_values(values, colour=True)
    grey = _grey(dataset, values, frame)
    return Image.fromarray(255 - grey if kind == "MONOCHROME1" else grey)


def _look_up(dataset: Dataset, values: Values) -> Bytes:
    """Look up colours (PS3.3 C.7.9). Tables said to be of 16 bits hold 8 in files of some programs."""
    entries, first, _ = (int(part) for part in dataset.RedPaletteColorLookupTableDescriptor)
    numbers = np.arange(entries or 65_536) + first
    table = apply_color_lut(numbers.reshape(1, -1), dataset).reshape(len(numbers), -1)
    if table.itemsize == 2:
        table = table >> 8 if table.max() > 255 else table
    return np.asarray(table.astype(np.uint8)[np.clip(values.astype(np.int64) - first, 0, len(numbers) - 1)])


def _group(dataset: Dataset, name: str, frame: int) -> Dataset:
    """What holds for a frame of an enhanced object (PS3.3 C.7.6.16): its own group, or that of all; else the data
    set itself, as in an ordinary object."""
    each = dataset.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*each[frame : frame + 1], *(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]):
        if found := groups.get(name):
            return Dataset(found[0])
    return dataset


def _rescaled(dataset: Dataset, values: Values, frame: int) -> Values:
    """Stored values -> real ones. A slope of 1 and an intercept of 0 leave them as they are."""
    if dataset.get("ModalityLUTSequence"):
        return apply_modality_lut(values, dataset)
    about = _group(dataset, "PixelValueTransformationSequence", frame)
    slope, intercept = about.get("RescaleSlope"), about.get("RescaleIntercept")
    slope, intercept = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
    if (slope, intercept) == (1.0, 0.0) or slope == 0:
        return values
    return values.astype(np.float64) * slope + intercept


def _grey(dataset: Dataset, values: Values, frame: int) -> Bytes:
    real = _rescaled(dataset, values, frame)
    about = _group(dataset, "FrameVOILUTSequence", frame)
    if about.get("VOILUTSequence"):
        return _apply_table(real, about.VOILUTSequence[0])
    centre, width = _first(about.get("WindowCenter")), _first(about.get("WindowWidth"))
    if centre is not None and width is not None and width > 0:
        return _apply_window(real, centre, width, str(about.get("VOILUTFunction", "LINEAR")))
    if real.dtype == np.uint8:
        return np.asarray(real, dtype=np.uint8)
    return stretch(real, padding=_padding(dataset, values))


def _padding(dataset: Dataset, values: Values) -> Any:
    """Where there is no picture: stored values of the padding, or between it and its limit (PS3.3 C.7.5.1.1.2)."""
    one, other = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    if not isinstance(one, int):
        return None
    low, high = sorted((one, other if isinstance(other, int) else one))
    return (values >= low) & (values <= high)


def _apply_table(real: Values, item: Dataset) -> Bytes:
    """PS3.3 C.11.2.1.1: the table's first value is a real one, and so may be negative. Its greys are spread over
    0..255 by the bits that they use."""
    entries, first, bits = (int(part) for part in item.LUTDescriptor)
    entries = entries or 65_536
    if first > 32_767 and real.min() < 0:  # written without its sign
        first -= 65_536
    data = item.LUTData
    if isinstance(data, bytes):
        narrow = len(data) < 2 * entries
        table = np.frombuffer(data, np.uint8 if narrow else "<u2", entries)
    else:
        table = np.asarray(data)
    table = table.astype(np.int64) & 0xFFFF
    top = min((1 << max(bits, 1)) - 1, (1 << max(1, int(table.max()).bit_length())) - 1)
    chosen = np.clip(np.floor(real).astype(np.int64) - first, 0, len(table) - 1)
    return np.rint(np.clip(table[chosen] / top, 0, 1) * 255).astype(np.uint8)


def _first(value: Any) -> float | None:
    """The first of the windows that a file offers."""
    if value is None or value == "":
        return None
    return float(value) if isinstance(value, (int, float)) else float(value[0]) if len(value) else None


def _apply_window(real: Values, centre: float, width: float, function: str) -> Bytes:
    """PS3.3 C.11.2.1: LINEAR counts whole values and so is half a value to the left and one narrower."""
    if function == "SIGMOID":
        share = 1 / (1 + np.exp(np.clip(-4 * (real - centre) / width, -50, 50)))
    elif function == "LINEAR_EXACT":
        share = (real - centre) / width + 0.5
    else:
        share = (real - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
