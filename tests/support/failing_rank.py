"""A rank of a real pretraining that fails at its third step: `python -m tests.support.failing_rank HOW FOLDER OUT`.

HOW: raise, memory, limit, fault, kill, freeze: rank 0 goes on as always, the last rank fails; with limit its memory
really ends in the middle of a step. stall: rank 0 waits for its disk
for longer than a rank may give no sign of life (it is started with `faults.library()` before others).
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
from tests.support import faults

AT = 3
STALLS = 3  # of a second and a half each


def fail(how: str, out: Path) -> None:
    if how == "raise":
        raise RunError("The disk of this process is full.")
    if how == "memory":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
    if how == "stall":
        for number in range(STALLS):
            with (out / "slow").open("a") as file:  # as each of its writes to that disk
                faults.arm(1, faults.Mode.SLOW, 1, out)
                file.write(f"{number}\n")
        return
    if how == "fault":
        raise ZeroDivisionError("a fault of the program")
    os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSTOP)


def use_up_memory() -> None:
    """Take tensors until the system gives no more: this process may have 64 MB beyond what it has."""
    import resource

    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + (64 << 20), resource.RLIM_INFINITY))
    taken = []
    while True:
        taken.append(torch.ones(4 << 20))  # 16 MB


def run(how: str, folder: str, out: str) -> int:
    rank_watch.BEAT, rank_watch.LOST, rank_watch.GRACE = 0.2, 4.0, 1.0  # as in a job, but sooner
    epochs = "2" if how == "stall" else "50"
    where = process_group.rank_info()
    assert where is not None
    one_step = Training._one_step

    def step(self: Training, share: float) -> Iterator[Event]:
        failing = 0 if how == "stall" else where.size - 1
        if where.rank == failing and self.step == AT and how != "limit":
            fail(how, Path(out))
        yield from one_step(self, share)

    gradients = Training._gradients

    def in_step(self: Training) -> dict[str, torch.Tensor]:
        if how == "limit" and where.rank == where.size - 1 and self.step == AT:
            use_up_memory()
        return gradients(self)

    Training._one_step = step  # type: ignore[method-assign]
    Training._gradients = in_step  # type: ignore[method-assign]
    return main(["pretrain", folder, "--task", "rotation", "--epochs", epochs, "--set", "optimiser.batch_size=8",
                 "--set", "probe.enabled=false", "--device", "cpu", "--json", "--out", out])  # fmt: skip


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:4]) if Path(sys.argv[2]).is_dir() else 3)
