"""After a crash or a power cut: the run that was under way is offered, to go on where it stopped."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from sslstudio.engine.events import Event, RunStarted
from sslstudio.ui import jobs, messages, run_calls, settings, words
from sslstudio.ui.drops import Opener
from sslstudio.ui.study import Study


class Recovery(QObject):
    """Remembers which run goes on, and asks once at the start when one was left without an end."""

    def __init__(self, study: Study, opener: Opener, window: QWidget) -> None:
        super().__init__(window)
        self._study, self._opener, self._window = study, opener, window
        self._left = settings.under_way()
        study.runner.events.connect(self._remember)
        study.runner.ended.connect(lambda _: settings.set_under_way(""))
        study.engine_ready.connect(self.offer)

    def _remember(self, job: str, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
                settings.set_under_way(event.run)

    def offer(self) -> None:
        """Ask about a run that the last session left without an end; another one asked for meanwhile goes first."""
        left, self._left = self._left, ""
        if left and not self._study.runner.active:
            op = partial(run_calls.interrupted_run, Path(left))
            jobs.run(op, self._ask, lambda _: settings.set_under_way(""), owner=self)  # a run that is gone: no word

    def _ask(self, found: tuple[Path, str, int] | None) -> None:
        settings.set_under_way("")
        if found is None or self._study.runner.active:
            return
        run, title, step = found
        said = self.tr(
            "The last training ended without a word at step {0}: {1}. Its weights were saved. Go on where it stopped?"
        )
        if messages.ask(
            self._window, said.format(step, words.told(title)), self.tr("Go on with it"), self.tr("Not now")
        ):
            self._opener.open_run(run, go_on=True)
