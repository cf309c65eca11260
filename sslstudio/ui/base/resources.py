"""Icons, styles and catalogues as Qt has them. Where they lie is known to `engine/core/files/resource_files`."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from sslstudio.engine.core.files.resource_files import find_resource

ICON_SIZES = (16, 20, 24, 32, 48, 64)
GREY_SIZES = (20, 32, 64)  # the others are scaled: each takes its time, and grey is seldom looked at closely


def find(name: str) -> Path:
    """The file or folder `name` below resources/. Raises FileNotFoundError naming where it was looked for."""
    return find_resource(name)


@lru_cache(maxsize=64)
def _drawing(name: str) -> str:
    return find(f"icons/{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, side: int, ratio: float = 1.0) -> QPixmap:
    """The icon drawn in one colour; `side` in device-independent pixels."""
    renderer = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", colour).encode()))
    real = round(side * ratio)
    drawn = QPixmap(QSize(real, real))
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    renderer.render(painter, QRectF(0, 0, real, real))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


@lru_cache(maxsize=256)
def icon(name: str, colour: str, disabled: str = "") -> QIcon:
    """The icon in all usual sizes, so that it is sharp on every screen."""
    made = QIcon()
    for side in ICON_SIZES:
        made.addPixmap(pixmap(name, colour, side))
        if disabled and side in GREY_SIZES:
            made.addPixmap(pixmap(name, QColor(disabled).name(), side), QIcon.Mode.Disabled)
    return made
