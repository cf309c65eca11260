"""What the system has against something is a sentence, and the trace is in the log."""

import errno
import os
import re
from pathlib import Path

import pytest

from sslstudio.engine.core import mishaps
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.mishaps import explain, keep_trace, log_file


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "/x/y: No space left.*Make room"),
        (PermissionError(errno.EACCES, "Permission denied", b"/x"), "/x: .*no right"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/x\x1b[31m"), r"/x\\u001b\[31m: .*not there"),
        (OSError("odd"), "The system refused: odd"),
        (OSError(errno.EIO, "Input/output error", 7), "7: .*failed"),
        (MemoryError(), "memory of this machine"),
        (RecursionError("maximum recursion depth"), "without end"),
    ],
)
def test_each_has_a_sentence_that_says_what_to_try(error: BaseException, said: str) -> None:
    told = explain(error)
    assert told is not None
    assert re.search(said, str(told))


def test_a_mistake_of_the_program_has_none() -> None:
    assert explain(ValueError("x")) is None
    assert explain(KeyboardInterrupt()) is None
    known = DataError("known")
    assert explain(known) is known


def test_the_trace_is_kept_and_the_log_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mishaps, "LARGEST", 2000)
    for number in range(20):
        try:
            raise ValueError(f"number {number} \x1b[31m")
        except ValueError as error:
            file = keep_trace(error)
    assert file == log_file()
    assert "number 19 \\u001b[31m" in file.read_text()
    assert "Traceback" in file.read_text()
    logs = list(file.parent.glob(f"{file.stem}*"))  # marks of open windows may lie beside them
    assert sum(one.stat().st_size for one in logs) < 10_000
    assert len(logs) == 2


def test_where_no_log_can_be_nothing_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SSLSTUDIO_LOG", os.fspath(tmp_path / "file"))
    assert keep_trace(ValueError("x")) is None
