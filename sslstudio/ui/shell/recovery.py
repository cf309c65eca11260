"""After a crash or a power cut, or when it was saved to go on later: the run that was under way is offered, to go on
where it stopped."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from sslstudio.engine.core.events import RunStarted
from sslstudio.engine.runs.experiment_folder import COMPARE, TOURNAMENT
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.operations.runs import Interrupted
from sslstudio.ui.shell.drop_target import Opener
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change, Workspace


class Recovery(QObject):
    """Remembers which run goes on, and asks once at the start when one was left without an end."""

    def __init__(self, workspace: Workspace, opener: Opener, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._opener, self._window = workspace, opener, window
        self._left = app_settings.under_way()
        workspace.runner.begun.connect(self._remember)
        workspace.runner.ended.connect(self._forget)
        workspace.call_on(Change.ENGINE, self.offer)

    def _remember(self, run: RunStarted) -> None:
        app_settings.set_under_way(run.run)

    def _forget(self) -> None:
        """A run that ended needs nothing; one that was saved because the window closes is offered the next time."""
        if not self._workspace.goes_on_later:
            app_settings.set_under_way("")

    def offer(self) -> None:
        """Ask about a run that the last session left without an end; another one asked for meanwhile goes first."""
        if self._workspace.engine is None:  # it could not be loaded
            return
        left, self._left = self._left, ""
        if left and not self._workspace.runner.active:
            op = partial(run_operations.find_interrupted, Path(left))
            jobs.run(op, self._ask, lambda _: app_settings.set_under_way(""), owner=self)  # a run that is gone: no word

    def _ask(self, found: Interrupted | None) -> None:
        app_settings.set_under_way("")
        if found is None or self._workspace.runner.active:
            return
        said = self._question(found).format(
            formatting.count(found.done), formatting.count(found.total), formatting.render(found.title)
        )
        if dialogs.ask(self._window, said, self.tr("Go on with it"), self.tr("Not now")):
            self._opener.open_run(found.run, go_on=True)

    def _question(self, found: Interrupted) -> str:
        job = found.job
        if found.saved:
            return self.tr("The last training was saved at step {0}, to go on later: {2}. Go on with it now?")
        if job == COMPARE:
            return self.tr(
                "The last comparison ended without a word with {0} of {1} runs done: {2}. They are kept. Go on with "
                "the others?"
            )
        if job == TOURNAMENT:
            return self.tr(
                "The last tournament ended without a word with {0} of {1} runs done: {2}. They are kept. Go on with "
                "the others?"
            )
        return self.tr(
            "The last training ended without a word at step {0}: {2}. Its weights were saved. Go on where it stopped?"
        )
