"""A training on a full disk says so, waits, and goes on when there is room, to the weights that it would have had."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sslstudio.engine.core import room
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DiskFull
from sslstudio.engine.core.events import CheckpointSaved, Event, Note, Paused, Resumed, RunFinished
from sslstudio.engine.core.files import atomic_files
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import EVENTS, RunFolder
from sslstudio.engine.training import loop
from sslstudio.engine.training.checkpoint import load_tensors
from tests.support import samples
from tests.support.small_runs import of, pretrain_config


@dataclass
class Disk:
    """`os` as the module that writes sees it; `full`: there is no room."""

    full: bool = False
    refused: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def write(self, handle: int, content: memoryview) -> int:
        if self.full:
            self.refused.append(handle)
            raise OSError(28, "No space left on device")
        return os.write(handle, content)


@pytest.fixture(scope="module", autouse=True)
def small_network() -> Iterator[None]:
    """What is tested is what becomes of files, whatever is in them."""
    with samples.smaller_encoder():
        yield


@pytest.fixture(scope="module")
def good(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing happens to."""
    run = tmp_path_factory.mktemp("good") / "run"
    list(pretrain(pretrain_config(sample_folder, run, "rotation"), RunControl()))
    return run


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(atomic_files, "os", made)
    monkeypatch.setattr(room, "SECONDS", 0.02)
    yield made
    made.full = False


def go(events: Iterator[Event], disk: Disk, control: RunControl, *, stops: bool = False) -> list[Event]:
    """Run with the disk full from the first checkpoint on, until it has been tried a few times."""
    said: list[Event] = []

    def make_room() -> None:
        while len(disk.refused) < 4:
            time.sleep(0.01)
        if stops:
            control.stop()
        else:
            disk.full = False

    helper = threading.Thread(target=make_room)
    for event in events:
        said.append(event)
        if isinstance(event, CheckpointSaved) and not helper.ident:
            disk.full = True
            helper.start()
    helper.join()
    return said


def weights(run: Path) -> dict[str, bytes]:
    return {name: one.numpy().tobytes() for name, one in load_tensors(run / "last.safetensors")[0].items()}


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is of POSIX")
def test_it_waits_and_goes_on_to_the_same_weights(good: Path, sample_folder: Path, tmp_path: Path, disk: Disk) -> None:
    control = RunControl()
    said = go(pretrain(pretrain_config(sample_folder, tmp_path / "full", "rotation"), control), disk, control)
    assert isinstance(said[-1], RunFinished)
    assert len(of(Paused, said)) == len(of(Resumed, said)) == 1
    told = [str(note.text) for note in of(Note, said)]
    assert any("could not be written: No space left on device. The disk is full" in one for one in told)
    assert "There is room on the disk again: the run goes on." in told
    assert weights(good) == weights(tmp_path / "full")
    recorded = RunFolder(
        tmp_path / "full"
    ).events()  # nothing is missing in the record but what was said while it waited
    ours = [event for event in said if event.kind not in ("Preparing", "Paused", "Resumed", "Note")]
    assert [event for event in recorded if event.kind not in ("Paused", "Resumed", "Note")] == ours
    assert not list((tmp_path / "full").rglob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is of POSIX")
def test_it_can_be_stopped_while_it_waits_and_goes_on_later(
    good: Path, sample_folder: Path, tmp_path: Path, disk: Disk
) -> None:
    control, run = RunControl(), tmp_path / "full"
    with pytest.raises(DiskFull, match="The disk is full: make room"):
        go(pretrain(pretrain_config(sample_folder, run, "rotation"), control), disk, control, stops=True)
    disk.full = False
    assert (run / EVENTS).read_bytes().endswith(b"\n")
    list(resume(run, RunControl()))
    assert weights(good) == weights(run)


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)  # however fast the machine is, there is more to do after two
    list(pretrain(pretrain_config(sample_folder, tmp_path / "good", "rotation", epochs=4), RunControl()))
    control, run = RunControl(), tmp_path / "damaged"
    saved = 0
    for event in pretrain(pretrain_config(sample_folder, run, "rotation", epochs=4), control):
        saved += isinstance(event, CheckpointSaved)
        if saved == 2:
            control.stop()
    (run / "last.safetensors").write_bytes(b"damaged")
    said = list(resume(run, RunControl()))
    assert any("The run goes on from the checkpoint before it" in str(note.text) for note in of(Note, said))
    assert weights(tmp_path / "good") == weights(run)
    assert not (run / "before.safetensors").exists()
