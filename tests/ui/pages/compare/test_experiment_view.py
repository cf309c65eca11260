"""The table of a comparison in the window."""

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QTableWidgetItem
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.compare.experiment_view import EfficiencyView


def score(value: float, reach: float = 0.04) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def table() -> dict[str, Any]:
    cells = [{"labels": labels, "score": score(value), "draws": [value], "difference": None, "worth": None}
             for labels, value in ((5, 0.5), (10, 0.6))]  # fmt: skip
    row = {"source": "scratch", "title": "From scratch", "note": "", "cells": cells, "overall": None,
           "made": {"encoder": "small", "side": 64},
           "tuning": [{"labels": 5, "minutes": 0.5, "steps": 400},
                      {"labels": 10, "minutes": 0.9, "steps": 506}]}  # fmt: skip
    longer = {"source": "scratch", "title": "From scratch", "times": 4, "labels": 10, "score": score(0.61),
              "draws": [0.61], "difference": score(0.01), "minutes": 3.6, "steps": 2024, "note": ""}  # fmt: skip
    return {"kind": "classification", "headline": "balanced_accuracy", "labels": [5, 10], "scratch_labels": [5, 10],
            "draws": 5, "n_test": 300, "baseline": 0.25, "rows": [row], "read_at": 10, "longer": [longer],
            "notes": []}  # fmt: skip


def text_of(item: QTableWidgetItem | None) -> str:
    assert item is not None
    return item.text()


def test_the_table_says_what_a_row_cost_where_worth_is_read_and_what_more_steps_gain(qtbot: QtBot) -> None:
    view = EfficiencyView()
    qtbot.addWidget(view)
    view.show_experiment(Path("study"), table())
    heads = [text_of(view.rows.horizontalHeaderItem(place)) for place in range(view.rows.columnCount())]
    assert heads == ["Learnt from", "5 labels a class", "10 labels a class\nworth is read here"]
    texts = [[text_of(view.rows.item(line, place)) for place in range(3)] for line in range(view.rows.rowCount())]
    assert texts[0][0].splitlines()[1:] == ["each fine-tuning 30 s to 54 s, 400 to 506 steps", "small, 64 px"]
    assert texts[1][:2] == ["From scratch, 4 times the steps", "–"]
    assert "+1.0 points" in texts[1][2]


def test_a_table_of_an_earlier_version_says_nothing_of_these(qtbot: QtBot) -> None:
    old = table()
    del old["read_at"], old["longer"], old["rows"][0]["made"], old["rows"][0]["tuning"]
    view = EfficiencyView()
    qtbot.addWidget(view)
    view.show_experiment(Path("study"), old)
    assert view.rows.rowCount() == 1
    assert text_of(view.rows.item(0, 0)) == "From scratch"
    assert text_of(view.rows.horizontalHeaderItem(2)) == "10 labels a class"
