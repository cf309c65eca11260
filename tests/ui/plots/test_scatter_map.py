from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import class_colour
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.plots.scatter_map import EmbeddingMap

LEFT = Qt.MouseButton.LeftButton


def shown(qtbot: QtBot, sample: Path) -> EmbeddingMap:
    """Four corners and a middle."""
    made = EmbeddingMap()
    qtbot.addWidget(made, before_close_func=lambda one: one.finish())
    pictures = sorted((sample / "images").rglob("*.png"))[:5]
    places = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, 0.5]])
    made.resize(400, 300)
    made.show()
    made.show_points(places, [0, 1, 2, 3, 4], [GalleryItem(one, one.name) for one in pictures])
    return made


def around(widget: EmbeddingMap, number: int, reach: int = 30) -> list[QPoint]:
    """Corners of a square around a point."""
    at = widget.point_of(number).toPoint()
    return [at + QPoint(x * reach, y * reach) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]


def draw(widget: EmbeddingMap, line: list[QPoint], keys: Qt.KeyboardModifier) -> None:
    """A line with the left button held."""
    QTest.mousePress(widget, LEFT, keys, line[0])
    for at in line[1:]:
        QTest.mouseMove(widget, at)
        QApplication.processEvents()
    QTest.mouseRelease(widget, LEFT, keys, line[-1])


def test_no_class_covers_the_others(qtbot: QtBot) -> None:
    made = EmbeddingMap()
    qtbot.addWidget(made, before_close_func=lambda one: one.finish())
    made.resize(400, 300)
    made.show()
    places = np.stack(np.meshgrid(np.linspace(0, 1, 12), np.linspace(0, 1, 12)), axis=-1).reshape(-1, 2)
    count = len(places)
    items = [GalleryItem(Path(f"{number}.png"), str(number)) for number in range(2 * count)]
    made.show_points(np.tile(places, (2, 1)), [1] * count + [2] * count, items)  # each place twice, class after class
    picture = made.grab().toImage()
    tops = [
        picture.pixelColor((made.point_of(number) * picture.devicePixelRatio()).toPoint()) for number in range(count)
    ]
    above = [sum(colour == QColor(class_colour(group)) for colour in tops) for group in (1, 2)]
    assert sum(above) == count
    assert min(above) > count / 4


def test_a_click_chooses_and_a_lasso_takes_many(qtbot: QtBot, sample: Path) -> None:
    widget = shown(qtbot, sample)
    chosen: list[int] = []
    taken: list[list[int]] = []
    widget.chosen.connect(chosen.append)
    widget.lassoed.connect(taken.append)
    QTest.mouseClick(widget, LEFT, pos=widget.point_of(4).toPoint())
    assert chosen == [4]
    none, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    draw(widget, around(widget, 1), none)
    draw(widget, around(widget, 4), shift)
    assert taken == [[1], [1, 4]]
    draw(widget, around(widget, 0), none)
    assert taken[-1] == [0]
    QTest.keyClick(widget, Qt.Key.Key_Escape)
    assert taken[-1] == []
    assert widget.selected == []


def test_the_arrow_keys_walk_over_the_map(qtbot: QtBot, sample: Path) -> None:
    widget = shown(qtbot, sample)
    chosen: list[int] = []
    widget.chosen.connect(chosen.append)
    QTest.mouseClick(widget, LEFT, pos=widget.point_of(0).toPoint())
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left):
        QTest.keyClick(widget, key)
    assert chosen == [0, 4, 1, 2, 4]  # the middle is nearer than the corner beyond it


def test_the_mouse_over_a_point_shows_its_picture(qtbot: QtBot, sample: Path) -> None:
    widget = shown(qtbot, sample)
    QTest.mouseMove(widget, widget.point_of(2).toPoint())
    qtbot.waitUntil(lambda: widget._card.isVisible() and not widget._card.picture.pixmap().isNull())
    assert widget.rect().contains(widget._card.geometry())
    assert not widget._card.geometry().contains(widget.point_of(2).toPoint())
    QTest.mouseMove(widget, QPoint(200, 60))
    assert not widget._card.isVisible()


def test_the_wheel_zooms_around_the_mouse_and_back(qtbot: QtBot, sample: Path) -> None:
    widget = shown(qtbot, sample)
    before = [widget.point_of(number) for number in range(5)]

    def turn(steps: int) -> None:
        at = before[2]
        QApplication.sendEvent(widget, QWheelEvent(
            at, QPointF(widget.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        ))  # fmt: skip

    turn(5)
    assert (widget.point_of(2) - before[2]).manhattanLength() < 0.01
    assert (widget.point_of(0) - widget.point_of(2)).manhattanLength() > (before[0] - before[2]).manhattanLength() * 2
    turn(-5)
    assert all((widget.point_of(number) - before[number]).manhattanLength() < 0.01 for number in range(5))
