"""A puzzle to be solved by the person at the screen, and the score beside the network's and that of guessing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.forms.editors import steady
from sslstudio.ui.pages.puzzles.board import Board
from sslstudio.ui.pages.puzzles.boards import board_for
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.buttons import disable, enable, offer
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.layout import Card, Figure, button, clear, column, row, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture, to_image

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.tasks.base import Game

SOLVED_SIDE = 150  # of the solved puzzle, in pixels of the screen


@dataclass(frozen=True)
class Network:
    """Somebody to play against: what the list calls it, and its run ('' for nobody)."""

    title: str
    run: str


class PlayView(QWidget):
    """Asks one game after the other. `more_wanted` when they are used up, `other_network` for another one to play
    against."""

    more_wanted = Signal()
    other_network = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._games: list[Game] = []
        self._now = 0
        self._played: list[tuple[Game, tuple[int, ...]]] = []
        self.board: Board | None = None
        self.question, self.number = text("", "heading"), text("", "small", wrap=False)
        self.place = QVBoxLayout()
        self.verdict = text("", "field")
        self.theirs = text("", "muted")
        self.solved = Picture(SOLVED_SIDE)
        self.solved.setFixedSize(SOLVED_SIDE, SOLVED_SIDE)
        self.check = button(self.tr("Check"), self.check_answer, "primary", "check")
        self.go_on = button(self.tr("Next puzzle"), self.next_game, "primary", "next")
        self.you, self.network = Figure(self.tr("You")), Figure(self.tr("The network"))
        self.guessing = Figure(self.tr("Guessing"))
        self.opponent = ChoiceBox()
        self.opponent.setAccessibleName(self.tr("The network to play against"))
        self.opponent.activated.connect(lambda _: self.other_network.emit(str(self.opponent.currentData())))
        steady(self.opponent)
        self._lay_out()

    def _lay_out(self) -> None:
        self.said = wrap_layout(column(self.verdict, self.theirs, row(self.solved, None), None, gap=6))
        self.said.setFixedWidth(SOLVED_SIDE + 20)
        head = row((self.question, 1), self.number, self.check, self.go_on, gap=12)  # reached without scrolling
        game = Card(margin=14, gap=8).add(head, (row((wrap_layout(self.place), 1), self.said, gap=10), 1))
        self.opponent.setMinimumContentsLength(14)
        self.fair = text("", "small")
        against = row(text(self.tr("Play against"), "field", wrap=False), (self.opponent, 1), (self.fair, 2), gap=12)
        layout = column(row(self.you, self.network, self.guessing, gap=12), against, (game, 1), gap=12)
        layout.setContentsMargins(0, 12, 0, 0)
        self.setLayout(layout)

    # --- what is played

    def show_networks(self, networks: list[Network], chosen: str) -> None:
        """List who can be played against."""
        self.opponent.clear()
        for one in networks:
            self.opponent.addItem(one.title, one.run)
        self.opponent.setCurrentIndex(max(0, self.opponent.findData(chosen)))

    def forget_score(self) -> None:
        """Other puzzles or another network: begin counting anew."""
        self._played = []
        self._say_score()

    def show_games(self, games: list["Game"], step: int | None) -> None:
        """Begin with the first of these. `step` is how far the network has learnt."""
        self._games, self._now = games, 0
        learnt = self.tr("The network as it is after {0} steps. Neither of you has seen these pictures before.")
        alone = self.tr("Choose a pretraining, and its network answers the same puzzles.")
        self.fair.setText(alone if step is None else learnt.format(formatting.count(step)))
        self._ask()

    @property
    def game(self) -> "Game":
        """The one on the board."""
        return self._games[self._now]

    def _ask(self) -> None:
        clear(self.place)
        self.board = board_for(self.game)
        self.board.changed.connect(self._offer)
        self.place.addWidget(self.board)
        self.question.setText(formatting.render(self.game.question))
        self.number.setText(self.tr("{0} of {1}").format(self._now + 1, len(self._games)))
        self.said.hide()
        self.check.show()
        self.go_on.hide()
        self._offer()
        self._say_score()

    def _offer(self) -> None:
        answered = self.board is not None and self.board.answer() is not None
        offer(self.check, unless="" if answered else self.tr("Answer the puzzle first."))

    def check_answer(self) -> None:
        """Compare with the right answer, and show both and the network's."""
        answer = self.board.answer() if self.board is not None and self.said.isHidden() else None
        if self.board is None or answer is None:
            return
        self._played.append((self.game, answer))
        self.board.reveal(self.game.targets)
        self.verdict.setText(self._judge(self.tr("Right."), self.tr("Not right."), answer))
        theirs = self.game.answer
        self.theirs.setText(
            self._judge(self.tr("The network: right."), self.tr("The network: wrong."), theirs) if theirs else ""
        )
        self.solved.show_image(to_image(self.game.solved), self.tr("The right answer"))
        self.said.show()
        self.check.hide()
        self.go_on.show()
        self.go_on.setFocus(Qt.FocusReason.OtherFocusReason)
        self._say_score()

    def _judge(self, good: str, bad: str, answer: tuple[int, ...]) -> str:
        from sslstudio.engine.pretraining.play import tally

        counted = tally([self.game], [answer])
        if counted.parts > 1:
            said = self.tr("{0} of {1} tiles in place").format(counted.right, counted.parts)
        else:
            said = self.game.choices[answer[0]]
        return f"{good if counted.solved else bad} {said[0].upper()}{said[1:]}."

    def next_game(self) -> None:
        """The next puzzle; further ones are asked for after the last."""
        if self._now + 1 < len(self._games):
            self._now += 1
            self._ask()
            if self.board is not None:
                self.board.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            disable(self.go_on, self.tr("Further puzzles are being made."))
            self.more_wanted.emit()
            enable(self.go_on)

    # --- the score

    def _say_score(self) -> None:
        games = [game for game, _ in self._played]
        self._say(self.you, self.tr("You"), games, [answer for _, answer in self._played])
        self._say(self.network, self.tr("The network"), games, [game.answer for game in games])
        chance = {game.chance for game in games or self._games}
        self.guessing.say(formatting.percent(sum(chance) / len(chance)) if chance else "–")
        tiles = all(len(game.targets) > 1 for game in games or self._games)
        self.guessing.say(
            self.guessing.value.text(), self.tr("Guessing, of the tiles") if tiles else self.tr("Guessing")
        )

    def _say(self, figure: Figure, who: str, games: list["Game"], answers: list[tuple[int, ...] | None]) -> None:
        from sslstudio.engine.pretraining.play import tally

        if not any(answer is not None for answer in answers):
            figure.say("–", who)
            figure.setToolTip("")
            return
        counted = tally(games, answers)
        tiles = self.tr("{0}: {1} of {2} tiles").format(who, counted.right, counted.parts)
        only_tiles = all(len(game.targets) > 1 for game in games)
        figure.say(self.tr("{0} of {1}").format(counted.solved, counted.n), tiles if only_tiles else who)
        figure.setToolTip(
            self.tr("{0} solved; with so few puzzles anything from {1} to {2} is possible (95 % interval).").format(
                formatting.percent(counted.share, 0),
                formatting.percent(counted.low, 0),
                formatting.percent(counted.high, 0),
            )
        )
