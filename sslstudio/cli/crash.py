"""The program has crashed before there was a window to say so: a dialog with the place of a log.

Imports nothing of the program but messages, and Qt only when it is asked to show a dialog: whatever is broken may be
the reason of the crash.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from sslstudio import __version__
from sslstudio.engine.core.messages import Message

SECONDS = 60.0  # that a dialog of the system may stay open
LONG = 400  # letters of a reason
# Programs of desktops on Linux that show a text, the first that is there; the text comes last.
SHOWING = (
    ("zenity", "--error", "--no-markup", "--title=SSL Studio", "--text"),
    ("kdialog", "--title", "SSL Studio", "--error"),
    ("xmessage", "-center"),
    ("notify-send", "--urgency=critical", "SSL Studio"),
)


def log_folder() -> Path:
    """Where the log is kept: SSLSTUDIO_LOG, or the user's folder for logs, or that for temporary files."""
    if os.environ.get("SSLSTUDIO_LOG"):
        return Path(os.environ["SSLSTUDIO_LOG"])
    try:
        import platformdirs

        return Path(platformdirs.user_log_dir("SSLStudio"))
    except Exception:
        return Path(tempfile.gettempdir()) / "SSLStudio"


def write_log(error: BaseException) -> Path | None:
    """Add what is known of a crash to the log; returns the file, None where nowhere can be written."""
    said = "".join(traceback.format_exception(error))
    version = f"SSL Studio {__version__}, Python {sys.version.split()[0]}, {sys.platform}"
    head = f"{time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()} could not start"
    text = f"{head}\n{version}\n{' '.join(sys.argv)}\n\n{said}\n"
    for folder in (log_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / "sslstudio.log"  # as in engine/core/mishaps.py
            with file.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
            return file
        except OSError:
            continue
    return None


def crash_message(error: BaseException, log: Path | None) -> Message:
    """What to tell people."""
    reason = f"{type(error).__name__}: {_short(str(error))}"
    if log is None:
        return Message("SSL Studio could not start: {reason}. No log could be written.", reason=reason)
    return Message(
        "SSL Studio could not start: {reason}. What is known of it is in {log}: please send that file with a bug "
        "report.",
        reason=reason,
        log=log,
    )


def _short(text: str) -> str:
    """A reason that a dialog has room for: of a long one its last line, where libraries say what really happened."""
    lines = text.strip().splitlines()
    return (text if len(text) <= LONG or not lines else lines[-1])[:LONG]


def tell_crash(error: BaseException, *, dialog: bool) -> Path | None:
    """Write the log, say where it is on the console, and with `dialog` in a dialog; returns the log."""
    log = write_log(error)
    said = crash_message(error, log)
    traceback.print_exception(error)
    sys.stderr.write(f"sslstudio: {said}\n")
    if dialog and not os.environ.get("SSLSTUDIO_NO_DIALOG"):
        _show(said)
    return log


def _show(said: Message) -> None:
    """A dialog of Qt; where that is broken, one that comes with the system."""
    try:
        _show_with_qt(said)
    except Exception:
        _show_with_system(str(said))


def _show_with_qt(said: Message) -> None:
    from sslstudio.ui.shell.crash_box import show_crash

    show_crash(said)


def _show_with_system(said: str) -> None:
    try:
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.user32.MessageBoxW(None, said, "SSL Studio", 0x10)
        elif sys.platform == "darwin":
            quoted = said.replace("\\", "\\\\").replace('"', '\\"')
            script = f'display alert "SSL Studio" message "{quoted}" as critical'
            subprocess.run(["osascript", "-e", script], check=False, timeout=SECONDS)
        else:
            words = next((words for words in SHOWING if shutil.which(words[0])), None)
            if words is not None and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                subprocess.run([*words, said], check=False, timeout=SECONDS, env=_without_bundle())
    except Exception:  # the console and the log have it already
        traceback.print_exc()


def _without_bundle() -> dict[str, str]:
    """The environment as it was before the built program put its own libraries first: others' programs have theirs."""
    before = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    kept = os.environ.get("LD_LIBRARY_PATH_ORIG")  # PyInstaller's
    return {**before, "LD_LIBRARY_PATH": kept} if kept else before
