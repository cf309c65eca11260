"""A mask as an image that is laid over its picture."""

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from sslstudio.ui.base.theme import MASKS

LEFT_OUT = 255  # pixels that do not count


def mask_image(mask: npt.NDArray[np.uint8]) -> QImage:
    """Class numbers (h, w) -> an image that is clear where the background is and where pixels do not count."""
    table = np.zeros((256, 4), np.uint8)
    for number in range(1, LEFT_OUT):
        colour = QColor(MASKS[1 + (number - 1) % (len(MASKS) - 1)])
        table[number] = colour.red(), colour.green(), colour.blue(), 255
    pixels = np.ascontiguousarray(table[mask])
    height, width = mask.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def outline_of(mask: QImage) -> QImage:
    """The borders of a mask image alone: what has a pixel of another class above, below or beside it."""
    plain = mask.convertToFormat(QImage.Format.Format_RGBA8888)
    height, width = plain.height(), plain.width()
    pixels = np.frombuffer(plain.constBits(), np.uint32).reshape(height, -1)[:, :width].copy()
    border = np.zeros((height, width), bool)
    down, across = pixels[1:] != pixels[:-1], pixels[:, 1:] != pixels[:, :-1]
    border[1:] |= down
    border[:-1] |= down
    border[:, 1:] |= across
    border[:, :-1] |= across
    pixels[~border] = 0
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
