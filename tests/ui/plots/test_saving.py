"""A plot is saved from its context menu: as it looks, in lines, or as numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.verdicts.label_curve import CurvePoint, LabelCurve
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.pages.results.label_curve_card import LabelCurveCard
from sslstudio.ui.plots import saving
from sslstudio.ui.plots.live_plot import LivePlot
from sslstudio.ui.plots.saving import saving_menu
from sslstudio.ui.plots.scatter_map import EmbeddingMap
from sslstudio.ui.widgets.layout import row
from tests.ui.conftest import Said


@pytest.fixture
def plot(qtbot: QtBot) -> LivePlot:
    """A plot with a curve and its band."""
    made = LivePlot("Worth: what is learnt", "", metric="balanced_accuracy")
    qtbot.addWidget(made)
    made.resize(400, 260)
    made.show()
    for x, y in ((10, 0.5), (20, 0.75)):
        made.append("=this network", x, y)
        made.set_interval("=this network", x, y - 0.1, y + 0.1)
    made.flush()
    return made


def save(plot: LivePlot, number: int) -> None:
    menu = saving_menu(plot, plot._plot, lambda: "Worth", plot._numbers)
    menu.actions()[number].trigger()
    menu.deleteLater()


def test_it_is_saved_as_a_picture_three_times_as_sharp(plot: LivePlot, said: Said, tmp_path: Path) -> None:
    said.file = tmp_path / "worth.png"
    save(plot, 0)
    image = QImage(str(said.file))
    assert (image.width(), image.height()) == (1200, 780)
    assert len({image.pixel(x, 400) for x in range(0, 1200, 3)}) > 2


def test_it_is_saved_in_lines(plot: LivePlot, said: Said, tmp_path: Path) -> None:
    said.file = tmp_path / "worth"
    save(plot, 1)
    file = tmp_path / "worth.svg"
    text = file.read_text(encoding="utf-8")
    assert QSvgRenderer(str(file)).isValid()
    assert text.count("<poly") + text.count("<path") > 5
    assert "<image" not in text
    assert "Worth: what is learnt" in text


def test_its_numbers_are_saved_for_programs(plot: LivePlot, said: Said, tmp_path: Path) -> None:
    said.file = tmp_path / "worth.csv"
    save(plot, 2)
    lines = said.file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "curve,step,value,low,high"
    assert lines[1] == "'=this network,10.0,0.5,0.4,0.6"
    assert len(lines) == 3


def test_where_it_cannot_be_written_that_is_said(plot: LivePlot, said: Said, tmp_path: Path) -> None:
    said.file = tmp_path / "not there" / "worth.csv"
    save(plot, 2)
    assert len(said.errors) == 1


def test_mouse_and_menu_key_open_the_menu(plot: LivePlot, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []

    class Noting(QMenu):
        def exec(self, *_: object) -> None:  # type: ignore[override]
            opened.append(len(self.actions()))

    monkeypatch.setattr(saving, "QMenu", Noting)
    asked: list[Callable[..., None]] = [one.customContextMenuRequested.emit for one in (plot, plot._plot)]
    for ask in asked:
        ask(plot.rect().center())
    assert opened == [3, 3]


def test_no_axis_goes_below_a_floor(qtbot: QtBot) -> None:
    waiting = LivePlot("Waiting, %", "", floor=0)
    qtbot.addWidget(waiting)
    waiting.resize(300, 200)
    waiting.show()
    for x in range(3):
        waiting.append("waiting", x, 0.0)
        waiting.flush()
        assert waiting._plot.getViewBox().viewRange()[1][0] >= 0


def test_a_map_is_saved_with_its_legend_and_as_numbers(said: Said, tmp_path: Path, qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    points = EmbeddingMap()
    points.saved_with = holder
    holder.setLayout(row((points, 1), QLabel("what the marks mean")))
    holder.resize(400, 300)
    holder.show()
    items = [GalleryItem(Path(f"{name}.png"), name, file=f"all/{name}.png", label="cat") for name in "abc"]
    points.show_points(np.array([[0.1, 0.2], [0.5, 0.5], [0.9, 0.1]]), [1, 2, -1], items)
    menu = points.saving_menu()
    assert [one.text().split("(")[1][:3] for one in menu.actions()] == ["PNG", "CSV"]
    said.file = tmp_path / "map.png"
    menu.actions()[0].trigger()
    assert QImage(str(said.file)).width() == 3 * holder.width()
    said.file = tmp_path / "map.csv"
    menu.actions()[1].trigger()
    lines = said.file.read_text(encoding="utf-8").splitlines()
    assert lines == ["picture,x,y,label,group", "all/a.png,0.1,0.2,cat,1", "all/b.png,0.5,0.5,cat,2"]
    menu.deleteLater()
    points.finish()


def test_the_curve_of_the_labels_is_saved(said: Said, tmp_path: Path, qtbot: QtBot) -> None:
    card = LabelCurveCard()
    qtbot.addWidget(card)
    card.resize(400, 300)
    card.show()
    points = [CurvePoint(labels, value, value - 0.1, value + 0.1) for labels, value in ((10, 0.5), (20, 0.6))]
    card._show(LabelCurve(tuple(points), CurvePoint(40, 0.65, 0.5, 0.8), 20, (0.02, 0.06)))
    card.plot.setFocus()
    menu = saving_menu(card, card.plot, lambda: "Curve", card._numbers)
    for action, ending in zip(menu.actions(), ("png", "svg", "csv"), strict=True):
        said.file = tmp_path / f"curve.{ending}"
        action.trigger()
    assert QSvgRenderer(str(tmp_path / "curve.svg")).isValid()
    assert "polyline" in (tmp_path / "curve.svg").read_text(encoding="utf-8"), "in lines, not in pixels"
    assert (tmp_path / "curve.csv").read_text(encoding="utf-8").splitlines()[-1] == "40,0.65,0.5,0.8,1"
    menu.deleteLater()
