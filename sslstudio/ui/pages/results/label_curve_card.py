"""What further labels would give: the curve of the labels there are, a little beyond its end, and a sentence."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.ui.background import jobs
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.row_job import run_in_row
from sslstudio.ui.plots.saving import Table, offer_saving
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.job_row import JobRow
from sslstudio.ui.widgets.layout import Card, button, row, text

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.verdicts.label_curve import LabelCurve
    from sslstudio.engine.verdicts.more_labels import read_label_curve
else:
    read_label_curve = jobs.late("sslstudio.engine.verdicts.more_labels", "read_label_curve")

LEFT, RIGHT, TOP, BOTTOM = 46, 14, 8, 24  # pixels around the plot, for its numbers


class CurvePlot(QWidget):
    """Score against number of labels, with its band; dashed beyond the labels that there are."""

    def __init__(self) -> None:
        super().__init__()
        self.curve: LabelCurve | None = None
        self.setMinimumSize(200, 150)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # for the menu key, which saves it
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def show_curve(self, curve: "LabelCurve") -> None:
        """Show another one."""
        self.curve = curve
        self.setAccessibleName(formatting.render(curve.said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Axes, band, curve, and what is expected."""
        if self.curve is None:
            return
        points = [*self.curve.points, self.curve.expected]
        room = QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)
        least, most = min(point.low for point in points), max(point.high for point in points)
        span, labels = max(0.05, most - least), points[-1].labels

        def at(number: float, value: float) -> QPointF:
            return QPointF(
                room.left() + room.width() * number / labels, room.bottom() - room.height() * (value - least) / span
            )

        scheme, painter = colours(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(scheme.series[0])
        shade = QColor(colour)
        shade.setAlpha(50)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        upper = [at(point.labels, point.high) for point in points]
        lower = [at(point.labels, point.low) for point in reversed(points)]
        painter.drawPolygon(QPolygonF([*upper, *lower]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 2))
        painter.drawPolyline(QPolygonF([at(point.labels, point.value) for point in points[:-1]]))
        painter.setPen(QPen(colour, 2, Qt.PenStyle.DashLine))
        painter.drawLine(*(at(point.labels, point.value) for point in points[-2:]))
        if self.hasFocus():
            painter.setPen(QPen(QColor(scheme.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.setPen(QColor(scheme.muted))
        self._write(painter, room, least, span, labels)

    def _write(self, painter: QPainter, room: QRectF, least: float, span: float, labels: int) -> None:
        """The numbers at the axes."""
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value in (least, least + span):
            height = room.bottom() - room.height() * (value - least) / span
            painter.drawText(QRectF(0, height - 10, LEFT - 6, 20), right, formatting.percent(value, 0))
        below = QRectF(room.left(), room.bottom() + 4, room.width(), 18)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "0")
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self.tr("labels"))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, formatting.count(labels))


class LabelCurveCard(Card):
    """A button that works it out, and the result."""

    def __init__(self) -> None:
        super().__init__(self.tr("What would more labels give?"), margin=16)
        self._results: Results | None = None
        self.begin = button(self.tr("Work it out, in seconds"), self.start, icon="chart")
        self.progress = JobRow()
        self.said = text("", "field")
        self.plot = CurvePlot()
        self.about = text(
            self.tr(
                "Balanced accuracy of a read-out on features that stay as they are, by cross-validation on the labels "
                "of this run; dashed is what is expected."
            ),
            "small",
        )
        self.add(row(self.begin, None), self.progress, self.said, self.plot, self.about)
        offer_saving(self, self.plot, lambda: self.tr("Score against labels"), self._numbers)
        self._show_face(False)

    def show_results(self, results: Results) -> None:
        """Another run: of masks there is no curve."""
        if results is not self._results:
            self.progress.stop()
            self.progress.said.hide()
            self._results = results
            self._show_face(False)
        self.setVisible(results.metrics["kind"] == "classification")

    def start(self) -> None:
        """Work it out."""
        if self._results is not None and not self.progress.active:
            run_in_row(self.progress, partial(read_label_curve, self._results.run), self._show)

    def _show(self, curve: "LabelCurve") -> None:
        self.said.setText(formatting.tidy(formatting.render(curve.said)))
        self.plot.show_curve(curve)
        self._show_face(True)

    def _numbers(self) -> Table:
        """What the curve is drawn from; what is expected of further labels is said to be."""
        curve = self.plot.curve
        if curve is None:
            return ("labels", "value", "low", "high", "expected"), []
        points = [*((one, False) for one in curve.points), (curve.expected, True)]
        return ("labels", "value", "low", "high", "expected"), [
            (one.labels, one.value, one.low, one.high, int(expected)) for one, expected in points
        ]

    def _show_face(self, there: bool) -> None:
        self.begin.setVisible(not there)
        for one in (self.said, self.plot, self.about):
            one.setVisible(there)

    def finish(self) -> None:
        """The window closes."""
        self.progress.stop()
