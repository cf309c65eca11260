"""A job in the background: how far it is, and a way to stop it and, where it can, to go on. Who shows one starts it."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.widgets.buttons import disable, offer
from sslstudio.ui.widgets.layout import EmptyState, button, column, row, text


class JobRow(QWidget):
    """A bar, how far it is, the time left, and Stop. Hidden while nothing goes on. `over` when a job has ended, well or
    not."""

    over = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._stop: Callable[[], object] | None = None
        self._stopping = False
        self._progress = Progress()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.said = text("", "small")
        self.stop_button = button(self.tr("Stop"), self.stop, icon="stop")
        self.setLayout(column(row((self.bar, 1), self.stop_button), self.said, gap=4))
        self._between(False)

    @property
    def active(self) -> bool:
        """Whether a job goes on."""
        return self._stop is not None

    def begin(self, stop: Callable[[], object]) -> None:
        """Show a job that has begun; `stop` asks it to end."""
        self._stop, self._stopping = stop, False
        self._progress.forget()
        self.said.setText(self.tr("Starting…"))
        self.bar.setRange(0, 0)
        self._between(True)

    def stop(self) -> None:
        """Ask it to end. What was done is kept, and the same job goes on from there: once this one is over, for two
        that write the same files would do things twice."""
        if self._stop is not None and not self._stopping:
            self._stopping = True
            self._stop()
            self.said.setText(self.tr("Stopping…"))
            disable(self.stop_button, self.tr("It is being stopped."))

    def show_progress(self, event: Preparing) -> None:
        """Show how far it is."""
        self.said.setText(self._progress.describe(event))
        self.bar.setRange(0, event.total)
        self.bar.setValue(event.done)

    def end(self, said: str = "") -> None:
        """Show that it is over, and what is to be said of it."""
        self._stop = None
        self.said.setText(said)
        self._between(False)
        self.over.emit()

    def show_stop(self) -> None:
        """Show that it was stopped."""
        self.end(self.tr("Stopped. What was done is kept: start again to go on."))

    def _between(self, going_on: bool) -> None:
        self.bar.setVisible(going_on)
        self.stop_button.setVisible(going_on)
        offer(self.stop_button, unless="" if going_on else self.tr("Nothing goes on."))
        self.said.setVisible(bool(self.said.text()))


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
        self._show(self._progress.describe(said), True, False)

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

    def show_stop(self, heading: str) -> None:
        """Show that the job was stopped, or was in vain, and can begin again."""
        self.say(heading)
        self.busy.rest(self.tr("Stopped."), stopped=True)
