"""What is said when one points at something, letter by letter: Qt takes a file called <img src=...> for a page, and
opens what it names."""

import html

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QAbstractItemView, QToolTip, QWidget


class PlainToolTips(QObject):
    """A filter for the application: shows every tool tip that Qt would take for rich text as plain text."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Answer the event in Qt's place where that is needed."""
        # The class first: every event of the program comes by here, thousands for a page, and its type costs 1 µs.
        if not isinstance(event, QHelpEvent) or not isinstance(watched, QWidget) or event.type() != QEvent.Type.ToolTip:
            return False
        said = _text_at(watched, event)
        if not GuiQt.mightBeRichText(said):
            return False
        QToolTip.showText(event.globalPos(), as_plain(said), watched)
        return True


def as_plain(said: str) -> str:
    """A page of HTML that shows just these letters."""
    return f"<qt>{html.escape(said).replace(chr(10), '<br>')}</qt>"


def _text_at(widget: QWidget, event: QHelpEvent) -> str:
    """The tool tip there: a widget's own, or of the item of the view that it shows."""
    view = widget.parentWidget()
    if isinstance(view, QAbstractItemView) and view.viewport() is widget:
        said = view.indexAt(event.pos()).data(Qt.ItemDataRole.ToolTipRole)
        return str(said) if said else ""
    return widget.toolTip()
