"""A task on one screen, told with a picture of the user's own: what is asked, where the right answer comes from, when
it helps and when not, and the paper."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from sslstudio.ui.operations.engine import TaskFacts
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, EmptyState, clear, column, make_scrollable, row, symbol, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture, to_image

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.tasks.base import Puzzle

BESIDE, SMALL_SIDE = 600, 84  # pixels of the view from which on things lie beside each other; a picture below that
SIDE = 104  # of a picture, in pixels of the screen: no task has to be scrolled in the smallest window


class ExplanationView(QWidget):
    """Empty until a puzzle of the task is there."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.summary = text("", "heading"), text("")
        self.pictures = row(gap=10)
        self.label_from, self.helps, self.fails = text(""), text(""), text("")
        self.paper = text("", "small")
        self.paper.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.empty = EmptyState(
            "question", self.tr("Nothing to explain yet"),
            self.tr("With pictures of your own, the chosen puzzle is explained on them here."),
        )  # fmt: skip
        self.words = text("", "muted")
        beside = (column(None, self.words, self.paper, None, gap=8), 1)
        self._beside = row(self.pictures, beside, gap=8)
        asked = Card(margin=14, gap=6).add(self.title, self.summary, 2, self._beside)
        self._cards = row(
            (self._card("tag", self.tr("Where the answer comes from"), self.label_from), 1),
            (self._card("check", self.tr("When it helps"), self.helps), 1),
            (self._card("warning", self.tr("When it does not"), self.fails), 1), gap=12,
        )  # fmt: skip
        inside = column(asked, self._cards, None, gap=8)
        inside.setContentsMargins(0, 0, 12, 0)
        self.sheet = make_scrollable(wrap_layout(inside))
        layout = column(6, (self.empty, 1), (self.sheet, 1), gap=0)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)
        self._shown: list[Picture] = []
        self.say_nothing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Below each other what has no room beside each other."""
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        for layout in (self._cards, self._beside):
            layout.setDirection(across if self.width() >= BESIDE else down)
        side = SIDE if self.width() >= BESIDE else SMALL_SIDE
        for one in self._shown:
            one.setFixedSize(side, side)

    @staticmethod
    def _card(sign: str, heading: str, content: QWidget) -> Card:
        title = text(heading, "field")
        head = row(symbol(sign, "accent", 18), (title, 1), gap=8)
        card = Card(margin=12, gap=8).add(head, content, None)
        card.setMinimumWidth(120)
        return card

    def say_nothing(self) -> None:
        """There are no pictures, or they do not suit."""
        self.sheet.hide()
        self.empty.show()

    def explain(self, facts: TaskFacts, puzzle: "Puzzle") -> None:
        """Tell of a task with one of its puzzles."""
        self.title.setText(self.tr("{0}: what the network is asked").format(facts.title))
        self.summary.setText(facts.summary)
        self.label_from.setText(facts.label_from)
        self.helps.setText(facts.helps)
        self.fails.setText(facts.fails)
        self.paper.setText(self.tr("Read more: {0}").format(facts.paper))
        self._show_pictures(puzzle)
        self.empty.hide()
        self.sheet.show()

    def _show_pictures(self, puzzle: "Puzzle") -> None:
        clear(self.pictures)
        self._shown = []
        steps = (
            (self.tr("Your picture"), puzzle.source),
            (self.tr("What the network gets"), puzzle.input),
            (self.tr("The answer it must find"), puzzle.target),
        )
        for number, (caption, content) in enumerate(steps):
            if number:
                self.pictures.addLayout(column(None, symbol("next", "muted", 22), None, 22))
            shown = Picture(SIDE)
            self._shown.append(shown)
            shown.show_image(to_image(content), caption)
            self.pictures.addLayout(column(shown, text(caption, "small"), gap=5))
        self._fit()
        self.words.setText(self.tr("In words: {0}").format(formatting.render(puzzle.label)))
