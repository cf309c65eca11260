import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from sslstudio.engine.events import Evaluated, StepDone
from sslstudio.ui.theme import theme
from sslstudio.ui.widgets.curves import Curves, TwinCurves
from sslstudio.ui.widgets.live_plot import LivePlot, Points


def step(number: int, part: str = "", loss: float = 1.0, accuracy: float = 0.5) -> StepDone:
    metrics = {"other": 3.0, "accuracy": accuracy}
    return StepDone(
        part=part, step=number, total_steps=10, epoch=1.0, loss=loss, metrics=metrics, chance={"accuracy": 0.1},
        learning_rate=1e-3, pictures_per_second=9.0, seconds_left=5.0,
    )  # fmt: skip


def scored(number: int, part: str = "") -> Evaluated:
    metrics = {"loss": 2.0, "accuracy": 0.25}
    return Evaluated(part=part, step=number, split="validation", n=9, metrics=metrics, chance={"accuracy": 0.1})


@given(st.lists(st.floats(-1e9, 1e9), max_size=3000))
def test_points_are_kept_whatever_their_number(values: list[float]) -> None:
    points = Points()
    for number, value in enumerate(values):
        points.append(number, value)
    x, y = points.xy
    assert x.tolist() == list(range(len(values)))
    assert y.tolist() == values


def test_a_million_points_are_drawn_in_time(qtbot: QtBot) -> None:
    plot = LivePlot("Loss", "")
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    plot.show()
    plot.append("training", 0, 1.0)
    points = plot._curves["training"].points
    points._xy = np.stack([np.arange(1e6), np.random.default_rng(0).normal(size=1_000_000)])
    points.count = 999_999
    plot.append("training", 999_999, 0.0)
    plot.flush()
    plot.grab()
    begun = time.perf_counter()
    plot.append("training", 999_999, 0.0)
    plot.flush()
    plot.grab()
    assert time.perf_counter() - begun < 1.0


def test_what_is_not_finite_is_left_out(qtbot: QtBot) -> None:
    plot = LivePlot("Loss", "")
    qtbot.addWidget(plot)
    plot.append("training", 1, float("nan"))
    assert plot.curve_names == []
    plot.append("training", 2, 0.5)
    plot.flush()
    assert plot.curve_points("training")[1].tolist() == [0.5]
    assert plot.accessibleName() == "Loss: training  0.500"


def test_pretraining_shows_the_metric_that_has_a_chance_level(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    for event in (step(1), step(2, accuracy=0.75), scored(2)):
        curves.take(event)
    curves.flush()
    assert curves.score.heading.text() == "Accuracy"
    assert curves.score.curve_points("training")[1].tolist() == [0.5, 0.75]
    assert curves.score.curve_points("guessing")[1].tolist() == [0.1, 0.1]
    assert curves.score.curve_points("held out")[1].tolist() == [0.25]
    assert curves.loss.curve_points("held out")[1].tolist() == [2.0]
    assert curves.rate.curve_points("step size")[1].tolist() == [1e-3, 1e-3]


def test_the_twins_share_a_plot(qtbot: QtBot) -> None:
    curves = TwinCurves()
    qtbot.addWidget(curves)
    for part in ("pretrained", "scratch"):
        curves.take(step(1, part))
        curves.take(scored(1, part))
    curves.flush()
    assert curves.loss.curve_names == ["Pretrained", "From scratch"]
    assert {"Pretrained", "From scratch"} <= set(curves.score.curve_names)
    assert curves.score.curve_points("guessing")[1].tolist() == [0.1]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_curves_are_painted_in_both_schemes(scheme: str, qtbot: QtBot) -> None:
    plot = LivePlot("Loss", "")
    qtbot.addWidget(plot)
    plot.resize(400, 260)
    plot.show()
    for number in range(10):
        plot.append("training", number, number)
    plot.flush()
    theme().follow(scheme)
    image = plot.grab().toImage()
    colour = theme().colours.series[0]
    theme().follow("light")
    found = {image.pixelColor(x, y).name() for x in range(0, image.width()) for y in range(60, image.height())}
    assert colour in found
