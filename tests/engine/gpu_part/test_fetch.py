"""The GPU part is fetched with the real uv from a folder of wheels, tried by real training steps in a child on this
machine's CPU, switched on only then, and rolled back when anything goes wrong."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.gpu_part import fetch, place
from sslstudio.engine.gpu_part.card import Card
from sslstudio.engine.gpu_part.plan import Plan, make_plan
from tests.engine.gpu_part.wheels import BROKEN, write_wheel

CARD = Card("Card of the test", (8, 6), (580, 65))
START = "from sslstudio.cli.main import main; main(['tasks']); import torch; print(torch.__version__)"
Usage = namedtuple("Usage", "total used free")


def has_uv() -> bool:
    try:
        return bool(fetch.find_uv())
    except RunError:
        return False


needs_uv = pytest.mark.skipif(not has_uv(), reason="the program uv is not installed")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of GPU parts, in which one is in use already; there is room, and the CPU stands for the card."""
    folder = tmp_path / "parts"
    monkeypatch.setenv("SSLSTUDIO_GPU_FOLDER", str(folder))
    monkeypatch.setenv("SSLSTUDIO_GPU_TRY_DEVICE", "cpu")
    monkeypatch.setattr(fetch, "UNPACKED", 1_000_000)
    (folder / "torch-before" / place.SITE / "torch").mkdir(parents=True)
    place.switch_on(place.Active("torch-before", "2.0.0+cu118", place.python_here(), "An older card"))
    return folder


def plan(wheels: Path | None, mirror: str = "") -> Plan:
    return make_plan([CARD], torch.__version__, mirror, wheels)


def own_tag() -> str:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def is_as_before(parts: Path) -> bool:
    active = place.read_active()
    names = {file.name for file in parts.iterdir()}
    return active is not None and active.folder == "torch-before" and names == {"torch-before", place.POINTER}


@needs_uv
def test_a_part_that_has_worked_is_switched_on_and_can_be_removed(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quick twin of the next: the child is not started."""
    asked = plan(tmp_path / "wheels")
    write_wheel(tmp_path / "wheels", asked.version, tag="py3-none-any")
    monkeypatch.setattr(fetch, "try_part", lambda site, device, control: asked.version)
    active = to_end(fetch.fetch_part(asked, RunControl()))
    assert active == place.read_active()
    assert {file.name for file in parts.iterdir()} == {active.folder, place.POINTER}
    again = to_end(fetch.fetch_part(asked, RunControl()))  # over the one that is in use
    assert {file.name for file in parts.iterdir()} == {again.folder, place.POINTER}
    assert again.folder != active.folder
    fetch.remove_part(RunControl())
    assert list(parts.iterdir()) == []


@needs_uv
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the wheel carries this system's tag")
def test_a_good_part_is_tried_and_then_used_from_the_next_start(parts: Path, tmp_path: Path) -> None:
    asked = plan(tmp_path / "wheels")
    write_wheel(tmp_path / "wheels", asked.version, tag=own_tag())
    steps = fetch.fetch_part(asked, RunControl())
    said = [str(next(steps).stage) for _ in range(4)]
    assert said[2] == "Trying a training step on the card"
    active = to_end(steps)
    assert active == place.read_active()
    assert (active.torch, active.card) == (asked.version, CARD.name)
    assert {file.name for file in parts.iterdir()} == {active.folder, place.POINTER}  # the one before was deleted
    said_by_child = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True).stdout
    assert said_by_child.split()[-1] == asked.version
    fetch.remove_part(RunControl())
    assert place.read_active() is None
    assert list(parts.iterdir()) == []


@needs_uv
def test_a_download_that_broke_off_changes_nothing(parts: Path, tmp_path: Path) -> None:
    asked = plan(tmp_path / "wheels")
    wheel = write_wheel(tmp_path / "wheels", asked.version, tag="py3-none-any")
    wheel.write_bytes(wheel.read_bytes()[:-200])
    with pytest.raises(RunError, match=r"is damaged: .*Nothing was changed"):
        to_end(fetch.fetch_part(asked, RunControl()))
    assert is_as_before(parts)


@needs_uv
def test_a_wheel_for_another_system_is_refused_in_words(parts: Path, tmp_path: Path) -> None:
    asked = plan(tmp_path / "wheels")
    write_wheel(tmp_path / "wheels", asked.version, tag="cp311-cp311-win_arm64")
    with pytest.raises(RunError, match=rf"has no PyTorch {asked.version.replace('+', '.')} for this system"):
        to_end(fetch.fetch_part(asked, RunControl()))
    assert is_as_before(parts)


@needs_uv
def test_a_part_that_cannot_train_is_not_used(parts: Path, tmp_path: Path) -> None:
    asked = plan(tmp_path / "wheels")
    write_wheel(tmp_path / "wheels", asked.version, tag="py3-none-any", code=BROKEN)
    with pytest.raises(RunError, match=r"A training step with what was fetched did not work: .*libcudart"):
        to_end(fetch.fetch_part(asked, RunControl()))
    assert is_as_before(parts)


@needs_uv
def test_a_firewall_is_a_sentence(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    given = fetch._environment
    monkeypatch.setattr(fetch, "_environment", lambda stage: {**given(stage), "UV_HTTP_RETRIES": "0"})  # seconds less
    with pytest.raises(RunError, match="could not be reached; a firewall or a proxy may refuse it"):
        to_end(fetch.fetch_part(plan(None, mirror="http://127.0.0.1:9"), RunControl()))  # nobody listens there
    assert is_as_before(parts)


def test_a_full_disk_is_found_before_anything_is_fetched(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 10**12 - 500, 500))
    with pytest.raises(RunError, match=r"not enough room .* 0\.0 GB are free"):
        to_end(fetch.fetch_part(plan(None), RunControl()))
    assert is_as_before(parts)


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of eight megabytes, with a GPU part in use on it; skips where none may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "small-disk", str(disk)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("no disk of a given size can be mounted here: that needs Linux and root")
    try:
        monkeypatch.setenv("SSLSTUDIO_GPU_FOLDER", str(disk / "parts"))
        (disk / "parts" / "torch-before" / place.SITE / "torch").mkdir(parents=True)
        place.switch_on(place.Active("torch-before", "2.0.0+cu118", place.python_here(), "An older card"))
        yield disk / "parts"
    finally:
        subprocess.run(["umount", disk], check=True)


@needs_uv
@pytest.mark.parametrize("filled", [False, True], ids=["by what is fetched", "already"])
def test_a_disk_that_becomes_full_while_it_is_fetched_changes_nothing(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: bool
) -> None:
    """A real one: 12 MB are unpacked where 8 have room, and 1 MB where a few kB are left."""
    monkeypatch.setattr(fetch, "UNPACKED", 0)
    monkeypatch.setenv("SSLSTUDIO_GPU_TRY_DEVICE", "cpu")
    asked = plan(tmp_path / "wheels")
    write_wheel(tmp_path / "wheels", asked.version, tag="py3-none-any", padding=(1 if filled else 12) << 20)
    if filled:
        with pytest.raises(OSError, match="No space left"):
            (small_disk.parent / "other.bin").write_bytes(bytes(9 << 20))
    with pytest.raises(RunError, match=r"disk of .*parts became full\. .*Nothing was changed\."):
        to_end(fetch.fetch_part(asked, RunControl()))
    assert is_as_before(small_disk)
    assert shutil.disk_usage(small_disk).free >= (0 if filled else 7 << 20)  # what was fetched is gone again


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("error: failed to write: No space left on device (os error 28)", "became full"),
        ("error: Failed to fetch: `https://x/` Caused by: dns error", "could not be reached"),
        ("error: HTTP status client error (403 Forbidden)", "could not be reached"),
        ("error: Hash mismatch for `torch`", "is damaged"),
        ("error: something new", "failed: error: something new"),
    ],
)
def test_what_uv_says_is_told_as_what_it_means(said: str, words: str) -> None:
    error = fetch._explain(said, plan(None))
    assert words in str(error)
    assert "Nothing was changed" in str(error)


def test_what_is_left_of_long_words_begins_with_a_word() -> None:
    words = fetch.last_words("no matter " * 100 + "the\nreason")
    assert words.startswith("… ")
    assert words.split()[1] in ("no", "matter")
    assert words.endswith("matter the reason")
    assert fetch.last_words(" short\n words ") == "short words"


def test_the_users_own_settings_do_not_reach_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "https://elsewhere.example")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://elsewhere.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    given = fetch._environment(tmp_path)
    assert "https://elsewhere.example" not in given.values()
    assert given["HTTPS_PROXY"] == "http://proxy.example"
    assert given["UV_NO_CONFIG"] == "1"


def test_stopping_ends_the_child_and_changes_nothing(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    control = RunControl()
    monkeypatch.setattr(fetch, "_command", lambda plan, stage: [sys.executable, "-c", "import time; time.sleep(60)"])
    steps = fetch.fetch_part(plan(None), control)
    next(steps)
    next(steps)
    control.stop()
    with pytest.raises(RunError, match="stopped"):
        next(steps)
    assert is_as_before(parts)


def test_what_a_killed_fetch_left_is_swept(parts: Path) -> None:
    (parts / "torch-2.13.0+cu130.77.part" / "cache").mkdir(parents=True)
    place.sweep()
    assert is_as_before(parts)


def test_a_pointer_that_leads_elsewhere_or_is_damaged_is_none(parts: Path) -> None:
    for content in ("", "{", "[]", '{"folder": "../x", "torch": "", "python": "", "card": ""}', '{"folder": ".."}'):
        (parts / place.POINTER).write_text(content)
        assert place.read_active() is None
        assert place.activate() is None


def test_a_part_of_another_python_is_left_alone_and_said_to_be_old(parts: Path) -> None:
    old = place.Active("torch-before", "2.0.0", "3.9")
    place.switch_on(old)
    assert place.activate() is None
    assert "for Python 3.9" in place.why_not_used(old)


def test_a_part_in_use_comes_first_on_the_path(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    site = place.activate()
    assert site == parts / "torch-before" / place.SITE
    assert sys.path[0] == str(site)
    assert os.environ.get(place.TRIED) is None
