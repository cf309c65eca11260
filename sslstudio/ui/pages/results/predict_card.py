"""Predict on a new folder: where from, where to, how far, and the answers with the least sure first."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QStackedWidget, QWidget

from sslstudio.engine.images.index import picture_file, printable
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.runs.folder_predictions import Answer, answers_in, folder_answered
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.gallery.model import GalleryItem, GalleryModel
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.operations import inspection as inspection_operations
from sslstudio.ui.pages.copy_command import copy_by_menu
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.row_job import run_in_row
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.job_row import JobRow
from sslstudio.ui.widgets.layout import Card, button, row, text

PREDICTIONS = "Predictions"  # a folder in the user's own


class PredictCard(Card):
    """Answers of the network that is looked at, for pictures without labels."""

    def __init__(self) -> None:
        super().__init__(self.tr("Predict on a new folder"), margin=16)
        self._results: Results | None = None
        self._part = ""
        self.folder: Path | None = None
        self.told = text(
            self.tr(
                "The answers come as a table for a spreadsheet; masks also as PNG and COCO. Stop and start as you "
                "like: what is answered is kept, and new pictures in the folder are all that is asked next time."
            ),
            "muted",
        )
        self.choose = button(self.tr("Choose the folder…"), self.choose_folder, "primary", "folder")
        self.again = button(self.tr("Go on"), self.start, icon="play")
        self.show_files = button(self.tr("Open the answers"), self.open_answers, icon="folder")
        self.copy = copy_by_menu(self, self.command)
        self.progress = JobRow()
        self.progress.over.connect(self._ended)
        self.found = text("", "field")
        self.gallery = GalleryView(GalleryModel(self))
        self.gallery.setAccessibleName(self.tr("Answers, the least sure first"))
        self.faces = QStackedWidget()  # an empty field holds the room of the gallery
        self.faces.addWidget(QWidget())
        self.faces.addWidget(self.gallery)
        self.add(
            self.told, row(self.choose, self.again, self.show_files, None), self.progress,
            self.found, (self.faces, 100), None,
        )  # fmt: skip
        self._refresh()

    def show_results(self, results: Results, part: str) -> None:
        """The network that is to answer."""
        if results is not self._results or part != self._part:
            self.progress.stop()
            self._results, self._part, self.folder = results, part, None
            self.gallery.show_items([])
            self.found.setText("")
            self.progress.said.hide()
            self._refresh()
            self._look_back()

    def _look_back(self) -> None:
        """What was predicted before, with the program closed in between or not: the newest folder."""
        if self._results is None:
            return
        place = app_settings.home() / PREDICTIONS / f"{self._results.run.name} {self._part}"
        op = jobs.without_control(folder_answered, place)
        jobs.run(op, self._take_back, partial(dialogs.tell_error, self), owner=self)

    def _take_back(self, folder: Path | None) -> None:
        if folder is not None and self.folder is None:
            self.folder = folder
            self._ended()

    @property
    def out(self) -> Path | None:
        """Where the answers are kept: one folder for each network and folder of pictures."""
        if self._results is None or self.folder is None:
            return None
        name = f"{self.folder.parent.name} {self.folder.name}".strip()
        return app_settings.home() / PREDICTIONS / f"{self._results.run.name} {self._part}" / name

    def choose_folder(self) -> None:
        """Ask for the folder, and begin."""
        folder = dialogs.choose_folder(self, self.tr("The folder with the new pictures"))
        if folder is not None:
            self.folder = folder
            self.start()

    def start(self) -> None:
        """Answer what has no answer yet."""
        if self._results is None or self.folder is None or self.out is None or self.progress.active:
            return
        op = partial(
            inspection_operations.predict, self._results.run, self._part, self.folder, self.out, self.separator
        )  # fmt: skip
        run_in_row(self.progress, op, self._done)
        self._refresh()

    @property
    def separator(self) -> str:
        """Between the cells of the table: as spreadsheets in the user's language want it."""
        return ";" if QLocale.system().decimalPoint() == "," else ","

    def _done(self, predicted: object) -> None:
        self.found.setText(self.tr("All answered."))

    def _ended(self) -> None:
        self._refresh()
        out = self.out
        if out is not None and (out / "about.json").exists():
            failed = partial(dialogs.tell_error, self)
            jobs.run(lambda _: answers_in(out), self._show, failed, owner=self)

    def _refresh(self) -> None:
        there = self.folder is not None
        self.again.setVisible(there)
        busy = self.tr("A folder is being answered; stop that first.") if self.progress.active else ""
        for one in (self.choose, self.again):
            offer(one, unless=busy)
        self.show_files.setVisible(there)
        self.copy.setEnabled(there)
        self.faces.setCurrentIndex(int(self.gallery.gallery.rowCount() > 0))
        self.faces.setVisible(self.gallery.gallery.rowCount() > 0)

    def _show(self, answers: list[Answer]) -> None:
        if self.folder is None or self._results is None:
            return
        counted = formatting.count(len(answers), self.tr("picture answered"), self.tr("pictures answered"))
        self.found.setText(self.tr("{0} in “{1}”, the least sure first").format(counted, self.folder.name))
        items, of = [], partial(picture_file, root_of(self.folder), channels=self._results.channels)
        for one in answers:
            said = formatting.percent(one.confidence, 0)
            mask = self.out / one.mask if one.mask and self.out is not None else None
            tip = self.tr("{0}\n{1} sure").format(one.file, said)
            name = one.predicted or printable(one.file).rpartition("/")[2]
            items.append(GalleryItem(
                of(one.file), f"{name} {said}", tip=tip, predicted=one.predicted, confidence=one.confidence,
                answer=mask,
            ))  # fmt: skip
        self.gallery.show_items(items)
        self._refresh()

    def open_answers(self) -> None:
        """Show the files in the system's own window."""
        if self.out is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.out)))

    def command(self) -> list[object]:
        """The command that does the same."""
        if self._results is None or self.folder is None or self.out is None:
            return []
        said: list[object] = ["predict", self._results.run, self.folder, "--out", self.out, "--part", self._part]
        return [*said, "--separator", "semicolon"] if self.separator == ";" else said
