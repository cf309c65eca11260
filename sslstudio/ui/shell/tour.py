"""The tour of the first start: a callout goes from step to step and says what each is for. It stops nobody."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.spec import PageSpec
from sslstudio.ui.shell.step_list import StepList
from sslstudio.ui.shell.tour_panel import TourPanel
from sslstudio.ui.widgets.shortcuts import tour_shortcut
from sslstudio.ui.workspace.workspace import Workspace


class Tour(QObject):
    """Begins at the first start and from the Help menu; ends with Done, Skip or Escape. `panel` is None beside it."""

    def __init__(
        self, window: QMainWindow, workspace: Workspace, steps: StepList, pages: Callable[[], Iterable[PageSpec]],
        go: Callable[[str], None],
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._window, self._workspace, self._steps, self._go = window, workspace, steps, go
        self._ask_pages = pages
        self._pages: tuple[PageSpec, ...] = ()
        self.panel: TourPanel | None = None
        self._escape: QShortcut | None = None
        self._before: QWidget | None = None
        self._number = 0
        self._opening = False  # pictures are being opened
        workspace.opening.connect(self._follow)

    def begin_once(self) -> None:
        """Begin at the very first start of the program only, and not on the simple way, which explains itself."""
        if not app_settings.toured() and app_settings.expert():
            self.begin()

    def begin(self) -> None:
        """Begin with the first step."""
        self._pages = tuple(self._ask_pages())
        if self.panel is None:
            self._before = QApplication.focusWidget()
            self.panel = TourPanel(self._window)
            self.panel.wanted.connect(self._act)
            self._escape = tour_shortcut(self._window, self.end)
            self._window.installEventFilter(self)
        self._show(0)

    def end(self) -> None:
        """Take it away; it does not come again by itself."""
        app_settings.set_toured()
        self.end_unseen()

    def end_unseen(self) -> None:
        """Take it away for now."""
        if self.panel is None or self._escape is None:
            return
        self._window.removeEventFilter(self)
        for one in (self.panel, self._escape):
            one.deleteLater()
        self.panel.hide()
        self._escape.setEnabled(False)
        self.panel = self._escape = None
        (self._steps if self._before is None else self._before).setFocus()
        self._before = None

    def _act(self, what: str) -> None:
        if what == "sample":
            self._go(self._pages[0].name)
            self._workspace.open_sample()
            self._show(1)
        elif what == "back":
            self._show(self._number - 1)
        elif what == "next" and self._number + 1 < len(self._pages):
            self._show(self._number + 1)
        else:
            self.end()

    def _show(self, number: int) -> None:
        if self.panel is None:
            return
        self._number, page = number, self._pages[number]
        self.panel.show_step(number, len(self._pages), page.title(), page.tour(), sample=self._offers_sample())
        self._place()

    def _offers_sample(self) -> bool:
        """With pictures, or while some are being opened, nobody needs it."""
        return self._workspace.recognised is None and not self._opening

    def _follow(self, said: object) -> None:
        self._opening = said is not None
        if self.panel is not None:
            self.panel.offer_sample(self._offers_sample())
            self._place()

    def _place(self) -> None:
        if self.panel is None:
            return
        rect = self._steps.visualItemRect(self._steps.item(self._number))
        spot = self._steps.viewport().mapTo(self._window, QPoint(0, rect.center().y()))
        self.panel.point_at(QPoint(self._steps.width() - 4, spot.y()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window was resized or moved: the callout stays at its step, and in sight."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.LayoutRequest):
            self._place()
        return super().eventFilter(watched, event)
