"""All that runs: what waits, and below it what is paused, finished or unfinished, with its score and where it came
from."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.pages.train.queue_view import QueueView
from sslstudio.ui.widgets.layout import column, make_scrollable, wrap_layout
from sslstudio.ui.widgets.run_list import RunList


class Activity(QWidget):
    """The queue above the runs. The queue takes no room while it has nothing to say."""

    def __init__(self, queue_view: QueueView, runs: RunList) -> None:
        super().__init__()
        self._queue_view = queue_view
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        inside = column((queue_view, 1), (runs, 2), gap=0)
        layout.addWidget(make_scrollable(wrap_layout(inside)))  # both at once are higher than a small window
        self.suit()

    def suit(self) -> None:
        """The queue is shown while something waits or has been done."""
        self._queue_view.setVisible(self._queue_view.has_news)
