"""The row of a job shows what it is told, and asks the job to end once."""

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.ui.widgets.job_row import JobRow


@pytest.fixture
def row(qtbot: QtBot) -> JobRow:
    """A row with nothing going on."""
    row = JobRow()
    qtbot.addWidget(row)
    return row


def test_a_job_is_shown_until_it_ends(row: JobRow, qtbot: QtBot) -> None:
    assert not row.active
    row.begin(lambda: None)
    assert row.active
    assert not row.bar.isHidden()
    row.show_progress(Preparing(stage=Message("Looking for pictures"), done=3, total=12))
    assert (row.bar.value(), row.bar.maximum()) == (3, 12)
    assert "3 of 12" in row.said.text()
    with qtbot.waitSignal(row.over, timeout=0):
        row.end()
    assert not row.active
    assert row.bar.isHidden()
    assert row.said.isHidden()


def test_it_is_asked_to_end_once_and_goes_on_until_it_has_ended(row: JobRow) -> None:
    asked = []
    row.begin(lambda: asked.append(True))
    row.stop_button.click()
    row.stop()
    assert asked == [True]
    assert row.active
    assert not row.stop_button.isEnabled()
    row.show_stop()
    assert not row.active
    assert "Stopped" in row.said.text()
    row.stop()
    assert asked == [True]
    row.begin(lambda: asked.append(True))  # another job
    row.stop()
    assert asked == [True, True]
