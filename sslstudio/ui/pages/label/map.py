"""The map of alike pictures to label many at once, with a sentence on what it shows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from sslstudio.engine.images.index import printable
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.plots.scatter_map import EmbeddingMap
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import EmptyState, column, text

if TYPE_CHECKING:
    from sslstudio.engine.finetuning.use.similarity import LookAlike


class LabelMap(QWidget):
    """`chosen` carries the path of the picture that was clicked."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.map = EmbeddingMap()
        self.told = text("", "muted")
        self.busy = EmptyState("network", self.tr("Comparing the pictures…"), "")
        self._paths: Sequence[str] = ()
        self._about = ""
        self._stack = QStackedWidget()
        for face in (self.busy, self.map):
            self._stack.addWidget(face)
        self.setLayout(column(self.told, (self._stack, 1), gap=8))
        self.map.chosen.connect(lambda number: self.chosen.emit(self._paths[number]))
        self.map.lassoed.connect(self._say_chosen)

    def forget(self) -> None:
        """Other pictures: nothing is known of them yet."""
        self._paths = ()
        self.told.setText("")
        self._stack.setCurrentWidget(self.busy)

    def say_busy(self, said: str) -> None:
        """How far the comparing is."""
        self.busy.explanation.setText(said)

    def show_alike(self, alike: "LookAlike", file_of: Callable[[str], Path], group_of: Callable[[str], int]) -> None:
        """Show the pictures."""
        self._paths = alike.paths
        items = [GalleryItem(file_of(path), printable(path).rpartition("/")[2], file=path) for path in alike.paths]
        self.map.show_points(alike.places, [group_of(path) for path in alike.paths], items)
        self._about = (
            self.tr("Alike pictures lie side by side, as the pretrained network sees them.") if alike.by == "own"
            else self.tr("Nothing is pretrained yet: {0} compares the pictures. Pretrain for a better map.").format(
                self.tr("a network of general photographs") if alike.by == "general"
                else self.tr("an untrained network"))
        )  # fmt: skip
        self._say_chosen([])
        self._stack.setCurrentWidget(self.map)

    def show_groups(self, group_of: Callable[[str], int]) -> None:
        """The classes have changed."""
        if self._paths:
            self.map.show_groups([group_of(path) for path in self._paths])

    @property
    def selected(self) -> list[str]:
        """The pictures that a line was drawn around."""
        return [self._paths[number] for number in self.map.selected]

    def _say_chosen(self, numbers: list[int]) -> None:
        chosen = formatting.count(len(numbers), self.tr("picture chosen"), self.tr("pictures chosen"))
        how = self.tr("{0}: press the number of their class.").format(chosen) if numbers else (
            self.tr("Draw a line around some to label them all."))  # fmt: skip
        self.told.setText(f"{self._about} {how}")

    def finish(self) -> None:
        """The window closes."""
        self.map.finish()
