"""How long a run and the pretraining that it started from were trained, and whether that is enough to conclude from.

The limits are a rule of thumb, not a measurement: ten passes are what the shortest pretraining that ever showed a
difference here had, and within a hundred steps the learning rate has hardly come down from its warm-up. Of very many
pictures no whole pass is needed, so enough steps make up for passes.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Event, RunFinished, StepDone
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.finetuning.labelled import is_closed_form
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.finetuning.recipe import steps_for
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import finetune_from_dict

FEWEST_PASSES = 10.0
FEWEST_STEPS = 100
STEPS_WITHOUT_PASSES = 2000  # so many steps are a training, however many pictures there are


@dataclass(frozen=True)
class Trained:
    """A pretraining: passes over the pictures, steps, seconds, and whether it came to its end by itself."""

    passes: float
    steps: int
    seconds: float
    ended: bool

    @property
    def short(self) -> bool:
        """Whether nothing can be concluded from it."""
        return is_short(self.passes, self.steps)


@dataclass(frozen=True)
class Effort:
    """What went into a run.

    pretraining  None where it started from no run, or that run is gone
    made, wanted steps of the fine-tuning, and those after which more teach nothing; 0, 0 where it takes none
    """

    pretraining: Trained | None = None
    made: int = 0
    wanted: int = 0

    @property
    def cut_short(self) -> bool:
        """Whether the fine-tuning ended before half of its labels could be used."""
        return self.made < self.wanted / 2


def is_short(passes: float, steps: float) -> bool:
    """Whether a pretraining of so many passes and steps is too short to conclude anything from."""
    return steps < FEWEST_STEPS or (passes < FEWEST_PASSES and steps < STEPS_WITHOUT_PASSES)


def times_longer(passes: float, steps: float) -> float:
    """How many times longer it has to be, 1 where it is long enough."""
    if not is_short(passes, steps):
        return 1.0
    by_steps = FEWEST_STEPS / max(1e-9, steps)
    by_passes = min(FEWEST_PASSES / max(1e-9, passes), STEPS_WITHOUT_PASSES / max(1e-9, steps))
    return max(by_steps, by_passes)


def warn_before(passes: float, steps: float, seconds: float) -> Message:
    """What is said before a pretraining starts that can only end without a conclusion; '' for one that is fine."""
    if not is_short(passes, steps):
        return NOTHING
    return Message(
        "Too short: {passes:.1f} passes over the pictures ({steps:,.0f} steps), from which nothing can be concluded. "
        "Give it about {time:duration} or more.",
        passes=passes,
        steps=steps,
        time=seconds * times_longer(passes, steps),
    )


def read_effort(run: Path) -> Effort:
    """From the records of a run and its source. What is missing or damaged counts as not known."""
    folder = RunFolder(run)
    if folder.job == "pretrain":
        return Effort(pretraining=_trained(folder.events()))
    config, plan = finetune_from_dict(folder.config()), read_plan(folder)
    source = _source(config.source)
    if plan is None or is_closed_form(config):
        return Effort(source)
    return Effort(source, int(plan["steps"]), steps_for(len(plan["labelled"])) * config.recipe.steps_factor)


def _source(source: str) -> Trained | None:
    path = Path(source)
    if source and path.is_dir():
        with suppress(StudioError, OSError):
            return _trained(RunFolder.open(path).events())
    return None


def _trained(events: list[Event]) -> Trained | None:
    steps = [event for event in events if isinstance(event, StepDone)]
    if not steps:
        return None
    ends = [event for event in events if isinstance(event, RunFinished)]
    seconds = sum(event.seconds for event in ends[-1:])
    return Trained(steps[-1].epoch, steps[-1].step, seconds, bool(ends) and ends[-1].outcome == "finished")
