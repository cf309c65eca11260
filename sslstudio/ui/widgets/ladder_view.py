"""The verdict on a run: what is decisive, the one next step, and below them each question with its answer."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from sslstudio.ui.base.theme import tint
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, clear, column, row, symbol, text

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.verdicts.ladder import Ladder

SIGNS = {"good": ("check", "good"), "bad": ("warning", "warn"), "open": ("question", "muted")}
SIDE = 28


class VerdictLine(QWidget):
    """Headline and next step of a ladder, with a sign."""

    def __init__(self) -> None:
        super().__init__()
        self.sign = symbol("question", "muted", SIDE)
        self.said, self.then = text("", "verdict"), text("", "field")
        for one in (self.said, self.then):
            one.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.below = QVBoxLayout()  # for what else a page says there
        self.below.setSpacing(4)
        layout = row((column(self.said, self.then, self.below, gap=4), 1), gap=16)
        layout.insertWidget(0, self.sign, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)

    def show_ladder(self, ladder: "Ladder | None") -> None:
        """Say what is decisive; None hides it all."""
        self.setVisible(ladder is not None)
        if ladder is not None:
            name, role = SIGNS[ladder.decisive.state]
            tint(self.sign, name, role, SIDE)
            self.said.setText(formatting.tidy(formatting.render(ladder.decisive.said)))
            then = formatting.tidy(formatting.render(ladder.then))
            self.then.setText(self.tr("Next: {0}").format(then) if then else "")
            self.then.setVisible(bool(then))


class Rungs(Card):
    """Every question in order, with a sign, its answer and its next step."""

    def __init__(self) -> None:
        super().__init__(margin=16)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(2, 1)
        self.add(self._grid)
        self.answers: list[QLabel] = []

    def show_ladder(self, ladder: "Ladder") -> None:
        """Show the rungs of a ladder."""
        clear(self._grid)
        self.answers = []
        for line, rung in enumerate(ladder.rungs):
            name, role = SIGNS[rung.state]
            sign = symbol(name, role)
            sign.setAccessibleName(_state_word(rung.state))
            answer = text(formatting.tidy(formatting.render(rung.said)))
            question = text(formatting.render(rung.question), "field")
            question.setFixedWidth(190)
            top = Qt.AlignmentFlag.AlignTop
            self._grid.addWidget(sign, line, 0, top)
            self._grid.addWidget(question, line, 1, top)
            self._grid.addWidget(answer, line, 2, top)
            self.answers.append(answer)


def _state_word(state: str) -> str:
    """A state without its colour."""
    tr = formatting.tr
    return {"good": tr("Yes"), "bad": tr("No"), "open": tr("Not known")}.get(state, state)
