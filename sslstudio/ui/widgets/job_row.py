"""A job that takes a while: its bar, how far it is, the time left, and a way to stop it."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.ui.background import jobs
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import button, column, row, text


class JobRow(QWidget):
    """Hidden while nothing goes on. `over` when a job has ended, well or not."""

    over = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._job: jobs.Job | None = None
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
        return self._job is not None

    def start(self, op: Callable[[RunControl], Any], then: Callable[[Any], None]) -> None:
        """Run a job; what it says is shown here, an error too."""

        def done(result: Any) -> None:
            self._end("")
            then(result)

        self._progress.forget()
        self.said.setText(self.tr("Starting…"))
        self.bar.setRange(0, 0)
        self._between(True)
        job = jobs.run(op, done, self._failed, owner=self, progress=self._show, over=lambda: self._over(job))
        self._job = job

    def stop(self) -> None:
        """Ask it to end. What was done is kept, and the same job goes on from there: once this one is over, for two
        that write the same files would do things twice."""
        if self._job is not None and not self._job.control.stopping:
            self._job.cancel()
            self.said.setText(self.tr("Stopping…"))
            self.stop_button.setEnabled(False)

    def _over(self, job: jobs.Job) -> None:
        if self._job is job:  # it has neither come to its end nor failed
            self._end(self.tr("Stopped. What was done is kept: start again to go on."))

    def _failed(self, error: Exception) -> None:
        self._end(dialogs.error_text(error))

    def _end(self, said: str) -> None:
        self._job = None
        self.said.setText(said)
        self._between(False)
        self.over.emit()

    def _between(self, going_on: bool) -> None:
        self.bar.setVisible(going_on)
        self.stop_button.setVisible(going_on)
        self.stop_button.setEnabled(going_on)
        self.said.setVisible(bool(self.said.text()))

    def _show(self, event: Preparing) -> None:
        self.said.setText(self._progress.said(event))
        self.bar.setRange(0, event.total)
        self.bar.setValue(event.done)
