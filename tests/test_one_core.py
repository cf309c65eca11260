"""On a machine with one core no pool of one thread waits for itself: everything still comes to its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores can be taken away on Linux alone")
@pytest.mark.timeout(900)  # seconds of work; the rest is for machines that are busy
@pytest.mark.parametrize("what", ["commands", "window"])
def test_one_core_is_enough(what: str, sample_folder: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "SSLSTUDIO_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1",
        "SSLSTUDIO_LOG": str(tmp_path / "log"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.one_core", str(tmp_path), str(sample_folder), what],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=850, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / ("fine" if what == "commands" else "run") / "metrics.json").exists()
    assert what == "commands" or (tmp_path / "queued" / "metrics.json").exists()
