"""The demo says honestly which start won."""

import json
from pathlib import Path

import numpy as np
import pytest

from sslstudio.cli.demo import AFTER_GENERAL_TITLE, DemoArm, name_winner, read_arms
from sslstudio.cli.main import main
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.scores import score


def arm(name: str, right: int, of: int = 200) -> DemoArm:
    """Two classes; the first `right` pictures of each are told rightly."""
    confusions = np.zeros((2 * of, 2, 2))
    for number in range(2 * of):
        truth = number % 2
        confusions[number, truth, truth if number // 2 < right else 1 - truth] = 1
    paths = tuple(f"{number}.png" for number in range(2 * of))
    return DemoArm(Message(name), paths, confusions, score("classification", confusions)["balanced_accuracy"])


def test_the_winner_is_named_with_what_it_beats() -> None:
    words = str(name_winner([arm("One", 180), arm("Two", 100)]))
    assert words == "Balanced accuracy is highest for: One (0.900). That is above: Two."


def test_a_lead_that_may_be_luck_is_said_to_be_no_lead() -> None:
    words = str(name_winner([arm("One", 181), arm("Two", 180), arm("Three", 100)]))
    assert "do not tell it from: Two." in words
    assert "above: Three." in words


def test_more_rivals_ask_for_more_of_a_lead() -> None:
    """One interval of 95 % that just lies above zero is not enough for the best of many."""
    lead = next(right for right in range(100, 200) if "above" in str(name_winner([arm("One", right), arm("Two", 100)])))
    rivals = [arm(f"Rival {number}", 100) for number in range(12)]
    assert "above" not in str(name_winner([arm("One", lead), *rivals]))


def test_other_test_pictures_tell_nothing() -> None:
    other = arm("Two", 20)
    moved = DemoArm(other.title, tuple(f"other/{path}" for path in other.paths), other.confusions, other.score)
    assert "above" not in str(name_winner([arm("One", 200), moved]))


@pytest.mark.slow
def test_every_start_is_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--minutes", "0.2", "--out", str(tmp_path / "demo"), "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    arms = read_arms(tmp_path / "demo")
    assert len(arms) == 6
    assert str(AFTER_GENERAL_TITLE) in last
    assert last[str(arms[0].title)]["value"] == max(row["value"] for row in last.values())
