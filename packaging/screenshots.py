"""Makes all pictures of the window that README and manual show, anew: resources/screenshots/*.png.

    python packaging/screenshots.py                # trains on the sample pictures first, some 25 minutes on two cores
    python packaging/screenshots.py --work FOLDER  # keeps sample, runs and settings there: a second call is quick
    python packaging/screenshots.py --minutes 3    # of pretraining; the fine-tuning gets half of it
    python packaging/screenshots.py --side 48 --count 800    # smaller and fewer pictures, for a slow machine

They are 1280 x 800, in English, and reduced to 256 colours, which nobody sees and which halves their size.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["SSLSTUDIO_LANGUAGE"] = "en"

from PIL import Image  # noqa: E402
from PySide6.QtCore import QDeadlineTimer, QSettings  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from sslstudio.ui.base import app_settings  # noqa: E402
from sslstudio.ui.base.theme import theme  # noqa: E402
from sslstudio.ui.pages.journey.page import JourneyPage  # noqa: E402
from sslstudio.ui.pages.label.page import LabelPage  # noqa: E402
from sslstudio.ui.pages.puzzles.page import PretextPage  # noqa: E402
from sslstudio.ui.pages.results.page import ResultsPage  # noqa: E402
from sslstudio.ui.pages.train.run_page import RunPage  # noqa: E402
from sslstudio.ui.shell.main_window import MainWindow  # noqa: E402

OUT = ROOT / "resources" / "screenshots"
WIDTH, HEIGHT = 1280, 800
TASK, LABELS = "jigsaw", 10
SECONDS = 300.0  # that anything may take in the window


def wait(done: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Let the window work until something is so. Raises TimeoutError."""
    deadline = QDeadlineTimer(int(1000 * seconds))
    while not done():
        if deadline.hasExpired():
            raise TimeoutError("the window did not get there")
        QApplication.processEvents()


def rest(seconds: float) -> None:
    """Let the window work for a while."""
    wait(QDeadlineTimer(int(1000 * seconds)).hasExpired, seconds + SECONDS)


def call(*words: object) -> None:
    """A command of the program."""
    subprocess.run([sys.executable, "-m", "sslstudio", *map(str, words)], check=True, cwd=ROOT)


def train(pictures: Path, runs: Path, minutes: float, side: list[object]) -> None:
    """The runs that the pictures show, unless they are there. `side`: the option that says how large pictures are read,
    empty for as large as the program chooses."""
    runs.mkdir(parents=True, exist_ok=True)
    pretrained, tuned = runs / TASK, runs / f"{TASK} {LABELS} labels a class"
    for run, words in (
        (pretrained, ["pretrain", pictures, "--task", TASK, "--minutes", minutes]),
        (tuned, ["finetune", pictures, "--from", pretrained, "--labels-per-class", LABELS, "--minutes", minutes / 2]),
    ):
        if not run.exists():
            call(*words, *side, "--out", run)
        elif not (run / "metrics.json").exists():  # stopped before its end
            call("resume", run)


class Camera:
    """Goes through the window and takes the pictures."""

    def __init__(self) -> None:
        self.window = MainWindow()
        self.window.resize(WIDTH, HEIGHT)
        self.window.show()
        self.window.workspace.load_engine()
        wait(lambda: self.window.workspace.engine is not None)

    def shoot(self, name: str, scheme: str) -> None:
        """One picture, which replaces the one there was."""
        theme().follow(scheme)
        rest(1.0)
        file = OUT / f"{name}-{scheme}.png"
        self.window.grab().save(str(file))
        with Image.open(file) as whole:
            few = whole.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(file, optimize=True)
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes", flush=True)

    def open(self, folder: Path) -> Path:
        """Open the pictures; where their runs are."""
        workspace = self.window.workspace
        self.window.open_folder(folder)
        wait(lambda: workspace.recognised is not None and workspace.readable is not None)
        rest(2.0)
        return workspace.runs_folder

    def simple(self) -> None:
        """The result in plain words."""
        self.window.take_way("simple")
        page = self.window.pages["journey"]
        assert isinstance(page, JourneyPage)
        page.journey.choose("classes")
        wait(lambda: page.journey.verdict is not None)
        rest(2.0)
        self.shoot("simple", "light")
        self.window.take_way("expert")

    def puzzles(self) -> None:
        """What a task asks."""
        self.window.go("pretext")
        page = self.window.pages["pretext"]
        assert isinstance(page, PretextPage)
        page.choose_task(TASK)
        page.ask_puzzles()
        wait(lambda: page._job is None and page.clinic.found is not None)
        rest(2.0)
        self.shoot("puzzles", "light")

    def pretrain(self, run: Path) -> None:
        """The network's answers."""
        self.window.go("pretrain")
        page = self.window.pages["pretrain"]
        assert isinstance(page, RunPage)
        wait(lambda: page.settings is not None)
        page.open_run(run)
        wait(lambda: page.view.outcome != "")
        page.view.tabs.setCurrentIndex(1)
        rest(2.0)
        self.shoot("pretrain", "dark")

    def results(self, run: Path) -> None:
        """Scores, and the worst mistakes."""
        self.window.go("results")
        page = self.window.pages["results"]
        assert isinstance(page, ResultsPage)
        self.window.workspace.show_result(run)
        wait(lambda: page.results is not None and page.results.run == run)
        self.shoot("results", "light")
        page.tabs.setCurrentIndex(2)
        close_up = page.predictions.close_up
        close_up.why.click()
        wait(lambda: close_up.near.gallery.rowCount() > 0 and not close_up.busy.isVisible())
        rest(2.0)
        self.shoot("mistakes", "light")

    def labels(self) -> None:
        """Masks."""
        self.window.go("label")
        page = self.window.pages["label"]
        assert isinstance(page, LabelPage)
        wait(lambda: page.faces.currentWidget() is page.board)
        page.board.tabs.setCurrentIndex(1)
        wait(lambda: page._asking is None)
        rest(2.0)
        self.shoot("label", "light")


def main(work: Path, minutes: float, side: int, count: int) -> None:
    """Everything."""
    os.environ["SSLSTUDIO_HOME"], os.environ["SSLSTUDIO_CACHE"] = str(work / "home"), str(work / "cache")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(work / "settings"))
    pictures = work / "shapes"
    if not pictures.exists():
        call("sample", pictures, "--count", count)
    app = QApplication(sys.argv[:1])
    app_settings.set_expert(True)
    app_settings.set_apart(False)
    camera = Camera()
    runs = camera.open(pictures)
    train(pictures, runs, minutes, ["--side", side] if side else [])
    camera.window.close()
    camera = Camera()  # as a person who comes back finds it
    camera.open(pictures)
    camera.puzzles()
    camera.pretrain(runs / TASK)
    camera.results(runs / f"{TASK} {LABELS} labels a class")
    camera.labels()
    camera.simple()
    camera.window.close()
    app.quit()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--work", type=Path, help="a folder that is kept")
    asked.add_argument("--minutes", type=float, default=15.0, help="of pretraining")
    asked.add_argument("--side", type=int, default=0, help="in pixels, to which pictures are read")
    asked.add_argument("--count", type=int, default=2400, help="of pictures in the sample")
    told = asked.parse_args()
    if told.work is not None:
        main(told.work.resolve(), told.minutes, told.side, told.count)
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made), told.minutes, told.side, told.count)
