"""What a page that trains has to do with records: shows those of earlier runs, follows one that another process writes,
goes on with one."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.engine.core.events import Event, RunStarted
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import engine as engine_operations
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.widgets import dialogs

if TYPE_CHECKING:
    from sslstudio.ui.pages.train.run_page import RunPage


class Records(QObject):
    """Reads the records of one page's runs off the UI thread and hands them to its view."""

    def __init__(self, page: "RunPage") -> None:
        super().__init__(page)
        self._page, self._runner = page, page.workspace.runner
        self._going_on = False  # the run that starts next goes on with the one that is shown
        self.following = False  # the run that is shown is another process's

    def open(self, run: Path) -> None:
        """Show the record of an earlier run; one that another process writes is followed as it goes."""
        if self._page.runs.goes_on(run) and not self._runner.active:
            self.following = True
            self._runner.start(self._page.job, engine_operations.following(run))
            return
        jobs.run(partial(engine_operations.events_of, run), self._replay, self._failed, owner=self)

    def _replay(self, events: list[Event]) -> None:
        page = self._page
        if not self._runner.active:
            self._show(events)
            if page.view.run is not None and page.view.outcome:
                page.workspace.finished(page.job, page.view.run, page.view.outcome)
            page.offer()

    def resume(self, run: Path) -> None:
        """Go on with an earlier run; its record up to here is shown first."""
        jobs.run(partial(engine_operations.events_of, run), partial(self._go_on, run), self._failed, owner=self)

    def _go_on(self, run: Path, events: list[Event]) -> None:
        if not self._runner.active:
            self._show(events)
            self._going_on = True
            self._runner.start(self._page.job, engine_operations.resuming(run))

    def _show(self, events: list[Event]) -> None:
        view = self._page.view
        view.clear()
        view.take(events)
        view.show_curves()
        self.sum_up()

    def _failed(self, error: Exception) -> None:
        dialogs.tell_error(self._page, error)

    def begin(self) -> None:
        """A run of this page begins: what is shown of the last one goes, unless it goes on."""
        if not self._going_on:
            self._page.view.clear()
        self._going_on = False

    def take(self, events: list[Event]) -> None:
        """Show what happened. A followed run that was cut back to its last saved state is read anew."""
        starts = [place for place, one in enumerate(events) if isinstance(one, RunStarted) and not one.first_step]
        if self.following and starts:
            self._page.view.clear()
            events = events[starts[0] :]
        self._page.view.take(events)

    def sum_up(self) -> None:
        """Say in a sentence what became of the run that is shown."""
        view = self._page.view
        if view.run is not None and view.run.is_dir():
            jobs.run(partial(run_operations.summary_of, view.run), view.tell, self._failed, owner=self)
