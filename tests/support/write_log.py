"""What a program writes below a folder, call by call, and the states of the disk that a power cut could leave.

The model is that of POSIX at its strictest: the content of a file is on the disk after its fsync, a name after
that of its folder; whatever came later may be there, may not be, or may be there in part, in any order.
"""

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ALIKE = {"replace": "rename", "remove": "unlink"}


@dataclass(frozen=True)
class Call:
    """A call: `kind` is write, cut, sync, name, unname, rename, folder, sync folder or mark; `file` is the number of a
    file (not its name), `path` and `other` are relative to the folder."""

    kind: str
    file: int = 0
    path: str = ""
    other: str = ""
    place: int = 0
    content: bytes = b""


@dataclass
class Log:
    """The calls below a folder, in order, and what was there before (it is on the disk)."""

    root: Path
    calls: list[Call] = field(default_factory=list)
    before: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def mark(self, text: str) -> None:
        """Note that something was confirmed."""
        self.calls.append(Call("mark", path=text))


@contextmanager
def recording(root: Path) -> Iterator[Log]:
    """Note every call of `os` that changes something below `root`."""
    log = Log(root)
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            log.folders.add(name)
        else:
            log.before[name] = path.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        _Recorder(log, patch)
        yield log


class _Recorder:
    def __init__(self, log: Log, patch: pytest.MonkeyPatch) -> None:
        self.log = log
        self.numbers = itertools.count(1)
        self.file_of: dict[str, int] = {name: next(self.numbers) for name in sorted(log.before)}
        self.open: dict[int, tuple[str, int]] = {}  # handle -> path, number of the file (0: a folder)
        self.real: dict[str, Any] = {}
        for name in ("open", "close", "write", "fsync", "ftruncate", "truncate", "rename", "replace", "unlink",
                     "remove", "link", "mkdir", "rmdir"):  # fmt: skip
            self.real[name] = getattr(os, name)
            patch.setattr(os, name, getattr(self, f"_{ALIKE.get(name, name)}"))

    def _name(self, path: Any) -> str | None:
        whole = Path(os.path.abspath(os.fspath(path))) if not isinstance(path, int) else None
        return whole.relative_to(self.log.root).as_posix() if whole and whole.is_relative_to(self.log.root) else None

    def _note(self, kind: str, **values: Any) -> None:
        self.log.calls.append(Call(kind, **values))

    def _open(self, path: Any, flags: int, *rest: Any, **more: Any) -> int:
        name = self._name(path)
        was = name is not None and os.path.lexists(path)
        handle: int = self.real["open"](path, flags, *rest, **more)
        if name is not None:
            if not was:
                self.file_of[name] = next(self.numbers)
                self._note("name", path=name, file=self.file_of[name])
            elif flags & os.O_TRUNC:
                self._note("cut", file=self.file_of[name], place=0)
            self.open[handle] = name, self.file_of.get(name, 0)
        return handle

    def _close(self, handle: int) -> None:
        self.open.pop(handle, None)
        self.real["close"](handle)

    def _write(self, handle: int, content: Any) -> int:
        place = os.lseek(handle, 0, os.SEEK_CUR) if handle in self.open else 0
        done: int = self.real["write"](handle, content)
        if handle in self.open:
            self._note("write", file=self.open[handle][1], place=place, content=bytes(content[:done]))
        return done

    def _fsync(self, handle: int) -> None:
        self.real["fsync"](handle)
        if handle in self.open:
            name, file = self.open[handle]
            self._note("sync", file=file) if file else self._note("sync folder", path=name)

    def _ftruncate(self, handle: int, size: int) -> None:
        self.real["ftruncate"](handle, size)
        if handle in self.open:
            self._note("cut", file=self.open[handle][1], place=size)

    def _truncate(self, path: Any, size: int) -> None:
        self.real["truncate"](path, size)
        if (name := self._name(path)) is not None:
            self._note("cut", file=self.file_of[name], place=size)

    def _rename(self, source: Any, target: Any) -> None:
        self.real["replace"](source, target)
        one, other = self._name(source), self._name(target)
        assert (one is None) == (other is None), "moved across the border of what is recorded"
        if one is not None and other is not None:
            self._note("rename", path=one, other=other)
            moved = {name: file for name, file in self.file_of.items() if name == one or name.startswith(f"{one}/")}
            for name, file in moved.items():
                del self.file_of[name]
                self.file_of[other + name[len(one) :]] = file

    def _unlink(self, path: Any, **more: Any) -> None:
        self.real["unlink"](path, **more)
        if (name := self._name(path)) is not None:
            self._note("unname", path=name)
            self.file_of.pop(name, None)

    def _link(self, source: Any, target: Any, **more: Any) -> None:
        self.real["link"](source, target, **more)
        if (name := self._name(target)) is not None:
            self.file_of[name] = self.file_of[str(self._name(source))]
            self._note("name", path=name, file=self.file_of[name])

    def _mkdir(self, path: Any, *rest: Any, **more: Any) -> None:
        self.real["mkdir"](path, *rest, **more)
        if (name := self._name(path)) is not None:
            self._note("folder", path=name)

    def _rmdir(self, path: Any, **more: Any) -> None:
        self.real["rmdir"](path, **more)
        if (name := self._name(path)) is not None:
            self._note("unname", path=name)


def state_after(log: Log, count: int, rng: random.Random, disk: Path) -> list[str]:
    """Make in the new folder `disk` what may be left when the power fails after so many calls; returns what had been
    confirmed by then.

    What had reached the disk is there. Of the rest each write is there, or not, or in part (with zeros before it where
    those before it are missing); each change of a name is there or not, those of one folder in their order.
    """
    calls = log.calls[:count]
    content = _contents(log, calls, rng)
    names, folders = _names(log, calls, rng)
    disk.mkdir()
    for folder in sorted(folders):
        (disk / folder).mkdir(parents=True, exist_ok=True)
    for name, file in names.items():
        target = disk / name
        if target.parent.is_dir():  # a file in a folder whose own name was lost is lost with it
            target.write_bytes(content.get(file, b""))
    return [call.path for call in calls if call.kind == "mark"]


def _contents(log: Log, calls: list[Call], rng: random.Random) -> dict[int, bytes]:
    files = {number: bytearray(log.before[name]) for number, name in enumerate(sorted(log.before), start=1)}
    last_sync = {call.file: place for place, call in enumerate(calls) if call.kind == "sync"}
    for place, call in enumerate(calls):
        if call.kind not in ("write", "cut"):
            continue
        data = files.setdefault(call.file, bytearray())
        part = len(call.content)
        if place > last_sync.get(call.file, -1):  # it has not been synced since
            fate = rng.choice(("whole", "lost", "torn"))
            if fate == "lost":
                continue
            part = rng.randint(0, part) if fate == "torn" else part
        if call.kind == "cut":
            data[:] = data[: call.place].ljust(call.place, b"\0")
        else:
            if len(data) < call.place:
                data.extend(bytes(call.place - len(data)))
            data[call.place : call.place + part] = call.content[:part]
    return {number: bytes(data) for number, data in files.items()}


def _names(log: Log, calls: list[Call], rng: random.Random) -> tuple[dict[str, int], set[str]]:
    names = {name: number for number, name in enumerate(sorted(log.before), start=1)}
    folders = set(log.folders)
    kept = _kept_changes(calls, rng)
    for place, call in enumerate(calls):
        if call.kind not in ("name", "unname", "rename", "folder") or place not in kept:
            continue
        if call.kind == "name":
            names[call.path] = call.file
        elif call.kind == "folder":
            folders.add(call.path)
        elif call.kind == "unname":
            names.pop(call.path, None)
            folders.discard(call.path)
        else:
            _move(names, folders, call, calls[:place])
    return names, folders


def _move(names: dict[str, int], folders: set[str], call: Call, earlier: list[Call]) -> None:
    """A rename. What it moves is there even where its first name never reached the disk: the system has it."""
    made = next((one.file for one in reversed(earlier) if one.kind == "name" and one.path == call.path), None)
    if call.path in names or made is not None:
        names[call.other] = names.pop(call.path, made or 0)
    for name in [name for name in names if name.startswith(f"{call.path}/")]:
        names[call.other + name[len(call.path) :]] = names.pop(name)
    for folder in [one for one in folders if one == call.path or one.startswith(f"{call.path}/")]:
        folders.discard(folder)
        folders.add(call.other + folder[len(call.path) :])


def _kept_changes(calls: list[Call], rng: random.Random) -> set[int]:
    """Which changes of names are on the disk: all up to the last sync of their folder, and some that follow."""
    kept: set[int] = set()
    waiting: dict[str, list[int]] = {}
    for place, call in enumerate(calls):
        if call.kind in ("name", "unname", "rename", "folder"):
            waiting.setdefault(_parent(call.other or call.path), []).append(place)
        elif call.kind == "sync folder":
            kept.update(waiting.pop(call.path, []))
    for places in waiting.values():
        kept.update(places[: rng.randint(0, len(places))])
    return kept


def _parent(path: str) -> str:
    return Path(path).parent.as_posix()
