"""How long a training is, and how large its steps are meanwhile."""

import math
from dataclasses import dataclass

from sslstudio.engine.training.config import OptimiserConfig


@dataclass(frozen=True)
class Plan:
    """How long: a number of steps, or of seconds. `then` more trainings as long as this one follow it."""

    steps: int | None = None
    seconds: float | None = None
    then: int = 0

    def share(self, step: int, elapsed: float) -> float:
        """How much of the training is done, 0 to 1."""
        done = step / self.steps if self.steps else elapsed / (self.seconds or 1.0)
        return min(1.0, done)

    def total(self, step: int, elapsed: float) -> int:
        """Steps in all; an estimate when the plan is in seconds (0: not known yet)."""
        if self.steps:
            return self.steps
        share = self.share(step, elapsed)
        return max(step, round(step / share)) if step and share else 0

    def estimate_rest(self, step: int, elapsed: float) -> float:
        """Estimate the seconds to go, with the trainings that follow."""
        if self.steps:
            return elapsed / step * (self.steps * (1 + self.then) - step) if step else math.nan
        whole = self.seconds or 0.0
        return max(0.0, whole - elapsed) + whole * self.then


def learning_rate(config: OptimiserConfig, step: int, share: float) -> float:
    """Linear warm-up over the first steps times a half cosine to zero over the whole training."""
    rise = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    return config.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * share))
