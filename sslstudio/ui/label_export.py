"""The button that takes the labels along: into a new folder in one that is chosen, which can be opened then."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from sslstudio.engine.events import Preparing
from sslstudio.engine.runs.aside import free_path
from sslstudio.ui import jobs, label_calls, messages, settings, words
from sslstudio.ui.label_desk import LabelDesk
from sslstudio.ui.pages.page import Page
from sslstudio.ui.widgets.layout import button

if TYPE_CHECKING:
    from sslstudio.engine.evaluate.label_export import Exported


class LabelExport(QObject):
    """`button` starts it; how far it is goes to `say`."""

    def __init__(self, page: Page, desk: LabelDesk, say: Callable[[Preparing], None]) -> None:
        super().__init__(page)
        self._page, self._desk, self._say = page, desk, say
        self.button = button(self.tr("Export…"), self.choose, icon="folder")
        self.button.setToolTip(
            self.tr("Labels as CSV, masks as PNG and COCO, in a new folder. Nothing is overwritten.")
        )

    def choose(self) -> None:
        """Ask for a folder, and write into a new one in there."""
        store, project = self._desk.store, self._page.study.project
        if store is None or project is None or not self._desk.save():
            return
        inside = messages.choose_folder(self._page, self.tr("The folder to export into"), settings.home())
        if inside is not None:
            out = free_path(inside / self.tr("{0} labels").format(project.name))
            self.button.setEnabled(False)
            op = partial(label_calls.exporting, store.folder, out)
            jobs.run(op, self._done, self._failed, owner=self, progress=self._say)

    def _done(self, made: "Exported") -> None:
        self.button.setEnabled(True)
        said = [
            words.count(made.labelled, self.tr("labelled picture"), self.tr("labelled pictures"))
            + " (labels.csv, classes.csv)"
        ]
        if made.masks:
            said.append(words.count(made.masks, self.tr("mask"), self.tr("masks")) + " (masks, coco.json)")
        told = self.tr("In {0}: {1}.").format(made.out, ", ".join(said))
        if messages.choose(self._page, told, {"open": self.tr("Open the folder")}, self.tr("Close")) == "open":
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(made.out)))

    def _failed(self, error: Exception) -> None:
        self.button.setEnabled(True)
        messages.tell_error(self._page, error)
