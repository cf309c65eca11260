"""The program with its window."""

import locale
import os
import sys
import threading
from functools import partial
from pathlib import Path
from types import TracebackType

from sslstudio.engine.core import crash_trace
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.mishaps import keep_trace


def check_screen() -> None:
    """Without a screen Qt aborts in C++ with a text that helps nobody: say it in words before. Raises StudioError."""
    if sys.platform != "linux":
        return
    if os.environ.get("QT_QPA_PLATFORM") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    raise StudioError(
        "There is no screen to open a window on (DISPLAY and WAYLAND_DISPLAY are empty). Start the program from a "
        "desktop, or connect with ssh -X, or use the commands without a window: sslstudio --help"
    )


def tell_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug in a slot: Qt would print it to a console that nobody sees, and go on. Say it, and keep it for a report."""
    from sslstudio.ui.widgets import dialogs

    sys.__excepthook__(kind, error, trace)
    if isinstance(error, Exception):
        dialogs.tell_error(None, error)


def note_from_thread(about: threading.ExceptHookArgs) -> None:
    """A mistake on a thread that nobody waits for: it is kept, and the window goes on."""
    error = about.exc_value
    if error is not None:
        keep_trace(error)


def run(folder: Path | None = None) -> int:
    """Open the window, on a folder if one is given; returns the exit code when it is closed."""
    check_screen()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from sslstudio.ui.text import translate
    from sslstudio.ui.widgets.tool_tips import PlainToolTips

    app = QApplication.instance() or QApplication(sys.argv[:1])
    locale.setlocale(locale.LC_NUMERIC, "C")  # Qt has set the person's: libraries in C would read 0.5 as 0
    app.setApplicationName("SSL Studio")
    app.setOrganizationName("SSL Studio")
    sys.excepthook = tell_unexpected
    threading.excepthook = note_from_thread
    app.installEventFilter(PlainToolTips(app))
    translate.speak(translate.choose_language(), app)  # before any module of the window is loaded: some hold texts
    from sslstudio.ui.shell.main_window import MainWindow

    ended = crash_trace.begin_window()
    window = MainWindow()
    window.show()
    if ended:  # before all else that asks
        QTimer.singleShot(0, partial(window.help.tell_ended, ended[-1]))
    QTimer.singleShot(0, window.workspace.load_engine)
    QTimer.singleShot(0, window.tour.begin_once)
    if folder is not None:
        window.open_folder(folder)
    code = int(QApplication.exec())
    crash_trace.end_window()
    return code
