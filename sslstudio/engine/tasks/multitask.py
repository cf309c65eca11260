"""Several pretext tasks teach one encoder: what one of them overlooks another may need."""

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.compute.process_group import mean_over_ranks, part_of_batch
from sslstudio.engine.core.config import BaseConfig, Overrides, option, value_text
from sslstudio.engine.core.errors import ConfigError, TaskDoesNotFit, did_you_mean
from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, AnyTask, Batch, Game, PretextTask, Puzzle, TaskResult, load_tasks

NAME = "multitask"
T = TypeVar("T")


def _others() -> dict[str, str]:
    """The titles of the tasks that can be among several, by name."""
    known = load_tasks()
    return {name: known[name].title for name in known if name != NAME}


def _options_of_others() -> dict[str, type[BaseConfig]]:
    known = load_tasks()
    return {name: known[name].Config for name in known if name != NAME}


@dataclass(frozen=True, kw_only=True)
class MultitaskConfig(BaseConfig):
    """Which tasks, and their options."""

    tasks: tuple[str, ...] = option(
        ("vicreg", "jigsaw", "context_prediction"),
        "Tasks",
        "Two or more pretext tasks. On the command line: their names with commas between them.",
        several=_others,
    )
    settings: Overrides = option(
        Overrides(),
        "Options of the tasks",
        "Options of these tasks that differ from their defaults, for example jigsaw.turn=180.",
        advanced=True,
        sections=_options_of_others,
    )
    pictures: float = option(
        0.5,
        "Pictures a task",
        "Share of each batch that a task is given. With 3 tasks and a third for each, a step takes the time of one.",
        low=0.1,
        high=1.0,
    )
    whole: bool = option(
        True,
        "Whole batches",
        "Tasks that compare the pictures of a batch, such as VICReg, are given all of it: with half they ask less.",
        advanced=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        known = [name for name in load_tasks() if name != NAME]
        for name in self.tasks:
            if name not in known:
                raise ConfigError(
                    "tasks = {tasks}: {name!r} cannot be used. {hint}",
                    tasks=value_text(self.tasks),
                    name=name,
                    hint=did_you_mean(name, known),
                )
        if len(self.tasks) < 2 or len(set(self.tasks)) < len(self.tasks):
            raise ConfigError(
                "tasks = {tasks} should name two or more different tasks. Known are: {known}.",
                tasks=value_text(self.tasks),
                known=known,
            )
        for name in self.tasks:
            self.options_of(name)

    def options_of(self, task: str) -> BaseConfig:
        """The options of one of the tasks. Raises ConfigError where `settings` say something impossible."""
        config: BaseConfig = load_tasks()[task].Config()
        return config.replace(**dict(self.settings.get(task, {})))


@TASKS.register(NAME)
class Multitask(PretextTask[MultitaskConfig]):
    """Doersch & Zisserman, ICCV 2017, arXiv:1708.07860: one trunk, a head and a batch for each task.

    The loss is the mean of the tasks' losses, each divided by what it is before anything is learnt: the logarithm of
    the number of answers where there is one right answer, else the loss of the first batch. So all begin at 1 and
    none drowns another. Weights that are learnt from each task's uncertainty (Kendall, Gal & Cipolla, CVPR 2018,
    arXiv:1705.07115) were left out: they grow as a task's loss falls, which on a small set favours just the
    task that is solved by a shortcut, while here a solved task fades by itself.
    """

    title = Message("Several tasks at once")
    summary = Message(
        "Several of the other tasks teach the same network in turn with each batch. On small sets "
        "they complement each other: what one task can overlook another one needs."
    )
    paper = "Doersch & Zisserman, ICCV 2017, arXiv:1708.07860"
    label_from = Message("Each of the tasks makes its labels itself, as it would alone.")
    helps = Message(
        "Small sets and doubt about which task suits: what one task can overlook another one needs. "
        "It also guards against a shortcut in one of them."
    )
    fails = Message(
        "The time is shared, so each task gets less of it. If one of the tasks suits your pictures "
        "clearly best, that one alone teaches more in the same time."
    )
    Config = MultitaskConfig
    scale: Tensor

    def __init__(self, config: MultitaskConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        kinds = load_tasks()
        tasks = {name: kinds[name](config.options_of(name), encoder_spec) for name in config.tasks}
        self.tasks = nn.ModuleDict(tasks)
        self.compares = any(task.compares for task in tasks.values())
        self.register_buffer("scale", torch.tensor([_loss_of_guessing(task) for task in tasks.values()]))

    @classmethod
    def member_names(cls, config: MultitaskConfig) -> tuple[str, ...]:
        """As the options name them."""
        return tuple(config.tasks)

    def members(self) -> dict[str, AnyTask]:
        """The tasks by name, in the order given."""
        return {name: task for name, task in self.tasks.items() if isinstance(task, PretextTask)}

    @classmethod
    def check(cls, config: MultitaskConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit that says which of the tasks do not fit and what is left without them."""
        troubles = {name: trouble for name in config.tasks if (trouble := _trouble(name, config, images))}
        if not troubles:
            return
        left = [name for name in config.tasks if name not in troubles]
        advice = {
            0: Message("Use a task that fits these pictures instead."),
            1: Message("Only {left!r} is left: use that task by itself.", left=left[0]) if left else "",
        }.get(len(left), Message("Leave out what does not fit: tasks = {left!r}.", left=value_text(tuple(left))))
        found = join(Message("{name}: {trouble}", name=name, trouble=trouble) for name, trouble in troubles.items())
        raise TaskDoesNotFit(
            "{troubles} of the {names} tasks cannot use these pictures. {found} {advice}",
            troubles=len(troubles),
            names=len(config.tasks),
            found=found,
            advice=advice,
        )

    def prepare(self, images: Tensor) -> None:
        """Every task takes what it needs to know."""
        for task in self.members().values():
            task.prepare(images)

    def attach(self, encoder: Encoder) -> None:
        """Every task meets the encoder."""
        for task in self.members().values():
            task.attach(encoder)

    def after_step(self, encoder: Encoder, share: float) -> None:
        """Every task does what it does after a step."""
        for task in self.members().values():
            task.after_step(encoder, share)

    def member_pictures(self, images: Tensor) -> dict[str, Tensor]:
        """All, or so many next ones, going round."""
        given: dict[str, Tensor] = {}
        count = max(min(2, len(images)), round(self.config.pictures * len(images)))
        for number, (name, task) in enumerate(self.members().items()):
            whole = count >= len(images) or (self.config.whole and task.compares)
            given[name] = images if whole else images.roll(-number * count, dims=0)[:count]
        return given

    def join_batches(self, batches: dict[str, Batch]) -> Batch:
        """Inputs and targets of every task, under NAME/..."""
        inputs: dict[str, Tensor] = {}
        targets: dict[str, Tensor] = {}
        for name, batch in batches.items():
            inputs.update(_prefix(batch.inputs, f"{name}/"))
            targets.update(_prefix(batch.targets, f"{name}/"))
        return Batch(inputs, targets)

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """Those of the tasks, joined."""
        given, members = self.member_pictures(images), self.members()
        return self.join_batches({name: members[name].make_batch(pictures, rng) for name, pictures in given.items()})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Metrics of every task as NAME_..., its loss among them; answers as NAME/..."""
        losses: list[Tensor] = []
        metrics: dict[str, Tensor] = {}
        answers: dict[str, Tensor] = {}
        for name, task in self.members().items():
            asked = _batch_of(batch, name)
            with part_of_batch(len(next(iter(asked.inputs.values())))) as factor:
                result = task(encoder, asked)
            losses.append(result.loss.float() * factor)
            said = {"loss": result.loss.detach(), **result.metrics}
            metrics.update({f"{name}_{key}": value * factor for key, value in said.items()})
            answers.update(_prefix(result.answers, f"{name}/"))
        return TaskResult(self._balance(torch.stack(losses)), metrics, answers)

    def _balance(self, losses: Tensor) -> Tensor:
        """Average losses (tasks,) in units of what each was before anything was learnt."""
        scale = torch.where(self.scale.isnan(), mean_over_ranks(losses.detach()).abs().clamp_min(1e-6), self.scale)
        if self.training:
            self.scale.copy_(scale)
        return (losses / scale).mean()

    def chance(self) -> dict[str, float]:
        """What guessing reaches in each task, as NAME_..."""
        return {f"{name}_{key}": value for name, task in self.members().items() for key, value in task.chance().items()}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The tasks' puzzles in turn: the first one of each, then the second ones, and so on."""
        given = self.member_pictures(images)
        columns = [
            self._puzzles(task, name, given[name], batch, result, count) for name, task in self.members().items()
        ]
        return _in_turn(columns)[:count]

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """The tasks' questions in turn; those that nobody can play are left out."""
        given = self.member_pictures(images)
        columns: list[list[Game]] = []
        for name, task in self.members().items():
            answered = None if result is None else replace(result, answers=_without(result.answers, f"{name}/"))
            columns.append(task.play(given[name], _batch_of(batch, name), answered, count))
        return _in_turn(columns)[:count]

    def _puzzles(
        self, task: AnyTask, name: str, images: Tensor, batch: Batch, result: TaskResult | None, count: int
    ) -> list[Puzzle]:
        answered = None if result is None else replace(result, answers=_without(result.answers, f"{name}/"))
        puzzles = task.preview(images, _batch_of(batch, name), answered, count)
        return [
            replace(puzzle, label=Message("{title}: {label}", title=task.title, label=puzzle.label))
            for puzzle in puzzles
        ]


def _in_turn(columns: list[list[T]]) -> list[T]:
    """The first of each column, then the second ones, and so on."""
    rows = range(max(map(len, columns)))
    return [column[row] for row in rows for column in columns if row < len(column)]


def _trouble(name: str, config: MultitaskConfig, images: Tensor) -> Message:
    """Why a task cannot use these pictures; '' if it can."""
    kind = load_tasks()[name]
    try:
        kind.check(config.options_of(name), images)
    except TaskDoesNotFit as error:
        return error.message
    return NOTHING


def _loss_of_guessing(task: AnyTask) -> float:
    """ln(answers) of a task with one right answer; nan, which means not yet known, of others."""
    accuracy = task.chance().get("accuracy", 0.0)
    return -math.log(accuracy) if 0.0 < accuracy < 1.0 else math.nan


def _prefix(values: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{key}": value for key, value in values.items()}


def _without(values: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def _batch_of(batch: Batch, name: str) -> Batch:
    return Batch(_without(batch.inputs, f"{name}/"), _without(batch.targets, f"{name}/"))
