"""What is trained, as the training loop sees it."""

from collections.abc import Generator
from typing import Any, Protocol

from torch import nn

from sslstudio.engine.core.events import Event
from sslstudio.engine.tasks.base import TaskResult
from sslstudio.engine.training.micro_batches import WHOLE_BATCH


class Job(Protocol):
    """What is trained."""

    part: str
    prefix: str  # of its checkpoint files: the twin's stand beside the main part's
    modules: nn.ModuleDict
    batch_size: int
    steps_per_epoch: int

    @property
    def compares(self) -> bool:
        """Whether its loss compares the pictures of a batch with each other."""

    @property
    def waited(self) -> float:
        """Seconds that steps have waited for their pictures so far."""

    def stop_compiling(self) -> bool:
        """Compute the next steps without a compiler; False where there was none."""

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups for the optimiser; `factor` is what the learning rate of each is multiplied with."""

    def before_step(self, share: float) -> None:
        """What is to be done before a step; `share` of the training is done."""

    def await_pictures(self, step: int) -> None:
        """Return once the pictures of this step are read. Raises DiskFull while there is no room for them."""

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        """Loss and metrics of this step's batch, or of a part of its pictures where all of them do not fit."""

    def evaluate(self, step: int) -> Generator[Event, None, float]:
        """Score held-out pictures; returns what is to be small for the best checkpoint."""

    def after_step(self, share: float) -> None:
        """What is to be done once the weights of a step are in place; `share` of the training is done."""

    def chance(self) -> dict[str, float]:
        """What guessing reaches, for each metric."""
