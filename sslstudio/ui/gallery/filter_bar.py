"""The line above a gallery: search by name, and a menu to sort and filter; what is set is said, and how many show."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QLineEdit, QMenu, QPushButton, QSizePolicy, QWidget, QWidgetAction

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.gallery.arrange import (
    CLASS,
    DATE,
    LABELLED,
    NAME,
    RIGHT,
    SIZE,
    SURE,
    UNLABELLED,
    WRONG,
    Criteria,
)  # fmt: skip
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import button, column, row, text, wrap_layout

WAIT_MS = 150  # after the last letter
FIELD_EDGES = 24  # pixels beside what is typed: padding, border, and the room of the cursor
MOST_CLASSES = 60  # that a menu lists


class FilterBar(QWidget):
    """Narrows and sorts one gallery. `has`: what is known of its pictures, out of label, part, state, judged,
    confidence and excluded; the menu asks for nothing else. `parts_wanted` when the menu opens and the parts of the
    split are to be known."""

    parts_wanted = Signal()

    def __init__(self, view: GalleryView, has: Iterable[str] = ()) -> None:
        super().__init__()
        self._view, self._has = view, frozenset(has)
        self._classes: list[str] = []
        self.criteria = Criteria()
        self._typing = QTimer(self, interval=WAIT_MS, singleShot=True)
        self.search = QLineEdit()
        self.search.setAcceptDrops(False)  # what falls on it is for the window to open
        self._typing.timeout.connect(lambda: self.ask(name=self.search.text().strip()))
        self.search.setAccessibleName(self.tr("Search by name"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(60)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.search.returnPressed.connect(lambda: self.ask(name=self.search.text().strip()))
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill)
        self.open_menu = QPushButton()
        set_role(self.open_menu, "tool")
        tint(self.open_menu, "contents")
        self.open_menu.setMenu(self.menu)
        self.open_menu.setToolTip(self.tr("Sort and filter"))
        self.open_menu.setAccessibleName(self.tr("Sort and filter"))
        self.open_menu.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.told = text("", "small")
        self.everything = button(self.tr("Show all"), self.reset, "link", "cross")
        self._said = wrap_layout(row((self.told, 1), self.everything, gap=4))
        self._said.hide()
        self.setLayout(column(row((self.search, 1), self.open_menu, gap=6), self._said, gap=2))
        self._hint()
        view.arranged.connect(self._tell)
        view.gallery.modelReset.connect(self._tell)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow field has a shorter hint, never a cut one."""
        super().resizeEvent(event)
        self._hint()

    def _hint(self) -> None:
        room = self.search.width() - FIELD_EDGES
        measure = self.search.fontMetrics().horizontalAdvance
        hints = (self.tr("Search by name"), self.tr("Search"), "")
        self.search.setPlaceholderText(next(hint for hint in hints if measure(hint) <= room or not hint))

    def name_classes(self, names: Iterable[str]) -> None:
        """The classes that the pictures are labelled with."""
        self._classes = list(names)[:MOST_CLASSES]
        if self.criteria.label and self.criteria.label not in self._classes:
            self.ask(label="")

    # --- what is asked for

    def ask(self, **changes: Any) -> None:
        """Change some of what is asked for."""
        self.criteria = replace(self.criteria, **changes)
        self._view.arrange(self.criteria)

    def again(self) -> None:
        """Something of the pictures has changed."""
        if self.criteria != Criteria():
            self._view.arrange(self.criteria)

    def reset(self) -> None:
        """All pictures as they come."""
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        self._typing.stop()
        self.criteria = Criteria()
        self._view.arrange(self.criteria)

    # --- the menu

    def _fill(self) -> None:
        self.menu.clear()
        self.parts_wanted.emit()
        asked = self.criteria
        self._choices(self.tr("Sort by"), "sort", self._sorts(), asked.sort)
        turned = self.menu.addAction(self.tr("Downwards"))
        turned.setCheckable(True)
        turned.setChecked(asked.downwards)
        turned.triggered.connect(lambda on: self.ask(downwards=on))
        self.menu.addSeparator()
        if "label" in self._has and self._classes:
            self._choices(self.tr("Class"), "label", {"": self.tr("All classes")} | {n: n for n in self._classes},
                          asked.label)  # fmt: skip
        if "part" in self._has:
            self._choices(self.tr("Part of the split"), "part", part_titles(), asked.part)
        if states := self._states():
            self._choices(self.tr("Labels and answers"), "state", {"": self.tr("All"), **states}, asked.state)
        if "confidence" in self._has:
            self._add_range()
        if "excluded" in self._has:
            out = self.menu.addAction(self.tr("Excluded pictures only"))
            out.setCheckable(True)
            out.setChecked(asked.excluded)
            out.triggered.connect(lambda on: self.ask(excluded=on))

    def _sorts(self) -> dict[str, str]:
        sorts = {"": self.tr("As they come"), NAME: self.tr("Name")}
        sorts |= {CLASS: self.tr("Class")} if "label" in self._has else {}
        sorts |= {SURE: self.tr("How sure the network is")} if "confidence" in self._has else {}
        return {**sorts, DATE: self.tr("Date of the file"), SIZE: self.tr("Size of the file")}

    def _states(self) -> dict[str, str]:
        states: dict[str, str] = {}
        if "state" in self._has:
            states |= {LABELLED: self.tr("Labelled"), UNLABELLED: self.tr("Without a label")}
        if "judged" in self._has:
            states |= {RIGHT: self.tr("Right answers"), WRONG: self.tr("Wrong answers")}
        return states

    def _choices(self, title: str, name: str, values: Mapping[str, str], chosen: str) -> None:
        menu = self.menu.addMenu(title)
        group = QActionGroup(menu)
        for value, said in values.items():
            action = QAction(said.replace("&", "&&"), menu)
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.triggered.connect(lambda _=False, value=value: self.ask(**{name: value}))
            group.addAction(action)
            menu.addAction(action)

    def _add_range(self) -> None:
        menu = self.menu.addMenu(self.tr("How sure the network is"))
        boxes = []
        for value, said in ((self.criteria.low, self.tr("At least")), (self.criteria.high, self.tr("At most"))):
            box = QDoubleSpinBox()
            box.setRange(0, 100)
            box.setDecimals(0)
            box.setSuffix(" %")
            box.setValue(100 * value)
            box.setAccessibleName(said)
            label = QLabel(said)
            label.setTextFormat(Qt.TextFormat.PlainText)
            boxes.append((label, box))
        low, high = boxes[0][1], boxes[1][1]
        for _, box in boxes:
            box.valueChanged.connect(lambda _: self.ask(low=low.value() / 100, high=high.value() / 100))
        inside = column(*(row(label, None, box) for label, box in boxes))
        inside.setContentsMargins(12, 6, 12, 6)
        action = QWidgetAction(menu)
        action.setDefaultWidget(wrap_layout(inside))
        menu.addAction(action)

    # --- what is said

    def _tell(self) -> None:
        asked, model = self.criteria, self._view.gallery
        self._said.setVisible(asked != Criteria())
        if asked == Criteria():
            return
        counted = self.tr("{0} of {1} pictures").format(
            formatting.count(model.rowCount()), formatting.count(len(model.items))
        )
        states = {**self._states(), LABELLED: self.tr("Labelled"), UNLABELLED: self.tr("Without a label")}
        said = [counted, asked.label, part_titles().get(asked.part, "") if asked.part else "",
                states.get(asked.state, ""), self.tr("excluded") if asked.excluded else ""]  # fmt: skip
        if asked.sort:
            said.append(self.tr("by {0}").format(self._sorts().get(asked.sort, asked.sort)))
        said.append(self.tr("downwards") if asked.downwards else "")
        self.told.setText(formatting.facts_line([one for one in said if one]))


def part_titles() -> dict[str, str]:
    """The parts of the split, and all."""
    return {
        "": formatting.tr("All parts"),
        "train": formatting.tr("Training"),
        "validation": formatting.tr("Validation"),
        "test": formatting.tr("Test"),
    }
