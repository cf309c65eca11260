"""The smoke test of the built program finds a program that is missing, broken or silent."""

import importlib.util
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sslstudio.engine.models.encoders import ENCODERS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


@pytest.fixture(scope="module")
def smoke() -> ModuleType:
    spec = importlib.util.spec_from_file_location("smoke", ROOT / "packaging" / "smoke.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _program(folder: Path, name: str, script: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_nothing_built_is_a_failure_of_every_check_but_the_size(
    smoke: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke.try_built(tmp_path) is False
    said = capsys.readouterr().out
    assert said.startswith("Size: 0 MB")
    assert said.count("FAILED") == 7


def test_an_exit_code_is_a_failure_with_the_last_words(smoke: ModuleType, tmp_path: Path) -> None:
    program = _program(tmp_path, "broken", "echo half; echo no such library >&2; exit 3")
    with pytest.raises(smoke.Failure, match=r"(?s)ended with 3:.*half.*no such library"):
        smoke._said(program, "--version")


def test_other_tasks_than_the_source_has_are_a_failure(smoke: ModuleType, tmp_path: Path) -> None:
    program = _program(tmp_path, "poor", """echo '{"name": "jigsaw"}'""")
    with pytest.raises(smoke.Failure, match=r"has \['jigsaw'\]"):
        smoke._same_tasks(program)


def test_other_encoders_than_the_source_has_are_a_failure(smoke: ModuleType) -> None:
    names = ENCODERS.names()
    own, timm = (", ".join(name for name in names if name.startswith("timm_") is of_timm) for of_timm in (False, True))
    smoke._same_encoders(f"{own}; without the library timm: {timm}")
    smoke._same_encoders(", ".join(names))
    for said in (own, own.replace("resnet34, ", ""), f"{own}, resnet99; without the library timm: {timm}"):
        with pytest.raises(smoke.Failure, match="the built program has"):
            smoke._same_encoders(said)
    with pytest.raises(smoke.Failure):
        smoke._same_encoders(f"small; without the library timm: {', '.join(names[1:])}")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('{"ONNX": "FAILED: no", "encoders": "small"}', "FAILED: no"),
        ('{"encoders": "small"}', "the built program has small"),
        ("nothing", "substring not found"),
        ('{"task jigsaw": "2 steps"}', "encoders"),
    ],
)
def test_what_the_program_says_of_itself_is_read_closely(
    smoke: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, words: str
) -> None:
    monkeypatch.setattr(smoke, "HERE", tmp_path)
    program = _program(tmp_path, "SSLStudio", f"echo '{said}'")
    with pytest.raises(smoke.TROUBLES, match=words):
        smoke._self_test(program)


def test_a_window_that_was_not_tried_has_not_opened(smoke: ModuleType, tmp_path: Path) -> None:
    program = _program(tmp_path, "blind", """echo '{"window": "not tried: there is no screen"}'""")
    with pytest.raises(smoke.Failure, match="not tried"):
        smoke._window(program)
    with pytest.raises(smoke.Failure, match="did not open"):
        smoke._time_to_window(program)


def test_the_start_is_timed_from_outside(smoke: ModuleType, tmp_path: Path) -> None:
    program = _program(tmp_path, "slow", "sleep 0.2; echo window: opened; sleep 0.3")
    assert smoke._time_to_window(program) >= 0.2


def test_the_size_counts_files_once(smoke: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "library.so").write_bytes(bytes(1000))
    (tmp_path / "library.so").symlink_to(tmp_path / "inside" / "library.so")
    assert smoke._size(tmp_path) == 1000
