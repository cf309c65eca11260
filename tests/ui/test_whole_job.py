"""The whole job in the window: real pictures, real training, nothing replaced but the dialogs."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.events import RunFinished
from sslstudio.engine.runs.metrics import interval_of
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.ui.pages.puzzles.page import PUZZLES, PretextPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000


def open_page(window: MainWindow, name: str) -> object:
    window.go(name)
    return window.pages[name]


def press(qtbot: QtBot, page: RunPage) -> None:
    """Start, and wait for the end."""
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        QTest.mouseClick(page.start, Qt.MouseButton.LeftButton)
    assert page.view.trouble.label.text() == ""


def pretrain(window: MainWindow, qtbot: QtBot) -> PretrainPage:
    """Two passes over the pictures."""
    page = open_page(window, "pretrain")
    assert isinstance(page, PretrainPage)
    qtbot.waitUntil(lambda: page.settings is not None)
    assert page.settings is not None
    page.settings.budget.set_epochs(2)
    page.settings.batch.editor("batch_size").set_value(16)
    press(qtbot, page)
    return page


def finetune(window: MainWindow, qtbot: QtBot, kind: str) -> FinetunePage:
    """Two passes over four labels a class, with the twin; started before the pretraining has been listed."""
    page = open_page(window, "finetune")
    assert isinstance(page, FinetunePage)
    qtbot.waitUntil(lambda: page.own is not None)
    assert page.own is not None
    assert page.settings is not None
    page.own.kind.setCurrentIndex(page.own.kind.findData(kind))
    page.own.form.editor("labels_per_class").set_value(4)
    page.settings.budget.set_epochs(2)
    press(qtbot, page)
    return page


def results(window: MainWindow, qtbot: QtBot, run: Path) -> ResultsPage:
    page = open_page(window, "results")
    assert isinstance(page, ResultsPage)
    qtbot.waitUntil(lambda: page.results is not None and page.results.run == run, timeout=LONG)
    return page


def test_from_a_dropped_folder_to_the_results(
    window: MainWindow, sample: Path, own_settings: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)

    pretext = open_page(window, "pretext")
    assert isinstance(pretext, PretextPage)
    pretext.choose_task("jigsaw")
    qtbot.waitUntil(lambda: pretext.grid.count() == PUZZLES and pretext._job is None, timeout=LONG)
    qtbot.waitUntil(lambda: pretext.clinic.found is not None, timeout=LONG)
    assert "your pictures" in pretext.clinic_view.verdict.text()

    trained = pretrain(window, qtbot)
    run = trained.view.run
    assert run is not None
    assert run.is_relative_to(own_settings / "Projects" / "little zoo" / "runs")
    assert trained.view.outcome == "finished"
    assert len(trained.view.curves.loss.curve_points("training")[0]) >= 4
    assert trained.view.answers.slider.maximum() >= 1
    assert (run / "last.safetensors").exists()
    qtbot.waitUntil(lambda: trained.runs.table.rowCount() == 1)

    tuned = finetune(window, qtbot, "classification")
    assert tuned.view.curves.loss.curve_names == ["With pretraining", "From scratch"]
    assert tuned.view.run is not None
    page = results(window, qtbot, tuned.view.run)
    metrics = RunFolder(tuned.view.run).finetune_metrics()
    assert metrics is not None
    value, _, _ = interval_of(metrics["parts"]["pretrained"]["scores"]["balanced_accuracy"])
    assert f"{value:.3f} pretrained" in metrics["verdict"]
    assert f"{100 * value:.1f} %" in page.verdict.text().replace("\u00a0", " ")  # as the table below has it
    assert len(page.rungs.answers) == 4
    assert page.scores.cell("balanced_accuracy", "pretrained") == f"{100 * value:.1f} %"
    assert page.matrix._counts == metrics["parts"]["pretrained"]["confusion"]
    assert page.predictions.gallery.gallery.rowCount() == metrics["n_test"]

    masks = finetune(window, qtbot, "segmentation")
    assert masks.view.run is not None
    page = results(window, qtbot, masks.view.run)
    ious = [one.iou for one in page.predictions._all if one.iou is not None]
    assert ious == sorted(ious)
    qtbot.waitUntil(
        lambda: page.predictions.overlay.title.text().startswith(page.predictions._all[0].file), timeout=LONG
    )
    qtbot.waitUntil(lambda: tuned.runs.table.rowCount() == 2)


def test_a_stopped_training_goes_on_from_the_list(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    page = open_page(window, "pretrain")
    assert isinstance(page, PretrainPage)
    assert page.settings is not None
    page.settings.budget.set_epochs(200)
    page.settings.batch.editor("batch_size").set_value(16)
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.start_run()
        qtbot.waitUntil(lambda: page.view.step.value.text() not in ("–", "0"), timeout=LONG)
        QTest.mouseClick(page.stop, Qt.MouseButton.LeftButton)
    assert page.view.outcome == "stopped"
    stopped_at = int(page.view.step.value.text())
    run = page.view.run
    assert run is not None
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 1)
    page.runs.select(run)
    assert page.runs.resume_button.isEnabled()
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.runs.resumed.emit(run)
        qtbot.waitUntil(lambda: int(page.view.step.value.text()) > stopped_at, timeout=LONG)
        page.workspace.runner.stop()
    steps = page.view.curves.loss.curve_points("training")[0].tolist()
    assert steps == sorted(set(steps))
    assert steps[0] == 1


def test_closing_saves_a_real_training(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    page = open_page(window, "pretrain")
    assert isinstance(page, PretrainPage)
    assert page.settings is not None
    page.settings.budget.set_epochs(500)
    page.start_run()
    qtbot.waitUntil(lambda: page.view.step.value.text() not in ("–", "0"), timeout=LONG)
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LONG)
    assert page.view.run is not None
    run = RunFolder.open(page.view.run)
    *_, last = run.events()
    assert isinstance(last, RunFinished)
    assert last.outcome == "stopped"
    _, meta = load_tensors(run.path / "last.safetensors")
    assert meta["step"] == last.step
