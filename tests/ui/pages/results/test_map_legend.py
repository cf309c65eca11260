"""Ten classes can be told apart on the map without colours, and any of them can be hidden, shown, or left alone."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import class_colour
from sslstudio.ui.pages.results.map_legend import HIDDEN, OTHERS, MapLegend
from sslstudio.ui.widgets.class_marks import SHAPES, paint_mark, shape_of
from tests.ui.plots.test_scatter_map import around, draw, shown

LEFT = Qt.MouseButton.LeftButton


def painted(group: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """The pixels of a mark as large as it is on the map of a screen at 200 %."""
    image = QImage(28, 28, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setPen(QColor("#000000"))
    paint_mark(painter, QPointF(14, 14), group, 9.0)
    painter.end()
    return np.array([[image.pixelColor(x, y).alpha() > 127 for x in range(28)] for y in range(28)])


def test_ten_shapes_differ_without_colour() -> None:
    shapes = [painted(group) for group in range(1, SHAPES + 1)]
    assert SHAPES == 10
    for one, other in combinations(shapes, 2):
        assert (one ^ other).sum() > 0.2 * min(one.sum(), other.sum())


def test_forty_classes_differ_in_shape_or_colour() -> None:
    looks = {(shape_of(group, 5).elementCount(), (group - 1) % SHAPES, class_colour(group)) for group in range(1, 41)}
    assert len(looks) == 40


@pytest.fixture
def legend(qtbot: QtBot) -> MapLegend:
    made = MapLegend()
    qtbot.addWidget(made)
    made.show_groups(["cat", "dog", "owl"], [5, 3, 4])
    made.resize(240, 300)
    made.show()
    return made


def test_an_entry_hides_and_shows_its_points(legend: MapLegend, qtbot: QtBot) -> None:
    assert [legend.group_of(number) for number in range(3)] == [1, 2, 3]
    legend.boxes[1].setFocus()
    with qtbot.waitSignal(legend.changed):
        QTest.keyClick(legend.boxes[1], Qt.Key.Key_Space)
    assert [legend.group_of(number) for number in range(3)] == [1, HIDDEN, 3]
    legend.boxes[1].click()
    assert legend.group_of(1) == 2


def test_only_one_and_all_again(legend: MapLegend) -> None:
    QTest.mouseClick(legend.only[2], LEFT)
    assert [legend.group_of(number) for number in range(3)] == [HIDDEN, HIDDEN, 3]
    assert legend.only[2].text() == "all"
    assert legend.only[0].text() == "only"
    QTest.mouseClick(legend.only[2], LEFT)
    assert [legend.group_of(number) for number in range(3)] == [1, 2, 3]


def test_of_more_than_ten_the_largest_have_marks_and_others_can_be_chosen(legend: MapLegend) -> None:
    names = [f"kind {number}" for number in range(12)]
    legend.show_groups(names, [1, 2, *range(20, 30)])
    assert [legend.group_of(number) for number in (0, 1, 2, 11)] == [OTHERS, OTHERS, 1, 10]
    assert legend.boxes[HIDDEN].name == "others (2)"
    legend.boxes[HIDDEN].click()
    assert legend.group_of(0) == HIDDEN
    legend.menu.aboutToShow.emit()
    actions = legend.menu.actions()
    assert [action.isChecked() for action in actions] == [False, False, *(10 * [True])]
    assert not actions[0].isEnabled()  # ten have marks already
    actions[5].trigger()  # this one is to have none
    legend.menu.aboutToShow.emit()
    legend.menu.actions()[0].trigger()
    assert [legend.group_of(number) for number in (0, 1, 2, 5)] == [1, OTHERS, 2, OTHERS]
    assert len(legend.marked) == 10


def test_hidden_points_are_neither_clicked_nor_gathered(qtbot: QtBot, sample: Path) -> None:
    widget = shown(qtbot, sample)
    chosen: list[int] = []
    taken: list[list[int]] = []
    widget.chosen.connect(chosen.append)
    widget.lassoed.connect(taken.append)
    widget.show_groups([0, 1, 2, 3, -1])
    QTest.mouseClick(widget, LEFT, pos=widget.point_of(4).toPoint())
    assert chosen == []
    draw(widget, around(widget, 4), Qt.KeyboardModifier.NoModifier)
    assert taken[-1] == []
    QTest.mouseClick(widget, LEFT, pos=widget.point_of(0).toPoint())
    QTest.keyClick(widget, Qt.Key.Key_Right)
    assert chosen == [0, 1]  # not the hidden one, which is nearer
