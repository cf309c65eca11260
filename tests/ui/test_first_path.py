"""Nowhere on the way from an empty window to a result does a person wait for the window's own thread."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sslstudio.engine.sample.make import make_sample
from sslstudio.ui.workspace.workspace import SAMPLE
from tests.support import first_path
from tests.support.watchdog import LOADING_MS, LONGEST_MS

PICTURES, SIDE = 120, 48  # so many that it pretrains, and no more: they are drawn before
MOST_ACTIONS = 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_turn_of_the_loop_is_long_from_an_empty_window_to_a_result(tmp_path: Path) -> None:
    """In a fresh process: what is imported, and where, is part of it."""
    home = tmp_path / "home"
    for _ in make_sample(home / SAMPLE, count=PICTURES, side=SIDE):
        pass
    (home / SAMPLE / ".complete").touch()
    command = [sys.executable, "-m", first_path.__name__, str(home), "--minutes", "0.2", "--why"]
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, check=False)
    print(done.stdout)  # noqa: T201  # shown by -rP, and when it fails
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["error"] == ""
    assert {"LEARNING", "TUNING", "DONE"} <= set(found["stages"])
    assert found["actions"] <= MOST_ACTIONS
    longest = sorted(one for part in found["parts"].values() for one in part)
    assert longest[-1] <= LOADING_MS, found["parts"]  # once, while torch loads
    assert longest[-2] <= LONGEST_MS, found["parts"]
