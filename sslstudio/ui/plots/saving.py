"""The context menu of a plot: save it as a picture, as a drawing, or its numbers."""

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView, QMenu, QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.file_names import portable_name
from sslstudio.engine.core.files.spreadsheet import harmless
from sslstudio.ui.base.theme import colours
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets import dialogs

Table = tuple[Sequence[str], Sequence[Sequence[object]]]  # heads and rows
SHARPER = 3  # times the pixels of the screen


def offer_saving(card: QWidget, canvas: QWidget, title: Callable[[], str], numbers: Callable[[], Table]) -> None:
    """Have a right click on the card, or the menu key on the canvas, offer to save what is drawn.

    title: what the plot is called now. numbers: what it is drawn from.
    """

    def show(at: QPoint, asked: QWidget) -> None:
        menu = saving_menu(card, canvas, title, numbers)
        menu.exec(asked.mapToGlobal(at))
        menu.deleteLater()

    for one in (card, canvas):
        one.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        one.customContextMenuRequested.connect(partial(lambda one, at: show(at, one), one))


def saving_menu(
    card: QWidget, canvas: QWidget, title: Callable[[], str], numbers: Callable[[], Table], *, in_lines: bool = True
) -> QMenu:
    """The menu, not yet shown. in_lines: whether the canvas paints lines; one that paints pixels makes no drawing."""
    menu = QMenu(card)
    kinds: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        (tr("Save as a picture (PNG)…"), "png", partial(picture_of, card)),
        (tr("Save as a drawing (SVG)…"), "svg", partial(drawing_of, card, canvas)),
        (tr("Save the numbers (CSV)…"), "csv", lambda: table_of(numbers())),
    )
    for said, ending, content in kinds:
        if ending == "svg" and not in_lines:
            continue
        menu.addAction(said).triggered.connect(partial(_save, card, title, ending, content))
    return menu


def _save(card: QWidget, title: Callable[[], str], ending: str, content: Callable[[], bytes], _: bool = False) -> None:
    start = Path.home() / f"{portable_name(title(), 'plot')}.{ending}"
    file = dialogs.choose_new_file(card, tr("Save the plot"), f"{ending.upper()} (*.{ending})", start)
    if file is None:
        return
    try:
        write_atomic(file if file.suffix else file.with_suffix(f".{ending}"), content())
    except StudioError as error:
        dialogs.tell_error(card, error)


def picture_of(card: QWidget) -> bytes:
    """The card as PNG."""
    image = QImage(card.size() * SHARPER, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPER)
    image.fill(QColor(colours().surface))
    card.render(image)
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"png").write(image)
    return bytes(content.data())


def drawing_of(card: QWidget, canvas: QWidget) -> bytes:
    """The card as SVG, in lines and letters."""
    scene = canvas if isinstance(canvas, QGraphicsView) else None  # any other canvas is a piece like the rest
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    drawing = QSvgGenerator()
    drawing.setOutputDevice(buffer)
    drawing.setSize(card.size())
    drawing.setViewBox(card.rect())
    painter = QPainter(drawing)
    painter.fillRect(card.rect(), QColor(colours().surface))
    for piece in card.findChildren(QWidget):  # one by one: rendered as a child, a scene is written as pixels
        if piece.isVisible() and (scene is None or not (piece is scene or scene.isAncestorOf(piece))):
            piece.render(painter, piece.mapTo(card, QPoint()), renderFlags=QWidget.RenderFlag(0))
    if scene is not None and scene.isVisible():
        scene.render(painter, QRectF(scene.geometry().translated(_corner(scene, card))), scene.viewport().rect())
    painter.end()
    return bytes(content.data())


def _corner(canvas: QWidget, card: QWidget) -> QPoint:
    return canvas.mapTo(card, QPoint()) - canvas.pos()


def table_of(numbers: Table) -> bytes:
    """The numbers as CSV, for programs: decimal points, and no cell that a spreadsheet would run."""
    heads, rows = numbers
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return held.getvalue().encode()
