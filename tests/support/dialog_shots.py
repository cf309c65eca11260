"""Every dialog as a picture, light and dark: opened as a person would, looked at, closed without an answer."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtWidgets import QApplication

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message, join
from sslstudio.engine.projects.project import Opened, Project
from sslstudio.ui.base.theme import theme
from sslstudio.ui.operations.projects import Known
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.folders import folders_of
from tests.support.clipped import clipped

if TYPE_CHECKING:
    from tests.support.screenshots import Shooter

NO_FOLDER = "There is no folder {folder}. Check the spelling, or choose it again."  # one of the engine's
APPEAR_MS = 30_000  # a dialog may wait for something to be looked up first


class DialogShots:
    """Takes the pictures for a Shooter, and notes texts that are cut off."""

    def __init__(self, shooter: "Shooter") -> None:
        self._shooter, self._window = shooter, shooter.window

    def shoot(self, name: str, opens: Callable[[], object]) -> None:
        """One dialog in both schemes. `opens` may return before the dialog is there."""
        for scheme in ("light", "dark"):
            theme().follow(scheme)
            seen: list[str] = []
            watch = QTimer(interval=100)
            watch.timeout.connect(partial(self._look, f"{name}-{self._shooter.scale}-{scheme}", seen))
            watch.start()
            opens()
            deadline = QDeadlineTimer(APPEAR_MS)
            while len(seen) < 2 and not deadline.hasExpired():
                QApplication.processEvents()
            watch.stop()
            if len(seen) < 2:
                raise TimeoutError(f"{name} did not come up")

    def _look(self, name: str, seen: list[str]) -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            return
        seen.append(name)
        if len(seen) > 1:  # at the second look: by then it has its focus, and its rows their heights
            self._shooter.report(name, clipped(dialog))
            dialog.grab().save(str(self._shooter.out / f"{name}.png"))
            dialog.close()

    def of_the_menus(self) -> None:
        """What the menus open, and errors."""
        window, help_ = self._window, self._window.help
        self.shoot("9-preferences", window.preferences.show)
        self.shoot("9-keys", help_.keys)
        self.shoot("9-about", help_.about)
        self.shoot("9-report", lambda: help_._say_written(Path.home() / "SSL Studio report 2026-11-25 16.20.zip"))
        self.shoot("9-rename", window.project_file.rename)
        error = DataError(NO_FOLDER, folder="/data/scans")
        self.shoot("9-error", lambda: dialogs.tell_error(window, error))
        self.shoot("9-bug", lambda: dialogs.tell_error(window, ZeroDivisionError("division by zero")))
        long = DataError(join([Message(NO_FOLDER, folder=f"/data/{number}") for number in range(40)]))
        self.shoot("9-error-long", lambda: dialogs.tell_error(window, long))
        moved = Known(Opened(Project(folder=self._shooter.out, pictures=Path("/disk"))), ("scans", Path("/disk")))
        self.shoot("9-relink", lambda: window.opener._take_project(moved))
        self.shoot("9-add-folder", lambda: folders_of(window.workspace).open([self._shooter.out]))

    def of_a_run(self, page: RunPage) -> None:
        """What is asked while a run goes on."""
        self.shoot("9-stop", page.ask_stop)
        self.shoot("9-close", self._window.close)
