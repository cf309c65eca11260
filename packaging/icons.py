"""Draw the program's icon in every size that systems ask for: python packaging/icons.py FOLDER writes 16.png to
512.png. From these PyInstaller makes .ico and .icns by itself, and the Debian package its hicolor folders."""

import os
import sys
from pathlib import Path

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
DRAWING = Path(__file__).resolve().parents[1] / "resources" / "icons" / "app.svg"


def draw(folder: Path) -> list[Path]:
    """Write one picture a size; returns them, the smallest first."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QByteArray
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(QByteArray(DRAWING.read_bytes()))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for side in SIZES:
        image = QImage(side, side, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        file = folder / f"{side}.png"
        if not image.save(str(file)):
            raise OSError(f"{file} could not be written")
        written.append(file)
    return written


if __name__ == "__main__":
    print(f"{len(draw(Path(sys.argv[1])))} pictures in {sys.argv[1]}")
