"""The contract of a pretext task. One task is one file: write the class, register it, and the combo box, the form,
the command line, the manual's table and the tests that run over all tasks find it by themselves.

Letters in shape comments: B pictures in the batch, H and W picture size, T tiles or patches of a picture.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.core.registry import Registry
from sslstudio.engine.models.encoders import Encoder, EncoderSpec

Picture = npt.NDArray[np.uint8]  # (height, width, 3)


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

    `source` is the picture the question was cut from, `asked` what the network gets, `truth` the right answer as a
    picture, `answer` the network's own (None before it has answered). `label` is the pseudo label in words,
    `answer_label` the network's, `correct` whether they agree (None when there is no right or wrong).
    """

    source: Picture
    asked: Picture
    truth: Picture
    answer: Picture | None
    label: str
    answer_label: str = ""
    correct: bool | None = None


GAMES = ("order", "side", "turn", "colour")


@dataclass(frozen=True)
class Game:
    """A puzzle as a person can solve it: plain pictures, words and whole numbers. `kind` says how it is played.

    order   piece i of `pieces` (nine tiles as they lie, shuffled) belongs at place right[i], counted row by row
    side    pieces[1] lies on side right[0] of pieces[0]
    turn    pieces[0] was turned by right[0] quarters to the left
    colour  the marked spot of pieces[0] has colour right[0]; pieces[1:] are the colours to choose from

    `choices` names the possible answers; `right`, and `answer` of the network (None before it has answered), hold the
    number of a choice for each part of the question. `solved` is the right answer as a picture.
    """

    kind: str
    question: str
    pieces: tuple[Picture, ...]
    choices: tuple[str, ...]
    right: tuple[int, ...]
    answer: tuple[int, ...] | None
    solved: Picture

    @property
    def chance(self) -> float:
        """Share of the parts that guessing gets right."""
        return 1 / len(self.choices)


class PretextTask(nn.Module):
    """Base of every pretext task: a module that owns its heads, makes its own labels and can show its puzzles."""

    title: ClassVar[Message]  # "Jigsaw puzzle"
    summary: ClassVar[Message]  # one or two sentences for a person who does not know the field
    paper: ClassVar[str]  # "Noroozi & Favaro, ECCV 2016, arXiv:1603.09246"
    label_from: ClassVar[Message]  # where the pseudo label comes from, in a sentence or two
    helps: ClassVar[Message]  # two sentences: pictures that it suits
    fails: ClassVar[Message]  # two sentences: pictures that it teaches nothing, or the wrong thing
    no_game: ClassVar[Message] = NOTHING  # why a person cannot play it, for a task without `play`
    Config: ClassVar[type[BaseConfig]]
    compares: bool = False  # whether the loss compares the pictures of a batch, so that half a batch asks less

    def __init__(self, config: BaseConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__()
        self.encoder_spec = encoder_spec

    @classmethod
    def check(cls, config: BaseConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit, in words that say what to use instead, if these pictures cannot teach this task.

        `images`: uint8 (N, 3, H, W), a sample of the pictures.
        """

    def prepare(self, images: Tensor) -> None:
        """Take what the task needs to know of the pictures (uint8 (N, 3, H, W)) into buffers, once before training."""

    def attach(self, encoder: Encoder) -> None:
        """Meet the encoder at its first weights, before the optimiser is made: the place to copy it for a teacher."""

    def after_step(self, encoder: Encoder, share: float) -> None:
        """Called after each step of the optimiser, with the share of the training that is done (0 to 1).

        The place for a teacher's moving average and for a curriculum. What changes here must be in buffers, so that
        a run that is resumed goes on with it.
        """

    def make_batch(self, images: Tensor, rng: torch.Generator) -> Batch:
        """Questions and pseudo labels for uint8 (B, 3, H, W) pictures, all on their device.

        The same pictures and the same state of `rng` (a generator on that device) give the same batch.
        """
        raise NotImplementedError

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Ask the encoder and this task's heads. The gradient of the loss must reach the encoder."""
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


TASKS: Registry[type[PretextTask]] = Registry(Message("pretext task"))


def load_tasks() -> Registry[type[PretextTask]]:
    """The registry after importing every module of this package: a new file is found without being named anywhere."""
    package = importlib.import_module("sslstudio.engine.tasks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return TASKS
