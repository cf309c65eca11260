"""The tables and the curves of a comparison."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.experiments.curve import curve_png
from sslstudio.engine.experiments.report import markdown, tournament_notes


def estimate(value: float, reach: float | None = 0.05) -> dict[str, Any]:
    low, high = (None, None) if reach is None else (value - reach, value + reach)
    return {"value": value, "low": low, "high": high}


def cell(labels: int, value: float, gap: float | None = None, worth: tuple[float, int] | None = None) -> dict[str, Any]:
    times = None
    if worth:
        times = {"value": worth[0], "low": 0.5, "high": 9.0, "bound": worth[1], "low_bound": 0, "high_bound": 0}
    return {
        "labels": labels,
        "score": estimate(value),
        "difference": None if gap is None else estimate(gap, 0.02),
        "worth": times,
    }


def table(**changes: Any) -> Any:
    done = {"minutes": 6.04, "pictures_per_second": 95.4, "metric": "accuracy", "value": 0.91, "chance": 0.25}
    rows = [
        {"source": "scratch", "title": "From scratch", "note": "",
         "cells": [cell(5, 0.5), cell(10, 0.6), cell(50, 0.7)]},
        {"source": "rotation", "title": "Rotation", "note": "", "pretraining": done,
         "probe": {"quarter": "no difference yet", "final": "harms", "agrees": False},
         "overall": estimate(0.035, 0.03), "made": {"encoder": "small", "side": 64},
         "tuning": [{"labels": 5, "minutes": 0.5, "steps": 400}, {"labels": 10, "minutes": 0.75, "steps": 506}],
         "cells": [cell(5, 0.62, 0.12, (2.25, 0)), cell(10, 0.55, -0.05, (5.0, 1))]},
        {"source": "colorization", "title": "Colorization", "note": "refused: grey | nothing\nto learn", "cells": []},
    ]  # fmt: skip
    whole = {
        "folder": "/pictures", "kind": "classification", "headline": "balanced_accuracy", "labels": [5, 10],
        "scratch_labels": [5, 10, 50], "draws": 5, "steps": 120, "side": 64, "encoder": "small", "n_test": 344,
        "n_groups": None, "baseline": 0.25, "rows": rows, "agreement": {"agrees": 0, "of": 1}, "notes": ["A note."],
        "machine": {"devices": ["CPU"], "pretraining_seconds": 362.0, "finetuning_seconds": 60.0},
    }  # fmt: skip
    return whole | changes


def line_of(words: str, title: str, number: int = 0) -> list[str]:
    lines = [line for line in words.splitlines() if line.startswith(f"| {title}")]
    return [piece.strip() for piece in lines[number].replace("\\|", "/").strip("|").split("|")]


def test_the_tables_say_what_was_measured() -> None:
    words = markdown(table())
    assert "5 draws of labels" in words
    assert "344 test pictures" in words
    assert "most frequent class gives 0.250" in words
    scores = line_of(words, "Rotation")
    assert scores[1:4] == ["6.0 min, 95 pictures/s", "accuracy 0.910 (0.250)", "0.620 (0.570 to 0.670)"]
    assert scores[5:8] == ["–", "0.50 to 0.75 min, 400 to 506 steps", "small, 64 px"]  # 50 are for scratch alone
    assert line_of(words, "Rotation", 1)[1:] == [
        "+0.120 (+0.100 to +0.140)", "−0.050 (−0.070 to −0.030)", "+0.035 (+0.005 to +0.065)"
    ]  # fmt: skip
    assert line_of(words, "Rotation", 2)[1:] == ["2.2× (0.5 to 9.0)", "at least 0.5×"]
    assert line_of(words, "Rotation", 3)[1:] == ["no difference yet", "harms", "no"]
    assert "agrees in 0 of 1" in words
    assert "6.0 min of pretraining and 1.0 min of fine-tuning" in words


def test_a_refused_row_keeps_its_reason_on_one_line() -> None:
    row = line_of(markdown(table()), "Colorization")
    assert row[-1] == "refused: grey / nothing to learn"
    assert set(row[1:-1]) == {"–"}


def test_every_table_is_straight() -> None:
    blocks = [block for block in markdown(table()).split("\n\n") if block.startswith("|")]
    assert len(blocks) == 4  # where worth is read is not said in tables of before
    for block in blocks:
        assert len({len(line) for line in block.splitlines()}) == 1


def test_nothing_done_yet_is_a_table_too() -> None:
    rows = [{"source": "scratch", "title": "From scratch", "note": "", "cells": []}]
    empty = table(rows=rows, baseline=None, n_test=0)
    assert "gives –" in markdown(empty)
    assert Image.open(io.BytesIO(curve_png(empty))).size[0] > 600


def colours_in(picture: bytes) -> set[tuple[int, int, int]]:
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).reshape(-1, 3)
    found, count = np.unique(pixels, axis=0, return_counts=True)
    return {(int(red), int(green), int(blue)) for red, green, blue in found[count > 50]}


def test_the_curve_shows_scratch_in_grey_and_a_task_in_its_colour() -> None:
    found = colours_in(curve_png(table()))
    assert {(255, 255, 255), (0x3C, 0x3C, 0x3C), (0x00, 0x72, 0xB2)} <= found
    assert (0xD5, 0x5E, 0x00) not in found  # the refused row has no curve


def test_a_score_without_an_interval_is_drawn_without_a_band() -> None:
    whole = table()
    whole["rows"][1]["cells"][0]["score"] = estimate(0.62, None)
    assert (0x00, 0x72, 0xB2) in colours_in(curve_png(whole))
    assert "0.620 (no interval)" in markdown(whole)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "2.5× (1.5 to 4.0)"),
        ({"high_bound": 1}, "2.5× (1.5 or more)"),
        ({"low_bound": -1}, "2.5× (4.0 or less)"),
        ({"low_bound": -1, "high_bound": 1}, "2.5× (no interval)"),
        ({"bound": 1, "high_bound": 1}, "at least 1.5×"),  # not the last number of labels that scratch was given
        ({"bound": 1, "low_bound": 1, "high_bound": 1}, "at least 1.5×"),
        ({"bound": 1, "low_bound": -1}, "–"),
        ({"bound": -1, "low_bound": -1}, "at most 4.0×"),
        ({"bound": -1, "high_bound": 1}, "–"),
        ({"flat": True}, "flat without pretraining"),
        ({"bound": 1, "flat": True}, "flat without pretraining"),
        ({"low": None}, "–"),
    ],
)
def test_what_labels_are_worth_is_said_by_its_sure_end(changes: dict[str, Any], said: str) -> None:
    times = {"value": 2.5, "low": 1.5, "high": 4.0, "bound": 0, "low_bound": 0, "high_bound": 0, "flat": False}
    whole = table()
    whole["rows"][1]["cells"][0]["worth"] = times | changes
    assert line_of(markdown(whole), "Rotation", 2)[1] == said


def test_a_small_class_is_told_by_the_real_number_of_labels() -> None:
    whole = table(together=4)
    for row in whole["rows"]:
        for one in row["cells"]:
            one["used"] = {5: 5.0, 10: 8.5, 50: 31.0}[one["labels"]]
    words = markdown(whole)
    assert line_of(words, "Row")[4:6] == ["10 (had 8.5)", "50 (had 31.0)"]
    assert "95 % intervals, which hold together" in words
    assert "hold together" not in markdown(table(together=1))
    assert curve_png(whole) != curve_png(table())


def entry(title: str, gain: float | None, verdict: str = "helps") -> Any:
    difference = {} if gain is None else {"value": gain, "low": gain - 0.05, "high": gain + 0.05}
    return {"title": title, "probe": {"difference": difference, "verdict": verdict, "n": 40}}


def test_a_ranking_says_who_may_be_as_good_and_that_the_winner_was_lucky() -> None:
    cup: Any = {"rounds": [[entry("A", 0.2), entry("B", 0.17), entry("C", 0.16), entry("D", 0.1)]], "winner": None}
    assert any("The intervals of B and C reach past" in note for note in tournament_notes(cup))
    cup["rounds"][0] = [entry("A", 0.2), entry("B", 0.17), entry("D", 0.1)]
    assert any("The interval of B reaches past" in note for note in tournament_notes(cup))
    cup["rounds"][0] = [entry("A", 0.2), entry("D", 0.1)]
    assert not any("past the first" in note for note in tournament_notes(cup))
    cup["winner"] = entry("A", 0.2)
    assert "luckiest of several" in tournament_notes(cup)[0]
    cup["measured"] = entry("A", 0.08)["probe"]
    assert "+0.080 better than untrained ones (95 % interval +0.030 to +0.130)" in tournament_notes(cup)[0]
    cup["rounds"][0] = [entry("A", None), entry("B", None)]
    assert any("RankMe" in note for note in tournament_notes(cup))
