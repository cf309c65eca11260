"""Plots are walked with the keys: the same values as under the pointer, a frame that is seen, words for a screen
reader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.compare.efficiency_plot import EfficiencyPlot
from sslstudio.ui.pages.train.curves import Curves
from sslstudio.ui.plots.canvas import PlotCanvas, next_stop
from sslstudio.ui.widgets.shortcuts import ALONG, GIVE_UP
from tests.ui.pages.compare.test_efficiency_plot import table
from tests.ui.plots.test_live_plot import scored, step

Key = Qt.Key
ROWS = st.lists(st.lists(st.integers(-50, 50), unique=True).map(sorted), max_size=4)


@pytest.fixture
def curves(qtbot: QtBot) -> Curves:
    """Thirty steps, two of them looked at on held-out pictures; the loss has the focus."""
    made = Curves()
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show_details(True)
    with qtbot.waitExposed(made):
        made.show()
    for number in range(10, 310, 10):
        made.take(step(number, loss=100.0 / number))
        if number in (100, 200):
            made.take(scored(number))
    made.flush()
    made.activateWindow()
    made.loss._plot.setFocus()
    qtbot.waitUntil(made.loss._plot.hasFocus)
    return made


def place(plot: PlotCanvas) -> float:
    """Where the marker stands."""
    assert plot.hover.stop is not None
    assert plot.hover.label.isVisible()
    assert plot.hover._line.isVisible()
    assert plot.hover._line.value() == plot.hover.stop
    return plot.hover.stop


def press(plot: QWidget, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(plot, key)


@given(ROWS, st.none() | st.integers(-60, 60), st.sampled_from(list(ALONG.values())))
def test_a_key_leads_to_a_point_in_its_direction(rows: list[list[int]], at: int | None, how: tuple[str, int]) -> None:
    stride, way = how
    found = next_stop([np.array(row, np.float64) for row in rows], at, stride, way)
    points = sorted({x for row in rows for x in row})
    if not points:
        assert found is None
    elif at is None:
        assert found == points[0 if (way > 0) != (stride == "end") else -1]
    elif stride == "end":
        assert found == points[0 if way < 0 else -1]
    else:
        aim = at + way * (points[-1] - points[0]) / 10
        on = [x for x in points if (x - at) * way > 0 and (stride == "point" or (x - aim) * way >= -1e-9)]
        fallback = points[-1] if way > 0 else points[0]
        expected = (min(on) if way > 0 else max(on)) if on else fallback
        if stride == "point" or at in range(points[0], points[-1] + 1):
            assert found == pytest.approx(expected)


def test_every_point_is_met_on_the_way_and_none_twice(curves: Curves) -> None:
    plot, met = curves.loss._plot, []
    for _ in range(30):
        press(plot, Key.Key_Right)
        met.append(place(plot))
    assert met == list(range(10, 310, 10))
    press(plot, Key.Key_Right)
    assert place(plot) == 300  # there is no more
    for x in reversed(met[:-1]):
        press(plot, Key.Key_Left)
        assert place(plot) == x


def test_the_keys_show_what_the_pointer_shows(curves: Curves) -> None:
    plot = curves.loss._plot
    press(plot, Key.Key_End)
    assert plot.hover.label.text() == curves.loss.describe(300) == "Step 300\ntraining 0.333\nheld out 2.00"
    press(plot, Key.Key_Home)
    assert plot.hover.label.text() == "Step 10\ntraining 10.0"
    press(plot, Key.Key_PageDown, Key.Key_PageDown, Key.Key_PageUp)
    assert place(plot) == 40  # a tenth of the way from 10 to 300 is 29: to 40, to 70, and back over 41 to 40
    press(plot, Key.Key_Left)
    assert plot.hover.label.text() == curves.loss.describe(30)
    assert plot.accessibleDescription() == curves.loss.describe(30).replace("\n", ", ")


def test_a_spot_lies_on_each_curve_that_has_a_point_there(curves: Curves) -> None:
    plot = curves.loss._plot
    press(plot, Key.Key_End, *(Key.Key_Left,) * 10)
    assert [row.tolist() for row in plot.hover.spots.getOriginalDataset()] == [[200, 200], [0.5, 2.0]]
    press(plot, Key.Key_Right)
    assert [row.tolist() for row in plot.hover.spots.getOriginalDataset()] == [[210], [100 / 210]]
    assert curves.loss.spots(205) == []


def test_on_a_logarithmic_axis_the_spots_lie_on_the_curves(curves: Curves) -> None:
    curves.tools.log.setChecked(True)
    plot = curves.loss._plot
    press(plot, Key.Key_Home)
    assert plot.hover.spots.getData()[1].tolist() == pytest.approx([1.0])  # log10 of 10
    curves.take(step(310, loss=-1.0))
    curves.flush()
    press(plot, Key.Key_End)
    assert "training -1.00" in plot.hover.label.text().replace("−", "-")
    assert curves.loss.spots(310) == []


def test_escape_or_another_place_for_the_keys_takes_the_marker_away(curves: Curves) -> None:
    plot = curves.loss._plot
    press(plot, Key.Key_End, GIVE_UP)
    assert plot.hover.stop is None
    assert not plot.hover.label.isVisible()
    assert not plot.hover._line.isVisible()
    assert "held-out curve" in plot.accessibleDescription()
    press(plot, Key.Key_End)
    curves.score._plot.setFocus()
    assert plot.hover.stop is None
    assert not plot.hover.label.isVisible()
    assert plot.hover.spots.getOriginalDataset()[0] is None or not len(plot.hover.spots.getOriginalDataset()[0])


def test_other_keys_are_left_to_others(curves: Curves) -> None:
    plot = curves.loss._plot
    for key in (Key.Key_Up, Key.Key_N, Key.Key_Space, GIVE_UP):  # Escape has nothing to take away yet
        event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
        plot.keyPressEvent(event)
        assert not event.isAccepted()


def test_a_pointer_that_comes_and_goes_leaves_the_marker(curves: Curves) -> None:
    plot = curves.loss._plot
    press(plot, Key.Key_Home)
    box = plot.getViewBox()
    plot.hover._follow(box.mapViewToScene(QPointF(150.0, 1.0)))
    assert plot.hover.label.text().startswith("Step 150")
    plot.hover.away()
    assert plot.hover.label.text().startswith("Step 10\n")
    assert place(plot) == 10


def test_the_marker_stays_while_the_curves_grow_and_goes_with_them(curves: Curves) -> None:
    plot = curves.loss._plot
    press(plot, Key.Key_End)
    curves.take(step(310, loss=0.25))
    curves.flush()
    assert place(plot) == 300
    assert plot.accessibleName() == "Loss: training  0.250, held out  2.00"
    assert plot.accessibleDescription().startswith("Step 300")
    curves.clear()
    assert plot.hover.stop is None
    assert plot.accessibleName() == "Loss"


def test_the_label_leaves_the_line_in_sight(curves: Curves) -> None:
    plot = curves.loss._plot
    for key in (Key.Key_Home, Key.Key_End):
        press(plot, key)
        line = plot.getViewBox().mapViewToScene(QPointF(place(plot), 0.0)).x()
        label = plot.hover.label.geometry()
        assert plot.rect().contains(label)
        assert not label.left() <= line <= label.right()


def test_nothing_is_said_anew_for_each_event(curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("describe", "stops", "spots", "_tell"):
        monkeypatch.setattr(type(curves.loss), name, lambda *_, name=name: asked.append(name))
    monkeypatch.setattr(PlotCanvas, "tell", lambda *_: asked.append("tell"))
    for number in range(310, 400):
        curves.take(step(number))
    assert asked == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_frame_shows_that_keys_go_here(scheme: str, curves: Curves, qtbot: QtBot) -> None:
    theme().follow(scheme)
    plot, accent = curves.loss._plot, theme().colours.accent

    def framed() -> int:
        image = plot.grab().toImage()
        room = plot.getViewBox().sceneBoundingRect().toRect()
        down = range(room.top() + 8, room.bottom() - 8)
        lines = [[image.pixelColor(room.left() + at, y).name() for y in down] for at in (0, 1)]
        return max(line.count(accent) for line in lines)  # where it lies between two pixels, one of them has it all

    qtbot.waitUntil(lambda: framed() > 10)
    curves.score._plot.setFocus()
    assert framed() == 0
    theme().follow("system")


def test_each_point_of_a_comparison_is_met_with_its_numbers(qtbot: QtBot) -> None:
    plot = EfficiencyPlot()
    qtbot.addWidget(plot)
    plot.resize(700, 400)
    with qtbot.waitExposed(plot):
        plot.show()
    plot.show_table(table(3))
    assert plot.plot.accessibleName() == "Balanced accuracy: Row 0 60.0 %, Row 1 60.0 %, Row 2 60.0 %"
    assert "Measured on 60 test pictures" in plot.plot.accessibleDescription()
    met = []
    for _ in range(6):
        press(plot.plot, Key.Key_Right)
        met.append(plot.plot.hover.label.text())
        assert plot.spots(place(plot.plot)) == [(place(plot.plot), 0.5 if len(met) <= 3 else 0.6)]
    assert [said.splitlines()[0] for said in met] == [f"Row {row}, {n}" for n in (5, 10) for row in range(3)]
    tips = [one.data() for points in plot.points for one in points.points()]
    assert sorted(met) == sorted(tips)  # what the pointer shows
    plot.show_table(table(2))
    assert plot.plot.hover.stop is None
    press(plot.plot, Key.Key_Left)
    assert plot.plot.hover.label.text().startswith("Row 1, 10")
