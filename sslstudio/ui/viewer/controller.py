"""Hears what is wished for any thumbnail of a window: one viewer that is used again, and the menu."""

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from sslstudio.ui.gallery.requests import Wish, requests
from sslstudio.ui.viewer.known import known_of
from sslstudio.ui.viewer.menu import PictureMenu
from sslstudio.ui.viewer.viewer import PictureViewer
from sslstudio.ui.workspace.workspace import Workspace


class ViewerController(QObject):
    """Answers for one window. `viewer` is the window with the picture, None before it was first asked for."""

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self.viewer: PictureViewer | None = None
        requests().opened.connect(self._open)
        requests().menu_wanted.connect(self._show_menu)

    def _is_ours(self, wish: Wish) -> bool:
        return wish.source.window() is self._window

    def _open(self, wish: Wish) -> None:
        if not self._is_ours(wish):
            return
        if self.viewer is None:
            self.viewer = PictureViewer(self._workspace, self._window)
        self.viewer.show_wish(wish)

    def _show_menu(self, wish: Wish, at: QPoint) -> None:
        if not self._is_ours(wish):
            return
        rest = [number for number in wish.chosen if number != wish.at]
        items = [wish.item, *(wish.items[number] for number in rest)]
        maker = PictureMenu(known_of(self._workspace), self)
        menu = maker.build(wish.source, items, lambda: self._open(wish))
        menu.aboutToHide.connect(maker.deleteLater)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def finish(self) -> None:
        """The window closes: the picture goes with it."""
        if self.viewer is not None:
            self.viewer.close()
