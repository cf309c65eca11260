"""The button that takes the labels along: into a new folder in one that is chosen, which can be opened then."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from sslstudio.engine.runs.trash import free_path
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.page import Page
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import ExportButton, disable, enable
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.workspace.labels import LabelsController

if TYPE_CHECKING:
    from sslstudio.engine.labels.editing.export import Exported


TITLES = {"coco": "COCO", "yolo": "YOLO", "voc": "Pascal VOC", "labelme": "labelme", "geojson": "GeoJSON (QuPath)"}


class LabelExport(QObject):
    """`button` starts it; `busy` says how far it is and stops it. `changed`: it began or ended."""

    changed = Signal()

    def __init__(self, page: Page, labels: LabelsController) -> None:
        super().__init__(page)
        self._page, self._labels = page, labels
        self._job: jobs.Job | None = None
        self._out: Path | None = None
        self.busy = BusyLine(self.stop, self._begin, wrap=True)
        self._formats: tuple[str, ...] = ()
        every = {self.tr("In all formats"): tuple(TITLES)} | {title: (name,) for name, title in TITLES.items()}
        choices = {title: partial(self.choose, formats) for title, formats in every.items()}
        self.button = ExportButton(self.tr("Export"), {**choices, self.tr("As tables and PNG only"): self.choose})
        self.button.setToolTip(
            self.tr(
                "Labels as CSV, masks as PNG, COCO, YOLO, VOC, labelme, GeoJSON: a new folder, nothing overwritten."
            )
        )

    def choose(self, formats: tuple[str, ...] = ()) -> None:
        """Ask for a folder, and write into a new one in there; the formats of other programs beside tables and PNG."""
        project = self._page.workspace.project
        if self._labels.store is None or project is None:
            return
        inside = dialogs.choose_folder(self._page, self.tr("The folder to export into"), app_settings.home())
        if inside is not None:
            self._formats = formats
            self._out = free_path(inside / self.tr("{0} labels").format(project.name))
            self._begin()

    def _begin(self) -> None:
        from sslstudio.engine.labels.editing.export import export_labels

        store, out, formats = self._labels.store, self._out, self._formats
        if store is None or out is None or not self._labels.save():
            return
        disable(self.button, self.tr("The labels are being written."))
        self.busy.wait(self.tr("Writing the labels"))
        self.changed.emit()
        self._job = jobs.run(
            lambda _: export_labels(store.folder, out, formats),
            self._tell_result,
            self._tell_error,
            owner=self,
            progress=self.busy.show_progress,
            over=self._over,
        )

    def stop(self) -> None:
        """Write no further: what was written is taken away, as it has not got its name yet."""
        if self._job is not None:
            self._job.cancel()

    def _over(self) -> None:
        """Nothing is written any more; a job that was stopped can begin again."""
        stopped = self._job is not None
        self._end(self.tr("Not exported.") if stopped else "", stopped)

    def _end(self, said: str = "", stopped: bool = False) -> None:
        self._job = None
        enable(self.button)
        self.busy.rest(said, stopped=stopped)
        self.changed.emit()

    def forget_stop(self) -> None:
        """Say no more that an export was stopped: the labels have changed since."""
        if self._job is None and not self.busy.isHidden():
            self._end()

    def _tell_result(self, made: "Exported") -> None:
        self._end()
        said = [
            formatting.count(made.labelled, self.tr("labelled picture"), self.tr("labelled pictures"))
            + " (labels.csv, classes.csv)"
        ]
        if made.masks:
            kinds = ", ".join(["masks", *(TITLES[name] for name in self._formats)])
            said.append(formatting.count(made.masks, self.tr("mask"), self.tr("masks")) + f" ({kinds})")
        told = self.tr("In {0}: {1}.").format(made.out, ", ".join(said))
        if dialogs.choose(self._page, told, {"open": self.tr("Open the folder")}, self.tr("Close")) == "open":
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(made.out)))

    def _tell_error(self, error: Exception) -> None:
        self._end()
        dialogs.tell_error(self._page, error)
