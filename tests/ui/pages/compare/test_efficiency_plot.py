"""The curve of a comparison: told apart by more than colour, every point with its numbers, in both schemes."""

from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.compare.efficiency_plot import EfficiencyPlot, row_colour
from sslstudio.ui.plots.axes import PlainAxis


def cell(labels: int, value: float, difference: float | None) -> dict[str, Any]:
    gap = None if difference is None else {"value": difference, "low": difference - 0.02, "high": difference + 0.02}
    return {
        "labels": labels, "draws": [value], "score": {"value": value, "low": value - 0.05, "high": None},
        "difference": gap, "verdict": None if gap is None else "helps", "worth": None,
    }  # fmt: skip


def table(rows: int) -> Any:
    return {
        "kind": "classification", "headline": "balanced_accuracy", "draws": 3, "n_test": 60, "baseline": 0.25,
        "labels": [5, 10], "scratch_labels": [5, 10, 50],
        "rows": [
            {
                "title": f"Row {row}", "note": "",
                "cells": [cell(5, 0.5, 0.1 if row else None), cell(10, 0.6, 0.1 if row else None)],
            }
            for row in range(rows)
        ],
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rows_differ_in_colour_and_in_sign(scheme: str, qtbot: QtBot) -> None:
    plot = EfficiencyPlot()
    qtbot.addWidget(plot)
    plot.show_table(table(7))
    theme().follow(scheme)
    looks = [(points.opts["symbol"], points.opts["brush"].color().name()) for points in plot.points]
    assert len({sign for sign, _ in looks}) == len({colour for _, colour in looks}) == 7
    assert looks[-1] == ("o", row_colour(0))  # scratch lies above the others
    theme().follow("system")


def test_points_say_their_numbers_and_lie_at_their_labels(qtbot: QtBot) -> None:
    plot = EfficiencyPlot()
    qtbot.addWidget(plot)
    assert plot.inside.isHidden()
    plot.show_table(table(2))
    first = plot.points[0].points()[1]
    tip = plot.points[0].opts["tip"]
    assert tip(x=0.0, y=0.0, data=first.data()) == ("Row 1, 10\n60.0 %\n+10.0 points (+8.0\u00a0to\u00a0+12.0)\nHelps")
    assert first.pos().x() == pytest.approx(np.log10(10), abs=0.02)
    low, high = plot.plot.viewRange()[0]
    assert low < np.log10(5) < np.log10(50) < high
    plot.show_table(None)
    assert plot.points == []
    assert not plot.waiting.isHidden()


def test_its_axes_are_drawn_as_those_of_the_live_plots(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[str] = []
    plain = PlainAxis.paint

    def paint(axis: PlainAxis, *rest: Any) -> None:
        painted.append(axis.orientation)
        plain(axis, *rest)

    monkeypatch.setattr(PlainAxis, "paint", paint)
    plot = EfficiencyPlot()
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show_table(table(2))
    plot.grab()
    assert set(painted) == {"bottom", "left"}
    specs = {axis.orientation: axis._specs for axis in (plot._across, plot._up)}
    assert [said for _, _, said in specs["bottom"][2]] == ["5", "10", "50"]  # type: ignore[index]
    assert "50 %" in [said for _, _, said in specs["left"][2]]  # type: ignore[index]


def test_a_small_class_moves_the_point_to_what_it_had(qtbot: QtBot) -> None:
    plot = EfficiencyPlot()
    qtbot.addWidget(plot)
    shown = table(2)
    for row in shown["rows"]:
        row["cells"][1]["used"] = 7.5
    plot.show_table(shown)
    assert plot.points[0].points()[1].pos().x() == pytest.approx(np.log10(7.5), abs=0.02)
    assert str(plot.points[0].points()[1].data()).startswith("Row 1, 7.5\n")
