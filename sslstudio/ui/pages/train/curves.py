"""Which events become which curves, for the two kinds of run."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QSlider, QVBoxLayout, QWidget

from sslstudio.engine.core.events import Evaluated, Event, Probed, StepDone
from sslstudio.engine.evaluate.arms import PRETRAINED
from sslstudio.ui.base.theme import tint
from sslstudio.ui.plots.live_plot import LivePlot
from sslstudio.ui.plots.points import Row
from sslstudio.ui.text import formatting
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets.elided import ElidedLabel
from sslstudio.ui.widgets.layout import button, column, keep_hidden, make_scrollable, retitle, row, text, wrap_layout
from sslstudio.ui.widgets.score_table import PARTS, part_title

CHANCE = -1  # the colour of guessing
TURN_MS = 20  # between two plots that are drawn one after the other
REST_MS = 1000  # after a round for each plot of it: they take a core's time, which the training could use
ROUND = 3  # plots: the two large ones and a small one; only the first round has all
LEAST = 290  # pixels for two lines of plots with their keys; where a verdict above leaves less, they scroll
HINTED = 620  # pixels of the line from which on it has room for its hint
SMOOTHEST = 40  # positions of the slider; the last one averages over a hundred points or so


class CurveTools(QWidget):
    """A line above the plots."""

    log_wanted = Signal(bool)
    smoothing_wanted = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.log = QCheckBox(self.tr("Logarithmic loss"))
        self.log.toggled.connect(self.log_wanted)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setRange(0, SMOOTHEST)
        self.smoothing.setMinimumWidth(60)
        self.smoothing.setMaximumWidth(150)
        self.smoothing.setAccessibleName(self.tr("Smoothing"))
        self.smoothing.valueChanged.connect(lambda place: self.smoothing_wanted.emit(weight_of(place)))
        hint = ElidedLabel("small")
        hint.say(self.tr("Values: point at a curve, or Tab and arrow keys. Earlier runs: tick them."))
        layout = row(self.log, 14, text(self.tr("Smoothing"), "body", wrap=False), self.smoothing, 14, (hint, 1), gap=8)
        layout.setContentsMargins(2, 0, 0, 0)
        self.setLayout(layout)
        self._hint = hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Half a hint helps nobody."""
        self._hint.setVisible(self.width() >= HINTED)
        super().resizeEvent(event)


def weight_of(place: int) -> float:
    """Position of the slider -> weight of the mean before, evenly in the number of points averaged over (1 to 100)."""
    return 1.0 - 10.0 ** (-2.0 * place / SMOOTHEST) if place else 0.0


class Curves(QWidget):
    """One curve for people, the worth of what is learnt against the untrained network. Behind *Details* are loss and
    the task's main metric over the steps, and in small learning rate and speed."""

    def __init__(self) -> None:
        super().__init__()
        self._metric = ""
        self._due: list[LivePlot] = []
        self._drawn: list[LivePlot] = []  # small plots, the one that has waited longest first
        self._resting = 0  # ms that the round before asks for
        self._turns = QTimer(self)
        self._turns.timeout.connect(self._draw_next)
        self._rested = QElapsedTimer()
        self._make_plots()
        self.tools = CurveTools()
        self.tools.log_wanted.connect(self.loss.set_log)
        self.tools.smoothing_wanted.connect(self._smooth)
        self.opener = button("", lambda: self.show_details(not self.detailed), "link", "right")
        self.detailed = False
        self._beside = row(gap=0)  # the monitor's place among the others
        self._alone = row((self.monitor, 1), gap=0)
        inside = column(self.tools, gap=8)
        self._lay_out(inside)
        holder = wrap_layout(inside)
        holder.setMinimumHeight(LEAST)
        self._inside = make_scrollable(holder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 10, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._alone, 1)
        layout.addWidget(self._inside, 1)
        layout.addLayout(row(self.opener, None))
        self._layout = layout
        self.show_details(False)

    def _make_plots(self) -> None:
        self.loss = LivePlot(
            self.tr("Loss"),
            self.tr("How wrong the answers are: it should fall. Where the held-out curve rises, it learns by heart."),
        )
        self.score = LivePlot(self.tr("Right answers"), self.tr("How often the network is right; guessing is dashed."))
        self.rate = LivePlot(
            self.tr("Learning rate"),
            self.tr("Size of the steps: it rises at first and then falls to nothing."),
            floor=0,
        )
        self.worth = LivePlot(
            self.tr("Worth of what is learnt"),
            self.tr(
                "Every now and then a simple classifier is trained on the frozen features and a few labels. Above the "
                "dashed curve of the untrained network, the puzzle teaches something that helps."
            ),
            metric="balanced_accuracy",
            wait=self.tr(
                "What is learnt is compared with the untrained network after a quarter of the run at the latest, "
                "unless the probe is switched off, and is drawn here then. Until then the other curves say more: "
                "Details."
            ),
        )
        self.speed = LivePlot(
            self.tr("Pictures a second"),
            self.tr("How fast it goes. Waiting is the share of the time in which the next pictures are not ready yet."),
            floor=0,
        )

    def _lay_out(self, layout: QVBoxLayout) -> None:
        layout.addLayout(row((self.loss, 5), (self.score, 6), gap=12), 5)  # the legend of the score has three curves
        layout.addLayout(row((self.rate, 5), (self.speed, 5), (self._beside, 6), gap=12), 3)

    @property
    def monitor(self) -> LivePlot:
        """The one that is shown without the details."""
        return self.worth

    @property
    def small(self) -> tuple[LivePlot, ...]:
        """Those below the two large ones."""
        return self.rate, self.speed, self.worth

    @property
    def plots(self) -> tuple[LivePlot, ...]:
        """All of them."""
        return self.loss, self.score, *self.small

    @property
    def _seen(self) -> tuple[LivePlot, ...]:
        return self.plots if self.detailed else (self.monitor,)

    def show_details(self, wanted: bool) -> None:
        """Show all curves, or only the one for people."""
        self.detailed = wanted
        (self._beside if wanted else self._alone).addWidget(self.monitor, 1)
        self.monitor.show()  # now and not later, as Qt would after a change of places
        self._inside.setVisible(wanted)
        self._layout.setStretch(0, 0 if wanted else 1)  # its place takes no room while it is among the others
        retitle(self.opener, self.tr("Only the curve that counts") if wanted else self.tr("Details: all curves"))
        tint(self.opener, "down" if wanted else "right", "accent")
        if wanted:
            self.flush()  # what came meanwhile

    def _smooth(self, weight: float) -> None:
        for plot in (self.loss, self.score):
            plot.set_smoothing(weight)

    def clear(self) -> None:
        """Begin anew."""
        self._metric = ""
        self._due, self._drawn = [], []
        self._turns.stop()
        self._rested.invalidate()
        for plot in self.plots:
            plot.clear()

    def flush(self) -> None:
        """Draw what came."""
        for plot in self.plots:
            plot.flush()

    def flush_by_turns(self) -> None:
        """Draw what came, one plot after the other: all at once hold up the window, and with it every click."""
        if not self._turns.isActive() and any(plot.fresh for plot in self._seen):
            rest = self._resting - self._rested.elapsed() if self._rested.isValid() else 0
            self._turns.start(max(TURN_MS, rest))

    def _draw_next(self) -> None:
        self._turns.setInterval(TURN_MS)
        if not self._due:
            self._due = self._round()
            self._resting = REST_MS * min(len(self._due), ROUND)
        if self._due:
            plot = self._due.pop(0)
            plot.flush()
            if plot in self.small:
                self._drawn = [*(one for one in self._drawn if one is not plot), plot]
        if not self._due:
            self._turns.stop()
            self._rested.start()
            self.flush_by_turns()  # small plots whose turn is still to come

    def _round(self) -> list[LivePlot]:
        """Of what came: both large plots, the small one that has waited longest, and any that shows nothing yet."""
        turn = next((plot for plot in self._drawn if plot.fresh), None)
        passed = [plot for plot in self._drawn if plot is not turn]
        return [plot for plot in self._seen if plot.fresh and plot not in passed]

    def show_earlier(self, runs: Mapping[str, Sequence[Event]]) -> None:
        """Loss, main metric and worth of earlier runs, thin and dotted over those of this one."""
        for plot in self.plots:
            plot.forget_earlier()
        for number, (title, events) in enumerate(runs.items()):
            steps = [event for event in events if isinstance(event, StepDone) and event.part in ("", PRETRAINED)]
            metric = self._metric or _main_metric(steps)
            self.loss.show_earlier(title, number, rows((step.step, step.loss) for step in steps))
            scores = ((step.step, step.metrics[metric]) for step in steps if metric in step.metrics)
            self.score.show_earlier(title, number, rows(scores))
            looks = [event for event in events if isinstance(event, Probed) and event.difference]
            self.worth.show_earlier(title, number, rows((look.step, look.difference["ours"]) for look in looks))

    def take(self, event: Event) -> None:
        """Append the points of an event."""
        if isinstance(event, StepDone):
            self._choose_metric(event)
            self._take_step(event)
        elif isinstance(event, Evaluated) and event.split == "validation":
            self._take_evaluation(event)
        elif isinstance(event, Probed):
            self._take_probe(event)

    def _choose_metric(self, event: StepDone) -> None:
        """The first metric that has a chance level, else the first one."""
        if not self._metric and event.metrics:
            self._metric = _main_metric([event])
            self.score.retitle(formatting.metric(self._metric), self._metric)

    def _take_step(self, event: StepDone) -> None:
        self.loss.append(self.tr("training"), event.step, event.loss, colour=0)
        self.rate.append(self.tr("step size"), event.step, event.learning_rate, colour=2)
        self._take_speed(event)
        if self._metric in event.metrics:
            self.score.append(self.tr("training"), event.step, event.metrics[self._metric], colour=0)
        self._take_chance(event)

    def _take_speed(self, event: StepDone) -> None:
        self.speed.append(self.tr("pictures"), event.step, event.pictures_per_second, colour=0)
        self.speed.append(self.tr("waiting, %"), event.step, round(100 * event.data_wait, 1), colour=1)

    def _take_chance(self, event: StepDone | Evaluated) -> None:
        if self._metric in event.chance:
            self.score.append(self.tr("guessing"), event.step, event.chance[self._metric], colour=CHANCE, dashed=True)

    def _take_evaluation(self, event: Evaluated) -> None:
        self.loss.append(self.tr("held out"), event.step, event.metrics.get("loss", math.nan), colour=1)
        if self._metric:
            held_out = event.metrics.get(self._metric, math.nan)
            self.score.append(self.tr("held out"), event.step, held_out, colour=1)

    def _take_probe(self, event: Probed) -> None:
        if event.difference:
            self.worth.append(self.tr("this network"), event.step, event.difference["ours"], colour=0)
            untrained = event.difference["untrained"]
            low, high = (untrained + event.difference[end] for end in ("low", "high"))
            self.worth.set_interval(self.tr("this network"), event.step, low, high)
            self.worth.append(self.tr("untrained"), event.step, untrained, colour=CHANCE, dashed=True)
        else:
            self.worth.retitle(self.tr("How rich the features are (RankMe)"), "rank")
            self.worth.append(self.tr("this network"), event.step, event.rank, colour=0)
            self.worth.append(self.tr("untrained"), event.step, event.untrained_rank, colour=CHANCE, dashed=True)


class TwinCurves(Curves):
    """Pretrained and scratch in one plot: the same colours as in the results. The curve for people is the score."""

    def _make_plots(self) -> None:
        super()._make_plots()
        self.waiting = LivePlot(
            self.tr("Waiting, %"),
            self.tr("Waiting is the share of the time in which the next pictures are not ready yet."),
            floor=0,
        )
        keep_hidden(self, self.worth)  # nothing is probed while a few labels are learnt

    def _lay_out(self, layout: QVBoxLayout) -> None:
        layout.addLayout(row((self._beside, 1), (self.loss, 1), gap=12), 5)
        layout.addLayout(row((self.rate, 1), (self.speed, 1), (self.waiting, 1), gap=12), 3)

    @property
    def monitor(self) -> LivePlot:
        """The score on held-out pictures."""
        return self.score

    @property
    def small(self) -> tuple[LivePlot, ...]:
        """Those below the two large ones."""
        return self.rate, self.speed, self.waiting

    def _take_step(self, event: StepDone) -> None:
        title, colour = part_title(event.part), _colour(event.part)
        self.loss.append(title, event.step, event.loss, colour=colour)
        self.rate.append(title, event.step, event.learning_rate, colour=colour)
        self.speed.append(title, event.step, event.pictures_per_second, colour=colour)
        self.waiting.append(title, event.step, round(100 * event.data_wait, 1), colour=colour)

    def _take_evaluation(self, event: Evaluated) -> None:
        colour = _colour(event.part)
        self._metric = self._metric if self._metric in event.metrics else _headline(event)
        self.score.retitle(self.tr("{0}, held out").format(formatting.metric(self._metric)), self._metric)
        score = event.metrics.get(self._metric, math.nan)
        self.score.append(part_title(event.part), event.step, score, colour=colour)
        if event.part == PRETRAINED or part_title(PRETRAINED) not in self.score.curve_names:
            self._take_chance(event)


def _colour(part: str) -> int:
    return PARTS.index(part) if part in PARTS else 0


def _main_metric(steps: Sequence[StepDone]) -> str:
    """The first metric that has a chance level, else the first one."""
    metrics, chance = (steps[0].metrics, steps[0].chance) if steps else ({}, {})
    return next((name for name in metrics if name in chance), next(iter(metrics), ""))


def rows(points: Iterable[tuple[float, float]]) -> tuple[Row, Row]:
    """Points as two arrays, those that are not finite left out."""
    found = np.array([(x, y) for x, y in points if math.isfinite(y)], np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _headline(event: Evaluated) -> str:
    known = [name for name in ("balanced_accuracy", "mean_iou", "accuracy") if name in event.metrics]
    return known[0] if known else next(iter(event.metrics), "")


def state_line(event: StepDone) -> str:
    """Where a run stands, in a line."""
    step = tr("Step {0}").format(formatting.count(event.step))
    if event.total_steps:
        step = tr("Step {0} of about {1}").format(formatting.count(event.step), formatting.count(event.total_steps))
    return formatting.facts_line([part_title(event.part) if event.part else "", step])
