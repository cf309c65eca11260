"""The answers of a folder of predictions read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.runs.folder_predictions import ABOUT, JOURNAL, Answer, answers_in


def write(out: Path, about: Any, lines: list[Any], torn: str = "") -> None:
    (out / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    text = "".join(json.dumps(line) + "\n" for line in lines) + torn
    (out / JOURNAL).write_text(text, encoding="utf-8")


def test_the_least_sure_come_first_and_a_torn_line_counts_as_none(tmp_path: Path) -> None:
    lines = [{"file": "a.png", "chances": [0.1, 0.9]}, {"file": "b.png", "chances": [0.6, 0.4]},
             {"file": "a.png", "chances": [0.8, 0.2]}]  # fmt: skip
    write(tmp_path, {"classes": ["cat", "dog"]}, lines, torn='{"file": "c.png", "cha')
    assert answers_in(tmp_path) == [Answer("b.png", "cat", 0.6), Answer("a.png", "cat", 0.8)]


def test_masks_have_their_file(tmp_path: Path) -> None:
    write(tmp_path, {"classes": ["none", "cell"]}, [{"file": "a.png", "mask": "masks/a.png", "confidence": 0.7}])
    assert answers_in(tmp_path) == [Answer("a.png", "", 0.7, "masks/a.png")]


@pytest.mark.parametrize(
    ("about", "line"),
    [
        ([], {"file": "a.png", "chances": [1.0]}),
        ({"run": "r"}, {"file": "a.png", "chances": [1.0]}),
        ({"classes": ["cat"]}, {"file": "a.png", "chances": [0.0, 1.0]}),
        ({"classes": ["cat"]}, {"file": "a.png"}),
    ],
)
def test_damage_is_said_in_a_sentence(tmp_path: Path, about: Any, line: Any) -> None:
    write(tmp_path, about, [line])
    with pytest.raises(RunError, match="cannot be read"):
        answers_in(tmp_path)


def test_a_folder_without_answers_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        answers_in(tmp_path)
