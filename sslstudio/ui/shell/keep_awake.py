"""Keeps the machine from falling asleep while something goes on, and says so when it cannot.

Windows has a call for it. macOS and Linux have a program that holds sleep off for as long as it runs: caffeinate and
systemd-inhibit. Both end with this program, however it ends, so that no machine stays awake for nothing.

wakepy 1.0 (MIT) was looked at instead: on Linux it asks GNOME's session manager and freedesktop's power manager over
D-Bus, from the thread that calls, and knows no systemd-inhibit, so that a desktop without either could fall asleep.
"""

import os
import shutil
import subprocess
import sys

from PySide6.QtCore import QObject, QTimer, Signal

ES_CONTINUOUS, ES_SYSTEM_REQUIRED = 0x80000000, 0x00000001  # SetThreadExecutionState, winbase.h
REFUSED_MS = 1500  # by when a program that is not allowed to hold sleep off has ended
ENDED = 2.0  # seconds that it may take to end when told to


def holding_program(platform: str = sys.platform) -> list[str]:
    """The command that keeps this machine awake while it runs; [] where there is none."""
    if platform == "darwin":
        wanted = ["caffeinate", "-i", "-w", str(os.getpid())]  # -w: ends when this process does
    elif platform.startswith("linux"):
        # `cat` ends when its input is closed, which the system does however this process ends.
        wanted = ["systemd-inhibit", "--what=idle:sleep", "--who=SSL Studio", "--why=A training goes on", "cat"]
    else:
        return []
    return wanted if shutil.which(wanted[0]) else []


class KeepAwake(QObject):
    """Holds sleep off between `hold` and `release`. `trouble` says in words that it cannot."""

    trouble = Signal(str)

    def __init__(self, parent: QObject | None = None, command: list[str] | None = None) -> None:
        super().__init__(parent)
        self._command = holding_program() if command is None else command
        self._windows = sys.platform == "win32"
        self._process: subprocess.Popen[bytes] | None = None
        self._held = False
        self._look = QTimer(self, interval=REFUSED_MS, singleShot=True)
        self._look.timeout.connect(self._look_after)

    @property
    def held(self) -> bool:
        """Whether sleep is held off now, as far as is known."""
        return self._held

    def hold(self) -> None:
        """Keep the machine awake from now on."""
        if self._held:
            return
        if self._windows:
            self._held = _tell_windows(ES_CONTINUOUS | ES_SYSTEM_REQUIRED)
            if not self._held:
                self._cannot_soon()
        elif not self._command:
            self._cannot_soon()
        else:
            self._begin()

    def _begin(self) -> None:
        none = subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=none, stderr=none)
        except OSError:
            self._cannot_soon()
            return
        self._held = True
        self._look.start()

    def release(self) -> None:
        """Let it sleep again."""
        self._look.stop()
        held, self._held = self._held, False
        process, self._process = self._process, None
        if held and self._windows:
            _tell_windows(ES_CONTINUOUS)
        if process is not None:
            _end(process)

    def _look_after(self) -> None:
        """A program that has ended by now was not allowed to hold sleep off."""
        if self._process is not None and self._process.poll() is not None:
            self.release()
            self._cannot()

    def _cannot_soon(self) -> None:
        """Say it once whoever started the run has made ready to listen."""
        QTimer.singleShot(0, self, self._cannot)

    def _cannot(self) -> None:
        self.trouble.emit(
            self.tr("This computer may fall asleep during the training. Switch its sleep off in the system's settings.")
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(ENDED)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tell_windows(state: int) -> bool:
    """Whether Windows took it. The state belongs to the calling thread, here the UI's, which outlives every run."""
    import ctypes

    windll = getattr(ctypes, "windll", None)
    return windll is not None and windll.kernel32.SetThreadExecutionState(state) != 0
