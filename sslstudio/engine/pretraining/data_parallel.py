"""A batch that several processes answer together.

Every process makes the questions of the whole batch, from the same generator, and asks its share of them. So all of
them draw what one process would draw, whatever a task does with its generator and its rows, and the network, which is
nearly all of the work, sees each picture once. The price: making questions does not get faster with more processes.
"""

from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from sslstudio.engine.compute.process_group import Team
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.tasks.base import AnyTask, Batch, PretextTask, TaskResult
from sslstudio.engine.training.checkpoint import restore_training, training_state
from sslstudio.engine.training.loop import Training


def part_of(team: Team, batch: Batch) -> Batch:
    """This process's rows of a batch."""
    inputs, targets = ({name: team.part(rows) for name, rows in part.items()} for part in (batch.inputs, batch.targets))
    return Batch(inputs, targets)


def asked_together(team: Team, encoder: Encoder, task: AnyTask, batch: Batch, pictures: int) -> TaskResult:
    """Loss and metrics of the whole batch of so many pictures; the gradient is this process's part of it.

    The parts of all processes, summed, are the gradient of the whole.
    """
    team.divide(pictures)
    with team.step():
        result: TaskResult = task(encoder, part_of(team, batch))
    part = result.loss * team.weight
    values = torch.stack([part.detach().float(), *(value.float() * team.weight for value in result.metrics.values())])
    team.add([values])
    loss = part + (values[0] - part.detach())
    return TaskResult(loss, dict(zip(result.metrics, values[1:], strict=True)), result.answers)


def states_of(task: AnyTask) -> list[Tensor]:
    """What tasks keep in buffers of their own, as a curriculum does: it must not differ between processes."""
    owners = [module for module in task.modules() if isinstance(module, PretextTask)]
    buffers = [buffer for owner in owners for buffer in owner.buffers(recurse=False)]
    return [buffer for buffer in buffers if buffer.is_floating_point()]


def send_start(team: Team, training: Training, facts: dict[str, Any]) -> None:
    """The leader's end of `take_start`: the facts that the others need to build the same, then weights and step."""
    team.divide(training.job.batch_size)
    team.tell(facts)
    team.met = True
    state = training_state(training.job.modules, training.optimiser)
    team.tell(training.step)
    team.send(save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}))


def take_start(team: Team, training: Training) -> None:
    """Stand where the leader stands."""
    training.step = int(team.tell(None))
    restore_training(load(team.send(b"")), training.job.modules, training.optimiser)
