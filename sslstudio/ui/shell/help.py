"""What the Help menu does: the manual, the keys, the program and its parts with their licences, a bug report."""

import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QMainWindow, QMenu

from sslstudio import __version__
from sslstudio.engine.about.bug_report import write_report
from sslstudio.engine.about.licences import Licence, licences
from sslstudio.engine.core.crash_trace import LastEnd
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings, error_log
from sslstudio.ui.pages.spec import KeyGroup, PageSpec
from sslstudio.ui.shell.licence_texts import LicenceTexts
from sslstudio.ui.shell.manual import Manual
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.shortcuts import (
    gallery_keys,
    manual_keys,
    map_keys,
    plot_keys,
    viewer_keys,
    write_natively,
)
from sslstudio.ui.workspace.workspace import Workspace


class Help(QObject):
    """Answers for the window that owns it."""

    def __init__(self, window: QMainWindow, workspace: Workspace, pages: Iterable[PageSpec]) -> None:
        super().__init__(window)
        self._window, self._workspace = window, workspace
        self._pages = tuple(pages)
        self.reading: Manual | None = None  # the manual while it is open

    def manual(self, place: str = "", above: QDialog | None = None) -> None:
        """Show the manual in a window beside this one, at a page of it or a heading of one (`results.md#scores`); ''
        leaves the page that is open. above: a dialog that lets nothing but its own windows be used; it is closed with
        that one."""
        if self.reading is not None and self.reading.parentWidget() is not above:
            self.reading.close()
        if self.reading is None:
            self.reading = Manual()
            self.reading.closed.connect(self._forget_manual)
            if above is not None:
                self.reading.setParent(above, Qt.WindowType.Window)
                above.finished.connect(self.reading.close)
        page, _, anchor = place.partition("#")
        if page:
            self.reading.open(self.reading.folder / page, anchor)
        self.reading.setWindowState(self.reading.windowState() & ~Qt.WindowState.WindowMinimized)
        self.reading.show()
        self.reading.activateWindow()

    def _forget_manual(self) -> None:
        self.reading = None

    def finish(self) -> None:
        """The window closes: the manual goes with it."""
        if self.reading is not None:
            self.reading.close()

    def keys(self) -> None:
        """Everything that has a key."""
        dialogs.show_table(
            self._window, self.tr("Keys"), "", [self.tr("Where"), self.tr("What it does"), self.tr("Key")],
            self.key_rows(),
        )  # fmt: skip

    def key_rows(self) -> list[tuple[str, str, str]]:
        """Menu or page, command and key: the menus first, in their order."""
        rows = []
        for bar in self._window.menuBar().actions():
            menu = bar.menu()
            if isinstance(menu, QMenu):
                rows += [(_plain(bar), _plain(action), _key(action)) for action in menu.actions() if _key(action)]
        return rows + page_key_rows(self._pages)

    def about(self) -> None:
        """What this is, and of what it is made."""
        failed = partial(dialogs.tell_error, self._window)
        jobs.run(jobs.without_control(licences), self._show_about, failed, owner=self)

    def _show_about(self, parts: list[Licence]) -> None:
        said = self.tr(
            "SSL Studio {0} learns from many pictures without labels, then from a few with labels, and says honestly "
            "whether that helped. Everything stays on this computer. MIT licence. It is made of these parts:"
        )
        heads = [self.tr("Part"), self.tr("Version"), self.tr("Licence")]
        rows = [(part.name, part.version, part.licence) for part in parts]
        dialogs.show_table(self._window, self.tr("About SSL Studio"), said.format(__version__), heads, rows)

    def licences(self) -> None:
        """The licence texts of all parts."""
        failed = partial(dialogs.tell_error, self._window)
        jobs.run(jobs.without_control(licences), self._show_texts, failed, owner=self)

    def _show_texts(self, parts: list[Licence]) -> None:
        dialogs.show_sheet(self._window, self.tr("Licence texts"), LicenceTexts(parts))

    def tell_ended(self, last: LastEnd) -> None:
        """The window before this one was not closed: say so, and offer the report of it."""
        if last.trace:
            why = self.tr("Where it happened is in the log.")
        else:
            why = self.tr("No trace could be written: the system or a person has ended it, or the power was gone.")
        said = self.tr("SSL Studio ended unexpectedly last time. {0} A report that can be sent is ready.").format(why)
        if dialogs.ask(self._window, said, self.tr("See the report…"), self.tr("Not now")):
            self.report()

    def report(self) -> None:
        """Ask what happened, then write a zip file that can be sent with a bug report."""
        told = self.tr(
            "The report is a zip file: your words, what this computer is, the log, and settings and record of the run "
            "that is open. No picture is in it; names of people, computers and folders are masked. Nothing is sent."
        )
        hint = self.tr("What did you do, what did you expect, and what happened instead?")
        title = self.tr("Report a problem")
        words = dialogs.ask_long_text(self._window, title, told, hint, self.tr("Save the report…"))
        if words is None:
            return
        start = app_settings.home() / time.strftime("SSL Studio report %Y-%m-%d %H.%M.zip")
        title, kinds = self.tr("Save the bug report"), self.tr("Zip files (*.zip)")
        file = dialogs.choose_new_file(self._window, title, kinds, start)
        if file is not None:
            run = self._workspace.result or self._workspace.pretrained
            seen = self._workspace.recognised.pictures.paths if self._workspace.recognised else []
            op = jobs.without_control(write_report, file, words, run, self._places(), seen)
            jobs.run(op, self._say_written, partial(dialogs.tell_error, self._window), owner=self)

    def _places(self) -> dict[str, str]:
        """What a person has or had open, and what stands for it in a report."""
        workspace = self._workspace
        known = [
            workspace.folder,
            workspace.labels_file,
            *workspace.several.values(),
            *app_settings.recent_folders(),
        ]
        named = {str(place): "<pictures>" for place in known if place}
        own = {str(workspace.project.folder): "<project>"} if workspace.project else {}
        pointed = {place: "<place>" for place in error_log.places()}
        return {**pointed, **named, **own, str(app_settings.home()): "<home>"}

    def _say_written(self, file: Path) -> None:
        said = self.tr(
            "The report is in {0}. Names of people, computers and folders are masked, and no picture is in it. Please "
            "look into it before you send it."
        )
        dialogs.tell(self._window, self.tr("Bug report"), said.format(file))


def page_key_rows(pages: Iterable[PageSpec]) -> list[tuple[str, str, str]]:
    """Where, what it does, and key, of all keys that belong to a page, a part of one, or something on several."""
    rows = []
    for spec in pages:
        rows += [row for group in spec.key_groups() for row in _rows(group, spec.title())]
    shared = (
        KeyGroup(write_natively(manual_keys()), tr("Manual")),
        KeyGroup(gallery_keys(), tr("Galleries")),
        KeyGroup(write_natively(viewer_keys()), tr("Picture closely")),
        KeyGroup(map_keys(), tr("Maps of pictures")),
        KeyGroup(plot_keys(), tr("Plots")),
    )
    return rows + [row for group in shared for row in _rows(group)]


def _rows(group: KeyGroup, page: str = "") -> list[tuple[str, str, str]]:
    return [(group.where.format(page), one.title, one.keys) for one in group.keys]


def _plain(action: QAction) -> str:
    return action.text().replace("&", "").rstrip("…")


def _key(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
