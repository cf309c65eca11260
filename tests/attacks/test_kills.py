"""Kills at any moment: a share of what `python -m tests.attacks.kills` tries."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.attacks.kills import started_in
from tests.support import faults

NEEDED = pytest.mark.skipif(bool(faults.missing()), reason=faults.missing() or "-")
attack = partial(faults.attack, "tests.attacks.kills")


@NEEDED
def test_no_kill_costs_what_was_confirmed() -> None:
    said = attack("--n", "6", "--seed", "3", "--only", "labels,queue,project", seconds=120)
    assert said.count("WRONG") == 0
    assert "6 kills" in said


@NEEDED
@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_no_kill_of_five_hundred_costs_anything() -> None:
    assert ", 0 wrong" in attack("--n", "500", seconds=3 * 3600)


@NEEDED
def test_a_program_that_stays_is_seen(tmp_path: Path) -> None:
    """Else what is written above would hold of anything."""
    environment = {**os.environ, "SSLSTUDIO_CACHE": f"{tmp_path}/cache"}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment) as process:
        assert any(one.startswith(f"{process.pid} ") for one in started_in(tmp_path))
        process.kill()
    assert started_in(tmp_path) == []
