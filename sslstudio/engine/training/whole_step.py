"""A step as one graph: the batch that a task makes, the network and the loss.

On a fast GPU a small step waits for the CPU, which starts its few hundred kernels one by one. Compiled as one graph it
is started in one go. Random numbers are drawn before, outside the graph, in the order in which the task asks for them
(`compute/draws.py`), so that the same seed draws the same batch.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.draws import Draw, Listed, Note
from sslstudio.engine.tasks.base import Batch, TaskResult


class WholeStep:
    """Makes a batch and answers it. `compiler`: what `torch.compile` takes; None: nothing is compiled."""

    def __init__(self, encoder: nn.Module, task: nn.Module, compiler: dict[str, Any] | None) -> None:
        self.encoder, self.task = encoder, task
        self._draws: dict[tuple[int, ...], list[Draw]] = {}
        self._graph, self._ready_graph = self.answer, self.answer_batch
        if compiler is not None:
            torch.compiler.assume_constant_result(constant)  # type: ignore[no-untyped-call]  # it has them made already
            # The compiler takes all constants for one tensor whose size varies, and fails to say where that size is
            # from (an IndexError in its guards). The shapes of a step do not vary: a graph for each.
            compiler = {"dynamic": False, **compiler}
            self._graph = torch.compile(self.answer, **compiler)
            self._ready_graph = torch.compile(self.answer_batch, **compiler)  # nothing is compiled before it is called
        self._replays = (compiler or {}).get("mode") == "reduce-overhead"  # as a CUDA graph, into the same memory

    def answer(self, images: Tensor, numbers: list[Tensor]) -> dict[str, Tensor]:
        """Loss and metrics of uint8 (B, 3, H, W) with all that is drawn for them: the graph."""
        with torch.autocast(images.device.type, enabled=False):
            batch = self.task.make_batch(images, Listed(numbers, images.device))  # type: ignore[operator]
        return self.answer_batch(batch.inputs, batch.targets)

    def answer_batch(self, inputs: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss and metrics of a batch that is made already."""
        result: TaskResult = self.task(self.encoder, Batch(inputs, targets))
        return {"loss": result.loss, **result.metrics}

    def numbers(self, images: Tensor, rng: torch.Generator) -> list[Tensor]:
        """Draw all that a batch of such pictures takes. What that is, the first batch of this shape says."""
        key = tuple(images.shape)
        if key not in self._draws:
            before, note = rng.get_state(), Note(rng)
            with torch.no_grad():
                self.task.make_batch(images, note)  # type: ignore[operator]
            rng.set_state(before)
            self._draws[key] = note.draws
        return Listed.draw(self._draws[key], rng)

    def __call__(self, images: Tensor, rng: torch.Generator) -> TaskResult:
        """The result of a step; its answers, which nobody looks at while training, are left out."""
        self._begin()
        return self._result(self._graph(images, self.numbers(images, rng)))

    def answer_ready(self, batch: Batch) -> TaskResult:
        """The same for a batch that is made already: what a step costs without its batch."""
        self._begin()
        return self._result(self._ready_graph(batch.inputs, batch.targets))

    def _begin(self) -> None:
        if self._replays:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]

    def _result(self, found: dict[str, Tensor]) -> TaskResult:
        found = dict(found)
        loss = found.pop("loss")
        return TaskResult(loss, {name: value.clone() for name, value in found.items()} if self._replays else found)


def compiler_for(kind: str, parts: int) -> dict[str, Any]:
    """What `torch.compile` is told for a device: on CUDA the graph is recorded and replayed, unless gradients of
    several parts of a batch are added, which lie in the memory that a replay writes."""
    return {"mode": "reduce-overhead"} if kind == "cuda" and parts == 1 else {}
