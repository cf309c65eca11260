"""Back to the defaults, and back again."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from sslstudio.ui.widgets.layout import button, row


class ResetRow(QWidget):
    """`values` says what is set, `restore` sets it again."""

    def __init__(
        self, values: Callable[[], Any], reset: Callable[[], object], restore: Callable[[Any], object]
    ) -> None:
        super().__init__()
        self._values, self._reset, self._restore = values, reset, restore
        self._before: Any = None
        self.reset = button(self.tr("Reset to defaults"), self._go, "link", "refresh")
        self.undo = button(self.tr("As it was before"), self._back, "link", "undo")
        self.setLayout(row(self.reset, self.undo, None))
        self.undo.hide()

    def _go(self) -> None:
        self._before = self._values()
        self._reset()
        self.undo.setVisible(self._before != self._values())

    def _back(self) -> None:
        self._restore(self._before)
        self.undo.hide()
