"""A line on a job in the background, with a way to stop it and, once it was stopped, to begin it again."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.widgets.layout import EmptyState, button, row, text


class BusyLine(QWidget):
    """Hidden while there is nothing to say. `begin` may be left out where the job comes back by itself. `wrap`: what is
    said may take two lines, where there is little room."""

    def __init__(
        self, stop: Callable[[], object], begin: Callable[[], object] | None = None, *, wrap: bool = False
    ) -> None:
        super().__init__()
        self._progress = Progress()
        self.told = text("", "muted", wrap=wrap)
        self.stop = button(self.tr("Stop"), stop, "link", "stop")
        self.again = button(self.tr("Go on"), begin or (lambda: None), "link", "refresh")
        self._can_begin = begin is not None
        self.setLayout(row((self.told, int(wrap)), self.stop, self.again, *([] if wrap else [None]), gap=8))
        self.rest()

    @property
    def going(self) -> bool:
        """Whether it tells of a job on its way."""
        return not self.stop.isHidden()

    def show_progress(self, said: Preparing) -> None:
        """The job goes on."""
        self._show(self._progress.said(said), True, False)

    def wait(self, said: str) -> None:
        """The job has begun and has not said anything yet."""
        self._progress.forget()
        self._show(said, True, False)

    def rest(self, said: str = "", *, stopped: bool = False) -> None:
        """Nothing goes on: it is over, or was `stopped`."""
        self._progress.forget()
        self._show(said, False, stopped and self._can_begin)

    def _show(self, said: str, going: bool, stopped: bool) -> None:
        self.told.setText(said)
        self.setVisible(bool(said))
        self.stop.setVisible(going)
        self.again.setVisible(stopped)


class BusyState(EmptyState):
    """What a page shows while it waits for a job that fills it: what is done, how far it is, Stop, and Go on then."""

    def __init__(self, sign: str, heading: str, stop: Callable[[], object], begin: Callable[[], object]) -> None:
        busy = BusyLine(stop, begin)
        super().__init__(sign, heading, "", busy)
        self.busy = busy

    def say(self, heading: str, explanation: str = "") -> None:
        """Something else than a job."""
        self.busy.rest()
        self.heading.setText(heading)
        self.explanation.setText(explanation)

    def wait(self, heading: str) -> None:
        """A job has begun."""
        self.say(heading)
        self.busy.wait(self.tr("In a large folder this takes a while."))

    def stopped(self, heading: str) -> None:
        """The job was stopped, or was in vain, and can begin again."""
        self.say(heading)
        self.busy.rest(self.tr("Stopped."), stopped=True)
