"""What a file is, told from its first bytes: the content decides, a suffix is only a hint."""

import enum
import re

from sslstudio.engine.core.messages import Message

HEAD = 132  # bytes that are enough for every signature: DICOM has its own at 128

_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # sizes of the second header: 'BM' alone also begins ordinary texts
_PNM = re.compile(rb"P[1-7]\s+(#[^\n]*\n\s*)*(\d|WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIF = {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"}
_AVIF = (b"avif", b"avis")
_RAW = Message("a raw picture of a camera: save it as TIFF or JPEG (darktable, RawTherapee, the camera's program)")
_VOLUME = Message(
    "a NIfTI volume: save its slices as PNG, TIFF or DICOM, a folder for each volume (3D Slicer, ITK-SNAP, med2image)"
)
_HEIC = Message("a HEIC picture: save it as JPEG or PNG (heif-convert, ImageMagick, or the phone's export)")
_NRRD = Message("a volume of a medical program: save its slices as PNG, TIFF or DICOM, a folder for each volume")
# Files that people take for pictures and that are told by their names, because their first bytes say less.
_BY_SUFFIX: dict[str, Message] = {
    **dict.fromkeys((".heic", ".heif", ".hif"), _HEIC),
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".dng", ".srw"), _RAW
    ),
    **dict.fromkeys((".nii", ".nii.gz"), _VOLUME),
    **dict.fromkeys((".nrrd", ".mha", ".mhd", ".mgz"), _NRRD),
    ".czi": Message("a Zeiss CZI file: export its pictures as TIFF (ZEN, Fiji)"),
    ".nd2": Message("a Nikon ND2 file: export its pictures as TIFF (NIS-Elements, Fiji)"),
    ".lif": Message("a Leica LIF file: export its pictures as TIFF (LAS X, Fiji)"),
    ".oib": Message("an Olympus file: export its pictures as TIFF (FluoView, Fiji)"),
    ".oif": Message("an Olympus file: export its pictures as TIFF (FluoView, Fiji)"),
    ".vsi": Message("an Olympus slide: export its pictures as TIFF (QuPath, OlyVIA)"),
    ".mrxs": Message("a slide in many files: export its pictures as TIFF (QuPath, OpenSlide)"),
    ".psd": Message("a Photoshop document: save it as PNG or TIFF"),
    ".exr": Message("an OpenEXR picture: save it as 16-bit PNG or TIFF"),
    ".fits": Message("a FITS picture: save it as 16-bit PNG or TIFF"),
}
# Suffixes of files that are never pictures: they are not opened to find that out.
_ORDINARY = """
    .txt .csv .tsv .json .jsonl .geojson .xml .yaml .yml .toml .ini .cfg .md .rst .html .htm .css .js .py .pyc .ipynb .m
    .mat .r .c .cpp .h .java .sh .bat .log .lock .db .sqlite .pdf .doc .docx .xls .xlsx .ppt .pptx .odt .ods .zip .gz
    .tar .tgz .bz2 .xz .7z .rar .npy .npz .pkl .pt .pth .h5 .hdf5 .onnx .safetensors .parquet .exe .dll .so .lnk .url
    .roi .svg .mp4 .avi .mov .mkv .mp3 .wav .bak .tmp .part .xmp .thm .aae .ds_store .license .gitignore
"""
ORDINARY = frozenset(_ORDINARY.split())
_FOREIGN = {
    b"%PDF": Message("a PDF document: export its pictures as PNG or TIFF"),
    b"PK\x03\x04": Message("a ZIP archive: unpack it first"),
    b"Rar!": Message("a RAR archive: unpack it first"),
    b"\x1f\x8b": Message("a gzip archive: unpack it first"),
    b"8BPS": Message("a Photoshop document: save it as PNG or TIFF"),
    b"\x89HDF": Message("an HDF5 file: export its pictures as PNG or TIFF"),
    b"v/1\x01": Message("an OpenEXR picture: save it as 16-bit PNG or TIFF"),
    b"SIMPLE  =": Message("a FITS picture: save it as 16-bit PNG or TIFF"),
    b"\xd0\xcf\x11\xe0": Message("a compound file of a microscope or an office program: export its pictures as TIFF"),
    b"ZISRAWFILE": Message("a Zeiss CZI file: export its pictures as TIFF (ZEN, Fiji)"),
    b"\xda\xce\xbe\x0a": Message("a Nikon ND2 file: export its pictures as TIFF (NIS-Elements, Fiji)"),
    b"\x5c\x01\0\0": _VOLUME,
    b"\0\0\x01\x5c": _VOLUME,
    b"FUJIFILMCCD-RAW": _RAW,
    b"<svg": Message("an SVG drawing: save it as PNG"),
}


class Kind(enum.Enum):
    """The formats that are read."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    BMP = "BMP"
    GIF = "GIF"
    TIFF = "TIFF"
    DICOM = "DICOM"
    JPEG2000 = "JPEG 2000"
    JPEGXL = "JPEG XL"
    AVIF = "AVIF"
    PNM = "PNM"
    TGA = "TGA"


def kind_of(head: bytes) -> Kind | None:
    """The format of a file that begins with `head` (HEAD bytes, fewer if the file is shorter); None if not known."""
    if head[128:132] == b"DICM":
        return Kind.DICOM
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head.startswith(_TIFF):
        return Kind.TIFF
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Kind.WEBP
    return Kind.BMP if _is_bmp(head) else _newer(head)


def _newer(head: bytes) -> Kind | None:
    if head.startswith((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")):
        return Kind.JPEG2000
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return Kind.JPEGXL
    if head[4:8] == b"ftyp" and (head[8:12] in _AVIF or (head[8:12] == b"mif1" and _names_avif(head))):
        return Kind.AVIF
    return Kind.PNM if _PNM.match(head) else None


def _names_avif(head: bytes) -> bool:
    """Whether the compatible brands of a general HEIF box say AVIF."""
    brands = head[16 : min(len(head), int.from_bytes(head[:4], "big"))]
    return any(brands[at : at + 4] in _AVIF for at in range(0, len(brands), 4))


def is_tga(head: bytes) -> bool:
    """Whether a file named .tga begins as one: TGA has no signature, its header must make sense."""
    if len(head) < 18:
        return False
    mapped, coding, depth = head[1], head[2], head[16]
    size = int.from_bytes(head[12:14], "little") * int.from_bytes(head[14:16], "little")
    return mapped in (0, 1) and coding in (1, 2, 3, 9, 10, 11) and depth in (8, 15, 16, 24, 32) and size > 0


def refused_by_name(name: str) -> Message | None:
    """Why a file that people take for a picture is not read, to be read after its name; None for all others."""
    lower = name.lower()
    words = _BY_SUFFIX.get(".nii.gz" if lower.endswith(".nii.gz") else lower[lower.rfind(".") :])
    return None if words is None else Message("not a picture that can be read: it is {words}", words=words)


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def describe(head: bytes) -> Message:
    """What a file that is no known picture seems to be, to be read after 'not a picture that can be read: '."""
    if not head.strip(b"\0"):
        return Message("it holds nothing but zeros")
    if head[4:8] == b"ftyp":
        return _describe_box(head[8:12])
    for magic, words in _FOREIGN.items():
        if head.startswith(magic):
            return Message("it is {words}", words=words)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return Message("it is a web page (HTML)")
    return Message("it is a text") if _is_text(head) else Message("it begins like no known picture format")


def _describe_box(brand: bytes) -> Message:
    if brand in _HEIF:
        return Message("it is {words}", words=_HEIC)
    return Message("it is {words}", words=_RAW) if brand == b"crx " else Message("it is a film")


def _is_text(head: bytes) -> bool:
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    try:
        head[:-3].decode() if len(head) == HEAD else head.decode()  # the cut may go through a letter
    except UnicodeDecodeError:
        return False
    return True
