"""A person at the window, for programs that watch or kill it: opens pictures, labels, queues and trains, for real.

The dialogs are answered: questions with yes, choices with the first answer; an error is kept.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication

from sslstudio.engine.launch.launcher import resume_run, start_run
from sslstudio.engine.models.encoders.choice import EncoderConfig
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
    ProbeConfig,
)
from sslstudio.ui.base import app_settings
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets import dialogs

PATIENCE = 120.0  # seconds for anything that is waited for


def wait(until: Callable[[], bool], what: str) -> None:
    """Let Qt work until something is so. Raises TimeoutError when it does not come about."""
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        QApplication.processEvents()
        time.sleep(0.003)
    QApplication.processEvents()


def let_go() -> None:
    """Let everything that is due happen, and what is to be deleted go."""
    for _ in range(3):
        QApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


class GaveUp(Exception):
    """What the person waits for will not come: an error was told instead."""


class Person:
    """Has a window with settings and a home of its own below `folder`."""

    def __init__(self, folder: Path, *, apart: bool = False) -> None:
        self.folder = folder
        self.errors: list[str] = []
        self.questions: list[str] = []
        os.environ |= {"SSLSTUDIO_HOME": str(folder / "home"), "QT_QPA_PLATFORM": "offscreen"}
        self.app = QApplication.instance() or QApplication(["sslstudio"])
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "settings"))
        app_settings.set_expert(True)
        app_settings.set_apart(apart)
        self.apart = apart
        self._answer()
        self.window = MainWindow()
        self.workspace = self.window.workspace
        self.window.show()
        self.workspace.load_engine()
        wait(lambda: self.workspace.engine is not None or bool(self.errors), "the engine")

    def _answer(self) -> None:
        stand_in: Any = dialogs

        def ask(parent: object, question: str, *answers: str) -> bool:
            self.questions.append(question)
            return True

        stand_in.tell_error = lambda parent, error: self.errors.append(f"{type(error).__name__}: {error}")
        stand_in.tell = lambda *words: None
        stand_in.show_table = lambda *words: None
        stand_in.ask = ask
        stand_in.choose = lambda parent, question, answers, stay: next(iter(answers))

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        """Wait until something is so. Raises GaveUp when an error was told and it is not."""
        wait(lambda: until() or bool(self.errors), what)
        if not until():
            raise GaveUp(f"no {what.removeprefix('the ')}")

    def confirms(self, what: Callable[[], object]) -> bool:
        """Do it, and say whether no error was told."""
        told = len(self.errors)
        what()
        return len(self.errors) == told

    def open(self, pictures: Path) -> None:
        """Open these pictures."""
        self.window.open_folder(pictures)
        self._wait(lambda: self.workspace.readable is not None, "the pictures")

    def label(self, count: int, note: Callable[[str], None]) -> None:
        """Label so many pictures; each is noted before (`try`) and when it is confirmed (`yes`)."""
        self.window.go("label")
        labels: Any = self.window.pages["label"].labels  # type: ignore[attr-defined]
        self._wait(lambda: labels.store is not None, "the labels")
        paths, classes = sorted(labels.store.of)[:count], len(labels.store.classes)
        for number, path in enumerate(paths):
            wanted = (number + 1) % classes + 1
            note(f"try {path} {wanted}")
            if labels.do(labels.store.labelling([path], wanted)):
                note(f"yes {path} {wanted}")

    def config(self, pictures: Path, out: Path, task: str = "rotation", steps: int = 4) -> PretrainConfig:
        """A pretraining of seconds."""
        return PretrainConfig(
            out=str(out),
            task=task,
            encoder=EncoderConfig(name="small"),
            data=DataConfig(folder=str(pictures), side=32),
            optimiser=OptimiserConfig(batch_size=8),
            budget=BudgetConfig(steps=steps),
            probe=ProbeConfig(enabled=False),
            hardware=HardwareConfig(device="cpu", autotune="off"),
        )

    def train(self, config: PretrainConfig) -> None:
        """Train, and wait for the end, that of the queue too."""
        self.start(config)
        self.rest()

    def start(self, config: PretrainConfig) -> None:
        """Start a training as the page does."""
        self.window.go("pretrain")
        self.workspace.runner.start("pretrain", partial(start_run, config, apart=self.apart, restarts=0))

    def resume(self, run: Path, *, stop_after: bool = False) -> None:
        """Go on with a run, as the list of runs does; with `stop_after` stop it once it has begun."""
        self.window.go("pretrain")
        self.workspace.runner.start("pretrain", partial(resume_run, run, apart=self.apart, restarts=0))
        if stop_after:
            wait(lambda: self.workspace.runner._has_begun or not self.workspace.runner.active, "the run")
            self.workspace.runner.stop()
        self.rest()

    def rest(self) -> None:
        """Wait until no run goes on or waits to."""
        runner, queue = self.workspace.runner, self.workspace.queue
        wait(lambda: not runner.active and not queue._next.isActive(), "the end of the runs")

    def close(self) -> None:
        """Close the window."""
        self.window.close()
        let_go()


def main(folder: Path, pictures: Path) -> int:
    """The job from pictures to weights, in a process of its own for the training; 1 if an error was told."""
    person = Person(folder, apart=True)
    person.open(pictures)
    person.label(6, lambda line: None)
    person.train(person.config(pictures, folder / "home" / "runs" / "one"))
    for name in person.window.specs:
        person.window.go(name)
        let_go()
    person.close()
    sys.stdout.write("\n".join(person.errors))
    return 1 if person.errors else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
