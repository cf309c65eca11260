"""Projects that were open before, one a line: a click opens one again."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from sslstudio.engine.images.index import printable
from sslstudio.ui.operations.projects import Recent
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import button, text

MOST = 4
NAME = 32  # letters of a name
LONG = 54  # letters of a path; its end says more than its beginning


class RecentProjects(QWidget):
    """Name, runs, when it was open last, and where the pictures are."""

    chosen = Signal(object)  # Path

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 0, 0, 0)
        self._grid.setHorizontalSpacing(22)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(3, 1)
        self.hide()

    def show_projects(self, projects: Sequence[Recent]) -> None:
        """List them, the newest first. Called once."""
        if projects:
            self._grid.addWidget(text(self.tr("Go on with"), "field", wrap=False), 0, 0, 1, 4)
        for line, one in enumerate(projects[:MOST], start=1):
            again = button(_beginning_of(one.name), partial(self.chosen.emit, one.folder), "link", "folder")
            again.setToolTip(printable(str(one.folder)))
            self._grid.addWidget(again, line, 0, Qt.AlignmentFlag.AlignLeft)
            counted = "" if one.runs is None else formatting.count(one.runs, self.tr("run"), self.tr("runs"))
            where = printable(" + ".join([str(one.pictures), *one.more]))
            for place, said in enumerate((counted, one.opened, _end_of(where)), start=1):
                self._grid.addWidget(_muted_line(said), line, place)
        self.setVisible(bool(projects))


def _muted_line(said: str) -> QLabel:
    return text(said, "muted", wrap=False)


def _beginning_of(name: str) -> str:
    name = printable(name)
    return name if len(name) <= NAME else f"{name[:NAME]}…"


def _end_of(path: str) -> str:
    return path if len(path) <= LONG else f"…{path[-LONG:]}"


def parent_of(projects: Sequence[Recent]) -> Path | None:
    """Where the pictures of the newest project lie, to look for others there."""
    return projects[0].pictures.parent if projects else None
