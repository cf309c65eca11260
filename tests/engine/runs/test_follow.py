"""A run folder followed as it grows, also when a line is torn or the record is cut back."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Event, Note, RunFinished, to_json
from sslstudio.engine.core.files.checked_files import RECORD
from sslstudio.engine.core.messages import plain
from sslstudio.engine.runs.follow import EventLog, follow
from sslstudio.engine.runs.run_folder import EVENTS
from tests.engine.runs.test_writer_lock import leave

END = RunFinished(outcome="finished", step=3, seconds=1.0, metrics={})


def note(text: str) -> Note:
    return Note(level="info", text=plain(text))


def write(run: Path, content: str | bytes) -> None:
    with (run / EVENTS).open("ab") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def lines(*events: Event) -> str:
    return "".join(to_json(event) + "\n" for event in events)


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    assert log.new() == []
    write(tmp_path, lines(note("a")))
    assert log.new() == [note("a")]
    assert log.new() == []


@given(st.lists(st.text(), min_size=1, max_size=8), st.data())
def test_however_it_is_cut_into_pieces_each_event_comes_once(said: list[str], data: st.DataObject) -> None:
    events = [note(text) for text in said]
    content = lines(*events).encode("utf-8", errors="backslashreplace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    found: list[Event] = []
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(Path(folder))
        for first, last in zip([0, *cuts], [*cuts, len(content)], strict=True):
            write(Path(folder), content[first:last])
            found += log.new()
    assert [event.text for event in found if isinstance(event, Note)] == [event.text for event in events]


@pytest.mark.parametrize("regrown", ["", "b", "a much longer event than the one before"])
def test_a_record_that_was_cut_back_is_read_anew(regrown: str, tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    write(tmp_path, lines(note("first"), note("second")))
    assert len(log.new()) == 2
    os.truncate(tmp_path / EVENTS, len(lines(note("first"))))
    write(tmp_path, lines(note(regrown)) if regrown else "")
    assert log.new() == [note("first"), *([note(regrown)] if regrown else [])]


def test_following_ends_with_the_run(tmp_path: Path) -> None:
    leave(tmp_path, "other-machine", 4711)
    write(tmp_path, lines(note("a")))
    found = []
    for event in follow(tmp_path, RunControl()):
        found.append(event)
        if event == note("a"):
            write(tmp_path, lines(note("b"), END))
    assert found == [note("a"), note("b"), END]


def test_following_ends_when_the_writer_is_gone_and_when_it_is_stopped(tmp_path: Path) -> None:
    write(tmp_path, lines(note("a")))
    assert list(follow(tmp_path, RunControl())) == [note("a")]
    leave(tmp_path, "other-machine", 4711)
    control = RunControl()
    control.stop()
    assert list(follow(tmp_path, control)) == [note("a")]


def test_a_record_larger_than_any_is_refused_in_words(tmp_path: Path) -> None:
    write(tmp_path, lines(note("one")))
    log = EventLog(tmp_path)
    assert len(log.new()) == 1
    with (tmp_path / EVENTS).open("ab") as file:
        file.truncate(RECORD + 10_000)  # takes no room on the disk
    with pytest.raises(RunError, match="larger than 256 MB"):
        log.new()
