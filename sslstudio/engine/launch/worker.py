"""The other end of launch/child_process.py: carries out an order, prints events, listens to its standard input.

Started for several processes it becomes what torchrun is: it starts that many of itself and ends with them. They
inherit its standard input and output; the first of them is the one that listens and speaks.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypedDict

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.process_group import rank_info
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import InputError, StudioError
from sslstudio.engine.core.events import Event, to_json
from sslstudio.engine.core.files.checked_files import AtLeast, read_json
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.launch.child_process import Order, worker_command
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.launch.parent_watch import ParentWatch
from sslstudio.engine.launch.torchrun import pretrain_together, resume_together
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.training.config import finetune_from_dict, pretrain_from_dict

BEAT = 5.0  # seconds between two signs of life


class _OrderTable(TypedDict):
    run: str
    processes: Annotated[int, AtLeast(1)]
    config: dict[str, Any] | None


def work(path: Path, control: RunControl) -> int:
    """Carry out the order in this file; returns the exit code."""
    values: _OrderTable = read_json(path, _OrderTable, error=InputError)
    order = Order(values["run"], values["processes"], values["config"])
    where = rank_info()
    if where is None and order.processes > 1:
        with ParentWatch(control, listen=False):
            return _start_group(order.processes, path)
    with ParentWatch(control, listen=where is None or where.rank == 0):
        return _carry_out(order, control)


def _carry_out(order: Order, control: RunControl) -> int:
    control.on_proceed(_beat())
    try:
        for event in _events(order, control):
            _print(to_json(event))
    except StudioError as error:
        _print(json.dumps({"error": type(error).__name__, "text": to_stored(error.message)}))
        return 2 if isinstance(error, InputError) else 1
    except Exception as error:  # a fault of the program, or a driver's: said where the run is looked at, too
        traceback.print_exc()
        text = Message(
            "{kind}: {said}", kind=type(error).__name__, said=next(iter(str(error).splitlines()), "no reason was given")
        )
        if devices.is_out_of_memory(error):
            text = Message(
                "The memory did not suffice ({said}). Take a smaller batch, smaller pictures or a smaller encoder. "
                "What was saved last is kept.",
                said=next(iter(str(error).splitlines()), type(error).__name__),
            )
        _print(json.dumps({"died": 1, "text": to_stored(text)}))
        return 1
    return 0


def _beat() -> Callable[[], None]:
    """Says every few seconds that steps are done: events may be rare where a step takes long."""
    last = 0.0

    def say() -> None:
        nonlocal last
        if time.monotonic() - last > BEAT:
            last = time.monotonic()
            _print('{"beat": 1}')

    return say


def _events(order: Order, control: RunControl) -> Iterator[Event]:
    where, run = rank_info(), Path(order.run)
    if order.config is None:
        return resume(run, control) if where is None else resume_together(run, control, where)
    if order.config["job"] == "finetune":
        return finetune(finetune_from_dict(order.config), control)
    config = pretrain_from_dict(order.config)
    return pretrain(config, control) if where is None else pretrain_together(config, control, where)


def _print(line: str) -> None:
    """In one write: ranks must not tear each other's lines. Nobody may be left to read it: then the run is to save."""
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode(errors="backslashreplace"))


def _start_group(processes: int, path: Path) -> int:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id="sslstudio", rdzv_backend="c10d",
        rdzv_endpoint="localhost:0", max_restarts=0, monitor_interval=0.2,
    )  # fmt: skip
    program, *arguments = worker_command(path)
    try:
        elastic_launch(config, program)(*arguments)
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        died: dict[str, object] = {"died": failure.exitcode}
        _print(json.dumps(died))
        return 1
    return 0
