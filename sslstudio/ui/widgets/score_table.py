"""Scores with their 95 % intervals, side by side, and the baseline that needs no network."""

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from sslstudio.engine.evaluate.arms import TITLES, arm_title
from sslstudio.engine.runs.metrics import FinetuneMetrics, ScoreInterval, interval_of
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, clear, column, text

PARTS = tuple(TITLES)


def part_title(part: str) -> str:
    """A part of a fine-tuning run, for people."""
    return formatting.render(arm_title(part))


class IntervalBar(QWidget):
    """A score between 0 and 1 as a dot, its interval as a stroke, the baseline as a tick."""

    def __init__(self, value: float, low: float, high: float, baseline: float | None, colour: int) -> None:
        super().__init__()
        self._value, self._low, self._high, self._baseline, self._colour = value, low, high, baseline, colour
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumSize(90, 18)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(120, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Scale, tick, stroke, dot."""
        scheme = colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(scheme.sunken))
        painter.drawRoundedRect(QRectF(0, 7, self.width(), 4), 2, 2)
        if self._baseline is not None:
            painter.setPen(QPen(QColor(scheme.chance), 2))
            painter.drawLine(QPointF(self._x(self._baseline), 2), QPointF(self._x(self._baseline), 16))
        colour = QColor(scheme.series[self._colour])
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(self._x(self._low), 9), QPointF(self._x(self._high), 9))
        for end in (self._low, self._high):
            painter.drawLine(QPointF(self._x(end), 6), QPointF(self._x(end), 12))
        painter.setPen(QPen(QColor(scheme.surface), 1.5))
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(self._x(self._value), 9), 4.5, 4.5)

    def _x(self, value: float) -> float:
        return 6 + min(1.0, max(0.0, value)) * (self.width() - 12)


NAME_WIDTH = 130  # pixels: longer names are wrapped, so that there is room beside the table to say how it is read


class ScoreTable(Card):
    """The content of a fine-tuning run's metrics.json as a table."""

    def __init__(self) -> None:
        super().__init__(gap=12)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(22)
        self._grid.setVerticalSpacing(12)
        self.add(self._grid)
        self._cells: dict[tuple[str, str], str] = {}

    def show_scores(self, metrics: FinetuneMetrics) -> None:
        """Rows are the arms of the run, the main one first, and what always guessing gets; columns the scores."""
        clear(self._grid)
        self._cells = {}
        parts = [part for part in PARTS if part in metrics["parts"]]
        names = list(metrics["parts"][parts[0]]["scores"])
        names.sort(key=lambda name: name != metrics["headline"])
        for place, name in enumerate(names, start=1):
            title = text(formatting.metric(name), "field" if name == metrics["headline"] else "muted")
            self._grid.addWidget(title, 0, place, Qt.AlignmentFlag.AlignBottom)
            self._grid.setColumnStretch(place, 1)
        for line, part in enumerate(parts, start=1):
            self._add_arm(line, part, names, metrics)
        self._add_baseline(len(parts) + 1, names, metrics)
        said = self.tr("Below a score its 95 % interval, over {0} test pictures.")
        below = [text(said.format(formatting.count(metrics["n_test"])), "muted")]
        if parts == ["pretrained"]:
            below.append(text(self.tr("Not compared with not pretraining: no twin from scratch."), "muted"))
        self._grid.addLayout(column(*below, gap=4), len(parts) + 2, 0, 1, len(names) + 1)
        self._grid.setRowStretch(len(parts) + 3, 1)

    def cell(self, name: str, part: str) -> str:
        """What stands in a cell, for tests and for copying."""
        return self._cells[name, part]

    def _add_arm(self, line: int, part: str, names: list[str], metrics: FinetuneMetrics) -> None:
        self._add_name(line, part_title(part), "field" if line == 1 else "body")
        for place, name in enumerate(names, start=1):
            score = metrics["parts"][part]["scores"][name]
            self._grid.addLayout(self._score(name, part, score, metrics["baseline"].get(name)), line, place)

    def _add_baseline(self, line: int, names: list[str], metrics: FinetuneMetrics) -> None:
        self._add_name(line, self.tr("Always the most frequent class"), "muted")
        for place, name in enumerate(names, start=1):
            baseline = metrics["baseline"].get(name)
            said = formatting.percent(baseline) if baseline is not None else "–"
            self._cells[name, "baseline"] = said
            self._grid.addWidget(text(said, "muted", wrap=False), line, place, Qt.AlignmentFlag.AlignTop)

    def _add_name(self, line: int, name: str, role: str) -> None:
        title = text(name, role)
        title.setFixedWidth(NAME_WIDTH)
        self._grid.addWidget(title, line, 0, Qt.AlignmentFlag.AlignTop)

    def _score(self, name: str, part: str, score: ScoreInterval, baseline: float | None) -> Any:
        value, low, high = interval_of(score)
        self._cells[name, part] = formatting.percent(value)
        figure = text(formatting.percent(value), "heading", wrap=False)
        between = self.tr("{0} to {1}").format(formatting.percent(low), formatting.percent(high))
        bar = IntervalBar(value, low, high, baseline, PARTS.index(part))
        return column(figure, bar, text(between, "small", wrap=False), gap=2)
