"""A frame over the window while something is held over it that can be opened."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QMainWindow

from sslstudio.engine.images.index import printable
from sslstudio.ui.widgets.layout import column, row, text

RIM = 8  # pixels between it and the edge of what it lies over


class DropHint(QFrame):
    """Says what would be opened. It takes no drop and no click: the window does."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("dropHint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.told = text("", "heading", wrap=False)
        self.setLayout(column(None, row(None, self.told, None), None))
        window.installEventFilter(self)
        self.hide()

    def say(self, name: str) -> None:
        """Show it, with the name of what is held."""
        self.told.setText(self.tr("Drop it to open “{0}”").format(printable(name)))
        self._cover()
        self.show()
        self.raise_()

    def _cover(self) -> None:
        middle = self._window.centralWidget()
        if middle is not None:
            self.setGeometry(middle.geometry().adjusted(RIM, RIM, -RIM, -RIM))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window changes its size."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._cover()
        return super().eventFilter(watched, event)
