"""A thread in each process of a group that hears when another has failed or is gone.

A process that waits in the middle of a step for one that is gone may wait for ever: NCCL says nothing, and a process
that was killed cannot say why. So each sets a number in the store of the group every second, and whoever fails leaves
its reason there. Who hears of it has some seconds to end by itself; then it is ended, with the reason on its error
output and in the run.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypedDict

import torch.distributed as dist

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.checked_files import Count, parse_json
from sslstudio.engine.core.messages import Message, plain, to_stored

BEAT = 1.0  # seconds between two signs of life
LOST = 30.0  # seconds without one after which a process is taken for gone
GRACE = 8.0  # seconds in which a process that heard of it may end by itself
FAILED = "failed"


def group_store(name: str) -> Any:
    """A connection of its own to the store where the processes meet: one that is shared would be waited for."""
    store = dist.TCPStore(  # type: ignore[attr-defined]
        os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False, timeout=timedelta(seconds=20)
    )
    return dist.PrefixStore(name, store)  # type: ignore[attr-defined]


class _Failure(TypedDict):
    """What a process leaves that fails."""

    rank: Count
    text: str


class RankWatch(threading.Thread):
    """See the module. `on_loss` is called with the reason before the process is ended by force."""

    def __init__(self, store: Any, rank: int, size: int) -> None:
        super().__init__(name="rank-watch", daemon=True)
        self.store, self.rank, self.size = store, rank, size
        self.on_loss: Callable[[Message], None] = lambda _: None
        self.reason: Message | None = None
        self._over = threading.Event()
        self._last: dict[int, tuple[bytes, float]] = {}

    def tell(self, reason: Message) -> None:
        """Leave the reason why this process fails, for the others; the first one counts."""
        said = json.dumps({"rank": self.rank, "text": to_stored(reason)})
        with suppress(Exception):  # the store is gone with the process that held it
            self.store.compare_set(FAILED, "", said)

    def heard(self, seconds: float) -> Message | None:
        """The reason that another has left, waiting for it so long at most."""
        until = time.monotonic() + seconds
        while self.reason is None and time.monotonic() < until:
            self._look_for_reason()
            time.sleep(0.1)
        return self.reason

    def close(self) -> None:
        """The group has come to its end."""
        self._over.set()

    def run(self) -> None:
        """Beat and look, until the group ends or something is heard."""
        number = 0
        while not self._over.wait(BEAT):
            number += 1
            try:
                self.store.set(f"beat-{self.rank}", str(number))
                self._look_for_reason()
                self._look_for_beats()
            except Exception:  # torch raises various kinds when the other end of the store is gone
                self.reason = self.reason or Message("the process where all of them meet is gone")
            if self.reason is not None and not self._over.wait(GRACE):
                self._end()

    def _look_for_reason(self) -> None:
        with suppress(RuntimeError):
            if self.reason is None and self.store.check([FAILED]):
                self.reason = _reason_in(self.store.get(FAILED))

    def _look_for_beats(self) -> None:
        now = time.monotonic()
        for rank in range(self.size):
            if rank == self.rank or not self.store.check([f"beat-{rank}"]):
                continue  # one that never came is missed where all meet
            beat = self.store.get(f"beat-{rank}")
            if self._last.get(rank, (b"", 0.0))[0] != beat:
                self._last[rank] = (beat, now)
            elif now - self._last[rank][1] > LOST and self.reason is None:
                self.reason = Message(
                    "process {number} has given no sign of life for {seconds:.0f} seconds",
                    number=rank + 1,
                    seconds=LOST,
                )
                self.tell(self.reason)

    def _end(self) -> None:
        assert self.reason is not None
        text = lost_words(self.rank, self.size, self.reason)
        with suppress(Exception):
            self.on_loss(text)
        with suppress(Exception):
            sys.stderr.write(f"sslstudio: {text}\n")
            sys.stderr.flush()
        os._exit(1)


def _reason_in(left: bytes) -> Message:
    """What a process has left in the store, where anybody on the network of the group may write."""
    try:
        said: _Failure = parse_json(left, FAILED, _Failure)
    except RunError:
        return Message("a process failed, and what it said of it cannot be read")
    text = said["text"]
    return Message(
        "process {number} said: {text}",
        number=said["rank"] + 1,
        text=text if isinstance(text, Message) else plain(text),
    )


def lost_words(rank: int, size: int, reason: Message) -> Message:
    """What a process says that has lost the others."""
    return Message(
        "Process {rank} of {size} has lost the others. What was saved last is kept; go on with: sslstudio resume RUN. "
        "Why: {reason}",  # last: it may be a sentence, or several
        rank=rank + 1, size=size, reason=reason,
    )  # fmt: skip
