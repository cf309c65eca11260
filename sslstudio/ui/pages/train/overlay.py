"""Earlier runs that are ticked in their list are drawn over the curves of the run that is shown."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from sslstudio.engine.core.events import Event
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.train.curves import Curves
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.run_list import RunList


class Overlay(QObject):
    """Reads the records of ticked runs off the UI thread and hands them to the curves."""

    def __init__(self, runs: RunList, curves: Curves, owner: QWidget) -> None:
        super().__init__(owner)
        self._runs, self._curves, self._owner = runs, curves, owner
        runs.ticked.connect(self.lay_over)

    def lay_over(self, runs: list[Path]) -> None:
        """Draw the curves of these runs too, and of no others."""
        op = partial(run_operations.events_of, runs)
        jobs.run(op, self._take, partial(dialogs.tell_error, self._owner), owner=self._owner)

    def _take(self, found: dict[Path, list[Event]]) -> None:
        self._curves.show_earlier({self._runs.title_of(run): events for run, events in found.items()})
