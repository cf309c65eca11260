"""Rules for pictures that belong together are proposed at certain numbers, and not one before."""

import pytest

from sslstudio.engine.dataset.groups import below, groups_of, suggest_groups

RULE = r"name:(patient[_-]?\d+)"


def patients(*counts: int) -> list[str]:
    """So many pictures of one patient after the other, and a name for each."""
    return [f"patient{number}_{one}.png" for number, count in enumerate(counts) for one in range(count)]


@pytest.mark.parametrize(
    ("counts", "rule"),
    [((2, 2), None), ((2, 2, 2), RULE), ((2, 2, 2, 2), RULE)],
)
def test_three_groups_are_a_rule_and_two_are_none(counts: tuple[int, ...], rule: str | None) -> None:
    assert suggest_groups(patients(*counts)) == rule


@pytest.mark.parametrize(("others", "rule"), [(1, RULE), (2, None)])
def test_nine_pictures_of_ten_have_to_fit(others: int, rule: str | None) -> None:
    """9 of 10 fit, or 18 of 20; then 9 of 11."""
    assert suggest_groups([*patients(3, 3, 3), *(f"other{chr(97 + one)}.png" for one in range(others))]) == rule


@pytest.mark.parametrize(("counts", "rule"), [((2, 2, 2, 1, 1, 1, 1), RULE), ((2, 2, 1, 1, 1, 1, 1, 1), None)])
def test_seven_groups_of_ten_pictures_are_the_most(counts: tuple[int, ...], rule: str | None) -> None:
    assert sum(counts) == 10
    assert suggest_groups(patients(*counts)) == rule


def test_each_of_two_folders_of_patients_makes_one_patient_of_the_same_name() -> None:
    """Two levels are needed for that: with one, the folders are as they are."""
    both = [f"{kind}/patient{number}/{one}.png" for kind in ("ill", "well") for number in range(3) for one in range(3)]
    assert suggest_groups(both) == "subfolder:1"
    assert suggest_groups([f"patient{number}/{one}.png" for number in range(3) for one in range(3)]) == "folder:1"
    apart = [
        f"{kind}/patient{kind}{number}/{one}.png" for kind in ("1", "2") for number in range(3) for one in range(3)
    ]
    assert suggest_groups(apart) == "folder:2"


@pytest.mark.parametrize(("rule", "then"), [("folder:1", "subfolder:1"), ("subfolder:1", "subfolder:2"), ("", "")])
def test_a_rule_below_one_more_folder(rule: str, then: str) -> None:
    assert below(rule) == then


def test_what_is_to_be_kept_together_joins_groups_of_groups() -> None:
    given = {"a.png": "1", "b.png": "2", "c.png": "3", "d.png": "4"}
    joined = groups_of([*given], "", given, {"a.png": "x", "b.png": "x", "c.png": "y", "e.png": "x"})
    assert joined == {"a.png": "1", "b.png": "1", "c.png": "3", "d.png": "4"}
    chained = groups_of([*given], "", given, {"a.png": "x", "b.png": "x"} | {"c.png": "x", "d.png": "x"})
    assert set(chained.values()) == {"1"}
