"""Everything one labels with: pictures on the left, the one at hand in the middle, the classes on the right."""

from collections.abc import Callable

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTabWidget, QWidget

from sslstudio.engine.labels.editing.edits import Kind
from sslstudio.ui.base.theme import set_role
from sslstudio.ui.pages.label.class_list import ClassList
from sslstudio.ui.pages.label.gallery import LabelGallery
from sslstudio.ui.pages.label.map import LabelMap
from sslstudio.ui.pages.label.mask_canvas import MaskCanvas
from sslstudio.ui.pages.label.mask_toolbar import MaskToolbar
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, button, column, row, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture

CLASSES, MASKS, MAP = range(3)  # the tabs
WIDE, SLIM, ROOMY = 232, 230, 860  # pixels of the classes, in a small window, and from which width it is none


class LabelBoard(QWidget):
    """Only shows; what its buttons do is connected from outside."""

    def __init__(self, label_of: Callable[[str], str]) -> None:
        super().__init__()
        self.gallery = LabelGallery(label_of)
        self.picture, self.said = Picture(enlarge=16.0), text("", "field", wrap=False)
        self.canvas = MaskCanvas()
        self.tools = MaskToolbar(self.canvas)
        self.nothing = button(self.tr("Nothing to mark here"), lambda: None)
        self.map = LabelMap()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(wrap_layout(column(10, (self.picture, 1), self.said)), self.tr("One class each"))
        self.mask_said = text("", "muted")
        self.say_mask()
        self.tabs.addTab(wrap_layout(column(10, self.tools, (self.canvas, 1), self.mask_said)), self.tr("Masks"))
        self.tabs.addTab(wrap_layout(column(10, (self.map, 1))), self.tr("Many at once"))
        self.classes = ClassList()
        self.undo = button(self.tr("Undo"), lambda: None, icon="undo")
        self.redo = button(self.tr("Redo"), lambda: None, icon="redo")
        self.unlabel = button("", lambda: None, "link")
        left, right = Card(margin=12).add((self.gallery, 1)), Card(self.tr("Classes"), margin=14)
        right.add((self.classes, 1), self.unlabel, self.nothing, row(self.undo, self.redo, gap=6))
        left.setMinimumWidth(168)  # one column of pictures, where the window is small
        left.setMaximumWidth(290)
        self._right = right
        right.setFixedWidth(WIDE)
        self.why = text("", "muted")
        self.setLayout(column(8, self.why, (row(left, (Card(margin=14).add((self.tabs, 1)), 1), right, gap=14), 1)))
        self.classes.named_all.connect(self.take_focus)
        self.suit_tab()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The picture has the room, where there is little."""
        self._right.setFixedWidth(WIDE if self.width() >= ROOMY else SLIM)
        super().resizeEvent(event)

    @property
    def kind(self) -> Kind:
        """What is labelled: pictures or pixels."""
        return "segmentation" if self.tabs.currentIndex() == MASKS else "classification"

    @property
    def at_hand(self) -> list[str]:
        """The pictures that a class key labels: those chosen on the map, else those chosen in the list."""
        chosen = self.map.selected if self.tabs.currentIndex() == MAP else []
        return chosen or self.gallery.selected

    def suit_tab(self) -> None:
        """Words and buttons that fit the tab."""
        masks = self.kind == "segmentation"
        self.unlabel.setText(self.tr("Take the mask away") if masks else self.tr("Take the label away"))
        self.nothing.setVisible(masks)

    def take_focus(self) -> None:
        """The keys go to what one works on."""
        (self.gallery.view, self.canvas, self.map.map)[self.tabs.currentIndex()].setFocus()

    def say_mask(self) -> None:
        """What paint means, below the picture."""
        self.mask_said.setText(self.tr("What is not painted is background."))

    def say_lacking(self) -> None:
        """There is no class to paint with."""
        self.mask_said.setText(self.tr("There is nothing to paint with yet: name a class on the right, then Enter."))

    def say_proposal(self, label: str, sure: float) -> None:
        """What the network proposes for the picture at hand, and how it is answered."""
        said = self.tr("Proposed: {0}, {1} sure. Enter accepts, a number corrects, Delete rejects.")
        self.said.setText(said.format(label, formatting.percent(sure, 0)))
        set_role(self.said, "muted")

    def say_label(self, label: str) -> None:
        """What the picture at hand is labelled."""
        todo = self.tr("No label yet: press the number of its class") if self.classes.list.count() else ""
        self.said.setText(label or todo or self.tr("No label yet: name a class first"))
        set_role(self.said, "field" if label else "muted")
