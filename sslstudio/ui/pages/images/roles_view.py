"""What is what: a tree of the folders, tables and columns with what each was taken for and why, to be changed there."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import printable
from sslstudio.engine.images.listing import ignored_title
from sslstudio.engine.labels.roles import OF_FOLDERS, TITLES, Role, place_among
from sslstudio.ui.operations.roles import SHOWN, Example
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.layout import button, column, row, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture, to_image

PATH = Qt.ItemDataRole.UserRole
ROW = 30  # pixels of a line
LEAST_EXAMPLES, MOST_EXAMPLES = 112, 190  # pixels of height, with their captions in two lines


class RolesView(QWidget):
    """A line a role; below it what the chosen line is taken for, and five pictures of it with their labels or masks."""

    chosen = Signal(str, str)  # path, role ('' for the guess)
    wanted = Signal(str)  # path whose pictures are to be shown
    undone = Signal()
    redone = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tree = QTreeWidget()
        heads = [self.tr("What is there"), self.tr("Taken for"), self.tr("Number"), self.tr("Why")]
        self.tree.setHeaderLabels(heads)
        self.tree.setAccessibleName(self.tr("What folders, tables and columns were taken for"))
        self.tree.setUniformRowHeights(False)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setStretchLastSection(True)
        self.tree.currentItemChanged.connect(self._ask)
        self.undo = button(self.tr("Undo"), self.undone.emit, icon="undo")
        self.redo = button(self.tr("Redo"), self.redone.emit, icon="redo")
        said = self.tr("What was guessed wrongly can be changed here; the pictures and files stay as they are.")
        self.pictures = [Picture(least=72, enlarge=2.0) for _ in range(SHOWN)]
        self.captions = [text("", "small") for _ in range(SHOWN)]
        shown = [wrap_layout(column((one, 1), said_of, gap=4)) for one, said_of in self._pairs()]
        self.examples = wrap_layout(row(*((one, 1) for one in shown), gap=10))
        self.box = ChoiceBox()
        self.box.setMinimumWidth(220)
        self.box.activated.connect(self._choose)
        below = row(text(self.tr("Take it for"), "field", wrap=False), self.box, (text(said, "muted"), 1), self.undo,
                    self.redo)  # fmt: skip
        self.setLayout(column((self.tree, 1), self.examples, below, gap=10))
        self._roles: dict[str, Role] = {}

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low window the lines keep their room, and the examples are smaller."""
        super().resizeEvent(event)
        self.examples.setMaximumHeight(min(MOST_EXAMPLES, max(LEAST_EXAMPLES, event.size().height() // 3)))

    def _pairs(self) -> list[tuple[Picture, QWidget]]:
        return list(zip(self.pictures, self.captions, strict=True))

    def show_roles(self, roles: Sequence[Role], undo: bool, redo: bool) -> None:
        """Show the tree; the line that was chosen stays so."""
        before = self.path()
        self.tree.blockSignals(True)
        self.tree.clear()
        self._roles = {one.path: one for one in roles}
        items: dict[str, QTreeWidgetItem] = {}
        for one in roles:
            place, name = place_among(one.path, items)
            above = items.get(place) if one.path else None
            shown = [_name(one, name), formatting.render(one.title), formatting.count(one.count)]
            item = QTreeWidgetItem([*shown, formatting.render(one.reason)])
            item.setData(0, PATH, one.path)
            item.setToolTip(0, printable(one.path))
            item.setSizeHint(1, QSize(0, ROW))
            item.setToolTip(3, formatting.render(one.reason))
            (above.addChild if above else self.tree.addTopLevelItem)(item)
            items[one.path] = item
        self.tree.expandAll()
        if current := items.get(before) or next(iter(items.values()), None):
            self.tree.setCurrentItem(current)
        self.tree.blockSignals(False)
        offer(self.undo, unless="" if undo else self.tr("Nothing was changed that could be undone."))
        offer(self.redo, unless="" if redo else self.tr("Nothing was undone that could be done again."))
        self._ask()

    def _offer(self) -> None:
        """What the chosen line can be taken for instead."""
        role = self._roles.get(self.path())
        self.box.blockSignals(True)
        self.box.clear()
        for name in dict.fromkeys((role.role, *role.choices)) if role is not None else ():
            self.box.addItem(formatting.render(TITLES[name]), name)
        if role is not None and role.chosen:
            self.box.addItem(self.tr("As guessed"), "")
        self.box.blockSignals(False)
        self.box.setEnabled(role is not None and bool(role.choices))
        self.box.setAccessibleName(self.tr("What {0} is").format(_name(role)) if role is not None else "")

    def _choose(self, at: int) -> None:
        role, wanted = self._roles.get(self.path()), str(self.box.itemData(at))
        if role is not None and wanted != role.role:
            self.chosen.emit(role.path, wanted)

    def path(self) -> str:
        """What the chosen line speaks of, '' for the whole folder."""
        item = self.tree.currentItem()
        return str(item.data(0, PATH)) if item is not None else ""

    def _ask(self, *_: object) -> None:
        self._offer()
        self.wanted.emit(self.path())

    def show_examples(self, examples: Sequence[Example]) -> None:
        """Show pictures of the chosen line."""
        self.examples.setVisible(bool(examples))
        for number, (picture, caption) in enumerate(zip(self.pictures, self.captions, strict=True)):
            one = examples[number] if number < len(examples) else None
            picture.setVisible(one is not None)
            caption.setVisible(one is not None)
            if one is not None:
                said = self.tr("{0}: {1}").format(one.name, one.label) if one.label else one.name
                picture.show_image(to_image(one.pixels), said)
                caption.setText(said)


def _name(role: Role, name: str = "") -> str:
    """What a line is called; `name`: among the lines around it."""
    if not role.path:
        return "."
    if role.choices != OF_FOLDERS and isinstance(ignored_title(role.path), Message):
        return formatting.render(ignored_title(role.path))
    name = name or (role.path.rpartition(":")[2] if ":" in role.path else role.path.rpartition("/")[2])
    return printable(name) + ("/" if role.choices == OF_FOLDERS else "")
