"""Score against labels: a curve a task with its intervals, told apart by colour, sign and the order of the legend."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sslstudio.engine.experiments.tables import EfficiencyTable, Score, labels_used, used_counts
from sslstudio.engine.experiments.tables import Row as TableRow
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.plots.axes import SIGNS, PlainAxis, ValueAxis
from sslstudio.ui.plots.canvas import PlotCanvas
from sslstudio.ui.plots.points import Row
from sslstudio.ui.plots.saving import Table, offer_saving
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, clear, make_scrollable, row, text, wrap_layout

SIZE = 11
BESIDE = 0.15  # decades left and right of the curves
APART = 0.012  # decades between the intervals of two rows at the same number of labels


def row_colour(number: int) -> str:
    """Scratch, row 0, is grey; the others have the colours of curves."""
    scheme = colours()
    return scheme.chance if number == 0 else scheme.series[(number - 1) % len(scheme.series)]


class Sign(QWidget):
    """The sign of a row and its name."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__()
        self._number = number
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setText(name)
        self.label.setWordWrap(True)
        layout = row(self.label)
        layout.setContentsMargins(24, 3, 0, 3)
        self.setLayout(layout)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The sign, as it is in the plot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(10, self.height() / 2)
        colour = QColor(row_colour(self._number))
        symbol = SIGNS[self._number % len(SIGNS)]
        pg.graphicsItems.ScatterPlotItem.drawSymbol(painter, symbol, SIZE + 1, pg.mkPen(colour), pg.mkBrush(colour))


class CountAxis(PlainAxis):
    """Numbers of labels on a scale of ratios."""

    def show_counts(self, counts: list[float]) -> None:
        """Name these and no others."""
        self.setTicks([[(float(np.log10(count)), experiment_words.labels_words(count)) for count in counts]])


class EfficiencyPlot(Card):
    """Shows the table of a comparison as curves; a point says its numbers under the pointer, or when the keys come to
    it."""

    def __init__(self) -> None:
        super().__init__(margin=14, gap=6)
        self._table: EfficiencyTable | None = None
        self._across, self._up = CountAxis("bottom"), ValueAxis("left")
        self._up.share = True
        self.plot = PlotCanvas(self._across, self._up, self)
        self.plot.setMinimumSize(220, 150)
        self._items: list[pg.GraphicsObject] = []
        self.points: list[pg.ScatterPlotItem] = []
        self.legend = QVBoxLayout()
        self.legend.setSpacing(2)
        self.about = text("", "small")
        self.waiting = text(self.tr("The curve grows here, point by point, once the comparison runs."), "muted")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        names = make_scrollable(wrap_layout(self.legend))
        names.setFixedWidth(190)
        self.inside = wrap_layout(row((self.plot, 1), names, gap=10))
        self.add((self.waiting, 1), (self.inside, 1), self.about)
        offer_saving(self, self.plot, lambda: self.tr("Score against labels"), self._numbers)
        theme().changed.connect(self._draw)
        self.show_table(None)

    def show_table(self, table: EfficiencyTable | None) -> None:
        """Draw a table; None: nothing is done yet."""
        self._table = table
        there = table is not None and any(row["cells"] for row in table["rows"])
        self.waiting.setVisible(not there)
        self.inside.setVisible(there)
        self.about.setVisible(there)
        self._draw()

    def _draw(self) -> None:
        self.plot.recolour()
        self.plot.leave()
        for item in self._items:
            self.plot.removeItem(item)
        clear(self.legend)
        self._items, self.points = [], []
        table = self._table
        if table is None or self.inside.isHidden():
            return
        counts = list(used_counts(table).values())  # a small class gives what it has
        self._across.show_counts(counts)
        self.plot.setXRange(float(np.log10(counts[0])) - BESIDE, float(np.log10(counts[-1])) + BESIDE, padding=0)
        rows = list(enumerate(table["rows"]))
        for number, one in reversed(rows):  # scratch last: above all others
            if one["cells"]:
                self._draw_row(number, one, len(rows))
        for number, one in rows:
            self.legend.addWidget(Sign(formatting.render(one["title"]), number))
        self._draw_guess(table["baseline"])
        self.legend.addStretch(1)
        self._say_axes(table)

    def _draw_row(self, number: int, one: TableRow, count: int) -> None:
        cells = one["cells"]
        shift = APART * (number - (count - 1) / 2)
        x = np.log10([labels_used(cell) for cell in cells]) + shift
        y = np.array([cell["score"]["value"] for cell in cells])
        lows = np.array([_end(cell["score"]["low"], cell["score"]) for cell in cells])
        highs = np.array([_end(cell["score"]["high"], cell["score"]) for cell in cells])
        colour = QColor(row_colour(number))
        pen = pg.mkPen(colour, width=2.6 if number == 0 else 1.8)
        bar = pg.ErrorBarItem(x=x, y=y, top=highs - y, bottom=y - lows, beam=0.012, pen=pg.mkPen(colour, width=1.2))
        self._put(bar)
        self._put(pg.PlotDataItem(x, y, pen=pen))
        told = [
            f"{formatting.render(one['title'])}, {experiment_words.labels_words(labels_used(cell))}\n"
            f"{experiment_words.cell_words(cell)}"
            for cell in cells
        ]
        points = pg.ScatterPlotItem(
            x=x, y=y, data=told, symbol=SIGNS[number % len(SIGNS)], size=SIZE, pen=pg.mkPen(colour), brush=colour,
            hoverable=True, hoverPen=pg.mkPen(text_colour(), width=2), tip=lambda x, y, data: str(data),
        )  # fmt: skip
        self._put(points)
        self.points.append(points)

    def _put(self, item: pg.GraphicsObject) -> None:
        self._items.append(item)
        self.plot.addItem(item)

    def _draw_guess(self, guess: float | None) -> None:
        if guess is not None:
            pen = pg.mkPen(QColor(colours().chance), width=1, style=Qt.PenStyle.DashLine)
            self._put(pg.InfiniteLine(pos=guess, angle=0, pen=pen))
            self.legend.addWidget(text(self.tr("Dashed: always guessing the most frequent class"), "small"))

    def _say_axes(self, table: EfficiencyTable) -> None:
        across = self.tr("labels a class") if table["kind"] == "classification" else self.tr("labelled pictures")
        what = formatting.metric(table["headline"])
        self.about.setText(
            self.tr("{0} (up) by {1} (across): mean of {2} repeats, strokes are 95 % intervals. Measured on "
                    "{3} test pictures.").format(what, across, table["draws"], formatting.count(table["n_test"]))
        )  # fmt: skip
        newest = [(formatting.render(one["title"]), one["cells"][-1]) for one in table["rows"] if one["cells"]]
        said = [f"{title} {formatting.percent(cell['score']['value'])}" for title, cell in newest]
        self.plot.tell(f"{what}: {', '.join(said)}", self.about.text())

    def _numbers(self) -> Table:
        rows = self._table["rows"] if self._table is not None else []
        return ("start", "labels", "value", "low", "high"), [
            (str(one["title"]), labels_used(cell), *(cell["score"][end] for end in ("value", "low", "high")))
            for one in rows for cell in one["cells"]
        ]  # fmt: skip

    # --- for the canvas

    def stops(self) -> list[Row]:
        """The places of the points, a row each."""
        return [points.getData()[0] for points in self.points]

    def spots(self, x: float) -> list[tuple[float, float]]:
        """The points at x: one, for no two rows have the same places."""
        return [(place, value) for one in self.points for place, value, _ in _read_points(one) if place == x]

    def describe(self, x: float) -> str:
        """The numbers of the point at x."""
        return "\n".join(said for one in self.points for place, _, said in _read_points(one) if place == x)


def _end(end: float | None, score: Score) -> float:
    """An end of the interval; without one the stroke has no length."""
    return score["value"] if end is None else end


def _read_points(points: pg.ScatterPlotItem) -> list[tuple[float, float, str]]:
    """Read place, value and words of each point."""
    return [(float(one.pos().x()), float(one.pos().y()), str(one.data())) for one in points.points()]


def text_colour() -> QColor:
    """The colour of text, for what is under the pointer."""
    return QColor(colours().text)
