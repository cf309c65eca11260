"""What a person plays a puzzle on."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Board(QWidget):
    """Base of the boards, one for each kind of game. A board knows its answer and not the score."""

    changed = Signal()  # another answer

    def answer(self) -> tuple[int, ...] | None:
        """Numbers of choices, as the game counts them; None before one is made."""
        raise NotImplementedError

    def reveal(self, right: tuple[int, ...]) -> None:
        """Show what is right; nothing can be changed any more."""
        raise NotImplementedError
