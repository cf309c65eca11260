"""A batch that the ranks of a process group compute together.

Every rank makes the puzzles of the whole batch, from the same generator, and computes its share of them. So all of
them draw what one process would draw, whatever a task does with its generator and its rows, and the network, which is
nearly all of the work, sees each picture once. The price: making puzzles does not get faster with more processes.
"""

from collections.abc import Mapping

import torch
from safetensors.torch import load, save
from torch import Tensor

from sslstudio.engine.compute.process_group import ProcessGroup
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.tasks.base import AnyTask, Batch, PretextTask, TaskResult
from sslstudio.engine.training.checkpoint import restore_training, training_state
from sslstudio.engine.training.loop import Training


def own_rows_of(group: ProcessGroup, batch: Batch) -> Batch:
    """Take the rows of this rank from a batch."""
    inputs, targets = (
        {name: group.own_rows(rows) for name, rows in part.items()} for part in (batch.inputs, batch.targets)
    )
    return Batch(inputs, targets)


def forward_own_rows(group: ProcessGroup, encoder: Encoder, task: AnyTask, batch: Batch, pictures: int) -> TaskResult:
    """Compute loss and metrics of the whole batch of so many pictures; the gradient is the part of this rank.

    The parts of all ranks, summed, are the gradient of the whole.
    """
    group.divide_batch(pictures)
    with group.step():
        result: TaskResult = task(encoder, own_rows_of(group, batch))
    part = result.loss * group.weight
    values = torch.stack([part.detach().float(), *(value.float() * group.weight for value in result.metrics.values())])
    group.all_reduce([values])
    loss = part + (values[0] - part.detach())
    return TaskResult(loss, dict(zip(result.metrics, values[1:], strict=True)), result.answers)


def states_of(task: AnyTask) -> list[Tensor]:
    """Find what tasks keep in buffers of their own, as a curriculum does: it must not differ between ranks."""
    owners = [module for module in task.modules() if isinstance(module, PretextTask)]
    buffers = [buffer for owner in owners for buffer in owner.buffers(recurse=False)]
    return [buffer for buffer in buffers if buffer.is_floating_point()]


def send_start(group: ProcessGroup, training: Training, facts: Mapping[str, object]) -> None:
    """Send from rank 0 the facts that the others need to build the same, then step and weights: see `take_start`."""
    group.divide_batch(training.job.batch_size)
    group.broadcast_object(facts)
    group.began = True
    state = training_state(training.job.modules, training.optimiser)
    group.broadcast_object(training.step)
    group.broadcast_bytes(save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}))


def take_start(group: ProcessGroup, training: Training) -> None:
    """Take over step and weights of rank 0."""
    training.step = int(group.broadcast_object(None))
    restore_training(load(group.broadcast_bytes(b"")), training.job.modules, training.optimiser)
