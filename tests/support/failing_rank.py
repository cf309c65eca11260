"""A rank of a real pretraining that fails at its third step: `python -m tests.support.failing_rank HOW FOLDER OUT`.

HOW: raise, memory, kill, freeze, network. Rank 0 goes on as always; the last rank fails.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from sslstudio.cli.main import main
from sslstudio.engine.compute import process_group, rank_watch
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Event
from sslstudio.engine.training.loop import Training

AT = 3


def fail(how: str) -> None:
    if how == "raise":
        raise RunError("The disk of this process is full.")
    if how == "memory":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
    if how == "fault":
        raise ZeroDivisionError("a fault of the program")
    os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSTOP)


def run(how: str, folder: str, out: str) -> int:
    rank_watch.BEAT, rank_watch.LOST, rank_watch.GRACE = 0.2, 4.0, 1.0  # as in a job, but sooner
    where = process_group.rank_info()
    assert where is not None
    one_step = Training._one_step

    def step(self: Training, share: float) -> Iterator[Event]:
        if where.rank == where.size - 1 and self.step == AT:
            fail(how)
        yield from one_step(self, share)

    Training._one_step = step  # type: ignore[method-assign]
    return main(["pretrain", folder, "--task", "rotation", "--epochs", "50", "--set", "optimiser.batch_size=8",
                 "--set", "probe.enabled=false", "--device", "cpu", "--json", "--out", out])  # fmt: skip


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:4]) if Path(sys.argv[2]).is_dir() else 3)
