"""What a page that trains has to do with the queue: adds what is set to it, and counts in its tab."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.engine.core.errors import StudioError
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.train.queue_view import QueueView
from sslstudio.ui.widgets.layout import button

if TYPE_CHECKING:
    from sslstudio.engine.runs.queue import Waiting
    from sslstudio.ui.pages.train.run_page import RunPage


class Queueing(QObject):
    """The tab and the button of one page."""

    def __init__(self, page: "RunPage") -> None:
        super().__init__(page)
        self._page = page
        self._queue = page.workspace.queue
        self.view = QueueView(self._queue)
        self.later = button(self.tr("Add to queue"), self.add, icon="queue")
        page.view.tabs.addTab(self.view, "")
        self._queue.changed.connect(self._count)
        self._queue.starting.connect(self._starting)
        self._count()

    def add(self) -> None:
        """Put what is set at the end of the queue; what is wrong with it is said beside the settings."""
        page = self._page
        if page.settings is None:
            return
        try:
            config = page.config()
        except StudioError as error:
            page.wrong.say(str(error))
            return
        page.wrong.say("")
        self._queue.add(page.job, run_operations.title_of(config), config)

    def _count(self) -> None:
        count = len(self._queue.runs)
        tabs = self._page.view.tabs
        tabs.setTabText(tabs.indexOf(self.view), self.tr("Queue ({0})").format(count) if count else self.tr("Queue"))

    def _starting(self, waiting: "Waiting") -> None:
        if waiting.job == self._page.job:
            self._page.expect(waiting.config)
