import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.ui import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (100, "2 min"),
        (3540, "59 min"),
        (7200, "2 h"),
        (7500, "2 h 5 min"),
        (864_000, "10 days"),
        (227, "4 min"),
    ],
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_an_unknown_duration_is_a_dash(seconds: float) -> None:
    assert words.left(seconds) == "–"


@pytest.mark.parametrize(
    ("value", "said"), [(1234.5, "1,234"), (12.34, "12.3"), (0.0123, "0.0123"), (0, "0"), (3e-7, "3.0e-07")]
)
def test_three_figures(value: float, said: str) -> None:
    assert words.number(value) == said


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_number_is_said_within_half_a_per_cent(value: float) -> None:
    assert float(words.number(value).replace(",", "")) == pytest.approx(value, rel=0.0501)


def test_counts_with_their_noun() -> None:
    assert words.count(1721, "picture", "pictures") == "1,721 pictures"
    assert words.count(1, "picture", "pictures") == "1 picture"


def test_shares_are_said_in_per_cent() -> None:
    assert words.value("balanced_accuracy", 0.815) == "81.5 %"
    assert words.value("loss", 0.815) == "0.815"


def test_scores_in_a_sentence_are_said_as_the_tables_say_them() -> None:
    said = (
        "Pretraining helps: balanced accuracy 0.771 pretrained against 0.713 from scratch, a difference of +0.058 "
        "(95 % interval −0.021 to +1.000, n = 72)."
    )
    assert words.scores(said) == (
        "Pretraining helps: balanced accuracy 77.1 % pretrained against 71.3 % from scratch, a difference of "
        "+5.8 points (95 % interval −2.1 to +100.0, n = 72)."
    )
    german = "einem Mittel von 0,271, +0,058 (n = 1.721)"
    assert words.scores(german) == german
    for other in ("1,721 pictures, 0.25 of them, step 1,000 at 0.0012", "3 of 0.1234"):
        assert words.scores(other) == other


@pytest.mark.usefixtures("german")
def test_scores_in_a_german_sentence_have_its_marks() -> None:
    said = "einem Mittel von 0,271, +0,058 (n = 1.721)"
    assert words.scores(said) == "einem Mittel von 27,1 %, +5,8 Punkte (n = 1.721)"


def test_what_became_of_a_run_is_in_one_language(german: None) -> None:
    told = {
        "Ran 7 h 12 min, best at epoch 84, nothing lost.": "Lief 7 h 12 min, am besten bei Epoche 84, nichts verloren.",
        "Ran 80 s, stopped at step 420 of about 1,000, in 2 sittings, 1 alarm, nothing lost.": (
            "Lief 80 s, angehalten bei Schritt 420 von etwa 1.000, in 2 Sitzungen, 1 Warnung, nichts verloren."
        ),
        "Interrupted at step 312 of about 1,000, 12 steps to be made again.": (
            "Unterbrochen bei Schritt 312 von etwa 1.000, 12 Schritte werden wiederholt."
        ),
        "Ran 2 min, stopped with 6 of 14 runs done, 1 did not suit the pictures, 2 failed, nothing lost.": (
            "Lief 2 min, angehalten nach 6 von 14 Läufen, 1 passte nicht zu den Bildern, 2 misslungen, nichts verloren."
        ),
    }
    assert {said: words.summed_up(said) for said in told} == told
    assert words.summed_up("") == ""
