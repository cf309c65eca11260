"""Which events become which curves, for the two kinds of run."""

import math

from PySide6.QtWidgets import QGridLayout, QWidget

from sslstudio.engine.events import Evaluated, Event, Probed, StepDone
from sslstudio.ui import words
from sslstudio.ui.widgets.live_plot import LivePlot
from sslstudio.ui.widgets.score_table import PARTS, part_title
from sslstudio.ui.words import tr

CHANCE = -1  # the colour of guessing


class Curves(QWidget):
    """Loss and the task's main metric over the steps, and the learning rate in small."""

    def __init__(self) -> None:
        super().__init__()
        self._metric = ""
        self.loss = LivePlot(
            self.tr("Loss"),
            self.tr("How wrong the answers are: it should fall. Where the held-out curve rises, it learns by heart."),
        )
        self.score = LivePlot(self.tr("Right answers"), self.tr("How often the network is right; guessing is dashed."))
        self.rate = LivePlot(
            self.tr("Learning rate"), self.tr("Size of the steps: it rises at first and then falls to nothing.")
        )
        self.worth = LivePlot(
            self.tr("What the features are worth"),
            self.tr(
                "Every now and then a simple classifier is trained on the frozen features and a few labels. Above the "
                "dashed curve of the untrained network, the puzzle teaches something that helps."
            ),
            metric="balanced_accuracy",
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(12)
        self._lay_out(layout)

    def _lay_out(self, layout: QGridLayout) -> None:
        layout.addWidget(self.loss, 0, 0)
        layout.addWidget(self.score, 0, 1)
        layout.addWidget(self.rate, 1, 0)
        layout.addWidget(self.worth, 1, 1)
        layout.setRowStretch(0, 5)
        layout.setRowStretch(1, 3)
        layout.setColumnStretch(0, 5)
        layout.setColumnStretch(1, 6)  # its legend has three curves

    def clear(self) -> None:
        """Begin anew."""
        self._metric = ""
        for plot in (self.loss, self.score, self.rate, self.worth):
            plot.clear()

    def flush(self) -> None:
        """Draw what came."""
        for plot in (self.loss, self.score, self.rate, self.worth):
            plot.flush()

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
            self._metric = next((name for name in event.metrics if name in event.chance), next(iter(event.metrics)))
            self.score.retitle(words.metric(self._metric), self._metric)

    def _take_step(self, event: StepDone) -> None:
        self.loss.append(self.tr("training"), event.step, event.loss, colour=0)
        self.rate.append(self.tr("step size"), event.step, event.learning_rate, colour=2)
        if self._metric in event.metrics:
            self.score.append(self.tr("training"), event.step, event.metrics[self._metric], colour=0)
        self._take_chance(event)

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
            self.worth.append(self.tr("untrained"), event.step, untrained, colour=CHANCE, dashed=True)
        else:
            self.worth.retitle(self.tr("How rich the features are (RankMe)"), "rank")
            self.worth.append(self.tr("this network"), event.step, event.rank, colour=0)
            self.worth.append(self.tr("untrained"), event.step, event.untrained_rank, colour=CHANCE, dashed=True)


class TwinCurves(Curves):
    """Pretrained and scratch in one plot: the same colours as in the results."""

    def _lay_out(self, layout: QGridLayout) -> None:
        layout.addWidget(self.score, 0, 0)
        layout.addWidget(self.loss, 0, 1)
        layout.setColumnStretch(0, 1)
        layout.setColumnStretch(1, 1)
        for unused in (self.rate, self.worth):
            unused.setParent(self)
            unused.hide()

    def _take_step(self, event: StepDone) -> None:
        colour = PARTS.index(event.part) if event.part in PARTS else 0
        self.loss.append(part_title(event.part), event.step, event.loss, colour=colour)

    def _take_evaluation(self, event: Evaluated) -> None:
        colour = PARTS.index(event.part) if event.part in PARTS else 0
        self._metric = self._metric if self._metric in event.metrics else _headline(event)
        self.score.retitle(self.tr("{0}, held out").format(words.metric(self._metric)), self._metric)
        score = event.metrics.get(self._metric, math.nan)
        self.score.append(part_title(event.part), event.step, score, colour=colour)
        if event.part == "pretrained" or "pretrained" not in [name.lower() for name in self.score.curve_names]:
            self._take_chance(event)


def _headline(event: Evaluated) -> str:
    known = [name for name in ("balanced_accuracy", "mean_iou", "accuracy") if name in event.metrics]
    return known[0] if known else next(iter(event.metrics), "")


def state_line(event: StepDone) -> str:
    """Where a run stands, in a line."""
    step = tr("Step {0}").format(words.count(event.step))
    if event.total_steps:
        step = tr("Step {0} of about {1}").format(words.count(event.step), words.count(event.total_steps))
    return words.facts_line([part_title(event.part) if event.part else "", step])
