"""Walks from an empty window to a result in a process of its own, and says how long the window's thread worked.

    python -m tests.support.first_path HOME [--minutes 0.5] [--why]

Nothing of the window is imported before, as for somebody who has just started the program; HOME may hold the sample,
else it is drawn. The last line is JSON: by part of the way the longest turns of the event loop in ms of the processor,
the actions, the seconds, the stages. `--why` prints where the thread was in turns that took long.
"""

import argparse
import json
import os
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what is measured begins with their import
    from PySide6.QtWidgets import QAbstractButton, QApplication

PATIENCE = 900.0  # seconds for all of it
SUSPECT_MS = 40.0  # of a turn, before its stack is looked at
LOOK, DEEP = 0.004, 9  # seconds between two looks, and frames that are told


class Why(threading.Thread):
    """Looks at the stack of the window's thread where a turn of its loop takes long."""

    def __init__(self, began: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self._began, self._main = began, threading.main_thread().ident or 0
        self._clock = time.pthread_getcpuclockid(self._main)
        self.seen: dict[float, Counter[str]] = {}

    def tell(self) -> None:
        """Print what was seen, and forget it."""
        seen, self.seen = self.seen, {}
        for turn in seen.values():
            say(f"  a turn, seen {turn.total()} times")
            for where, times in turn.most_common(6):
                say(f"    {times} {where}")

    def run(self) -> None:
        """Look, until the process ends."""
        while True:
            time.sleep(LOOK)
            began = self._began()
            if 1000 * (time.clock_gettime(self._clock) - began) > SUSPECT_MS:
                frames = traceback.extract_stack(sys._current_frames()[self._main])[-DEEP:]
                names = (f"{Path(one.filename).stem}:{one.lineno} {one.name}" for one in reversed(frames))
                self.seen.setdefault(began, Counter())[" < ".join(names)] += 1


class Walk:
    """A person who has just started the program."""

    def __init__(self, app: "QApplication", why: bool) -> None:
        from PySide6.QtCore import QTimer

        from sslstudio.ui.shell.main_window import MainWindow

        self.app, self.window = app, MainWindow()
        self.window.resize(1280, 800)
        self.window.show()
        from tests.support.watchdog import Watchdog

        self.watchdog = Watchdog()
        self.why = Why(lambda: self.watchdog.last) if why else None
        if self.why is not None:
            self.why.start()
        QTimer.singleShot(0, self.window.workspace.load_engine)
        self.began, self.actions = time.monotonic(), 0
        self.parts: dict[str, list[float]] = {}

    def wait(self, done: Callable[[], bool]) -> None:
        """Until something is so."""
        while not done():
            self.app.processEvents()
            time.sleep(0.002)
            assert time.monotonic() - self.began < PATIENCE, "it takes too long"

    def click(self, words: str) -> None:
        """The button that says so, once it can be clicked."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        self.wait(lambda: bool(self._buttons(words)))
        QTest.mouseClick(self._buttons(words)[0], Qt.MouseButton.LeftButton)
        self.actions += 1

    def _buttons(self, words: str) -> "list[QAbstractButton]":
        from PySide6.QtWidgets import QAbstractButton

        found = self.window.findChildren(QAbstractButton)
        told = [one for one in found if words in (one.text().strip(), one.accessibleName())]
        return [one for one in told if one.isVisible() and one.isEnabled()]

    def note(self, part: str) -> None:
        """A part of the way is over."""
        self.parts[part] = sorted([*self.parts.get(part, []), *(round(one, 1) for one in self.watchdog.longest)])[-5:]
        say(part, self.parts[part])
        if self.why is not None:
            self.why.tell()
        self.watchdog.forget()

    def to_result(self, minutes: float) -> dict[str, object]:
        """Three clicks, and what they took."""
        from sslstudio.ui.pages.journey.controller import Stage
        from sslstudio.ui.pages.journey.page import JourneyPage

        page = self.window.pages["journey"]
        assert isinstance(page, JourneyPage)
        self.click("Sort pictures into classes")
        self.note("choosing")
        self.click("Try with the sample")
        self.wait(lambda: self.window.workspace.recognised is not None)
        self.note("opening")
        page.journey.minutes = minutes
        self.click("Learn")
        stages: list[Stage] = []

        def over() -> bool:
            if not stages or stages[-1] is not page.journey.stage:
                if stages:
                    self.note(stages[-1].name.lower())
                stages.append(page.journey.stage)
            return stages[-1] in (Stage.DONE, Stage.IDLE)

        self.wait(over)
        shown = time.monotonic()
        self.wait(lambda: time.monotonic() - shown > 1.0)
        self.note("result")
        return {
            "parts": self.parts, "actions": self.actions, "seconds": round(time.monotonic() - self.began, 1),
            "stages": [one.name for one in stages], "error": page.journey.error, "said": page.now.text(),
        }  # fmt: skip


def say(*words: object) -> None:
    """Print at once: somebody may end it."""
    print(*words, flush=True)  # noqa: T201  # it is a command


def main() -> None:
    """Walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--minutes", type=float, default=0.5, help="that are given to learning")
    parser.add_argument("--why", action="store_true")
    options = parser.parse_args()
    os.environ["SSLSTUDIO_HOME"] = str(options.home)
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(options.home / "settings"))
    walk = Walk(QApplication(sys.argv[:1]), options.why)
    found = walk.to_result(options.minutes)
    walk.watchdog.stop()
    say(json.dumps(found))
    walk.window.close()


if __name__ == "__main__":
    main()
