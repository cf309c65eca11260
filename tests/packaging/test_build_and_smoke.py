"""One command builds, tries and packs, goes on where it was broken off, and does again what has changed."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.scripts import ROOT, script

of_linux = pytest.mark.skipif(sys.platform == "win32", reason="scripts of a shell")


@pytest.fixture
def command() -> ModuleType:
    return script("build_and_smoke")


def steps(did: list[str], codes: dict[str, int]) -> list[tuple[str, object]]:
    def step(name: str) -> object:
        def run() -> int:
            did.append(name)
            return codes.get(name, 0)

        return run

    return [(name, step(name)) for name in ("build", "smoke", "packages")]


WANTED = {"build": "a", "smoke": "b", "packages": "c"}


def test_it_goes_on_behind_the_last_step_that_was_done(command: ModuleType, tmp_path: Path) -> None:
    record, did = tmp_path / "build" / "steps.json", list[str]()
    assert command.run_steps(steps(did, {"smoke": 3}), WANTED, {}, record) == 3
    assert did == ["build", "smoke"]
    did.clear()
    assert command.run_steps(steps(did, {}), WANTED, command.read_known(record), record) == 0
    assert did == ["smoke", "packages"]
    did.clear()
    assert command.run_steps(steps(did, {}), WANTED, command.read_known(record), record) == 0
    assert did == []


def test_what_has_changed_is_done_again_with_all_that_follows(command: ModuleType, tmp_path: Path) -> None:
    record, did = tmp_path / "steps.json", list[str]()
    record.write_text(json.dumps(WANTED), encoding="utf-8")
    assert command.run_steps(steps(did, {}), {**WANTED, "smoke": "x"}, command.read_known(record), record) == 0
    assert did == ["smoke", "packages"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"'])
def test_a_record_that_is_damaged_counts_as_none(command: ModuleType, tmp_path: Path, content: str) -> None:
    (tmp_path / "steps.json").write_text(content, encoding="utf-8")
    assert command.read_known(tmp_path / "steps.json") == {}
    assert command.read_known(tmp_path / "none.json") == {}


def test_a_step_depends_on_its_own_script_and_on_all_before(command: ModuleType, tmp_path: Path) -> None:
    for places in command.STEPS.values():
        for place in places:
            assert (ROOT / place).exists(), place
    for name in ("sslstudio/a.py", "packaging/smoke.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    before = command.digests(tmp_path)
    assert list(before) == list(command.STEPS)
    (tmp_path / "packaging/smoke.py").write_text("2", encoding="utf-8")
    after = command.digests(tmp_path)
    assert [name for name in before if before[name] != after[name]] == list(before)[2:]
    (tmp_path / "sslstudio/a.py").write_text("2", encoding="utf-8")
    assert all(after[name] != digest for name, digest in command.digests(tmp_path).items())


def test_a_checksum_that_is_not_the_files_is_a_failure(
    command: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.deb").write_bytes(b"package")
    script("deb").write_sums([tmp_path / "a.deb"])
    assert command.sums(tmp_path) == 0
    (tmp_path / "a.deb").write_bytes(b"packaged")
    assert command.sums(tmp_path) == 1
    assert "a.deb: NOT what it says" in capsys.readouterr().out


@of_linux
def test_it_refuses_to_build_a_window_that_would_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PyInstaller leaves out what it does not find, and the program then aborts on every system that lacks it too."""
    build = script("build")
    ldd = tmp_path / "ldd"
    ldd.write_text(
        "#!/bin/sh\necho '\tlibX11.so.6 => /lib/libX11.so.6 (0x1)'\necho '\tlibxcb-icccm.so.4 => not found'\n",
        encoding="utf-8",
    )
    ldd.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(build.sys, "platform", "linux")
    assert build.missing_libraries(tmp_path / "libqxcb.so") == ["libxcb-icccm.so.4"]
    monkeypatch.setattr(build, "NEEDED", {})
    monkeypatch.setattr(build, "_build", lambda: pytest.fail("built all the same"))
    assert build.main() == 2
    assert "libxcb-icccm4" in capsys.readouterr().err


@of_linux
def test_the_menu_script_puts_the_program_into_a_persons_menu_and_takes_it_out(tmp_path: Path) -> None:
    place = tmp_path / "my programs" / "SSLStudio"
    (place / "share").mkdir(parents=True)
    linux = ROOT / "packaging" / "linux"
    for name in ("sslstudio.desktop", "sslstudio.xml"):
        (place / "share" / name).write_bytes((linux / name).read_bytes())
    (place / "share" / "sslstudio.png").write_bytes(b"png")
    (place / "add-to-menu.sh").write_bytes((linux / "add-to-menu.sh").read_bytes())
    data = tmp_path / "data"
    run = ["sh", str(place / "add-to-menu.sh")]
    own = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(data)}
    subprocess.run(run, env=own, check=True, capture_output=True)
    entry = (data / "applications" / "sslstudio.desktop").read_text(encoding="utf-8")
    assert f'\nExec="{place}/SSLStudio" %f\n' in entry
    assert f"\nTryExec={place}/SSLStudio\n" in entry
    assert script("installed").start_words(data / "applications" / "sslstudio.desktop") == [f"{place}/SSLStudio"]
    assert (data / "mime" / "packages" / "sslstudio.xml").is_file()
    subprocess.run([*run, "--remove"], env=own, check=True, capture_output=True)
    assert list(data.rglob("sslstudio.*")) == []


@of_linux
@pytest.mark.parametrize("name", ["100% mine", 'a"b', "pay $5", "a\\b", "x|y", "R&D"])
def test_a_folder_that_no_menu_can_start_from_is_refused_in_words(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.mkdir()
    (place / "add-to-menu.sh").write_bytes((ROOT / "packaging" / "linux" / "add-to-menu.sh").read_bytes())
    own = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home")}
    done = subprocess.run(["sh", place / "add-to-menu.sh"], env=own, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Move it elsewhere" in done.stderr
    assert not (tmp_path / "home").exists()
