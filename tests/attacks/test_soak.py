"""Nothing grows: a share of what `python -m tests.attacks.soak` tries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.soak import LEAST, Held

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
def test_nothing_grows_in_forty_cycles_and_an_hour() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.attacks.soak", "--cycles", "40", "--hours", "1"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1700, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing grew." in done.stdout


def test_what_grew_is_said() -> None:
    before = Held(threads=5, handles=9, memory=1 << 30)
    assert before.grown(before, "cycles") == []
    assert Held(4, 8, (1 << 30) + LEAST).grown(before, "cycles") == []
    said = Held(6, 10, int(1.02 * (1 << 30))).grown(before, "cycles")
    assert [one.split(":")[1].split()[0] for one in said] == ["threads", "open", "memory"]
