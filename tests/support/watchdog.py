"""How long the window's thread works between two turns of its loop: what another program takes is not its fault."""

import os
import time

from PySide6.QtCore import QTimer

SLACK = float(os.environ.get("SSLSTUDIO_SLACK", "1"))  # of a machine that others share
LONGEST_MS, LOADING_MS = 100 * SLACK, 300 * SLACK  # at a time; once, while torch loads


class Watchdog:
    """Notes the longest turns, in milliseconds of the processor. `forget` begins anew; `stop` before its test ends."""

    def __init__(self) -> None:
        self.longest: list[float] = []
        self.last = time.thread_time()
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._turn)
        self._timer.start()

    def _turn(self) -> None:
        now = time.thread_time()
        self.longest = sorted([*self.longest, 1000 * (now - self.last)])[-5:]
        self.last = now

    def forget(self) -> None:
        """What was so far is another matter."""
        self.longest, self.last = [], time.thread_time()

    def stop(self) -> None:
        """Look no longer."""
        self._timer.stop()
