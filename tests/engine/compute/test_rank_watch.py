"""A process that fails ends all of a group, soon and with its reason: real processes that train."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from sslstudio.engine.compute.rank_watch import _reason_in, lost_words
from sslstudio.engine.core.events import Note, StepDone
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.runs.run_folder import RunFolder
from tests.support import faults
from tests.support.process_team import run_team, start_team
from tests.support.small_runs import finished, of

slow = pytest.mark.slow


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"rank": -1, "text": "x"}', b'{"rank": 1}', b"[" * 100_000])
def test_whatever_is_left_in_the_store_is_a_reason(left: bytes) -> None:
    assert _reason_in(left) == "a process failed, and what it said of it cannot be read"


def test_a_reason_comes_with_its_values() -> None:
    said = json.dumps({"rank": 1, "text": to_stored(Message("{n:,} pictures", n=1000))})
    assert _reason_in(said.encode()) == "process 2 said: 1,000 pictures"
    assert _reason_in(b'{"rank": 0, "text": "full {n}"}') == "process 1 said: full {n}"


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("raise", "process 2 said: The disk of this process is full."),
        pytest.param("freeze", "process 2 has given no sign of life", marks=slow),
        pytest.param("memory", "process 2 said: OutOfMemoryError: CUDA out of memory", marks=slow),
        pytest.param("limit", "process 2 said: Its memory did not suffice for its share of a step (", marks=slow),
        pytest.param("fault", "process 2 said: ZeroDivisionError: a fault of the program", marks=slow),
        pytest.param("kill", "has lost the others", marks=slow),
    ],
)
def test_the_job_ends_within_a_minute_and_says_why(how: str, word: str, sample_folder: Path, tmp_path: Path) -> None:
    run, log = tmp_path / "run", tmp_path / "log"
    team = start_team(["-m", "tests.support.failing_rank", how, str(sample_folder), str(run)], 2, log)
    try:
        began = time.monotonic()
        code = team[0].wait(60)
        assert time.monotonic() - began < 50, "of which a part is the start of two processes"
        if how != "freeze":
            assert team[1].wait(20) in ({"kill": [-signal.SIGKILL]}.get(how, [1]))
    finally:
        for process in team:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
            process.kill()
            process.wait()
    said = Path(f"{log}-0.err").read_text()
    assert code == 1, said
    assert word in said
    events = RunFolder(run).events()
    assert word in of(Note, events)[-1].text
    assert len(of(StepDone, events)) >= 2, "what was done before is kept"


@pytest.mark.slow
@pytest.mark.skipif(faults.missing() != "", reason="no faults of disks can be made here")
def test_a_disk_that_stalls_is_waited_for(sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a process may give no sign of life: the one that waits for its disk still gives them."""
    run, log = tmp_path / "run", tmp_path / "log"
    monkeypatch.setenv("LD_PRELOAD", str(faults.library()))
    codes = run_team(["-m", "tests.support.failing_rank", "stall", str(sample_folder), str(run)], 2, log)
    assert codes == [0, 0], Path(f"{log}-0.err").read_text()
    assert finished(RunFolder(run).events()).outcome == "finished"
    assert (run / "slow").read_text() == "0\n1\n2\n"


def test_a_reason_of_whole_sentences_has_one_full_stop() -> None:
    said = str(lost_words(0, 2, Message("process 2 said: The disk is full. Make room on it.")))
    assert ".." not in said
    assert said.endswith("Why: process 2 said: The disk is full. Make room on it.")
