"""Disks that fail at any operation: a share of what `python -m tests.attacks.disk_faults` tries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import faults

ROOT = Path(__file__).parent.parent.parent
NEEDED = pytest.mark.skipif(bool(faults.missing()), reason=faults.missing() or "-")


def attack(*words: str, seconds: float) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.attacks.disk_faults", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@NEEDED
def test_no_fault_costs_what_was_confirmed() -> None:
    assert "12 faults, 0 wrong" in attack("--n", "12", "--seed", "7", "--only", "labels,project,queue", seconds=120)


@NEEDED
@pytest.mark.slow
def test_no_fault_of_a_thousand_costs_anything() -> None:
    assert "1000 faults, 0 wrong" in attack("--n", "1000", seconds=4 * 3600)
