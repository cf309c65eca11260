"""The folders that the pictures come from, when there are several: how many are in each, and where it is."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from sslstudio.engine.images.index import printable
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.layout import button, column, row, text
from sslstudio.ui.widgets.tables import fill, table


class FoldersView(QWidget):
    """A line a folder. Only the list can be changed here; the folders themselves stay as they are."""

    taken_out = Signal(str)
    brought_back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.table = table([self.tr("Folder"), self.tr("Pictures"), self.tr("Where it is")], stretch=2)
        self.table.setAccessibleName(self.tr("Folders of pictures"))
        self.table.itemSelectionChanged.connect(self._refresh)
        self.out = button(self.tr("Take out of the project"), self._take_out, icon="cross")
        self.back = button("", self.brought_back.emit, icon="undo")
        said = self.tr("Taking one out only shortens this list: the folder stays as it is, and so do its labels.")
        below = row(self.out, self.back, (text(said, "muted"), 1))
        layout = column((self.table, 1), below, gap=10)
        self.setLayout(layout)

    def show_folders(self, folders: Mapping[str, Path], counts: Mapping[str, int], to_bring_back: str) -> None:
        """List them; the one that was taken out last can be brought back."""
        lines = [
            (name, formatting.count(counts.get(name, 0)), printable(str(place))) for name, place in folders.items()
        ]
        fill(self.table, lines)
        self.back.setText(self.tr(" Bring back “{0}”").format(to_bring_back))
        self.back.setVisible(bool(to_bring_back))
        self._refresh()

    def _chosen(self) -> str:
        lines = self.table.selectionModel().selectedRows()
        item = self.table.item(lines[0].row(), 0) if lines else None
        return item.text() if item else ""

    def _refresh(self) -> None:
        reason = "" if self._chosen() else self.tr("Choose a folder of the list first.")
        if self.table.rowCount() <= 1:
            reason = self.tr("It is the only folder. Open another one instead.")
        offer(self.out, unless=reason)

    def _take_out(self) -> None:
        self.taken_out.emit(self._chosen())
