"""Rules of other systems that can be tried on any: locked files, long paths, code pages, processes without fork."""

import io
import re
import sys
import time
from pathlib import Path

import pytest

import sslstudio
from sslstudio.cli.main import main
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files import atomic_files
from sslstudio.engine.core.files.atomic_files import rename_patiently, write_atomic

PACKAGE = Path(sslstudio.__file__).parent


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A Windows on which a file is held open for as many tries as the number says."""
    left = [0]
    real = Path.replace

    def replace(source: Path, target: Path) -> Path:
        if left[0] > 0:
            left[0] -= 1
            raise PermissionError(13, "The process cannot access the file because it is being used")
        return real(source, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(atomic_files, "WINDOWS", True)
    monkeypatch.setattr(atomic_files, "PAUSES", (0.001,) * 4)
    return left


def test_a_file_that_a_scanner_holds_for_a_moment_is_replaced_after_all(tmp_path: Path, locked: list[int]) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    locked[0] = 3
    write_atomic(file, b"new")
    assert file.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_file_that_stays_locked_keeps_its_content_and_is_named(tmp_path: Path, locked: list[int]) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    locked[0] = 99
    with pytest.raises(RunError, match=r"a\.json could not be written: .*being used"):
        write_atomic(file, b"new")
    assert file.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_elsewhere_what_is_not_allowed_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(atomic_files, "WINDOWS", False)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waited"))

    def refuse(source: Path, target: Path) -> Path:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        rename_patiently(tmp_path / "a", tmp_path / "b")


@pytest.mark.skipif(sys.platform == "win32", reason="depends on a setting there")
def test_a_path_longer_than_windows_once_took_is_written(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d" * 60] * 5)
    folder.mkdir(parents=True)
    file = folder / ("n" * 200 + ".json")
    write_atomic(file, b"{}")
    assert len(str(file)) > 260
    assert file.read_bytes() == b"{}"


@pytest.mark.parametrize("page", ["cp1252", "cp437", "ascii"])
def test_a_name_that_a_console_cannot_write_ends_nothing(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding=page))
    assert main(["runs", str(tmp_path / "日本 → ✓")]) in (0, 2)
    sys.stderr.write("日本 → ✓")
    sys.stderr.flush()
    assert b"\\u65e5\\u672c" in raw.getvalue()


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\bos\.fork|forkserver|set_start_method|preexec_fn|get_context\(", "Windows cannot fork, and a Mac must not"),
        (r"\.read_text\(\)|\.write_text\(\w+\)", "Windows reads and writes text in its code page unless told"),
    ],
)
def test_nothing_is_written_that_works_here_only(pattern: str, why: str) -> None:
    for file in PACKAGE.rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            here = "/sys/" in line or "/proc/" in line or line.endswith("# on Linux alone")
            assert re.search(pattern, line) is None or here, f"{line}: {why}"
