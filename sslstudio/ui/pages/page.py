"""What all pages have in common: a heading, room for content, and a footer with the one button that leads on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QPushButton, QVBoxLayout, QWidget

from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.pages.copy_command import copy_button
from sslstudio.ui.widgets.layout import MARGIN, NARROW, EmptyState, button, column, row, text
from sslstudio.ui.workspace.workspace import Workspace

DONE = object()


class Page(QWidget):
    """One step of the job. What a page does not override it has nothing to do for.

    A large page is made in parts, see `build`: `build_part` makes the next one, `complete` all that are left.
    """

    def __init__(self, workspace: Workspace, title: str, subtitle: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.workspace = workspace
        self._parts = self.build()
        self.built = type(self).build is Page.build  # most pages have no parts
        self.title = text(title, "title", wrap=False)
        self.subtitle = text(subtitle, "subtitle")
        self.content = QVBoxLayout()
        self.content.setSpacing(14)
        self.content.setContentsMargins(0, 0, 0, 0)
        self.corner = row()
        self.copy = copy_button(self.command)
        self.copy.setParent(self)  # until the foot has it: the window may close before the page is whole
        self.footer = QFrame()
        self.footer.setObjectName("footer")
        self._footer = QHBoxLayout(self.footer)
        self._footer.setContentsMargins(MARGIN, 12, MARGIN, 12)
        self._footer.setSpacing(10)
        inside = column(row((column(self.title, self.subtitle, gap=3), 1), self.corner), (self.content, 1), gap=16)
        inside.setContentsMargins(MARGIN, 22, MARGIN, 14)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(inside, 1)
        layout.addWidget(self.footer)

    # --- making it

    def build(self) -> Iterator[None]:
        """Make what is on the page, and yield between parts that take 50 ms or so: clicks and paints come in between,
        and the page is shown when it is whole. The last part is to listen: until then nothing of it may be called."""
        yield from ()

    def build_part(self) -> bool:
        """Make the next part. Whether that was the last."""
        if not self.built:
            self.built = next(self._parts, DONE) is DONE
        return self.built

    def complete(self) -> Self:
        """Make all that is still to be made, at once."""
        while not self.build_part():
            pass
        return self

    def end_with(self, *pieces: QWidget | QLayout | None) -> None:
        """Fill the footer from left to right; None is a stretch, and after it the command that does the same."""
        for piece in pieces:
            if piece is None:
                self._footer.addStretch(1)
                self._footer.addWidget(self.copy)
            elif isinstance(piece, QWidget):
                self._footer.addWidget(piece)
            else:
                self._footer.addLayout(piece)

    def next_button(self, title: str, step: str) -> QPushButton:
        """The primary button that leads to another step."""
        made = button(title, lambda: self.workspace.wants_page.emit(step), "primary", "next")
        made.setText(f"{title}  ")
        made.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        return made

    def command(self) -> object:
        """What this page does as a command: its config or its words; None while there is nothing to do."""
        return None

    def waiting_face(self, missing: EmptyState, loading: EmptyState) -> EmptyState | None:
        """`missing` without pictures, `loading` without the engine (saying why if there is none); None to work."""
        if self.workspace.recognised is None:
            return missing
        if self.workspace.engine is not None:
            return None
        if self.workspace.engine_error is not None:
            loading.heading.setText(self.tr("The learning engine could not be loaded"))
            loading.explanation.setText(str(self.workspace.engine_error))
        return loading

    # --- what the window tells a page

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A small window leaves the footer to what one presses: the command is in the menu, too."""
        self.copy.setVisible(self.width() >= NARROW and self._footer.indexOf(self.copy) >= 0)
        super().resizeEvent(event)

    def arrive(self) -> None:
        """The page comes into sight."""

    def leave(self) -> None:
        """Another page is shown, or the window closes."""

    def start_run(self) -> None:
        """Start the run that is set."""

    def toggle_pause(self) -> None:
        """Pause the run that goes on and bears this page's name, or go on with it."""

    def ask_stop(self) -> None:
        """Stop the run that goes on and bears this page's name, and save it."""
        self.workspace.runner.stop()

    def choose_folder(self) -> None:
        """Ask for a folder of pictures and open it."""

    def add_folder(self) -> None:
        """Ask for one more folder and read it together with the others."""

    def open_run(self, run: Path) -> None:
        """Show an earlier run of this page."""

    def resume_run(self, run: Path) -> None:
        """Go on with an earlier run of this page."""

    def show_drop(self, hot: bool) -> None:
        """Something that can be opened is held over the window, or was carried away."""

    def showEvent(self, event: QShowEvent) -> None:
        """Tell the page that it arrives."""
        self.arrive()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell the page that it is left, unless only the window is put away."""
        if self.built and not event.spontaneous():
            self.leave()
        super().hideEvent(event)

    def finish(self) -> None:
        """The window closes: end what goes on in this page."""
        for gallery in self.findChildren(GalleryView):
            gallery.finish()
