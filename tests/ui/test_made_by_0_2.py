"""The window opens what version 0.2 has written: preferences, projects, runs, experiments, labels, the queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from sslstudio.ui.base import app_settings as settings
from sslstudio.ui.base.theme import theme
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.compare.tab import ExperimentTab
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

LONG = 60_000


@pytest.fixture
def kept(own_settings: Path, made_by_0_2: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the projects; the preferences are those of version 0.2 too."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(made_by_0_2 / "settings"))
    monkeypatch.setenv("SSLSTUDIO_HOME", str(made_by_0_2 / "home"))
    yield made_by_0_2 / "home" / "Projects"
    theme().follow("light")


def opened(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    with changing(qtbot, window.workspace, Change.ENGINE, LONG):
        window.workspace.load_engine()
    return window


def open_project(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(folder)


def open_experiments(tab: ExperimentTab, names: set[str], qtbot: QtBot) -> None:
    """Those of one kind are listed, and the first opens."""
    qtbot.waitUntil(lambda: tab.earlier.table.rowCount() > 0, timeout=LONG)
    assert {one.path.name for one in tab.earlier.experiments} == names
    tab.earlier.open_line(0)
    qtbot.waitUntil(lambda: tab.out == tab.earlier.experiments[0].path, timeout=LONG)


def test_preferences_are_as_they_were_chosen(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLSTUDIO_HOME")
    assert settings.home() == kept.parent
    assert (settings.appearance(), settings.language(), settings.device()) == ("dark", "de", "cpu")
    assert settings.apart()
    assert settings.toured()
    assert not settings.notifies()
    assert not settings.keeps_awake()
    assert [Path(folder).name for folder in settings.recent_folders()] == ["little zoo", "little zoo + more"]
    assert not settings.geometry().isEmpty()
    assert Path(settings.under_way()).name == "killed"


def test_a_project_comes_back_and_a_run_that_was_killed_is_offered(kept: Path, said: Said, qtbot: QtBot) -> None:
    said.agrees = False
    window = opened(qtbot)
    assert theme().dark
    qtbot.waitUntil(lambda: bool(said.questions), timeout=LONG)
    assert "Go on where it stopped?" in said.questions[0]  # the run that was killed
    open_project(window, kept / "little zoo", qtbot)
    workspace = window.workspace
    assert (workspace.folder, workspace.task) == (kept.parent.parent / "little zoo", "rotation")
    assert workspace.options["rotation"].grey == 0.5  # type: ignore[attr-defined]
    assert workspace.data_config().side == 32
    assert workspace.pretrained is not None
    assert workspace.result is not None
    assert len(workspace.queue.runs) == 2
    assert said.errors == []


@pytest.mark.slow
def test_runs_queue_and_labels_are_on_their_pages(kept: Path, said: Said, qtbot: QtBot) -> None:
    settings.set_under_way("")
    window = opened(qtbot)
    open_project(window, kept / "little zoo", qtbot)
    workspace = window.workspace
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, PretrainPage)
    assert page.settings is not None
    assert (page.settings.budget.amount.value(), page.config().optimiser.batch_size) == (7, 16)
    qtbot.waitUntil(lambda: page.runs.table.rowCount() > 0, timeout=LONG)
    known = {run.path.name: run.outcome for run in page.runs._runs}
    assert known["pretrained"] == known["2026-01-02 old"] == "finished"
    assert (known["paused"], known["killed"]) == ("stopped", "interrupted")
    assert page.queue_view.table.rowCount() == 2
    page.open_run(workspace.runs_folder / "pretrained")
    qtbot.waitUntil(lambda: any(plot.curve_names for plot in page.view.curves.plots), timeout=LONG)

    window.go("finetune")
    tuning = window.pages["finetune"]
    assert isinstance(tuning, FinetunePage)
    qtbot.waitUntil(lambda: tuning.runs.table.rowCount() > 0, timeout=LONG)
    assert {"classified", "segmented", "folds", "stopped twin"} <= {run.path.name for run in tuning.runs._runs}

    window.go("label")
    label = window.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.labels.store is not None, timeout=LONG)
    assert label.labels.store is not None
    names = [one.name for one in label.labels.store.names("classification")]
    assert ("scarab" in names, "ladybird" in names) == (True, True)
    assert said.errors == []


@pytest.mark.slow
def test_experiments_are_listed_and_opened(kept: Path, said: Said, qtbot: QtBot) -> None:
    settings.set_under_way("")
    window = opened(qtbot)
    open_project(window, kept / "little zoo", qtbot)
    window.go("compare")
    compare = window.pages["compare"]
    assert isinstance(compare, ComparePage)
    qtbot.waitUntil(lambda: compare.clinic.found is not None, timeout=LONG)
    open_experiments(compare.efficiency, {"comparison"}, qtbot)
    open_experiments(compare.tournament, {"cup", "cup that was killed"}, qtbot)
    assert compare.efficiency.settings is not None
    assert compare.efficiency.settings.tasks.chosen() == ["rotation"]
    assert said.errors == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["classified", "segmented", "folds"])
def test_a_result_is_shown(name: str, kept: Path, said: Said, qtbot: QtBot) -> None:
    settings.set_under_way("")
    window = opened(qtbot)
    open_project(window, kept / "little zoo", qtbot)
    window.go("results")
    page = window.pages["results"]
    assert isinstance(page, ResultsPage)
    run = window.workspace.runs_folder / name
    window.workspace.show_result(run)
    qtbot.waitUntil(lambda: page.results is not None and page.results.run == run, timeout=LONG)
    assert page.results is not None
    assert page.results.predictions
    assert page.verdict.text()
    assert said.errors == []


def test_a_project_of_two_folders_comes_back(kept: Path, said: Said, qtbot: QtBot) -> None:
    settings.set_under_way("")
    window = opened(qtbot)
    open_project(window, kept / "little zoo + more", qtbot)
    assert window.workspace.readable is not None
    assert len(window.workspace.readable) == 66
    assert sorted(window.workspace.several) == ["little zoo", "more"]
    assert said.errors == []
