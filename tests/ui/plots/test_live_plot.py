import dataclasses
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.events import Evaluated, StepDone
from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.train.curves import Curves, TwinCurves
from sslstudio.ui.plots.axes import LegendKey, PlainAxis, stroke
from sslstudio.ui.plots.live_plot import LivePlot
from sslstudio.ui.plots.points import Points
from tests.ui.pages.train.test_run_view import probed


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


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.sampled_from([0.0, 0.9]))
def test_a_run_that_goes_back_takes_its_points_back(steps: list[int], weight: float) -> None:
    points = Points(weight)
    kept: list[tuple[float, float]] = []
    for number, step in enumerate(steps):
        points.append(step, number)
        kept = [*((x, y) for x, y in kept if x < step or (x == step and steps[number - 1] == step)), (step, number)]
    assert list(zip(*(row.tolist() for row in points.xy), strict=True)) == kept
    fresh = Points(weight)
    for x, y in kept:
        fresh.append(x, y)
    assert np.allclose(points.smoothed[1], fresh.smoothed[1])


def test_intervals_of_a_run_that_went_back_are_taken_back(qtbot: QtBot) -> None:
    plot = LivePlot("Worth", "")
    qtbot.addWidget(plot)
    for number in (10, 20, 15):
        plot.append("this network", number, 0.5)
        plot.set_interval("this network", number, 0.4, 0.6)
    assert [mark[0] for mark in plot._bars["this network"].marks] == [10, 15]


def test_a_million_points_are_drawn_in_time(qtbot: QtBot) -> None:
    plot = LivePlot("Loss", "")
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    plot.show()
    plot.append("training", 0, 1.0)
    points = plot._curves["training"].points
    values = np.random.default_rng(0).normal(size=1_000_000)
    points._xy = np.stack([np.arange(1e6), values, values])
    points.count = 999_999
    plot.append("training", 999_999, 0.0)
    plot.flush()
    plot.grab()
    begun = time.process_time()
    plot.append("training", 999_999, 0.0)
    plot.flush()
    plot.grab()
    assert time.process_time() - begun < 1.0


def test_what_is_not_finite_is_left_out(qtbot: QtBot) -> None:
    plot = LivePlot("Loss", "")
    qtbot.addWidget(plot)
    plot.append("training", 1, float("nan"))
    assert plot.curve_names == []
    plot.append("training", 2, 0.5)
    plot.flush()
    assert plot.curve_points("training")[1].tolist() == [0.5]
    assert plot._plot.accessibleName() == "Loss: training  0.500"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.floats(0.0, 0.99))
def test_smoothing_is_the_same_while_it_grows_and_afterwards(values: list[float], weight: float) -> None:
    growing, later = Points(weight), Points()
    for number, value in enumerate(values):
        growing.append(number, value)
        later.append(number, value)
    assert later.smoothed[1].tolist() == values
    later.weigh(weight)
    assert later.smoothed[1].tolist() == growing.smoothed[1].tolist()
    span = max(map(abs, values)) * 1e-6 + 1e-300  # the least numbers there are have no digits to spare
    assert np.all(growing.smoothed[1] >= min(values) - span)
    assert np.all(growing.smoothed[1] <= max(values) + span)
    assert growing.xy[1].tolist() == values


def test_a_smoothed_curve_has_its_raw_one_behind_it(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    for number in range(1, 40):
        curves.take(step(number, loss=1.0 + number % 2))
    curves.flush()
    shown = curves.loss._curves["training"]
    assert shown.raw is None
    curves.tools.smoothing.setValue(30)
    assert shown.raw is not None
    assert np.ptp(shown.item.getOriginalDataset()[1][20:]) < 0.2
    assert np.ptp(shown.raw.getOriginalDataset()[1]) == 1.0
    curves.tools.smoothing.setValue(0)
    assert not shown.raw.isVisible()
    assert np.ptp(shown.item.getOriginalDataset()[1]) == 1.0


def test_a_curve_that_stays_level_is_drawn_at_its_own_size(qtbot: QtBot) -> None:
    plot = LivePlot("Learning rate", "how far a step goes")
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    plot.show()

    def height() -> tuple[float, float]:
        plot.flush()
        view = plot._plot.getViewBox()
        view.updateAutoRange()
        low, high = view.viewRange()[1]
        return low, high

    for number in range(1, 4):
        plot.append("a", number, 0.0005)
        low, high = height()
        assert 0 < low < 0.0005 < high < 0.001
    plot.append("a", 4, 0.02)
    low, high = height()
    assert -0.002 < low < 0.0005
    assert 0.02 < high < 0.03


def test_shares_have_room_for_all_that_is_drawn_and_little_more(qtbot: QtBot) -> None:
    plot = LivePlot("Accuracy", "of the answers", metric="accuracy")
    qtbot.addWidget(plot)

    def top() -> float:
        return float(plot._plot.getViewBox().viewRange()[1][1])

    tops = []
    for number, share in enumerate([0.01, 0.03, 0.06, 0.02, 0.3, 1.0]):
        plot.append("a", number, share)
        tops.append(round(top(), 2))
    assert tops == [0.05, 0.05, 0.1, 0.1, 0.52, 1.03]
    plot.clear()
    assert top() < 0.06
    plot.show_earlier("before", 0, (np.array([1.0, 2.0]), np.array([0.1, 0.18])))
    assert 0.2 < top() < 0.25
    plot.append("a", 1, 0.04)
    plot.set_interval("a", 1, 0.01, 0.4)
    assert 0.4 < top() < 0.6
    plot.clear()
    assert 0.2 < top() < 0.25


def test_what_is_at_one_step_only_is_a_dot_in_its_colour(qtbot: QtBot) -> None:
    plot = LivePlot("Worth", "what the features are worth")
    qtbot.addWidget(plot)
    for _ in range(2):  # the last measurement may be of the same step
        plot.append("a", 2, 0.5, colour=1)
        plot.flush()
        dot = plot._curves["a"].item
        assert dot.opts["symbol"] == "o"
        assert dot.opts["symbolBrush"] == stroke(1, False).color()
    plot.append("a", 3, 0.5, colour=1)
    plot.flush()
    assert dot.opts["symbol"] is None


def test_no_step_comes_before_the_first(qtbot: QtBot) -> None:
    plot = LivePlot("Loss", "how wrong it is")
    qtbot.addWidget(plot)
    plot.append("a", 1, 2.5)
    plot.flush()
    plot._plot.getViewBox().updateAutoRange()
    assert plot._plot.getViewBox().viewRange()[0][0] > -0.5


def test_a_logarithmic_axis_leaves_out_what_has_no_place_on_it(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.resize(900, 500)
    curves.show()
    for number, loss in enumerate((100.0, -1.0, 0.01), start=1):
        curves.take(step(number, loss=loss))
    curves.tools.log.setChecked(True)
    curves.flush()
    curves.grab()
    assert curves.loss._curves["training"].item.getOriginalDataset()[1].tolist() == [100.0, 0.01]
    low, high = curves.loss._plot.getViewBox().viewRange()[1]
    assert low < -1.9 < 1.9 < high
    curves.tools.log.setChecked(False)
    assert len(curves.loss._curves["training"].item.getOriginalDataset()[1]) == 3


def test_the_values_under_the_pointer_are_said(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.resize(900, 500)
    curves.show()
    assert curves.loss.describe(1) == ""
    for event in (step(10, loss=4.0), scored(10), step(20, loss=2.0)):
        curves.take(event)
    curves.flush()
    assert curves.loss.describe(5) == ""  # before the first point
    assert curves.loss.describe(19.6) == "Step 20\ntraining 2.00\nheld out 2.00"
    assert curves.loss.describe(15) == "Step 15\ntraining 4.00\nheld out 2.00"
    curves.loss.hover.look_at(15.0)
    assert curves.loss.hover.label.text().startswith("Step 15")
    assert not curves.loss.hover.label.isHidden()
    curves.loss.hover.away()
    assert curves.loss.hover.label.isHidden()


def test_earlier_runs_lie_over_this_one_and_go_again(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.take(step(1))
    curves.flush()
    curves.show_earlier({"Monday": [step(1, loss=3.0), step(2, loss=2.5)], "Tuesday": [step(1, loss=9.0)]})
    assert curves.loss.curve_points("Monday")[1].tolist() == [3.0, 2.5]
    assert curves.score.curve_points("Tuesday")[1].tolist() == [0.5]
    assert curves.loss.curve_names == ["training"]
    assert "Monday 2.50" in curves.loss.describe(2)
    curves.clear()
    assert curves.loss.curve_points("Monday")[1].tolist() == [3.0, 2.5]  # a new run is compared with them
    curves.show_earlier({})
    assert "Monday" not in curves.loss.describe(2)


def test_the_interval_of_what_the_features_are_worth_is_drawn(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    for number in (25, 50):
        curves.take(probed(number, "helps"))
    bars = curves.worth._bars["this network"]
    assert np.allclose(bars.marks, [(25, 0.5, 0.7), (50, 0.5, 0.7)])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[LivePlot]:
    """The plots that are drawn, in their order."""
    noted: list[LivePlot] = []
    plain = LivePlot.flush

    def flush(plot: LivePlot) -> None:
        noted.append(plot)
        plain(plot)

    monkeypatch.setattr(LivePlot, "flush", flush)
    return noted


def test_one_curve_is_for_people_and_the_others_are_behind_details(drawn: list[LivePlot], qtbot: QtBot) -> None:
    for curves in (Curves(), TwinCurves()):
        drawn.clear()
        qtbot.addWidget(curves)
        curves.resize(900, 500)
        curves.show()
        for event in (step(1, "pretrained"), scored(1, "pretrained"), probed(1, "helps")):
            curves.take(event)
        curves.flush_by_turns()
        qtbot.waitUntil(lambda: drawn == [curves.monitor] and not curves._turns.isActive())  # noqa: B023
        assert [plot for plot in curves.plots if plot.isVisible()] == [curves.monitor]
        assert not curves.tools.isVisible()
        curves.opener.click()
        assert all(plot.isVisible() and not plot.fresh for plot in curves.plots)
        assert curves.tools.isVisible()
        curves.opener.click()
        assert [plot for plot in curves.plots if plot.isVisible()] == [curves.monitor]


def test_speed_and_the_waiting_for_pictures_are_drawn(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    for number, waited in ((1, 0.0), (2, 0.0372)):
        curves.take(replace(step(number), data_wait=waited))
    assert curves.speed.curve_points("pictures")[1].tolist() == [9.0, 9.0]
    assert curves.speed.curve_points("waiting, %")[0].tolist() == [1, 2]
    assert curves.speed.curve_points("waiting, %")[1].tolist() == [0.0, 3.7]


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
    assert curves.loss.curve_names == ["With pretraining", "From scratch"]
    assert {"With pretraining", "From scratch"} <= set(curves.score.curve_names)
    assert curves.score.curve_points("guessing")[1].tolist() == [0.1]


def test_the_twins_show_rate_speed_and_waiting_too(qtbot: QtBot) -> None:
    curves = TwinCurves()
    qtbot.addWidget(curves)
    curves.resize(900, 500)
    curves.show_details(True)
    curves.show()
    for part, wait in (("pretrained", 0.125), ("scratch", 0.25)):
        curves.take(dataclasses.replace(step(1, part), data_wait=wait))
    curves.flush()
    for plot, values in ((curves.rate, (1e-3, 1e-3)), (curves.speed, (9.0, 9.0)), (curves.waiting, (12.5, 25.0))):
        assert plot.isVisible()
        assert plot.curve_names == ["With pretraining", "From scratch"]
        assert [plot.curve_points(name)[1][0] for name in plot.curve_names] == list(values)


def test_after_the_first_round_small_plots_take_turns(
    drawn: list[LivePlot], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sslstudio.ui.pages.train.curves.REST_MS", 1)
    curves = TwinCurves()
    qtbot.addWidget(curves)
    curves.show_details(True)
    drawn.clear()
    curves.show()
    for number in (1, 2):
        curves.take(step(number, "pretrained"))
        curves.flush_by_turns()
        qtbot.waitUntil(lambda: set(drawn) == {curves.loss, *curves.small})
        assert drawn == [curves.loss, *curves.small]  # what is left out of a round comes in the next
        drawn.clear()
    assert curves._resting == 1  # of the last round, which had one plot
    curves.take(step(3, "pretrained"))
    assert curves._round() == [curves.loss, curves.rate]


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


def test_plots_are_drawn_one_after_the_other(drawn: list[LivePlot], qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.show_details(True)
    drawn.clear()
    curves.show()
    curves.take(step(1))
    curves.flush_by_turns()
    curves.flush_by_turns()  # what is due already is not due twice
    assert drawn == []
    qtbot.waitUntil(lambda: len(drawn) == 4)  # nothing came for the worth of the features
    assert drawn == [curves.loss, curves.score, curves.rate, curves.speed]
    assert not curves._turns.isActive()
    assert not any(plot.fresh for plot in curves.plots)


def test_what_came_is_painted_once(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[str] = []
    plain = PlainAxis.paint

    def paint(axis: PlainAxis, *rest: Any) -> None:
        painted.append(axis.orientation)
        plain(axis, *rest)

    monkeypatch.setattr(PlainAxis, "paint", paint)
    plot = LivePlot("Loss", "")
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    with qtbot.waitExposed(plot):
        plot.show()
    for number in range(5):
        plot.append("training", number, 5.0 + number)
        plot.flush()
        qtbot.wait(30)
    painted.clear()
    plot.append("training", 9, 3.0)  # both ranges change
    plot.flush()
    qtbot.wait(100)
    assert sorted(painted) == ["bottom", "left"]


def test_a_key_says_its_value_and_does_not_jump(qtbot: QtBot) -> None:
    key = LegendKey("training", 0, False)
    qtbot.addWidget(key)
    key.say("0.1234")
    widest = key.sizeHint().width()
    key.say("0.1")
    assert key.words == "training  0.1"
    assert key.sizeHint().width() == widest
    assert key.minimumSizeHint().width() < widest
    assert key.fitting(widest) == "training  0.1"
    narrow = key.fitting(widest - 30)
    assert narrow.endswith("…  0.1")  # the name gives way to the value
    assert narrow.startswith("t")
    assert key.fitting(40) in ("0.1", "…")


@pytest.mark.parametrize("kind", [Curves, TwinCurves])
def test_curves_are_told_apart_without_their_colours(kind: type[Curves], qtbot: QtBot) -> None:
    curves = kind()
    qtbot.addWidget(curves)
    curves.resize(900, 500)
    curves.show()
    for part in ("",) if kind is Curves else ("pretrained", "scratch"):
        for number in range(1, 30):
            curves.take(step(number, part))
        curves.take(scored(29, part))
    curves.show_earlier({"Monday": [step(1, loss=3.0), step(2, loss=2.5)], "Tuesday": [step(1, loss=9.0)]})
    curves.flush()
    for plot in curves.plots:
        shown = [*plot._curves.values(), *plot._earlier.values()]
        looks = [(one.dashed, one.signs and one.signs.opts["symbol"]) for one in shown]
        assert len(set(looks)) == len(looks), f"{plot.heading.text()}: {looks}"
    for curve in curves.loss._curves.values():
        if curve.signs is not None:
            across, up = curve.signs.getOriginalDataset()
            assert 1 <= len(across) <= 6
            assert set(zip(across, up, strict=True)) <= set(zip(*curve.points.xy, strict=True))
    curves.tools.log.setChecked(True)
    curves.grab()
    curves.clear()
