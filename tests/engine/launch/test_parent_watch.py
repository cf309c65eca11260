"""The process that started a run is killed: the run saves and ends, however deaf it is, and nothing stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sslstudio
from sslstudio.engine.launch import parent_watch

ROOT = Path(sslstudio.__file__).parent.parent
CHILD = f"""
import sys, time
from pathlib import Path
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.launch import parent_watch
parent_watch.GRACE, parent_watch.LATER, parent_watch.LOOK_MS = 0.6, 0.3, 50
folder, control = Path({"{folder!r}"}), RunControl()
with parent_watch.ParentWatch(control) as watch:
    (folder / "started").write_text(f"{{{{watch._guard}}}}")
{"{body}"}
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
LISTENS = """
    while control.proceed():
        time.sleep(0.02)
    (folder / "saved").write_text("")
"""
DEAF = """
    time.sleep(60)
"""
HEAVY = "    sum(range(10**11))\n"  # holds the interpreter: no thread of it comes to its turn


def lives(pid: int) -> bool:
    """A process that has ended and was not yet collected by its new parent does not count."""
    try:
        os.kill(pid, 0)
        return sys.platform != "linux" or "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait(until: float, *pids: int) -> bool:
    """Whether all of them end within so many seconds."""
    deadline = time.monotonic() + until
    while time.monotonic() < deadline:
        if not any(lives(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def started(folder: Path, body: str) -> tuple["subprocess.Popen[str]", int, int]:
    """A parent, its child and the guard of that."""
    text = CHILD.format(folder=str(folder), body=body)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, text], stdout=subprocess.PIPE, text=True, env=environment
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() or not (folder / "started").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return parent, child, int((folder / "started").read_text())


@pytest.mark.skipif(sys.platform != "linux", reason="the guard is of Linux")
@pytest.mark.parametrize(("body", "stops", "saves"), [
    (LISTENS, False, True), (DEAF, False, False), (DEAF, True, False), (HEAVY, False, False),
], ids=["listens", "deaf", "stopped", "hangs"])  # fmt: skip
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path, body: str, stops: bool, saves: bool) -> None:
    parent, child, guard = started(tmp_path, body)
    left = tmp_path / f"sslstudio-{parent_host()}-{parent.pid}-abc"
    left.mkdir()  # where the parent kept its order
    with parent:
        if stops:
            os.kill(child, signal.SIGSTOP)
        parent.kill()
    assert wait(8.0, child, guard)
    assert (tmp_path / "saved").exists() == saves
    assert not left.exists()


def parent_host() -> str:
    """How names of temporary files tell this machine."""
    from sslstudio.engine.core.files import leftovers

    return leftovers._HOST


@pytest.mark.skipif(sys.platform != "linux", reason="the guard is of Linux")
def test_a_child_that_ends_by_itself_leaves_no_guard(tmp_path: Path) -> None:
    parent, child, guard = started(tmp_path, "    pass\n")
    assert guard
    assert wait(5.0, child, guard)
    parent.kill()
    parent.communicate()


def test_a_grace_of_ten_seconds_in_all() -> None:
    assert parent_watch.GRACE + parent_watch.LATER + 3 * parent_watch.LOOK_MS / 1000 < 10


TRAINING = """
import sys
from pathlib import Path
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import StepDone
from sslstudio.engine.launch.launcher import start_run
from tests.support.small_runs import pretrain_config
config = pretrain_config(Path(sys.argv[1]), Path(sys.argv[2]), epochs=500)
if __name__ == "__main__":
    for event in start_run(config, RunControl(), apart=True):
        if isinstance(event, StepDone):
            print("step", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("stops", [False, True])
def test_a_real_training_ends_with_the_window_and_can_go_on(sample_folder: Path, tmp_path: Path, stops: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", TRAINING, str(sample_folder), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        for _ in range(3):
            assert parent.stdout.readline()
        family = of_session(str(tmp_path / "sslstudio-"))
        assert family
        if stops:
            for pid in family:
                if parent_of(pid) == parent.pid:  # the training, not its guard
                    os.kill(pid, signal.SIGSTOP)
        parent.kill()
    assert wait(11.0, *family)
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.runs.writer_lock import writer_of

    assert writer_of(tmp_path / "run") is None
    assert [file for file in tmp_path.iterdir() if file.name.startswith("sslstudio-")] == [] or stops
    if not stops:  # it had time to save
        assert RunFolder.open_unfinished(tmp_path / "run").job == "pretrain"
        assert (tmp_path / "run" / "last.safetensors").exists()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def of_session(text: str) -> list[int]:
    """Processes with this in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text in folder.joinpath("cmdline").read_text().replace("\0", " "):
                found.append(int(folder.name))
        except OSError:
            continue
    return found
