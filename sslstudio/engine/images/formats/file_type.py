"""What a file is, told from its first bytes: the content decides, a suffix is only a hint."""

import enum

from sslstudio.engine.core.messages import Message

HEAD = 132  # bytes that are enough for every signature: DICOM has its own at 128

_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # sizes of the second header: 'BM' alone also begins ordinary texts
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIF = {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"}
_FOREIGN = {
    b"%PDF": Message("a PDF document: export its pictures as PNG or TIFF"),
    b"PK\x03\x04": Message("a ZIP archive: unpack it first"),
    b"Rar!": Message("a RAR archive: unpack it first"),
    b"\x1f\x8b": Message("a gzip archive: unpack it first"),
    b"8BPS": Message("a Photoshop document: save it as PNG or TIFF"),
    b"\x89HDF": Message("an HDF5 file: export its pictures as PNG or TIFF"),
    b"\xff\x4f\xff\x51": Message("a JPEG 2000 picture: save it as PNG or TIFF"),
    b"\0\0\0\x0cjP  ": Message("a JPEG 2000 picture: save it as PNG or TIFF"),
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
    return Kind.BMP if _is_bmp(head) else None


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
        return Message("it is a HEIC picture: save it as JPEG or PNG")
    return (
        Message("it is an AVIF picture: save it as JPEG or PNG")
        if brand in (b"avif", b"avis")
        else Message("it is a film")
    )


def _is_text(head: bytes) -> bool:
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    try:
        head[:-3].decode() if len(head) == HEAD else head.decode()  # the cut may go through a letter
    except UnicodeDecodeError:
        return False
    return True
