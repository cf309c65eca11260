"""What the marks of a map mean; each entry hides and shows its points, or leaves only them."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QMenu, QPushButton, QSizePolicy, QWidget

from sslstudio.ui.base.theme import theme
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.class_marks import SHAPES, mark_icon
from sslstudio.ui.widgets.layout import button, clear, column, make_scrollable, row

HIDDEN, OTHERS = -1, 0  # groups of the map: not shown, and without a class of its own


class Entry(QCheckBox):
    """A name, cut off with dots where it has no room."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As much of the name as fits beside box and mark."""
        room = self.width() - (self.sizeHint().width() - self.fontMetrics().horizontalAdvance(self.text()))
        self.setText(self.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideRight, room))


class MapLegend(QWidget):
    """The groups with their marks; of more than ten the ten largest have one, and one may choose others.

    `changed` says that points are to be shown otherwise: `group_of` tells how.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._marks: Sequence[int] | None = None
        self.marked: list[int] = []  # numbers of the groups that have a mark, in order
        self.boxes: dict[int, Entry] = {}  # by number; OTHERS - 1 stands for the rest
        self.only: dict[int, QPushButton] = {}
        self.choice = QPushButton(self.tr("Choose which…"))
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._offer)
        self.choice.setMenu(self.menu)
        self._entries = column(gap=2)
        self._entries.setContentsMargins(0, 0, 8, 0)
        inside = QWidget()
        inside.setLayout(column(self._entries, row(self.choice, None), None, gap=2))
        self.setLayout(column((make_scrollable(inside), 1)))
        theme().changed.connect(self._paint)

    def show_groups(self, names: Sequence[str], sizes: Sequence[int], marks: Sequence[int] | None = None) -> None:
        """Other groups with so many points each: all are shown. marks: of each group, or they get them in turn."""
        self._names, self._marks = names, marks
        largest = sorted(range(len(names)), key=lambda number: -sizes[number])[:SHAPES]
        self._mark(sorted(largest))

    def group_of(self, number: int) -> int:
        """The mark, counted from 1, of the points of a group (counted from 0); OTHERS or HIDDEN."""
        if number in self.marked:
            return self._mark_of(number) if self.boxes[number].isChecked() else HIDDEN
        return OTHERS if self.boxes[HIDDEN].isChecked() else HIDDEN

    def _mark_of(self, number: int) -> int:
        return 1 + self.marked.index(number) if self._marks is None else self._marks[number]

    def _mark(self, marked: list[int]) -> None:
        self.marked = marked
        clear(self._entries)
        self.boxes, self.only = {}, {}
        for number in marked:
            self._add(number, self._names[number], self._mark_of(number))
        rest = len(self._names) - len(marked)
        if rest:
            self._add(HIDDEN, self.tr("others ({0})").format(formatting.count(rest)), OTHERS)
        self.choice.setVisible(rest > 0)
        self._tell_alone()

    def _add(self, number: int, name: str, mark: int) -> None:
        box = Entry(name)
        box.setIcon(mark_icon(mark))
        box.setChecked(True)
        box.setToolTip(self.tr("Show {0} on the map, or hide it").format(name))
        box.toggled.connect(self._toggled)
        alone = button("", partial(self._leave_only, number), "link")
        self.boxes[number], self.only[number] = box, alone
        self._entries.addLayout(row((box, 1), alone, gap=4))

    def _paint(self) -> None:
        for number, box in self.boxes.items():
            box.setIcon(mark_icon(OTHERS if number == HIDDEN else self._mark_of(number)))

    def _toggled(self) -> None:
        self._tell_alone()
        self.changed.emit()

    def _is_alone(self, number: int) -> bool:
        return len(self.boxes) > 1 and [one for one, box in self.boxes.items() if box.isChecked()] == [number]

    def _tell_alone(self) -> None:
        for number, alone in self.only.items():
            is_alone = self._is_alone(number)
            alone.setText(self.tr("all") if is_alone else self.tr("only"))
            name = self.boxes[number].name
            alone.setAccessibleName(
                self.tr("Show all on the map") if is_alone else self.tr("Show only {0} on the map").format(name)
            )

    def _leave_only(self, number: int) -> None:
        """Only this one; all again if it is the only one already."""
        everything = self._is_alone(number)
        for one, box in self.boxes.items():
            box.blockSignals(True)
            box.setChecked(everything or one == number)
            box.blockSignals(False)
        self._toggled()

    def _offer(self) -> None:
        """All groups; ten may have a mark."""
        self.menu.clear()
        for number, name in enumerate(self._names):
            action = self.menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(number in self.marked)
            action.setEnabled(number in self.marked or len(self.marked) < SHAPES)
            action.toggled.connect(partial(self.choose, number))

    def choose(self, number: int, marked: bool) -> None:
        """Give a group a mark of its own, or put it to the others."""
        now = sorted({*self.marked, number} if marked else {*self.marked} - {number})
        if now and len(now) <= SHAPES:
            self._mark(now)
            self.changed.emit()
