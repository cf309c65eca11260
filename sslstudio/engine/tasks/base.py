"""The contract of a pretext task. One task is one file: write the class, register it, and the combo box, the form,
the command line, the manual's table and the tests that run over all tasks find it by themselves.

Letters in shape comments: B pictures in the batch, H and W picture size, T tiles or patches of a picture.
"""

import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.core.metrics import LOSS, Metric, declare
from sslstudio.engine.core.registry import Registry
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.remedies import Asks, Fault, Remedies

Picture = npt.NDArray[np.uint8]  # (height, width, 3)
OTHER_TASK = Message("try another task: one that compares views (vicreg) suits most pictures")
LEAST_OWN_PIXELS = 12  # a side that a tile has of the picture as it was read: in fewer nothing can be recognised
FINER = 2  # how many times the usual side pictures are read at for a task of small tiles, at most
ConfigT = TypeVar("ConfigT", bound=BaseConfig)


@dataclass(frozen=True)
class Batch:
    """What the network is asked and what it must answer, on the device. Names are the task's own."""

    inputs: dict[str, Tensor]
    targets: dict[str, Tensor]


@dataclass(frozen=True)
class TaskResult:
    """The loss (with its graph), the metrics (0-dimensional, detached) and the raw answers (detached) of a forward.

    Everything stays on the device: the trainer decides when a float is worth a transfer.
    """

    loss: Tensor
    metrics: dict[str, Tensor]
    answers: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Puzzle:
    """One question as a person can look at it.

    `source` is the picture the question was cut from, `input` what the network gets, `target` the right answer as a
    picture, `answer` the network's own (None before it has answered). `label` is the pseudo label in words,
    `answer_label` the network's, `correct` whether they agree (None when there is no right or wrong).
    """

    source: Picture
    input: Picture
    target: Picture
    answer: Picture | None
    label: str
    answer_label: str = ""
    correct: bool | None = None


GAMES = ("order", "side", "turn", "colour")


@dataclass(frozen=True)
class Game:
    """A puzzle as a person can solve it: plain pictures, words and whole numbers. `kind` says how it is played.

    order   piece i of `pieces` (nine tiles as they lie, shuffled) belongs at place targets[i], counted row by row
    side    pieces[1] lies on side targets[0] of pieces[0]
    turn    pieces[0] was turned by targets[0] quarters to the left
    colour  the marked spot of pieces[0] has colour targets[0]; pieces[1:] are the colours to choose from

    `choices` names the possible answers; `targets`, and `answer` of the network (None before it has answered), hold the
    number of a choice for each part of the question. `solved` is the right answer as a picture.
    """

    kind: str
    question: str
    pieces: tuple[Picture, ...]
    choices: tuple[str, ...]
    targets: tuple[int, ...]
    answer: tuple[int, ...] | None
    solved: Picture

    @property
    def chance(self) -> float:
        """Share of the parts that guessing gets right."""
        return 1 / len(self.choices)


class PretextTask(nn.Module, Generic[ConfigT]):
    """Base of every pretext task: a module that owns its heads, makes its own labels and can show its puzzles."""

    name: ClassVar[str]  # the one that it is registered under
    title: ClassVar[Message]  # "Jigsaw puzzle"
    summary: ClassVar[Message]  # one or two sentences for a person who does not know the field
    paper: ClassVar[str]  # "Noroozi & Favaro, ECCV 2016, arXiv:1603.09246"
    label_from: ClassVar[Message]  # where the pseudo label comes from, in a sentence or two
    helps: ClassVar[Message]  # two sentences: pictures that it suits
    fails: ClassVar[Message]  # two sentences: pictures that it teaches nothing, or the wrong thing
    no_game: ClassVar[Message] = NOTHING  # why a person cannot play it, for a task without `play`
    Config: type[ConfigT]
    metrics: ClassVar[tuple[Metric, ...]] = ()  # what a forward measures beside the loss, the main one first
    asks: ClassVar[frozenset[Asks]] = frozenset()  # what its questions are about, for the clinic
    remedies: ClassVar[Remedies] = {}  # which options answer what can spoil it
    compares: bool = False  # whether the loss compares the pictures of a batch, so that half a batch asks less

    def __init__(self, config: ConfigT, encoder_spec: EncoderSpec) -> None:
        super().__init__()
        self.config = config
        self.encoder_spec = encoder_spec

    @classmethod
    def check(cls, config: ConfigT, images: Tensor) -> None:
        """Raises TaskDoesNotFit, in words that say what to use instead, if these pictures cannot teach this task.

        `images`: uint8 (N, 3, H, W), a sample of the pictures.
        """

    @classmethod
    def remedy(cls, config: ConfigT, fault: Fault, amount: float = 1.0) -> str:
        """The first change that answers a fault and is not made yet, as OPTION=VALUE; "" if there is none.

        `amount` is how much there is of the fault, for those that have one.
        """
        found = (remedy.change(config, amount) for remedy in cls.remedies.get(fault, ()))
        return next(filter(None, found), "")

    @classmethod
    def instead(cls, config: ConfigT) -> Message:
        """Say what to try where this task makes features worse: an imperative without a full stop."""
        return OTHER_TASK

    @classmethod
    def sees_disc(cls, config: ConfigT) -> bool:
        """Whether the network sees a disc of the picture, without the corners."""
        return False

    @classmethod
    def least_tile(cls, config: ConfigT) -> float:
        """Side of the smallest tile that it may ask about, as a share of the picture's short side; 1: it asks about
        no tiles."""
        return 1.0

    @classmethod
    def side_needed(cls, config: ConfigT, side: int) -> int:
        """The side at which pictures are to be read, where `side` would be usual: a multiple of 8, more than `side`
        where its tiles would have fewer than `LEAST_OWN_PIXELS`, and at most `FINER` times as much."""
        needed = 8 * math.ceil(round(LEAST_OWN_PIXELS / (8 * cls.least_tile(config)), 6))
        return max(side, min(needed, FINER * side))

    def prepare(self, images: Tensor) -> None:
        """Take what the task needs to know of the pictures (uint8 (N, 3, H, W)) into buffers, once before training."""

    def attach(self, encoder: Encoder) -> None:
        """Meet the encoder at its first weights, before the optimiser is made: the place to copy it for a teacher."""

    def after_step(self, encoder: Encoder, share: float) -> None:
        """Called after each step of the optimiser, with the share of the training that is done (0 to 1).

        The place for a teacher's moving average and for a curriculum. What changes here must be in buffers, so that
        a run that is resumed goes on with it.
        """

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """Questions and pseudo labels for uint8 (B, 3, H, W) pictures, all on their device.

        The same pictures and the same state of `rng` (a generator on that device) give the same batch.
        """
        raise NotImplementedError

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Ask the encoder and this task's heads. The gradient of the loss must reach the encoder."""
        raise NotImplementedError

    @classmethod
    def member_names(cls, config: ConfigT) -> tuple[str, ...]:
        """The names of `members`, as far as the options tell them."""
        return ()

    def members(self) -> "dict[str, AnyTask]":
        """The tasks that this one is made of, by name; none for a task by itself."""
        return {}

    def member_pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Which of the pictures (B, 3, H, W) of a batch each of `members` is given, in the order of their draws."""
        return {}

    def join_batches(self, batches: dict[str, Batch]) -> Batch:
        """Make one batch of those of all `members`, by name."""
        raise NotImplementedError

    def chance(self) -> dict[str, float]:
        """For each metric that has one, the value that guessing reaches: {"accuracy": 1 / 72}."""
        return {}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The first `count` questions of `batch` (made from `images`), with the network's answers if `result` is given.

        A result holds the answers of a forward over the whole of `batch`.
        """
        raise NotImplementedError

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """At most `count` questions of `batch` for a person to solve, the same ones as in `preview`.

        A task that nobody can play leaves this as it is and says why in `no_game`.
        """
        return []


def check_different(images: Tensor) -> None:
    """Raises TaskDoesNotFit when all of several pictures, uint8 (N, 3, H, W), are the same."""
    if len(images) > 1 and bool((images == images[:1]).all()):
        raise TaskDoesNotFit(
            "All of the {images} pictures that were looked at are the same, so there is nothing to tell "
            "apart. Choose a folder with different pictures.",
            images=len(images),
        )


AnyTask: TypeAlias = PretextTask[Any]  # where it does not matter which task, and with which options


class TaskRegistry(Registry[type[AnyTask]]):
    """The tasks by name. A task that is registered makes its metrics known, also as one of several (NAME_METRIC)."""

    def register(self, name: str) -> Callable[[type[AnyTask]], type[AnyTask]]:
        """Decorator; see `Registry.register`."""
        add = super().register(name)

        def add_with_metrics(task: type[AnyTask]) -> type[AnyTask]:
            task.name = name
            declare(*task.metrics)
            declare(*(as_member(name, task.title, metric) for metric in (LOSS, *task.metrics)))
            return add(task)

        return add_with_metrics


def as_member(name: str, title: Message, metric: Metric) -> Metric:
    """A metric of the task `name` where it is trained among several."""
    named = Message("{task}: {metric}", task=title, metric=metric.title)
    return replace(metric, name=f"{name}_{metric.name}", title=named)


TASKS = TaskRegistry(Message("pretext task"))


def load_tasks() -> Registry[type[AnyTask]]:
    """The registry after importing every module of this package: a new file is found without being named anywhere."""
    package = importlib.import_module("sslstudio.engine.tasks")
    _import_all(package.__name__, tuple(package.__path__))
    return TASKS


@cache
def _import_all(package: str, folders: tuple[str, ...]) -> None:
    """Once a process: every config that names a task comes by here, a tournament's a hundred times."""
    for module in pkgutil.iter_modules(folders):
        importlib.import_module(f"{package}.{module.name}")
