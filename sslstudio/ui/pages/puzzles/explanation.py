"""A task on one screen, told with a picture of the user's own: what is asked, where the right answer comes from, when
it helps and when not, and the paper."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from sslstudio.ui.operations.engine import TaskFacts
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, EmptyState, clear, column, make_scrollable, row, symbol, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture, to_image

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.tasks.base import Puzzle

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
        asked = Card(margin=14, gap=6).add(self.title, self.summary, 2, row(self.pictures, beside, gap=8))
        cards = row(
            (self._card("tag", self.tr("Where the answer comes from"), self.label_from), 1),
            (self._card("check", self.tr("When it helps"), self.helps), 1),
            (self._card("warning", self.tr("When it does not"), self.fails), 1), gap=12,
        )  # fmt: skip
        inside = column(asked, cards, None, gap=8)
        inside.setContentsMargins(0, 0, 12, 0)
        self.sheet = make_scrollable(wrap_layout(inside))
        layout = column(6, (self.empty, 1), (self.sheet, 1), gap=0)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)
        self.say_nothing()

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
        steps = (
            (self.tr("Your picture"), puzzle.source),
            (self.tr("What the network gets"), puzzle.input),
            (self.tr("The answer it must find"), puzzle.target),
        )
        for number, (caption, content) in enumerate(steps):
            if number:
                self.pictures.addLayout(column(None, symbol("next", "muted", 22), None, 22))
            shown = Picture(SIDE)
            shown.setFixedSize(SIDE, SIDE)
            shown.show_image(to_image(content), caption)
            self.pictures.addLayout(column(shown, text(caption, "small", wrap=False), gap=5))
        self.words.setText(self.tr("In words: {0}").format(formatting.render(puzzle.label)))
