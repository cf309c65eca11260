"""The page of comparisons: a real small comparison and a real small tournament, from the settings to what is taken
along."""

import csv
import io
import json
import shlex
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableWidget
from pytestqt.qtbot import QtBot

from sslstudio.cli.config_args import config_of
from sslstudio.cli.main import parser
from sslstudio.ui.pages.compare.efficiency_plot import EfficiencyPlot, Sign
from sslstudio.ui.pages.compare.experiment_settings import ExperimentSettings
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

LONG = 120_000
QUICK = "budget.steps=2;probe.enabled=false;optimiser.batch_size=8"


def compare_page(window: MainWindow, sample: Path, qtbot: QtBot) -> ComparePage:
    """The page with the sample pictures open and its clinic heard."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.go("compare")
    page = window.pages["compare"]
    assert isinstance(page, ComparePage)
    qtbot.waitUntil(lambda: page.clinic.found is not None, timeout=LONG)
    return page


def small_comparison(page: ComparePage, tasks: list[str]) -> ExperimentSettings:
    """Two draws of two and four labels, two steps each."""
    settings = page.efficiency.settings
    assert settings is not None
    settings.tasks.choose(tasks)
    for form, values in (
        (settings.form, {"labels": "2,4", "seeds": 2, "after_general": False}),
        (settings.more, {"steps": 2, "pretrain_settings": QUICK}),
        (settings.data, {"side": 32}),
    ):
        for name, value in values.items():
            form.editor(name).set_value(value)  # type: ignore[arg-type]
    return settings


def text_at(rows: QTableWidget, line: int, place: int) -> str:
    item = rows.item(line, place)
    return item.text() if item is not None else ""


def shown_names(plot: EfficiencyPlot) -> list[str]:
    """The legend."""
    return [sign.label.text() for sign in plot.findChildren(Sign) if not sign.isHidden()]


def copied(page: ComparePage, qtbot: QtBot) -> object:
    """What the command on the clipboard stands for."""
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("")
    page.copy.click()
    qtbot.waitUntil(lambda: clipboard.text().startswith("sslstudio "), timeout=LONG)
    return config_of(parser().parse_args(shlex.split(clipboard.text())[1:]))


def press_start(page: ComparePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        QTest.mouseClick(page.start, Qt.MouseButton.LeftButton)
    assert page.current.view.trouble.label.text() == ""


def test_a_comparison_is_stopped_goes_on_gets_another_task_and_is_taken_along(
    window: MainWindow, sample: Path, said: Said, tmp_path: Path, qtbot: QtBot
) -> None:
    page = compare_page(window, sample, qtbot)
    settings, view = small_comparison(page, ["rotation"]), page.efficiency.shown
    qtbot.waitUntil(lambda: "1 pretraining and 8 fine-tunings of about" in settings.estimate.text(), timeout=LONG)

    # stopped after the first point of the curve, it keeps that
    grown: list[int] = []
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.start_run()
        assert page.pause.isVisible()
        assert not page.efficiency.left.isEnabled()
        qtbot.waitUntil(lambda: bool(view.plot.points), timeout=LONG)
        grown.append(len(view.plot.points[0].points()))
        assert view.now.text().startswith("Now: ") or view.runs.value.text().startswith("2 of 9")
        page.workspace.runner.stop()
    assert view.outcome == "stopped"
    out = page.efficiency.out
    assert out is not None
    records = {file: file.stat().st_mtime_ns for file in out.glob("cells/*/*.json")}
    assert records
    assert page.start.text().strip() == "Go on with it"

    # somebody labels meanwhile: what is shown stays
    with changing(qtbot, page.workspace, Change.PICTURES, LONG):
        page.workspace.use_labels(page.workspace.labels_file)
    assert page.efficiency.out == out
    assert view.plot.points

    press_start(page, qtbot)
    assert view.outcome == "finished"
    assert page.efficiency.out == out
    assert {file: file.stat().st_mtime_ns for file in records} == records  # nothing was done twice
    table = json.loads((out / "table.json").read_text())
    assert [len(points.points()) for points in view.plot.points] == [2, 2, 2, 2, 2]
    assert grown == [1]
    score = table["rows"][3]["cells"][0]["score"]
    told = text_at(view.rows, 3, 1)
    assert told.startswith(f"{100 * score['value']:.1f} %")
    assert "points" in told
    qtbot.waitUntil(lambda: shown_names(view.plot) == [
        "From scratch", "Untrained features", "General weights", "Rotation", "Rotation beside general weights"
    ])  # fmt: skip
    assert view.notes.count() == len(table["notes"]) > 0
    assert "8 fine" not in settings.estimate.text()
    qtbot.waitUntil(lambda: not page.start.isEnabled(), timeout=LONG)  # there is nothing left to go on with
    assert "Check another task" in page.start.toolTip()

    # opened from the list in a new window's state, with one more task
    page.new.click()
    assert page.efficiency.out is None
    assert not view.plot.points
    qtbot.waitUntil(lambda: page.efficiency.earlier.table.rowCount() == 1, timeout=LONG)
    assert page.efficiency.earlier.experiments[0].outcome == "finished"
    page.efficiency.earlier.open_line(0)
    qtbot.waitUntil(lambda: page.efficiency.out == out, timeout=LONG)
    assert settings.tasks.chosen() == ["rotation"]
    settings.tasks.boxes["inpainting"].setChecked(True)
    assert page.start.isEnabled()
    press_start(page, qtbot)
    table = json.loads((out / "table.json").read_text())
    assert [row["source"] for row in table["rows"]] == [
        "scratch", "untrained", "general", "rotation", "rotation+general", "inpainting", "inpainting+general"
    ]  # fmt: skip
    assert {file: file.stat().st_mtime_ns for file in records} == records

    # taken along
    clipboard = QGuiApplication.clipboard()
    page.export.choose("Copy the table for a spreadsheet (CSV)")
    lines = list(csv.DictReader(io.StringIO(clipboard.text())))
    assert [(line["row"], line["labels"]) for line in lines][3:7] == [
        ("Untrained features", "4"), ("General weights", "2"), ("General weights", "4"), ("Rotation", "2"),
    ]  # fmt: skip
    assert float(lines[6]["difference"]) == table["rows"][3]["cells"][0]["difference"]["value"]
    page.export.choose("Copy the table as text (Markdown)")
    qtbot.waitUntil(lambda: clipboard.text() == (out / "table.md").read_text(), timeout=LONG)
    said.file = tmp_path / "curve.png"
    saved: list[str] = []
    window.workspace.said.connect(saved.append)
    page.export.choose("Save the curve…")
    assert not saved  # the window does not wait for the disk
    qtbot.waitUntil(lambda: saved == [f"Saved: {said.file}"], timeout=LONG)
    assert said.file.read_bytes()[:4] == b"\x89PNG"
    said.file = tmp_path / "no folder" / "curve.png"
    page.export.choose("Save the curve…")
    qtbot.waitUntil(lambda: len(said.errors) == 1, timeout=LONG)
    assert "curve.png could not be written" in str(said.errors.pop())
    saved.clear()
    said.file = tmp_path / "table.csv"
    page.export.choose("Save the table…")
    assert not saved
    qtbot.waitUntil(lambda: saved == [f"Saved: {said.file}"], timeout=LONG)
    assert said.file.read_text("utf-8-sig").startswith("row,labels,draws,balanced_accuracy,")
    said.file = tmp_path / "table.md"
    page.export.choose("Save the table…")
    qtbot.waitUntil(lambda: len(saved) == 2, timeout=LONG)
    assert said.file.read_bytes() == (out / "table.md").read_bytes()
    assert copied(page, qtbot) == page.efficiency.config()

    # a row of the table is the start of a fine-tuning
    assert not page.forward.isEnabled()
    view.rows.selectRow(3)
    assert page.forward.isEnabled()
    page.forward.click()
    assert window.workspace.pretrained == out / "pretrained" / "rotation"

    # other pictures are another matter
    shutil.copytree(sample, tmp_path / "others")
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(tmp_path / "others")
    assert page.efficiency.out is None
    assert not view.plot.points


@pytest.mark.slow
def test_a_tournament_is_played_and_its_winner_is_fine_tuned(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    window.workspace.ask_comparison("tournament")  # as the pages of pretraining and results do
    page = compare_page(window, sample, qtbot)
    assert page.current is page.tournament
    settings, view = page.tournament.settings, page.tournament.view
    assert settings is not None
    settings.tasks.choose(["rotation", "jigsaw"])
    settings.form.editor("minutes").set_value(0.2)
    settings.more.editor("pretrain_settings").set_value("optimiser.batch_size=8;probe.draws=4")
    settings.data.editor("side").set_value(32)
    page.tournament.ask_estimate()
    assert settings.estimate.text() == (
        "About 12 s in all: round 1: 2 tasks, 3 s each; then the winner goes on for 6 s."
    )
    press_start(page, qtbot)
    assert view.outcome == "finished"
    rows = page.tournament.shown.rows
    states = [text_at(rows, line, 2).splitlines()[0] for line in range(3)]
    assert states[:2] == ["Went on", "Out: others did better"]
    assert not page.start.isEnabled()  # it is over
    assert page.forward.property("role") == "primary"
    assert text_at(rows, 2, 0) == "Winner"
    assert text_at(rows, 2, 1) == text_at(rows, 0, 1)

    assert copied(page, qtbot) == page.tournament.config()

    # opened again, it is as it was
    qtbot.waitUntil(lambda: page.tournament.earlier.table.rowCount() == 1, timeout=LONG)
    page.new.click()
    assert page.start.isEnabled()
    assert page.forward.property("role") == "plain"
    page.tournament.earlier.open_line(0)
    qtbot.waitUntil(lambda: view.runs.value.text() == "3 of 3", timeout=LONG)
    assert "Begin a new one" in settings.estimate.text()
    assert not page.start.isEnabled()
    assert "tasks may be added" not in page.tournament.earlier.hint.text()
    assert "tasks may be added" in page.efficiency.earlier.hint.text()

    page.forward.click()
    tuning = window.pages["finetune"]
    assert isinstance(tuning, FinetunePage)
    winner = json.loads((page.tournament.out or Path()).joinpath("tournament.json").read_text())["winner_run"]
    qtbot.waitUntil(lambda: tuning.own is not None and tuning.own.start_from() == winner, timeout=LONG)


def test_what_is_wrong_is_said_before_anything_starts(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = compare_page(window, sample, qtbot)
    settings = page.efficiency.settings
    assert settings is not None
    settings.form.editor("labels").set_value("few")
    page.start_run()
    assert "is not a whole number" in settings.wrong.label.text()
    settings.form.editor("labels").set_value("5")
    settings.tasks.choose([])
    page.start_run()
    assert "No pretext task is checked" in settings.wrong.label.text()
    assert not page.workspace.runner.active


def test_without_labels_the_way_to_make_some_is_offered(
    window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    page = compare_page(window, sample, qtbot)
    settings = page.efficiency.settings
    assert settings is not None
    qtbot.waitUntil(lambda: "fine-tunings of about" in settings.estimate.text(), timeout=LONG)
    assert not settings.to_label.isVisible()
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in sorted((sample / "images").rglob("*.png"))[:12]:
        shutil.copy(file, bare)
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(bare)
    window.go("compare")
    qtbot.waitUntil(lambda: settings.to_label.isVisible(), timeout=LONG)
    assert "no labels" in settings.estimate.text()
    QTest.mouseClick(settings.to_label, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.shown == "label")
    assert window.stack.currentWidget() is window.pages["label"]
