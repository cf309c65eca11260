"""A run in a child process, with the contract of a run in this one: a generator of events, steered by a RunControl.

The child (launch/worker.py) prints an event a line as JSON and reads pause, resume and stop from its standard input. It
survives nothing that this process would not, but this process survives it: a driver that aborts, a process that is
killed for its memory. If it has saved something since it was started it is started once more from there, where nobody
is there to be asked. A child that says nothing for a minute is told of (Stalled), and goes on.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sslstudio
from sslstudio.engine.core import errors
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError, StudioError, TrainerDied
from sslstudio.engine.core.events import Event, Note, from_json
from sslstudio.engine.core.files.atomic_files import cannot_write, write_atomic
from sslstudio.engine.core.files.checked_files import parse_json
from sslstudio.engine.core.files.leftovers import temporary_folder
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.launch.deaths import abandoned, cause, last_line, stalled
from sslstudio.engine.launch.output import Lines
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import config_dict

LOG = "process.log"  # in the run folder, when the process has died: what it said beside its events
SILENT = 60.0  # seconds without a word after which it is told of
LOOK = 1.0  # seconds between two looks at the time
OURS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Order:
    """What a child is to do: start what `config` says (None: go on with `run`), in so many processes."""

    run: str
    processes: int = 1
    config: dict[str, Any] | None = None


def order_to_start(job: str, config: BaseConfig) -> Order:
    """To carry out a pretraining or a fine-tuning."""
    content = config_dict(job, config)
    processes = int(content["hardware"].get("processes", 1)) if job == "pretrain" else 1
    return Order(str(content["out"]), processes, content)


def order_to_resume(run: RunFolder) -> Order:
    """To carry out the rest of a run."""
    processes = int(run.config().get("hardware", {}).get("processes", 1)) if run.job == "pretrain" else 1
    return Order(str(run.path), processes)


def in_child(order: Order, control: RunControl, restarts: int = 1) -> Iterator[Event]:
    """The events of a run in a child process. Raises what the child raised, and TrainerDied when the child died.

    `restarts`: how often it is started again without being asked, each time only if it has saved something since.
    """
    for left in range(restarts, -1, -1):
        before = _read_save_time(Path(order.run))
        try:
            yield from _Child(order).events(control)
            return
        except _Died as death:
            saved = _read_save_time(Path(order.run))
            if control.stopping or not left or saved <= before:
                raise _fatal(death.words, order.run, saved > 0) from None
            words = Message("{words} It is started again from what it saved last.", words=death.words)
        yield Note(level="warning", text=words)
        order = Order(order.run, order.processes)


def _fatal(words: Message, run: str, saved: bool) -> TrainerDied:
    if saved:
        words = Message("{words} What was saved last is kept.", words=words)
    error = TrainerDied.of(words)
    error.run, error.saved = run, saved
    return error


def _read_save_time(run: Path) -> int:
    """Read when weights were last saved, in nanoseconds; 0 if never."""
    return max((file.stat().st_mtime_ns for file in run.glob("*last.safetensors")), default=0)


class _Died(Exception):
    def __init__(self, words: Message) -> None:
        super().__init__(str(words))
        self.words = words


def _kind_of_error(name: str) -> type[StudioError]:
    kind = getattr(errors, name, RunError)
    return kind if isinstance(kind, type) and issubclass(kind, StudioError) else RunError


def _temporary_folder() -> Path:
    try:
        return temporary_folder()
    except OSError as error:
        raise cannot_write(Path(tempfile.gettempdir()), error) from error


def _message(stored: Any) -> Message:
    return stored if isinstance(stored, Message) else plain(str(stored))


class _Child:
    """One child process, from its start to its end."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.folder = _temporary_folder()
        self.error: StudioError | None = None
        self.words: Message | None = None  # of one that could still say why
        self.code: int | None = None  # of the rank that ended it
        self.abandoned = False  # it was to be ended at once
        content = {"run": order.run, "processes": order.processes, "config": order.config}
        write_atomic(self.folder / "order.json", json.dumps(content).encode())

    def events(self, control: RunControl) -> Iterator[Event]:
        """Start it, and hand on what it says."""
        with (self.folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                worker_command(self.folder / "order.json"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=_environment(), start_new_session=True,
            )  # fmt: skip
            assert process.stdout is not None
            lines = Lines(process.stdout)
            try:
                with control.heard_by(lambda word: self._send(process, word)):
                    if control.stopping or control.paused:
                        self._send(process, "stop" if control.stopping else "pause")
                    yield from self._read(lines, log, control)
                self._judge(process.wait())
            finally:
                _end(process, lines)
                shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, process: "subprocess.Popen[bytes]", word: str) -> None:
        self.abandoned |= word == "abandon"
        _send(process, word)

    def _read(self, lines: Lines, log: Any, control: RunControl) -> Iterator[Event]:
        heard, told = time.monotonic(), False
        while True:
            try:
                raw = lines.next(LOOK)
            except TimeoutError:
                silence = time.monotonic() - heard
                if control.paused:
                    heard = time.monotonic()
                elif silence >= SILENT and not told:
                    told = True
                    yield stalled(silence, last_line(self.folder / LOG))
                continue
            if raw is None:
                return
            heard, told = time.monotonic(), False
            line = raw.decode("utf-8", errors="replace")
            try:
                event = from_json(line)
            except RunError:
                if not self._is_report(line):
                    log.write(raw)
                    log.flush()
                continue
            yield event
            heard = time.monotonic()  # whoever took the event may have been slow

    def _is_report(self, line: str) -> bool:
        """Whether a line is the child's word on its own end. The first such word counts: others follow from it."""
        with suppress(RunError):
            said = parse_json(line, LOG)
            if isinstance(said, dict) and isinstance(said.get("error"), str):
                kind = _kind_of_error(said["error"])
                self.error = self.error or kind.of(_message(said.get("text", "")))
                return True
            if isinstance(said, dict) and isinstance(said.get("died"), int):
                self.code = said["died"]
                self.words = self.words or (_message(said["text"]) if "text" in said else None)
                return True
            return isinstance(said, dict) and "beat" in said  # a sign of life between two events
        return False

    def _judge(self, code: int) -> None:
        if self.error is not None:
            raise self.error
        if code != 0:
            last = self._last_words()
            raise _Died(abandoned() if self.abandoned else self.words or cause(self.code or code, last))

    def _last_words(self) -> str:
        content = (self.folder / LOG).read_text("utf-8", errors="replace")
        if content and Path(self.order.run).is_dir():
            write_atomic(Path(self.order.run) / LOG, content.encode())
        return last_line(self.folder / LOG)


def worker_command(order: Path) -> list[str]:
    """The command line of a child: this program, frozen or not."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "sslstudio"]
    return [*program, "work", str(order)]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    paths = [str(Path(sslstudio.__file__).parent.parent), *filter(None, [kept.get("PYTHONPATH", "")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def _send(process: "subprocess.Popen[bytes]", word: str) -> None:
    if word == "abandon":
        _kill(process)
        return
    assert process.stdin is not None
    with suppress(OSError, ValueError):  # it has ended already
        process.stdin.write(f"{word}\n".encode())
        process.stdin.flush()


def _end(process: "subprocess.Popen[bytes]", lines: Lines) -> None:
    if process.poll() is None:
        _kill(process)
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    process.wait()
    lines.close()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End it and all that it has started."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        return
    for pid in [*_descendants(process.pid), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Workers are in sessions of their own, so their group does not tell."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    parent_of = {int(own): int(parent) for own, parent in (line.split() for line in listed.splitlines())}
    found = [pid]
    for known in found:
        found += [own for own, parent in parent_of.items() if parent == known]
    return found[1:]
