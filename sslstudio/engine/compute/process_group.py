"""The process group: several processes that train one network, and how values travel between them.

Outside a step of the group every function here hands back what it was given, so a task that uses them need not know
whether it is alone. Inside it they are exact: value and gradient are those of one process with the whole batch.
"""

import atexit
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.rank_watch import RankWatch, group_store, lost_words
from sslstudio.engine.core.errors import ConfigError, InputError, RunError, StudioError
from sslstudio.engine.core.messages import Message, plain

PATIENCE = timedelta(days=30)  # a run that is paused keeps the others waiting for what rank 0 says
STEP = timedelta(minutes=10)  # that one may wait for another within a step
MEETING = timedelta(minutes=10)  # for all processes to be there
HEARD_WITHIN = 5.0  # seconds: who fails tells why before it ends
NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun and its like tell each process


@dataclass(frozen=True)
class RankInfo:
    """The rank of this process in its group, as torchrun gives it."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    restarts: int = 0


def rank_info() -> RankInfo | None:
    """Read the rank of this process from its environment; None for a process that was started by itself."""
    if not all(os.environ.get(name) for name in NAMES) or int(os.environ["WORLD_SIZE"]) < 2:
        return None
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    local_size = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return RankInfo(rank, size, local_rank, local_size, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")))


class ProcessGroup:
    """The processes of one run. Rank 0 decides, writes and speaks; the others follow it."""

    def __init__(self, where: RankInfo) -> None:
        self.info, self.size, self.rank = where, where.size, where.rank
        self.weight = 1.0 / where.size  # share of the pictures of this step that this process computes
        self.began = False  # whether rank 0 has said what is to be done
        self.sound = False  # whether all of them came to an end together, though with an error
        self.watch: RankWatch | None = None
        self._words: Any = None  # the group of processes for what rank 0 says; None: the one of all
        self._pictures = 0

    def meet(self, backend: str) -> None:
        """Meet the others; from then on each hears when another is gone."""
        where = self.info
        store, _, _ = next(dist.rendezvous("env://", where.rank, where.size, timeout=MEETING))  # type: ignore[attr-defined]
        # After a restart the store still holds the addresses of the processes that are gone.
        fresh = dist.PrefixStore(f"start-{where.restarts}", store)  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=fresh, rank=where.rank, world_size=where.size, timeout=STEP)
        self._words = dist.new_group(backend="gloo", timeout=PATIENCE)
        self.watch = RankWatch(group_store(f"watch-{where.restarts}"), where.rank, where.size)
        self.watch.start()

    def leave(self) -> None:
        """Part from the others at the end of all."""
        if self.watch is not None:
            self.watch.close()
        if dist.is_initialized():
            dist.destroy_process_group()

    def abandon(self, reason: Message, code: int) -> None:
        """Tell the others why this process fails, and have it end with `code` whatever still waits."""
        if self.watch is not None:
            self.watch.tell(reason)
            self.watch.close()
        if dist.is_initialized():
            atexit.register(_leave_now, code)

    @property
    def is_rank_0(self) -> bool:
        return self.rank == 0

    @property
    def title(self) -> Message:
        """For people."""
        return Message(
            "{size} processes, {local_size} of them on {host}",
            size=self.size,
            local_size=self.info.local_size,
            host=socket.gethostname(),
        )

    # --- what rank 0 says

    def broadcast_object(self, content: Any) -> Any:
        """Return on every rank what rank 0 hands in; the others hand in None."""
        box = [content]
        dist.broadcast_object_list(box, src=0, group=self._words)
        return box[0]

    def begin_step(self, share: float | None) -> None:
        """Begin a step with `share` of the training done; None: there is no further step."""
        word = torch.tensor([share is not None, share or 0.0], dtype=torch.float64)
        dist.broadcast(word, src=0, group=self._words)

    def await_step(self) -> float | None:
        """Wait for the `begin_step` of rank 0; None: there is no further step."""
        word = torch.zeros(2, dtype=torch.float64)
        dist.broadcast(word, src=0, group=self._words)
        return float(word[1]) if word[0] else None

    def broadcast_bytes(self, content: bytes) -> bytes:
        """Return the bytes of rank 0 on every rank."""
        size = torch.tensor([len(content)])
        dist.broadcast(size, src=0, group=self._words)
        raw = bytearray(content) if self.is_rank_0 else bytearray(int(size))
        dist.broadcast(torch.frombuffer(raw, dtype=torch.uint8), src=0, group=self._words)
        return bytes(raw)

    # --- a step

    def divide_batch(self, pictures: int) -> None:
        """Give each rank an equal share, up to one picture, of the batch of the step that begins."""
        if pictures < self.size:
            raise ConfigError(
                "A batch of {pictures} pictures cannot be divided among {size} processes. Take a larger "
                "optimiser.batch_size or fewer processes.",
                pictures=pictures,
                size=self.size,
            )
        self._pictures = pictures
        first, last = self.bounds(pictures)
        self.weight = (last - first) / pictures

    def bounds(self, rows: int) -> tuple[int, int]:
        """The first row of this rank among so many for the whole batch, and the one after its last."""
        whole, rest = divmod(rows, self._pictures)
        count, times = (self._pictures, whole) if not rest else (rows, 1)
        return times * (count * self.rank // self.size), times * (count * (self.rank + 1) // self.size)

    def starts(self, pictures: int) -> list[int]:
        """The first picture of each rank but rank 0 among so many for the whole batch."""
        return [pictures * rank // self.size for rank in range(1, self.size)]

    def own_rows(self, rows: Tensor) -> Tensor:
        """Take the rows of this rank from a tensor with rows for the whole batch. Those of a picture stay together."""
        first, last = self.bounds(len(rows))
        return rows[first:last]

    @contextmanager
    def step(self) -> Iterator[None]:
        """Within it the functions below reach across the processes."""
        token = _group.set(self)
        try:
            yield
        finally:
            _group.reset(token)

    def all_reduce(self, values: list[Tensor]) -> None:
        """Sum each of these over the ranks, in place, in as few messages as fit."""
        for bucket in _buckets(values):
            flat = torch.cat([value.reshape(-1) for value in bucket])
            dist.all_reduce(flat)
            for value, part in zip(bucket, torch.split(flat, [value.numel() for value in bucket]), strict=True):
                value.copy_(part.view_as(value))

    def broadcast_tensors(self, values: list[Tensor]) -> None:
        """Copy the values of rank 0 into these float tensors on every rank."""
        if values:
            flat = torch.cat([value.reshape(-1).float() for value in values])
            dist.broadcast(flat, src=0)
            for value, part in zip(values, torch.split(flat, [value.numel() for value in values]), strict=True):
                value.copy_(part.view_as(value))

    def row_counts(self, rows: int) -> list[int]:
        """Gather how many rows each rank holds."""
        every = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(every, torch.tensor([rows]))
        return [int(one) for one in every]


_group: ContextVar[ProcessGroup | None] = ContextVar("team", default=None)
BUCKET = 25 * 2**20 // 4  # numbers in a message


def _buckets(values: list[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    for value in values:
        alike = not bucket or (bucket[0].dtype == value.dtype and bucket[0].device == value.device)
        if bucket and (not alike or sum(one.numel() for one in bucket) + value.numel() > BUCKET):
            yield bucket
            bucket = []
        bucket.append(value)
    if bucket:
        yield bucket


def current() -> ProcessGroup | None:
    """Return the group whose step this is, if any."""
    return _group.get()


@contextmanager
def join_group(where: RankInfo, backend: str) -> Iterator[ProcessGroup]:
    """Meet the other ranks. Raises RunError when one of them is lost on the way.

    A group that has failed is left as it is and the process ended at its exit: to take the group down would wait for
    those that are gone. Why it failed reaches the others: see `RankWatch`.
    """
    group = ProcessGroup(where)
    try:
        group.meet(backend)
        yield group
    except BaseException as error:
        if group.sound:
            group.leave()
            raise
        loss = isinstance(error, RuntimeError) and _is_loss(error)
        text = _lost(group) if loss else _said_by(error)
        group.abandon(text, 2 if isinstance(error, InputError) else 1)
        if loss:
            raise RunError.of(text) from error
        raise
    group.leave()


def _said_by(error: BaseException) -> Message:
    if isinstance(error, StudioError):
        return error.message
    return plain(f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}")


def _lost(group: ProcessGroup) -> Message:
    reason = group.watch.heard(HEARD_WITHIN) if group.watch is not None else None
    return lost_words(group.rank, group.size, reason or Message("one of them has ended without a word"))


def _leave_now(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _is_loss(error: RuntimeError) -> bool:
    kinds = getattr(dist, "DistError", ())
    words = ("gloo", "NCCL", "onnection", "peer", "ocket")
    return isinstance(error, kinds) or any(word in str(error) for word in words)


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        # Every process's loss depends on the sum, so the gradient is the sum of theirs.
        total = grad.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, lengths: list[int], rank: int) -> Tensor:
        ctx.first, ctx.count = sum(lengths[:rank]), lengths[rank]
        most = max(lengths)
        padded = rows.new_zeros((most, *rows.shape[1:]))
        padded[: len(rows)] = rows
        every = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(every, padded)
        return torch.cat([one[:length] for one, length in zip(every, lengths, strict=True)])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        total = grad.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[ctx.first : ctx.first + ctx.count], None, None


def gather_rows(rows: Tensor) -> tuple[Tensor, int]:
    """Gather the rows (N, ...) of all ranks in the order of the whole batch, with the number of the first own one."""
    group = current()
    if group is None:
        return rows, 0
    lengths = group.row_counts(len(rows))
    every: Tensor = _Gathered.apply(rows, lengths, group.rank)
    return every, sum(lengths[: group.rank])


def sum_over_ranks(values: Tensor) -> Tensor:
    """Sum these over all ranks: for what a loss divides by, and for sums over a batch."""
    if current() is None:
        return values
    total: Tensor = _Summed.apply(values)
    return total


def mean_over_ranks(values: Tensor) -> Tensor:
    """Average over the whole batch values that are means over the share of this rank."""
    group = current()
    return values if group is None else sum_over_ranks(values * group.weight)


def count_over_ranks(rows: int, device: torch.device) -> int | Tensor:
    """Count the rows of all ranks: an int for a process that is alone, else 0-dimensional."""
    return rows if current() is None else sum_over_ranks(constant((float(rows),), device)[0])


@contextmanager
def part_of_batch(rows: int) -> Iterator[float]:
    """Within it, values are means over `rows` of this process that are only a part of its share of the batch.

    Yields what such a mean is to be multiplied with; 1 for a process that is alone.
    """
    group = current()
    if group is None:
        yield 1.0
        return
    whole, lengths = group.weight, group.row_counts(rows)
    group.weight = rows / sum(lengths)
    try:
        yield group.weight / whole
    finally:
        group.weight = whole
