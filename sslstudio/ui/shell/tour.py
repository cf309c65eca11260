"""The tour of the first start: a callout goes from step to step and says what each is for. It stops nobody."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from sslstudio.ui.base import app_settings
from sslstudio.ui.shell.step_list import StepList
from sslstudio.ui.shell.tour_panel import TourPanel
from sslstudio.ui.widgets.shortcuts import tour_shortcut
from sslstudio.ui.workspace.workspace import STEPS, Workspace


class Tour(QObject):
    """Begins at the first start and from the Help menu; ends with Done, Skip or Escape. `panel` is None beside it."""

    def __init__(self, window: QMainWindow, workspace: Workspace, steps: StepList, go: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._workspace, self._steps, self._go = window, workspace, steps, go
        self.panel: TourPanel | None = None
        self._escape: QShortcut | None = None
        self._before: QWidget | None = None
        self._number = 0
        self._opening = False  # pictures are being opened
        workspace.opening.connect(self._follow)

    def words(self) -> dict[str, str]:
        """What is said of each step."""
        said = (
            self.tr("Everything begins with a folder of pictures: drop it anywhere on this window. Labels are not "
                    "needed; those that are there are recognised. Your folder is never changed."),
            self.tr("A puzzle, such as tiles to put in order, lets a network learn from pictures alone. Look at the "
                    "puzzles made of your own pictures here, and play them."),
            self.tr("Here the network solves such puzzles for as long as you like. Watch it get better; you can pause "
                    "and go on another day."),
            self.tr("Give classes with the number keys or paint masks. A few are enough, and the program says which "
                    "pictures are worth labelling next. Skip this step if there are labels."),
            self.tr("The pretrained network learns from your few labels, and beside it a twin that starts from "
                    "scratch, so that you see what pretraining is worth."),
            self.tr("How good it is, with an interval; which pictures it gets wrong and why; labels that look wrong. "
                    "Take the network, its answers and a report with you."),
            self.tr("When you wonder which puzzle is best or how many labels you need: let several compete. "
                    "Question mark shows all keys, and Help, Tour brings this tour back."),
        )  # fmt: skip
        return dict(zip(STEPS, said, strict=True))

    def begin_once(self) -> None:
        """Begin at the very first start of the program only."""
        if not app_settings.toured():
            self.begin()

    def begin(self) -> None:
        """Begin with the first step."""
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
            self._go("images")
            self._workspace.open_sample()
            self._show(1)
        elif what == "back":
            self._show(self._number - 1)
        elif what == "next" and self._number + 1 < len(STEPS):
            self._show(self._number + 1)
        else:
            self.end()

    def _show(self, number: int) -> None:
        if self.panel is None:
            return
        self._number = number
        self.panel.show_step(
            number, len(STEPS), self._steps.item(number).text(), self.words()[STEPS[number]],
            sample=self._sample_offered(),
        )  # fmt: skip
        self._place()

    def _sample_offered(self) -> bool:
        """With pictures, or while some are being opened, nobody needs it."""
        return self._workspace.recognised is None and not self._opening

    def _follow(self, said: object) -> None:
        self._opening = said is not None
        if self.panel is not None:
            self.panel.offer_sample(self._sample_offered())
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
