"""F1 in dialogs and in windows beside the main one, where its menu does not hear the key."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

PLACE = "manual"  # the property of a window that names its place in the manual; else that of the page behind it


class HelpKey(QObject):
    """Listens for a window. show: gets the place that is asked for, '' for that of the page, and the dialog."""

    def __init__(self, window: QMainWindow, show: Callable[[str, QDialog | None], object]) -> None:
        super().__init__(window)
        self._window, self._show = window, show
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def finish(self) -> None:
        """The window closes."""
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """F1, pressed in a window that belongs to this one."""
        # The class first: every event of the program comes by here, thousands for a page, and its type costs 1 µs.
        if not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget) or event.type() != QEvent.Type.KeyPress:
            return False
        asked = watched.window()
        if event.key() != Qt.Key.Key_F1 or event.modifiers() or asked is self._window or not self._is_ours(asked):
            return False
        self._show(str(asked.property(PLACE) or ""), asked if isinstance(asked, QDialog) else None)
        return True

    def _is_ours(self, asked: QWidget) -> bool:
        above: QWidget | None = asked
        while above is not None and above is not self._window:
            above = above.parentWidget()
        return above is self._window or (isinstance(asked, QDialog) and asked.parentWidget() is None)
