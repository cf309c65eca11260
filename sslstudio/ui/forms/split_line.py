"""What a change of the split means for the runs that there are, and the way back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Notice, button, row

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.finetuning.split_policy import Leak


class SplitLine(QWidget):
    """Hidden until something was changed."""

    def __init__(self, undo: Callable[[], object], redo: Callable[[], object]) -> None:
        super().__init__()
        self.notice = Notice()
        self.undo = button(self.tr("Undo"), undo, "link", "undo")
        self.redo = button(self.tr("Redo"), redo, "link", "redo")
        layout = row((self.notice, 1), self.undo, self.redo, gap=12)
        layout.addStretch()
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)
        self.offer(False, False, "")

    def offer(self, undo: bool, redo: bool, changed: str) -> None:
        """What can be undone and done again; `changed`: the options that an undo changes back, by their titles."""
        self.undo.setText(self.tr("Undo: {0}").format(changed))
        self.undo.setVisible(undo)
        self.redo.setVisible(redo)
        if not undo:
            self.notice.say("")
        self._suit()

    def warn(self, leak: "Leak | None") -> None:
        """Say which earlier tests a training would spoil; None for nothing."""
        said = self.tr(
            "With this split a training learns from pictures that earlier runs were tested on ({0}; {1}). The results "
            "before and after cannot be compared then, and a network of one side must not be tested on the other. "
            "Nothing is trained yet: undo it, or go on."
        )
        leaking = leak is not None and bool(leak.pictures)
        pictures = formatting.count(leak.pictures, self.tr("picture"), self.tr("pictures")) if leak else ""
        runs = formatting.count(leak.runs, self.tr("run"), self.tr("runs")) if leak else ""
        self.notice.say(said.format(pictures, runs) if leaking else "")
        self._suit()

    def _suit(self) -> None:
        """No gap in the sheet while there is nothing to say or to take back."""
        self.setVisible(not all(one.isHidden() for one in (self.notice, self.undo, self.redo)))
