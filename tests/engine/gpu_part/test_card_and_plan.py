"""Which build of PyTorch fits: by what nvidia-smi says, by NVIDIA's rules."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.gpu_part.card import Card, find_cards, read_cards
from sslstudio.engine.gpu_part.plan import BUILDS, make_plan

SAID = """NVIDIA GeForce RTX 3060, 8.6, 580.65.06, 12288
NVIDIA RTX A2000, Laptop, 8.6, 580.65.06, 4096
"""


def test_a_line_is_a_card_and_a_name_may_hold_commas() -> None:
    assert read_cards(SAID) == [
        Card("NVIDIA GeForce RTX 3060", (8, 6), (580, 65, 6), 12288),
        Card("NVIDIA RTX A2000, Laptop", (8, 6), (580, 65, 6), 4096),
    ]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
        'Field "compute_cap" is not a valid field to query.',
        "Tesla, [N/A], 580.65, 100",
    ],
)
def test_words_instead_of_a_table_are_no_card(said: str) -> None:
    assert read_cards(said) == []


def test_memory_that_is_not_known_is_no_reason_to_pass_a_card_over() -> None:
    assert read_cards("NVIDIA GB10, 12.1, 580.95.05, [N/A]") == [Card("NVIDIA GB10", (12, 1), (580, 95, 5), 0)]


def test_without_a_driver_there_is_no_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_cards() == []


@pytest.mark.parametrize(
    ("capability", "driver", "build"),
    [
        ((12, 0), 580, "cu130"),  # Blackwell
        ((12, 0), 570, "cu128"),
        ((7, 5), 580, "cu130"),  # Turing
        ((7, 0), 590, "cu128"),  # Volta, which CUDA 13 has left
        ((6, 1), 580, "cu126"),  # Pascal
        ((9, 0), 535, "cu128"),
    ],
)
def test_the_build_goes_with_card_and_driver(capability: tuple[int, int], driver: int, build: str) -> None:
    plan = make_plan([Card("X", capability, (driver, 10))], "2.13.0+cpu")
    assert (plan.build.name, plan.version) == (build, f"2.13.0+{build}")
    assert plan.index == f"https://download.pytorch.org/whl/{build}"


def test_a_mirror_stands_for_the_index() -> None:
    plan = make_plan([Card("X", (8, 6), (580,))], "2.13.0", mirror=" https://mirror.example/pytorch/ ")
    assert plan.index == "https://mirror.example/pytorch/cu130"
    assert "https://mirror.example/pytorch/cu130" in plan.about()


def test_a_folder_needs_no_network_and_says_so(tmp_path: Path) -> None:
    assert "nothing is fetched from the network" in make_plan([Card("X", (8, 6), (580,))], "2.13", "", tmp_path).about()


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ([], "No NVIDIA card was found"),
        ([Card("Quadro K2000", (3, 0), (470, 10))], r"for Quadro K2000 \(compute capability 3\.0\)"),
        ([Card("GTX 1080", (6, 1), (470, 82))], "driver of GTX 1080 is version 470.82, and PyTorch needs 525"),
    ],
)
def test_what_does_not_fit_is_said(cards: list[Card], words: str) -> None:
    with pytest.raises(DataError, match=words):
        make_plan(cards, "2.13.0")


@given(st.integers(3, 14), st.integers(0, 9), st.integers(300, 700))
def test_no_plan_breaks_the_rules(major: int, minor: int, driver: int) -> None:
    try:
        plan = make_plan([Card("X", (major, minor), (driver,))], "2.13.0")
    except DataError:
        return
    assert plan.build in BUILDS
    assert plan.build.oldest <= (major, minor) <= plan.build.newest
    assert driver >= plan.build.driver
