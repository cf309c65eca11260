"""Numbers at the axes of plots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from sslstudio.ui.plots.axes import ValueAxis


@pytest.mark.parametrize(
    ("values", "spacing", "said"),
    [
        ([0.0, 0.00005, 0.0001], 5e-5, ["0", "0.00005", "0.00010"]),
        ([0.0, 0.001, 0.002], 1e-3, ["0", "0.001", "0.002"]),
        ([0.0, 0.5, 1.0], 0.5, ["0", "0.5", "1.0"]),
        ([1e-9, 2e-9], 1e-9, ["1e-09", "2e-09"]),
    ],
)
def test_small_numbers_are_written_out(qtbot: QtBot, values: list[float], spacing: float, said: list[str]) -> None:
    assert ValueAxis("left").tickStrings(values, 1.0, spacing) == said


def test_shares_are_said_in_per_cent(qtbot: QtBot) -> None:
    axis = ValueAxis("left")
    axis.share = True
    assert axis.tickStrings([0.0, 0.05, 0.8], 1.0, 0.05) == ["0 %", "5 %", "80 %"]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.floats(20, 2000))
def test_no_number_at_the_side_stands_on_another(qapp: object, low: float, span: float, size: float) -> None:
    axis = ValueAxis("left")
    (step, _), *_ = axis.tickSpacing(low, low + span, size)
    assert step * size / span > 14.9
    assert step <= span or size < 60  # and there is one at least
