"""Runs, comparisons and mask classes in a German window; what is kept on the disk stays English."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QTableWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.events import RunStarted
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.probe_report import probed
from sslstudio.engine.evaluate.probes import Counts, Labels
from sslstudio.engine.evaluate.rankme import Reach
from sslstudio.engine.experiments.compare import Comparison
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.experiments.tournament import Tournament
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import DataConfig, PretrainConfig
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.pages.compare.experiment_view import EfficiencyView, TournamentView
from sslstudio.ui.pages.results.data import load_results
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.labels_view import LabelsView
from sslstudio.ui.workspace.run_queue import FILE
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000


def cell(rows: QTableWidget, line: int, place: int) -> str:
    item = rows.item(line, place)
    return item.text() if item is not None else ""


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("made", "english", "said"),
    [
        (
            lambda: run_operations.name_run(PretrainConfig(task="jigsaw", data=DataConfig(folder="s"))),
            "Jigsaw puzzle on s", "Kachelpuzzle mit s",
        ),
        (
            lambda: run_operations.name_run(PretrainConfig(task="rotation", data=DataConfig(folder="cats on mats"))),
            "Rotation on cats on mats", "Drehung mit cats on mats",
        ),
        (
            lambda: CompareConfig(data=DataConfig(folder="pets")).title(),
            "Label efficiency on pets", "Ersparte Beschriftungen bei pets",
        ),
        (
            lambda: TournamentConfig(data=DataConfig(folder="pets"), minutes=10.0).title(),
            "Tournament on pets, 10 minutes", "Turnier mit pets, 10 Minuten",
        ),
    ],
)  # fmt: skip
def test_the_title_of_a_run_is_german_throughout(made: Callable[[], Message], english: str, said: str) -> None:
    assert str(made()) == english
    assert formatting.render(made()) == said


def started(run: Path) -> RunStarted:
    return next(event for event in RunFolder.open(run).events() if isinstance(event, RunStarted))


@pytest.mark.usefixtures("german")
def test_the_titles_of_finished_fine_tunings_are_german(classified: Path, segmented: Path) -> None:
    assert re.fullmatch(r"Klassen mit .+, \d+ Beschriftungen", formatting.render(started(classified).title))
    assert re.fullmatch(r"Masken mit .+, \d+ Beschriftungen", formatting.render(started(segmented).title))


@pytest.mark.usefixtures("german")
def test_the_sentence_of_a_probe_is_german_throughout() -> None:
    labels = Labels("classification", 2, torch.arange(8)[:, None] % 2, torch.arange(8))
    true = np.eye(2)[np.arange(8) % 2]
    guessed = np.eye(2)[np.random.default_rng(0).integers(0, 2, size=(4, 4, 8))]  # stages, draws, pictures
    answers = np.stack([guessed * true, np.broadcast_to(true, guessed.shape), guessed], axis=3)
    counts = Counts(linear=answers, knn=answers)
    said = formatting.render(probed((1, 0.5), labels, (counts, counts), (Reach(3.0, 0.5), Reach(2.0, 0.5)), 5, 0).text)
    assert "Mit 5 Beschriftungen je Klasse liest" in said
    assert re.search(r"\(95-%-Intervall [−+]\d+,\d bis [−+]\d+,\d; \d bewertete", said)


@pytest.mark.usefixtures("german")
def test_classes_of_masks_that_the_program_named_are_german_and_a_persons_own_stay() -> None:
    assert [formatting.mask_class(name) for name in ("background", "object", "class 3", "class act", "nucleus")] == [
        "Hintergrund", "Objekt", "Klasse 3", "class act", "nucleus",
    ]  # fmt: skip


@pytest.mark.usefixtures("german")
def test_masks_say_background_in_german(sample: Path, qtbot: QtBot) -> None:
    view = LabelsView()
    qtbot.addWidget(view)
    view.show_labels(recognise(scan(sample)))
    assert view.mask_names.text().startswith("Was sie markieren: Hintergrund, beetle")


def test_a_side_is_not_taken_for_a_right_answer(german: None) -> None:
    from sslstudio.engine.tasks.context_prediction import NEIGHBOURS

    said = [formatting.render(name) for name in NEIGHBOURS]
    assert said == [
        "links oberhalb", "oberhalb", "rechts oberhalb", "links", "rechts", "links unterhalb", "unterhalb",
        "rechts unterhalb",
    ]  # fmt: skip


@pytest.mark.usefixtures("german")
def test_what_a_comparison_is_at_and_its_numbers_are_german() -> None:
    comparison = Comparison(CompareConfig(tasks=("jigsaw", "rotation"), labels=(2, 1000), seeds=3))
    said = {formatting.render(comparison.name_run(run)) for run in comparison.runs}
    assert said >= {
        "Drehung, 2 Beschriftungen, Ziehung 1", "Von null an, 1000 Beschriftungen, Ziehung 3", "Kachelpuzzle",
    }  # fmt: skip
    played = Tournament(TournamentConfig(tasks=("jigsaw", "rotation")))
    assert [formatting.render(played.name_run(run)) for run in played.entries(1)] == [
        "Runde 1 von 1: Kachelpuzzle", "Runde 1 von 1: Drehung",
    ]  # fmt: skip
    score = experiment_words.score_words({"value": 0.5, "low": 0.333, "high": 0.75})
    assert score.replace(experiment_words.NO_BREAK, " ") == "50,0 % (33,3 bis 75,0 %)"
    points = experiment_words.points_words({"value": 0.1, "low": -0.133, "high": 0.45})
    assert points.replace(experiment_words.NO_BREAK, " ") == "+10,0 Punkte (−13,3 bis +45,0)"


@pytest.mark.usefixtures("german")
def test_tables_of_comparison_and_tournament_name_the_tasks_in_german(qtbot: QtBot) -> None:
    efficiency, tournament = EfficiencyView(), TournamentView()
    for view in (efficiency, tournament):
        qtbot.addWidget(view)
    rows = [{"source": "scratch", "title": "From scratch", "note": "", "cells": []}]
    rows += [{"source": "rotation", "title": "Rotation", "note": "", "cells": []}]
    efficiency.show_rows({"kind": "classification", "scratch_labels": [2], "rows": rows, "baseline": 0.2})
    assert [cell(efficiency.rows, line, 0) for line in range(2)] == ["Von null an", "Drehung"]
    entry = {"task": "jigsaw", "title": "Jigsaw puzzle", "outcome": "done", "probe": None, "minutes": 1.0}
    tournament.show_rows({"rounds": [[entry]], "winner": entry})
    assert cell(tournament.rows, 0, 1) == "Kachelpuzzle"
    assert tournament.verdict.text().endswith("Kachelpuzzle")


@pytest.mark.usefixtures("german")
def test_a_comparison_of_an_earlier_version_says_that_its_notes_are_english(qtbot: QtBot) -> None:
    view = EfficiencyView()
    qtbot.addWidget(view)
    kept = "3 draws of labels are few: the intervals are rough. Try five or more."
    fixed = (
        "Each row rests on one pretraining: the luck of its own seed is not in the intervals, and another seed can "
        "differ by about 3.5 points."
    )
    now = Message("{seeds} draws of labels are few: the intervals are rough. Try five or more.", seeds=3)
    table = {"kind": "classification", "scratch_labels": [2], "rows": [], "baseline": 0.2}
    view.show_experiment(Path("old"), {**table, "notes": [fixed, kept]})
    assert view.older.text() == "Von einer früheren Version aufgezeichnet: die Sätze sind auf Englisch."
    assert not view.older.isHidden()
    view.show_experiment(Path("new"), {**table, "notes": [fixed, now]})
    assert view.older.text() == ""
    assert view.older.isHidden()


def test_the_queue_is_kept_in_english_and_shown_in_german(
    german: None, window: MainWindow, sample: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, PretrainPage)
    qtbot.waitUntil(lambda: page.settings is not None, timeout=LONG)
    assert window.workspace.engine is not None
    window.workspace.choose_task("jigsaw", window.workspace.engine.tasks["jigsaw"].config())
    page.add_to_queue()
    (kept,) = json.loads((app_settings.home() / FILE).read_text(encoding="utf-8"))
    assert kept["title"]["text"] == "Jigsaw puzzle on little zoo"
    assert cell(page.queue_view.table, 0, 1) == "Kachelpuzzle mit little zoo"


def test_results_on_masks_say_background_in_german(
    german: None, window: MainWindow, sample_folder: Path, segmented: Path, qtbot: QtBot
) -> None:
    from sslstudio.engine.core.control import RunControl
    from sslstudio.ui.pages.results.page import ResultsPage

    window.go("results")
    page = window.pages["results"]
    assert isinstance(page, ResultsPage)
    page.show_results(load_results(segmented, RunControl()))
    assert cell(page.per_class, 0, 0) == "Hintergrund"
    assert "„Hintergrund“" in page.matrix.accessibleDescription()
    assert "background" not in page.matrix.accessibleDescription()


@pytest.mark.usefixtures("german")
def test_the_pseudo_labels_of_several_tasks_are_german() -> None:
    label = Message("{title}: {label}", title=Message("Context prediction"), label=Message("above left"))
    assert formatting.render(label) == "Lage erraten: links oberhalb"
    assert formatting.render("above left") == "links oberhalb"
