"""Disks that fail at any operation: a share of what `python -m tests.attacks.disk_faults` tries."""

from functools import partial

import pytest

from tests.support import faults

NEEDED = pytest.mark.skipif(bool(faults.missing()), reason=faults.missing() or "-")
attack = partial(faults.attack, "tests.attacks.disk_faults")


@NEEDED
def test_no_fault_costs_what_was_confirmed() -> None:
    assert "12 faults, 0 wrong" in attack("--n", "12", "--seed", "7", "--only", "labels,project,queue", seconds=120)


@NEEDED
@pytest.mark.slow
def test_no_fault_of_a_thousand_costs_anything() -> None:
    assert "1000 faults, 0 wrong" in attack("--n", "1000", seconds=4 * 3600)
