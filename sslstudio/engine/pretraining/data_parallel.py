"""A batch that the ranks of a process group compute together.

All ranks draw what one process would draw for the whole batch, and each makes the puzzles of its own share from it and
computes them. Where it cannot be told which draws belong to which picture, each makes the whole batch and takes its
rows. Gradients are summed by torch's DistributedDataParallel, in few large messages beside the way back.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Cut, Draw, Listed, Note, by_share, find_cuts
from sslstudio.engine.compute.process_group import ProcessGroup
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.tasks.base import AnyTask, Batch, PretextTask, TaskResult
from sslstudio.engine.training.checkpoint import restore_training, training_state
from sslstudio.engine.training.loop import Training

RTOL, ATOL = 1e-4, 1e-5  # a share beside its rows of the whole batch: rounding of other vector lengths


@dataclass(frozen=True)
class _Plan:
    """How the share of a batch is made: what is drawn for the whole, and what of it is used; None: all of it."""

    draws: list[Draw]
    cuts: list[Cut] | None


class ShareMaker:
    """Makes the rows of this rank of a batch.

    The first batch of each shape is made whole, and as a share: only where both are the same, shares are made later.
    Of a task that is made of several, each is given its own pictures and shares them out by itself.
    """

    def __init__(self, group: ProcessGroup, task: AnyTask) -> None:
        self.group, self.task = group, task
        self._members = {name: ShareMaker(group, member) for name, member in task.members().items()}
        self._plans: dict[tuple[int, ...], _Plan] = {}

    def make(self, images: Tensor, rng: torch.Generator) -> Batch:
        """The rows of this rank of the batch that `rng` gives for uint8 (B, 3, H, W), the pictures of all ranks.

        Raises ConfigError where there are fewer pictures than ranks.
        """
        if self._members:
            given = self.task.member_pictures(images)
            batches = {name: self._members[name].make(pictures, rng) for name, pictures in given.items()}
            self.group.divide_batch(len(images))
            return self.task.join_batches(batches)
        self.group.divide_batch(len(images))
        key = tuple(images.shape)
        if key not in self._plans:
            return self._try_plan(key, images, rng)
        plan = self._plans[key]
        numbers = self._draw(plan.draws, images, rng)
        return self._rows(images, numbers) if plan.cuts is None else self._share(plan.cuts, images, numbers)

    def makes_shares(self, images: Tensor) -> bool:
        """Whether shares of such batches are made alone; known after the first."""
        if self._members:
            given = self.task.member_pictures(images)
            return all(self._members[name].makes_shares(pictures) for name, pictures in given.items())
        plan = self._plans.get(tuple(images.shape))
        return plan is not None and plan.cuts is not None

    def _draw(self, draws: list[Draw], images: Tensor, rng: torch.Generator) -> list[Tensor]:
        starts = self.group.starts(len(images))
        return [by_share(draw, draw.make(rng), starts) for draw in draws]

    def _rows(self, images: Tensor, numbers: list[Tensor]) -> Batch:
        return own_rows_of(self.group, self.task.make_batch(images, Listed(numbers, images.device)))

    def _share(self, cuts: list[Cut], images: Tensor, numbers: list[Tensor]) -> Batch:
        return self.task.make_batch(self.group.own_rows(images), Listed(numbers, images.device, cuts))

    def _try_plan(self, key: tuple[int, ...], images: Tensor, rng: torch.Generator) -> Batch:
        before, note = rng.get_state(), Note(rng)
        self.task.make_batch(images, note)
        alone = Note(rng)
        self.task.make_batch(self.group.own_rows(images), alone)
        rng.set_state(before)
        numbers = self._draw(note.draws, images, rng)
        rows = self._rows(images, numbers)
        cuts = find_cuts(note.draws, alone.draws, len(images), *self.group.bounds(len(images)))
        # Which of its rows were chosen from the whole, a GPU would have to be waited for; making all is quick there.
        waits = not images.is_cpu and any(draw.kind == "rows" for draw in note.draws)
        good = cuts is not None and not waits and _is_same(self._share(cuts, images, numbers), rows)
        self._plans[key] = _Plan(note.draws, cuts if good else None)
        return rows


def own_rows_of(group: ProcessGroup, batch: Batch) -> Batch:
    """Take the rows of this rank from a batch."""
    inputs, targets = (
        {name: group.own_rows(rows) for name, rows in part.items()} for part in (batch.inputs, batch.targets)
    )
    return Batch(inputs, targets)


def _is_same(batch: Batch, other: Batch) -> bool:
    pairs = [
        (one.get(name), rows)
        for one, two in ((batch.inputs, other.inputs), (batch.targets, other.targets))
        for name, rows in two.items()
    ]
    return all(
        one is not None
        and one.shape == two.shape
        and (torch.allclose(one, two, rtol=RTOL, atol=ATOL) if one.is_floating_point() else torch.equal(one, two))
        for one, two in pairs
    )


class _Step(nn.Module):
    """Encoder and task as the one module that DistributedDataParallel asks for."""

    def __init__(self, group: ProcessGroup, encoder: Encoder, task: AnyTask) -> None:
        super().__init__()
        self.group, self.encoder, self.task = group, encoder, task

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Loss and metrics of the whole batch. The gradients of all ranks, averaged, are the gradient of the whole."""
        with self.group.step():
            result: TaskResult = self.task(self.encoder, batch)
        weight = self.group.weight
        part, ours = result.loss * weight, result.loss * (weight * self.group.size)
        values = torch.stack([part.detach().float(), *(value.float() * weight for value in result.metrics.values())])
        self.group.all_reduce([values])
        loss = ours + (values[0] - ours.detach())
        return {"loss": loss, **dict(zip(result.metrics, values[1:], strict=True))}


class SharedStep:
    """A step of a task by all ranks of a group: the share of this one, and gradients that are those of the whole."""

    def __init__(self, group: ProcessGroup, encoder: Encoder, task: AnyTask) -> None:
        self.maker = ShareMaker(group, task)
        self._step = _Step(group, encoder, task)
        self._answer: nn.Module | None = None

    def __call__(self, batch: Batch) -> TaskResult:
        """Loss and metrics of the batch whose rows of this rank these are."""
        if self._answer is None:  # not before: all ranks have the same weights by now
            from torch.nn.parallel import DistributedDataParallel  # loads the compiler, too

            self._answer = DistributedDataParallel(
                self._step,
                broadcast_buffers=False,
                find_unused_parameters=_leaves_out_weights(self._step.encoder, self._step.task, batch),
                gradient_as_bucket_view=True,
            )
        found = dict(self._answer(batch))
        return TaskResult(found.pop("loss"), found)


def _leaves_out_weights(encoder: Encoder, task: AnyTask, batch: Batch) -> bool:
    """Whether a step reaches some weights not at all; torch looks for them at each step then. A copy is asked."""
    alone = copy.deepcopy(nn.ModuleDict({"encoder": encoder, "task": task}))
    result: TaskResult = alone["task"](alone["encoder"], batch)
    result.loss.backward()  # type: ignore[no-untyped-call]
    return any(weight.requires_grad and weight.grad is None for weight in alone.parameters())


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
