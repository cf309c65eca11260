"""A walk through the window, page by page, for tests that look at everything that it shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.messages import Message
from sslstudio.engine.runs.run_folder import RunSummary
from sslstudio.engine.verdicts.label_curve import CurvePoint, LabelCurve
from sslstudio.ui.gallery.requests import Wish, requests
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.journey.page import JourneyPage
from sslstudio.ui.pages.label.gallery import PROPOSED
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.spec import EXPERT, SIMPLE, page_names
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.pages.compare.test_efficiency_plot import table

LONG = 60_000
CURVE = LabelCurve(
    (CurvePoint(10, 0.4, 0.3, 0.5), CurvePoint(20, 0.6, 0.5, 0.7)), CurvePoint(40, 0.65, 0.5, 0.8), 20, (0.02, 0.06)
)  # the run of the tests has too few labels for one
Look = Callable[[QWidget, str], None]

QUICK = ("empty", "simple", "images", "viewer", "palette", "label", "pretrain", "finetune", "classes", "masks")
HEAVY = ("puzzles", "proposals", "compare")  # they wait for many or long jobs of the engine
PLACES = (*QUICK, *(pytest.param(place, marks=pytest.mark.slow) for place in HEAVY))


Runs = Callable[[str], Any]  # the folder of a run by the name of its fixture, which is made when a place shows it


class Walk:
    """Goes to the places of a window and calls `look` with what is shown, and with where that is."""

    def __init__(self, window: MainWindow, look: Look, qtbot: QtBot) -> None:
        self.window, self.look, self.qtbot = window, look, qtbot

    def wait(self, done: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        self.qtbot.waitUntil(done, timeout=LONG)

    def go(self, place: str, pictures: Path, runs: Runs) -> None:
        """One of `QUICK` or `HEAVY`."""
        if place == "empty":
            self.empty()
            return
        self.open(pictures)
        ways: dict[str, Callable[[], None]] = {
            "simple": self.simple,
            "images": self.images,
            "viewer": self.viewer,
            "palette": self.palette,
            "label": self.label,
            "puzzles": self.puzzles,
            "compare": self.compare,
            "pretrain": lambda: self.run("pretrain", runs("pretrained")),
            "finetune": lambda: self.run("finetune", runs("classified")),
            "classes": lambda: self.results(runs("classified")),
            "masks": lambda: self.results(runs("segmented")),
            "proposals": lambda: self.proposals(runs("classified")),
        }
        ways[place]()

    def open(self, pictures: Path) -> None:
        """With these pictures."""
        with changing(self.qtbot, self.window.workspace, Change.READABLE, LONG):
            self.window.open_folder(pictures)

    def tabs(self, tabs: QTabWidget, where: str, ready: Callable[[int], None] = lambda _: None) -> None:
        """Each tab that there is."""
        for number in range(tabs.count()):
            if tabs.isTabVisible(number):
                tabs.setCurrentIndex(number)
                ready(number)
                self.look(self.window, f"{where}, {tabs.tabText(number)}")

    def empty(self) -> None:
        """Every page before there are pictures; the simple way then, too."""
        for name in page_names():
            self.window.go(name)
            self.look(self.window, f"{name}, empty")
        self.simple()

    def simple(self) -> None:
        """Each face of the page: what is wanted, which pictures, and what happens with them."""
        self.window.take_way(SIMPLE)
        page = self.window.pages["journey"]
        assert isinstance(page, JourneyPage)
        for goal in (None, "classes", "masks", "explore"):
            page.journey.choose(goal)
            self.look(self.window, f"simple way, {goal}")
        self.window.take_way(EXPERT)

    def images(self) -> None:
        """Pictures, labels, split and near copies."""
        self.window.go("images")
        page = self.window.pages["images"]
        assert isinstance(page, ImagesPage)
        self.tabs(page.tabs, "images", lambda _: self.wait(lambda: not page.copies.copies.going))

    def viewer(self) -> None:
        """A picture seen closely."""
        self.window.go("images")
        page = self.window.pages["images"]
        assert isinstance(page, ImagesPage)
        page.tabs.setCurrentIndex(0)
        model = page.gallery.gallery
        requests().opened.emit(Wish([model.item(0), model.item(1)], 0, page.gallery, [0]))
        made = self.window.viewer.viewer
        assert made is not None
        self.wait(lambda: made._loaded is not None)
        self.look(made, "viewer")
        made.close()

    def palette(self) -> None:
        """All commands, and those that some letters find. Looked at by itself: what it lies over is no place of it."""
        self.window.palette_.open()
        self.look(self.window.palette_, "palette")
        self.window.palette_.field.setText("a")
        self.look(self.window.palette_, "palette, typed in")
        self.window.palette_.close_again()

    def puzzles(self) -> None:
        """Each task's puzzle, and the tabs of one of them."""
        self.window.go("pretext")
        page = self.window.pages["pretext"]
        assert isinstance(page, PretextPage)
        assert self.window.workspace.engine is not None
        for name in self.window.workspace.engine.tasks:
            page.choose_task(name)
            page.ask_puzzles()
            self.wait(lambda: page._job is None)
            self.look(self.window, f"puzzle {name}")
        page.choose_task("jigsaw")
        self.tabs(page.tabs, "puzzles", lambda number: self.wait(lambda: number != 2 or page.play.view.isVisible()))

    def run(self, job: str, run: Path) -> None:
        """Before, after, the list of runs with one that waits, and all curves."""
        self.window.go(job)
        page = self.window.pages[job]
        assert isinstance(page, RunPage)
        self.wait(lambda: page.settings is not None)
        self.look(self.window, f"{job}, before")
        page.open_run(run)
        self.wait(lambda: page.view.outcome == "finished" and page.view.told.text() != "")
        self.tabs(page.view.tabs, job)
        page.add_to_queue()
        page.list_runs()
        self.wait(lambda: page.runs.table.rowCount() > 0 or not page.runs._runs)
        page.runs.show_runs([summary(job, run, name) for name in ("", "a name that somebody has given to a run")])
        page.runs.select(run)
        page.view.tabs.setCurrentWidget(page.activity)
        self.look(self.window, f"{job}, runs that wait and runs that were")
        page.view.tabs.setCurrentWidget(page.view.curves)
        page.view.curves.show_details(True)
        self.look(self.window, f"{job}, all curves")
        page.view.curves.show_details(False)
        while self.window.workspace.queue.runs:
            self.window.workspace.queue.remove(0)

    def label(self) -> None:
        """Classes and masks."""
        page = self._board()
        self.tabs(page.board.tabs, "label", lambda _: self.wait(lambda: page._asking is None))

    def proposals(self, run: Path) -> None:
        """What a network proposes for pictures that have no label."""
        self._results(run)
        page = self._board()
        page.look_at_proposals()
        assert page.board.gallery.filter.currentIndex() == PROPOSED
        self.wait(lambda: not page.proposals.asking)
        self.look(self.window, "proposals")

    def results(self, run: Path) -> None:
        """Each tab of a result, and the curve of further labels."""
        page = self._results(run)

        def ready(number: int) -> None:
            if number == 3:
                self.wait(lambda: bool(page.map.spots))
            if number == 4 and page.results is not None and page.results.metrics["kind"] == "classification":
                self.wait(lambda: page.doubts.lines is not None)

        self.tabs(page.tabs, f"results {run.name}", ready)
        page.tabs.setCurrentIndex(0)
        if not page.more_labels.isHidden():
            page.more_labels._show(CURVE)
            self.look(self.window, "results, curve of further labels")

    def compare(self) -> None:
        """Each kind of comparison, one of them with a curve."""
        self.window.go("compare")
        page = self.window.pages["compare"]
        assert isinstance(page, ComparePage)
        self.wait(lambda: page.clinic.found is not None)
        for kind in page.kinds:
            page.tabs.setCurrentWidget(kind)
            if hasattr(kind.view, "show_rows"):
                kind.view.show_rows(table(3))
            self.tabs(kind.view.tabs, f"compare {kind.job}")

    def _board(self) -> LabelPage:
        self.window.go("label")
        page = self.window.pages["label"]
        assert isinstance(page, LabelPage)
        self.wait(lambda: page.faces.currentWidget() is page.board)
        return page

    def _results(self, run: Path) -> ResultsPage:
        self.window.go("results")
        page = self.window.pages["results"]
        assert isinstance(page, ResultsPage)
        self.window.workspace.show_result(run)
        self.wait(lambda: page.results is not None and page.results.run == run)
        return page


def summary(job: str, run: Path, name: str) -> RunSummary:
    """A run as it stands in the list, with all that can be said of one."""
    return RunSummary(
        path=run, title=Message("{task} on {folder}", task="Jigsaw", folder="pictures of somebody"), job=job,
        outcome="interrupted", step=9, total_steps=99, headline="", modified=1_700_000_000.0, name=name,
        score=0.5, labels=1234, seconds=4000.0, source="2026-11-25 19.15 something",
    )  # fmt: skip
