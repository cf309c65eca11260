"""DICOM: stored values -> real values -> what a radiologist's screen shows, by the steps of PS3.3 C.11 and C.7.6.3."""

from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_color_lut, apply_rescale, apply_voi
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    HTJ2K,
    UID,
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

silence_log("pydicom")

_CODECS = {  # what pydicom alone cannot decode and imagecodecs can
    JPEGExtended12Bit: imagecodecs.jpeg_decode,
    JPEGLossless: imagecodecs.jpeg_decode,
    JPEGLosslessSV1: imagecodecs.jpeg_decode,
    JPEGLSLossless: imagecodecs.jpegls_decode,
    JPEGLSNearLossless: imagecodecs.jpegls_decode,
    HTJ2K: imagecodecs.jpeg2k_decode,
    HTJ2KLossless: imagecodecs.jpeg2k_decode,
    HTJ2KLosslessRPCL: imagecodecs.jpeg2k_decode,
}


def read_dicom(file: BinaryIO) -> Image.Image:
    """The first frame as L or RGB, with the file's own rescaling and window. Raises DataError if it holds no picture.

    Files without the 128-byte preamble (old exports) are read too.
    """
    try:
        dataset = dcmread(file, force=True)
        _check(dataset)
        values = _first_frame(dataset)
        return _render(dataset, values)
    except (InvalidDicomError, BytesLengthException) as error:
        raise DataError("not a picture that can be read: {error}", error=error) from error


def _check(dataset: Dataset) -> None:
    if not dataset.get(Message("Rows")) or not dataset.get("Columns"):
        raise DataError("this DICOM file holds no picture (a report, a plan or an index of others)")
    depth = (int(dataset.get("BitsAllocated", 8)) + 7) // 8
    check_size(int(dataset.Columns), int(dataset.Rows), depth * int(dataset.get("SamplesPerPixel", 1)))
    if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise DataError("the file ends too early: the pixels are missing")


def _first_frame(dataset: Dataset) -> Values:
    """(rows, columns) or (rows, columns, 3) as stored; YBR is turned to RGB."""
    syntax = _transfer_syntax(dataset)
    try:
        return pixel_array(dataset, index=0)
    except (NotImplementedError, RuntimeError) as error:
        if syntax not in _CODECS:
            raise DataError(
                "not a picture that can be read: compression {syntax!r} is not supported", syntax=syntax.name
            ) from error
        return _decode(dataset, _CODECS[syntax])


def _transfer_syntax(dataset: Dataset) -> UID:
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return UID(dataset.file_meta.TransferSyntaxUID)


def _decode(dataset: Dataset, codec: Any) -> Values:
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    values: Values = codec(get_frame(dataset.PixelData, 0, number_of_frames=frames))
    if values.shape[:2] != (dataset.Rows, dataset.Columns):
        raise DataError("not a picture that can be read: the compressed picture has another size than its header says")
    if dataset.get("PixelRepresentation", 0) != 1:
        return values
    shift = 32 - int(dataset.BitsStored)  # the codec gives the bits of negative values without their sign
    return (values.astype(np.int32) << shift) >> shift


def _render(dataset: Dataset, values: Values) -> Image.Image:
    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind == "PALETTE COLOR":
        colours = apply_color_lut(values, dataset)
        return from_values((colours >> 8).astype(np.uint8) if colours.itemsize == 2 else colours, colour=True)
    if values.ndim == 3:
        return from_values(values, colour=True)
    grey = _grey(dataset, values)
    return Image.fromarray(255 - grey if kind == "MONOCHROME1" else grey)


def _grey(dataset: Dataset, values: Values) -> Bytes:
    real = apply_rescale(values, dataset)
    if dataset.get("VOILUTSequence"):
        return stretch(apply_voi(values, dataset, index=0))
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is not None and width is not None and width > 0:
        return _apply_window(real, centre, width, str(dataset.get("VOILUTFunction", "LINEAR")))
    padding = dataset.get("PixelPaddingValue")
    if real.dtype == np.uint8:
        return np.asarray(real, dtype=np.uint8)
    return stretch(real, ignore=_rescale(dataset, padding))


def _rescale(dataset: Dataset, value: Any) -> float | None:
    if not isinstance(value, int):
        return None
    return float(apply_rescale(np.array([value]), dataset)[0])


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
