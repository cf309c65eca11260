"""Every page and dialog as a picture, to be looked at: light and dark, 100 to 200 per cent, small and large screen.

    python tests/support/screenshots.py OUT [FOLDER] [--scales 100,150,200] [--no-comparisons]

FOLDER is a folder with pictures and labels; without it the sample pictures are drawn. Short real trainings are run
once and kept in OUT/home (or SSLSTUDIO_HOME), so that a second call is quick. SSLSTUDIO_LANGUAGE=de shows it in
German. Texts that are cut off are listed in OUT/clipped-SCALE.txt.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QDeadlineTimer, QSettings
from PySide6.QtWidgets import QApplication

from sslstudio.engine.core.config import Value
from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.compare.tab import ExperimentTab
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.text import translate
from tests.support.clipped import clipped
from tests.support.dialog_shots import DialogShots

SIZES = ((1280, 720), (1920, 1080))
SCREEN = {"name": "4K", "x": 0, "y": 0, "width": 3840, "height": 2160, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
PRETRAIN_MINUTES, FINETUNE_MINUTES = 0.6, 0.5
COMPARISON: dict[str, Value] = {
    "labels": "2,5,10",
    "seeds": 3,
    "steps": 8,
    "pretrain_settings": "budget.steps=20;probe.enabled=false",
}
TOURNAMENT: dict[str, Value] = {"minutes": 0.4, "pretrain_settings": "probe.draws=4"}


def wait(done: Callable[[], bool], seconds: float = 240.0) -> None:
    """Let the window work until something is so."""
    deadline = QDeadlineTimer(int(1000 * seconds))
    while not done():
        if deadline.hasExpired():
            raise TimeoutError("the window did not get there")
        QApplication.processEvents()


def rest(seconds: float) -> None:
    """Let the window work for a while."""
    deadline = QDeadlineTimer(int(1000 * seconds))
    wait(deadline.hasExpired)


def tells_the_time(estimate: str) -> bool:
    """Whether it is known how long a comparison takes, in any language: it is no longer being worked out."""
    return bool(estimate) and not estimate.endswith("…")


class Shooter:
    """Goes through the window as a user would and takes pictures on the way."""

    def __init__(self, out: Path, scale: str) -> None:
        self.out, self.scale = out, scale
        self.window = MainWindow()
        self.window.show()
        self.dialogs = DialogShots(self)

    def report(self, name: str, found: list[str]) -> None:
        """Note what is cut off in a picture."""
        with (self.out / f"clipped-{self.scale}.txt").open("a", encoding="utf-8") as file:
            file.writelines(f"{name}: {one}\n" for one in found)

    def shoot(self, name: str, sizes: tuple[tuple[int, int], ...] | None = None) -> None:
        """One page in all sizes and schemes."""
        sizes = sizes or SIZES
        for width, height in sizes if self.scale == "100" else sizes[:1]:
            self.window.resize(width, height)
            for scheme in ("light", "dark"):
                theme().follow(scheme)
                rest(0.5)
                self.report(f"{name}-{width}-{scheme}", clipped(self.window))
                self.window.grab().save(str(self.out / f"{name}-{width}-{self.scale}-{scheme}.png"))

    def open(self, folder: Path | None) -> None:
        """Welcome, busy and loaded."""
        workspace = self.window.workspace
        self.shoot("0-welcome")
        self.window.go("pretext")
        self.shoot("0-no-pictures", SIZES[:1])
        workspace.load_engine()
        self.window.go("images")
        workspace.open_folder(folder) if folder else workspace.open_sample()
        wait(lambda: workspace.recognised is not None and workspace.readable is not None)
        rest(1.5)
        self.shoot("1-images")
        page = self.window.pages["images"]
        page.tabs.setCurrentIndex(1)  # type: ignore[attr-defined]
        self.shoot("1-labels")

    def manual(self) -> None:
        """Some pages of the manual, one with something looked for."""
        self.window.help.manual()
        reading = self.window.help.reading
        assert reading is not None
        for page, wanted in (("index", ""), ("getting-started", ""), ("comparison", "labels"), ("other-programs", "")):
            for scheme in ("light", "dark"):
                theme().follow(scheme)
                reading.open(reading.folder / f"{page}.md")
                reading.field.setText(wanted)
                rest(0.5)
                self.report(f"9-manual-{page}-{scheme}", clipped(reading))
                reading.grab().save(str(self.out / f"9-manual-{page}-{self.scale}-{scheme}.png"))
        self.window.help.finish()

    def puzzles(self) -> None:
        """Each task."""
        self.window.go("pretext")
        page = self.window.pages["pretext"]
        for name in self.window.workspace.engine.tasks if self.window.workspace.engine else ():
            page.choose_task(name)  # type: ignore[attr-defined]
            page.ask_puzzles()  # type: ignore[attr-defined]
            wait(lambda: page._job is None)  # type: ignore[attr-defined]
            self.shoot(f"2-pretext-{name}", SIZES if name == "jigsaw" else SIZES[:1])
        page.choose_task("jigsaw")  # type: ignore[attr-defined]
        for number in (1, 2):
            page.tabs.setCurrentIndex(number)  # type: ignore[attr-defined]
            rest(3.0)
            self.shoot(f"2-pretext-tab-{number}", SIZES[:1])
        page.tabs.setCurrentIndex(0)  # type: ignore[attr-defined]

    def labels(self) -> None:
        """Classes, masks and the map."""
        self.window.go("label")
        page = self.window.pages["label"]
        assert isinstance(page, LabelPage)
        wait(lambda: page.faces.currentWidget() is page.board)
        for number in range(page.board.tabs.count()):
            page.board.tabs.setCurrentIndex(number)
            wait(lambda: page._asking is None)
            rest(2.0)
            self.shoot(f"4-label-{number}", SIZES[:1])

    def train(self, step: str, minutes: float, name: str, kind: str = "") -> None:
        """A run, before, during and after; an earlier one (of that kind of answer) is opened if there is one."""
        self.window.go(step)
        page = self.window.pages[step]
        assert isinstance(page, RunPage)
        wait(lambda: page.settings is not None)
        rest(1.0)
        if isinstance(page, FinetunePage) and page.own is not None:
            page.own.kind.setCurrentIndex(page.own.kind.findData(kind))
        self.shoot(f"{name}-before")
        assert page.settings is not None
        page.settings.budget.set_minutes(minutes)
        finished = [run.path for run in page.runs._runs if run.outcome == "finished" and kind in run.path.name]
        if finished:
            page.open_run(finished[0])
        else:
            page.start_run()
            wait(lambda: page.view.epoch.value.text() != "–")
            rest(minutes * 20)
            self.shoot(f"{name}-during")
            page.add_to_queue()
            page.view.tabs.setCurrentIndex(page.view.tabs.count() - 1)
            rest(1.0)
            self.shoot(f"{name}-queue", SIZES[:1])
            while self.window.workspace.queue.runs:
                self.window.workspace.queue.remove(0)
        wait(lambda: page.view.outcome != "")
        rest(1.0)
        for number in range(page.view.tabs.count()):
            page.view.tabs.setCurrentIndex(number)
            self.shoot(f"{name}-after-{number}")

    def asked(self) -> None:
        """What is asked while a run goes on; it ends as soon as the pictures are taken."""
        self.window.go("pretrain")
        page, runner = self.window.pages["pretrain"], self.window.workspace.runner
        assert isinstance(page, RunPage)
        page.start_run()
        wait(lambda: page.view.epoch.value.text() != "–")
        self.dialogs.of_a_run(page)
        runner.stop()
        wait(lambda: not runner.active)

    def results(self, name: str) -> None:
        """Each tab."""
        self.window.go("results")
        page = self.window.pages["results"]
        assert isinstance(page, ResultsPage)
        wait(lambda: page.results is not None and page.results.run == page.workspace.result)
        for number in range(page.tabs.count()):
            page.tabs.setCurrentIndex(number)
            wait(lambda: number != 3 or bool(page.map.spots))  # noqa: B023 - waited for
            rest(1.0)
            self.shoot(f"{name}-{number}")
        page.tabs.setCurrentIndex(0)

    def comparisons(self) -> None:
        """Both tabs of the page of comparisons: before, while it runs, and each tab after."""
        self.window.go("compare")
        page = self.window.pages["compare"]
        assert isinstance(page, ComparePage)
        wait(lambda: page.clinic.found is not None)
        self.comparison(page, page.efficiency, COMPARISON)
        self.comparison(page, page.tournament, TOURNAMENT)

    def comparison(self, page: ComparePage, tab: ExperimentTab, quick: dict[str, Value]) -> None:
        """One of the tabs; an earlier one is opened if there is one."""
        page.tabs.setCurrentWidget(tab)
        wait(lambda: tab.settings is not None and tells_the_time(tab.settings.estimate.text()))
        self.shoot(f"6-{tab.job}-before")
        assert tab.settings is not None
        tab.settings.tasks.choose(["vicreg", "rotation", "jigsaw"])
        for name, value in quick.items():
            form = tab.settings.more if name in tab.settings.more.values() else tab.settings.form
            form.editor(name).set_value(value)
        rest(1.0)
        if tab.earlier.experiments:
            tab.open_experiment(tab.earlier.experiments[0].path)
            wait(lambda: tab.out is not None)
        else:
            page.start_run()
            wait(lambda: bool(tab.view.table.get("rows") or tab.view.table.get("rounds")))
            self.shoot(f"6-{tab.job}-during")
            wait(lambda: tab.view.outcome != "", 1200.0)
        for number in range(tab.view.tabs.count()):
            tab.view.tabs.setCurrentIndex(number)
            self.shoot(f"6-{tab.job}-after-{number}")


def main(out: Path, folder: Path | None, scale: str, comparisons: bool) -> None:
    """All pages and dialogs at one scale."""
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SSLSTUDIO_HOME", str(out / "home"))
    os.environ.setdefault("SSLSTUDIO_CACHE", str(out / "cache"))
    (out / f"clipped-{scale}.txt").unlink(missing_ok=True)
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(out / "settings"))
    app = QApplication(sys.argv[:1])
    spoken = translate.choose_language()
    translate.speak(spoken, app)
    shooter = Shooter(out, scale)
    shooter.open(folder)
    shooter.dialogs.of_the_menus()
    shooter.manual()
    shooter.puzzles()
    shooter.train("pretrain", PRETRAIN_MINUTES, "3-pretrain")
    shooter.labels()
    for kind in ("classification", "segmentation"):
        shooter.train("finetune", FINETUNE_MINUTES, f"4-finetune-{kind}", kind)
        shooter.results(f"5-{kind}")
    if comparisons:
        shooter.comparisons()
    shooter.asked()
    shooter.window.close()
    app.quit()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("out", type=Path)
    asked.add_argument("folder", type=Path, nargs="?")
    asked.add_argument("--scales", default="100,150,200")
    asked.add_argument("--no-comparisons", action="store_true")
    told = asked.parse_args()
    first, *others = told.scales.split(",")
    told.out.mkdir(parents=True, exist_ok=True)
    (told.out / "screen.json").write_text(json.dumps({"screens": [SCREEN]}))
    if os.environ.get("QT_SCALE_FACTOR") == str(int(first) / 100):
        main(told.out, told.folder, first, not told.no_comparisons)
    else:  # a process each: Qt takes the scale once, at the start
        words = [one for one in sys.argv if one != told.scales and one != "--scales"]
        for scale in (first, *others):
            environment = {**os.environ, "QT_SCALE_FACTOR": str(int(scale) / 100)}
            if environment["QT_QPA_PLATFORM"] == "offscreen":  # else it is 800 x 600, which no dialog is made for
                environment["QT_QPA_PLATFORM"] = f"offscreen:configfile={told.out / 'screen.json'}"
            subprocess.run([sys.executable, *words, "--scales", scale], env=environment, check=True)
