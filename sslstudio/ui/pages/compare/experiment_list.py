"""Earlier comparisons or tournaments on these pictures, to be opened and gone on with."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.layout import Card, button, row, text
from sslstudio.ui.widgets.run_list import outcome_title
from sslstudio.ui.widgets.tables import fill, table

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.experiments.catalogue import ExperimentSummary


class ExperimentList(QWidget):
    """`opened` carries the folder of the one that is wanted. `adds`: whether tasks can be added to it."""

    opened = Signal(object)  # Path

    def __init__(self, *, adds: bool) -> None:
        super().__init__()
        self.experiments: list[ExperimentSummary] = []
        self._busy = False
        self.table = table([self.tr("When"), self.tr("Tasks"), self.tr("How it ended")], stretch=1)
        self.table.itemSelectionChanged.connect(self._offer)
        self.table.cellDoubleClicked.connect(lambda line, _: self.open_line(line))
        self.empty = text(
            self.tr("Earlier ones on these pictures are listed here, also those that were stopped."), "muted"
        )
        self.open_button = button(self.tr("Open"), self._open, icon="folder")
        added = self.tr("An opened one can go on: nothing is done twice, and tasks may be added.")
        self.hint = text(added if adds else self.tr("An opened one can go on: nothing is done twice."), "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 10, 0, 0)
        buttons = row(self.open_button, (self.hint, 1))
        layout.addWidget(Card(margin=16).add(self.empty, (self.table, 1), buttons), 1)
        self.show_experiments([])

    def show_experiments(self, experiments: "list[ExperimentSummary]") -> None:
        """Show others."""
        self.experiments = experiments
        fill(self.table, [_line(one) for one in experiments])
        self.empty.setVisible(not experiments)
        for widget in (self.table, self.open_button, self.hint):
            widget.setVisible(bool(experiments))
        self._offer()

    def set_busy(self, busy: bool) -> None:
        """Nothing is opened while a run goes on."""
        self._busy = busy
        self._offer()

    def open_line(self, line: int) -> None:
        """Ask for the one in a line."""
        if not self._busy and self.experiments[line].outcome != "damaged":
            self.opened.emit(Path(self.experiments[line].path))

    def _open(self) -> None:
        self.open_line(self.table.currentRow())

    def _offer(self) -> None:
        none = "" if self.table.selectionModel().selectedRows() else self.tr("Choose one of the list first.")
        busy = self.tr("Wait until the training that goes on has ended.") if self._busy else ""
        offer(self.open_button, unless=busy or none)


def _line(one: "ExperimentSummary") -> tuple[str, ...]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.modified))
    return when, ", ".join(experiment_words.task_title(name) for name in one.tasks), outcome_title(one.outcome)
