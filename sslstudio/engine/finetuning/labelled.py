"""The labelled pictures of a fine-tuning run, and the job that trains on them."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Evaluated, Event
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.dataset.split import draw_labelled
from sslstudio.engine.evaluate.arms import BASELINES, BESIDE, FROM_SCRATCH, GENERAL, PRETRAINED, UNTRAINED
from sslstudio.engine.evaluate.scores import HEADLINE, SCORERS
from sslstudio.engine.finetuning.recipe import Recipe, parameter_groups
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.models.encoders import Encoder, EncoderConfig
from sslstudio.engine.models.encoders.general import GENERAL as GENERAL_SOURCE
from sslstudio.engine.models.encoders.general import is_general, list_general
from sslstudio.engine.models.finetuned import Network
from sslstudio.engine.tasks.base import TaskResult
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.training.micro_batches import WHOLE_BATCH, seed_numbers
from sslstudio.engine.training.session import Session
from sslstudio.engine.transforms.finetune_views import IGNORE, turn_at_random, vary
from sslstudio.engine.transforms.geometry import to_float

WATCHED = 256  # validation pictures that are scored while training

WANTED = 10  # labelled pictures of each class, before a result says anything


@dataclass(frozen=True)
class Labelled:
    """What a fine-tuning run knows: its classes and which pictures with labels serve for what."""

    kind: str
    names: tuple[str, ...]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return self.train + self.validation + self.test


def choose_labelled(session: Session, config: FinetuneConfig) -> Labelled:
    """Draw the training labels and say which pictures watch and test. Raises DataError when there are no labels."""
    labels, names = labels_of(session, config)
    split = session.split
    train, validation, test = (
        tuple(path for path in part if path in labels) for part in (split.train, split.validation, split.test)
    )
    if session.recognised.drawn is not None and not test:
        raise DataError(
            "None of the {labels:,} labelled pictures was drawn at random, so that nothing can test: they were "
            "suggested, and a test on those says nothing of all pictures. Label on in the suggested order: one of "
            "{every} is drawn at random.",
            labels=len(labels),
            every=session.recognised.drawn.every,
        )
    if len(train) < 2 or not test:
        raise DataError(
            "{train} labelled pictures are left to train on and {test} to test with: too few. You need about "
            "{wanted} labelled pictures, {each} of each class. Label more, or change the test share "
            "(--set data.test=0.3).",
            train=len(train),
            test=len(test),
            wanted=WANTED * max(2, len(names)),
            each=WANTED,
        )
    if config.labels_per_class is not None and config.choice == "random":
        classes = {path: labels[path] for path in train} if config.kind == "classification" else None
        train = draw_labelled(train, classes, config.labels_per_class, config.seed)
    return Labelled(config.kind, names, train, validation, test)


def labels_of(session: Session, config: FinetuneConfig) -> tuple[dict[str, int], tuple[str, ...]]:
    """The class number of each labelled picture (0 for all that have masks) and the names of the classes.

    Raises DataError when there are no labels of this kind.
    """
    classes, masks = session.recognised.classes, session.recognised.masks
    readable = set(session.cache.index.paths)
    if config.kind == "classification":
        if classes is None and (problem := session.recognised.problems.get("classes")):
            raise problem
        if classes is None:
            raise DataError(
                "No classes were found in {folder}. Label some pictures in the window, sort them into one "
                "folder a class, or give a CSV of file names and labels.{value}",
                folder=config.data.folder,
                value=Message(" There are masks: try --kind segmentation.") if masks else "",
            )
        return {path: label for path, label in classes.of.items() if path in readable}, classes.names
    if masks is None and (problem := session.recognised.problems.get("masks")):
        raise problem
    if masks is None:
        raise DataError(
            "No masks were found in {folder}. Put pictures into images/ and masks of the same names into "
            "masks/, or name masks like the pictures with _mask at the end.{value}",
            folder=config.data.folder,
            value=Message(" There are classes: try --kind classification.") if classes else "",
        )
    return {path: 0 for path in masks.of if path in readable}, masks.names


def targets_of(session: Session, kind: str, paths: Sequence[str]) -> Tensor:
    """Class numbers int64 (n,), or masks uint8 (n, side, side)."""
    if kind == "classification":
        assert session.recognised.classes is not None
        return torch.tensor([session.recognised.classes.of[path] for path in paths], dtype=torch.int64)
    masks, side = session.recognised.masks, session.cache.side
    assert masks is not None
    root = session.recognised.pictures.root
    decoded = [decode_mask(root / masks.of[path], masks.coding, side) for path in paths]
    return torch.from_numpy(np.stack(decoded) if decoded else np.zeros((0, side, side), np.uint8))


def parts_of(config: FinetuneConfig) -> tuple[str, ...]:
    """Which trainings a run holds, the main one first."""
    if config.source == FROM_SCRATCH:
        return (FROM_SCRATCH,)
    return (PRETRAINED, FROM_SCRATCH) if config.twin else (PRETRAINED,)


def answering_parts(config: FinetuneConfig) -> tuple[str, ...]:
    """What is scored and can be asked, the main one first: the trainings, and what is only read, in seconds, with the
    same read-out: untrained features, general weights, and these beside the own pretraining."""
    parts = parts_of(config)
    if config.recipe.read_out != "averaged":
        return parts
    general = config.general and not is_general(config.source)
    if FROM_SCRATCH in parts:
        parts = (*parts, UNTRAINED, GENERAL) if general else (*parts, UNTRAINED)
    return (*parts, BESIDE) if general and PRETRAINED in parts else parts


def is_only_read(part: str, config: FinetuneConfig) -> bool:
    """Whether nothing is trained for a part. Beside general weights masks are answered by the fine-tuned network, too,
    which reads its own features better than they are read without it."""
    return (
        part in (UNTRAINED, GENERAL) or (part == BESIDE and config.kind == "classification") or is_closed_form(config)
    )


def trained_part(part: str) -> str:
    """The part whose network answers for a part: beside general weights it is the one that starts from the source."""
    return PRETRAINED if part == BESIDE else part


def has_read_out(part: str, config: FinetuneConfig) -> bool:
    """Whether a part is answered by more than its network. Of masks only where general weights or untrained features
    are read: beside a network that began with the same features they were measured to lose (manual, decision 0052)."""
    return is_averaged(config) or (config.recipe.read_out == "averaged" and part in (UNTRAINED, GENERAL, BESIDE))


def is_averaged(config: FinetuneConfig) -> bool:
    """Whether the classes of a run are read by several voices, and not by its network alone: see `read_out`."""
    return config.kind == "classification" and config.recipe.read_out == "averaged"


def is_closed_form(config: FinetuneConfig) -> bool:
    """Whether nothing is trained: a linear probe is fitted in closed form."""
    return is_averaged(config) and config.mode == "probe"


def prefix_of(part: str, config: FinetuneConfig) -> str:
    """What the names of a part's files begin with: nothing for the main one. Untrained features are read by what the
    twin from scratch begins with."""
    part = FROM_SCRATCH if part == UNTRAINED else part
    return "" if part == parts_of(config)[0] else f"{part}-"


def encoder_of(part: str, config: FinetuneConfig) -> EncoderConfig:
    """The encoder of a part; its twin is of the same kind, but for the one that general weights are for: with a few
    labels hardly anything of that is learnt from nothing, so the twin has the small one."""
    side = config.data.side or 0
    if part == GENERAL:
        return EncoderConfig(weights=GENERAL_SOURCE).resolve(accelerated=False, side=side, trained=False)
    made_for = {general.encoder for general in list_general().values()}
    if part in BASELINES and config.source != FROM_SCRATCH and config.encoder.name in made_for:
        return EncoderConfig(name="small").resolve(accelerated=False, side=side)
    return config.encoder


class Trial(nn.Module):
    """A step of a fine-tuning as `autotune` times it: the pictures are not varied and the classes are not asked for."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def make_batch(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """uint8 (B, 3, H, W) as float in [0, 1]."""
        return to_float(images)

    def forward(self, encoder: nn.Module, batch: Tensor) -> TaskResult:
        """A loss through the whole network, whose encoder this is."""
        logits: Tensor = self.network(batch)
        return TaskResult(logits.float().square().mean(), {})


class LabelledJob:
    """A network on labelled pictures: see `job.Job`."""

    compares = False
    waited = 0.0  # seconds: see `job.Job`

    def __init__(
        self, part: str, network: Network, recipe: Recipe, labelled: Labelled, session: Session,
        config: FinetuneConfig, device: Device,
    ) -> None:  # fmt: skip
        self.part, self.network, self.recipe, self.config, self.device = part, network, recipe, config, device
        self.prefix = prefix_of(part, config)
        self.kind, self.classes = labelled.kind, len(labelled.names)
        self.pictures = Pictures(session.cache, labelled.train, device)
        self.watched = Pictures(session.cache, _watched(labelled, session) if config.watch else (), device)
        self.targets = targets_of(session, labelled.kind, self.pictures.paths).to(device.handle)
        self.watched_targets = targets_of(session, labelled.kind, self.watched.paths)
        self.weights = class_weights(self.targets, self.classes) if self._weighs() else None
        self.order = Order(len(self.pictures), config.optimiser.batch_size, config.seed)
        self.batch_size = self.order.batch_size
        self.steps_per_epoch = self.order.steps_per_epoch
        self.modules = nn.ModuleDict({"network": network})

    @property
    def encoder(self) -> Encoder:
        """What `autotune` tries steps with."""
        return self.network.encoder

    @property
    def task(self) -> Trial:
        """See `encoder`."""
        return Trial(self.network)

    def stop_compiling(self) -> bool:
        """See `job.Job`."""
        was, self.encoder.compiled = self.encoder.compiled, False
        return was

    def _weighs(self) -> bool:
        return self.kind == "classification" and self.config.recipe.balance_classes

    def groups(self) -> list[dict[str, Any]]:
        """Stem, stages and head, each with its own rate."""
        return parameter_groups(self.network, self.recipe)

    def before_step(self, share: float) -> None:
        """The head learns first, if the recipe says so."""
        frozen = share < self.recipe.freeze
        if frozen != self.network.frozen:
            self.network.freeze(frozen)

    def await_pictures(self, step: int) -> None:
        """They are all read: see `job.Job`."""

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        """A varied view of each picture of this step's batch."""
        chosen = self.order.batch(step)[part]
        began = time.perf_counter()
        images = self.pictures.take(chosen)
        self.waited += time.perf_counter() - began
        images = to_float(images)
        targets = self.targets[self.device.bring(chosen)]
        rng = generator(self.config.seed, "views", step, *seed_numbers(part), device=self.device.handle)
        if self.kind == "classification":
            images, _ = vary(images, None, rng, flip=self.config.flip)
            logits = self.network(images)
            loss = F.cross_entropy(logits.float(), targets, weight=self.weights)
        else:
            if self.config.turn:
                turns = generator(self.config.seed, "turns", step, *seed_numbers(part), device=self.device.handle)
                images, targets = turn_at_random(images, targets, turns)
            images, masks = vary(images, targets, rng, flip=self.config.flip)
            assert masks is not None
            targets = masks.to(torch.int64)
            logits = self.network(images)
            loss = segmentation_loss(logits, targets)
        known = targets != IGNORE  # summed, not picked: picking has the CPU wait for a GPU
        right = ((logits.detach().argmax(dim=1) == targets) & known).sum() / known.sum().clamp_min(1)
        return TaskResult(loss, {"accuracy": right})

    @torch.no_grad()
    def evaluate(self, step: int) -> Generator[Event, None, float]:
        """Scores on the validation pictures. They watch; nothing is chosen by them."""
        if not len(self.watched):
            return float("nan")
        predicted = torch.cat([self._predict(chunk) for chunk in self.watched.chunks(64)]).cpu()
        truth = self.watched_targets
        if self.kind == "segmentation":
            known = truth != IGNORE
            truth, predicted = truth[known], predicted[known]
        confusion = np.bincount(
            (truth.to(torch.int64) * self.classes + predicted).numpy().ravel(), minlength=self.classes**2
        ).reshape(self.classes, self.classes)
        metrics = {name: float(value) for name, value in SCORERS[self.kind](confusion.astype(np.float64)).items()}
        yield Evaluated(
            part=self.part, step=step, split="validation", n=len(self.watched), metrics=metrics, chance=self.chance()
        )
        return 1.0 - metrics[HEADLINE[self.kind]]

    def after_step(self, share: float) -> None:
        """Nothing: see `job.Job`."""

    def _predict(self, chunk: Tensor) -> Tensor:
        with self.device.autocast():
            logits: Tensor = self.network(to_float(self.watched.take(chunk)))
        return logits.argmax(dim=1)

    def chance(self) -> dict[str, float]:
        """Guessing one class always gives one over the number of classes in balanced accuracy."""
        return {"balanced_accuracy": 1.0 / self.classes} if self.kind == "classification" else {}

    def most_frequent_pixel(self) -> int:
        """The class that occurs most often in the masks that are trained on."""
        values = self.targets.flatten().to(torch.int64)
        counts = torch.bincount(values[values != IGNORE], minlength=self.classes)
        return int(counts.argmax())


def _watched(labelled: Labelled, session: Session) -> tuple[str, ...]:
    """Up to 256 validation pictures, each class by its share: in the order of their folders, the first ones are of a
    few classes only."""
    paths = labelled.validation
    if labelled.kind == "classification" and session.recognised.classes is not None:
        of = session.recognised.classes.of
        paths = tuple(sorted(paths, key=lambda path: of[path]))
    chosen = np.linspace(0, len(paths) - 1, min(WATCHED, len(paths))).round().astype(int)
    return tuple(sorted(paths[number] for number in chosen))


def class_weights(targets: Tensor, classes: int) -> Tensor | None:
    """Weights (C,) that let each class count the same in the loss, as it does in the score; None where all have the
    same number of `targets` (n,). A class without one weighs nothing."""
    sizes = torch.bincount(targets, minlength=classes)
    present = sizes[sizes > 0]
    if bool((present == present[0]).all()):
        return None
    weights: Tensor = torch.where(sizes > 0, len(targets) / (len(present) * sizes.clamp_min(1)), 0.0)
    return weights


def dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """1 minus the mean soft Dice over the classes that occur (Milletari et al., 3DV 2016, squares left out).

    logits (B, C, H, W); masks int64 (B, H, W), IGNORE says nothing. Returns a 0-dimensional tensor.
    """
    classes = logits.shape[1]
    known = (masks != IGNORE)[:, None]
    truth = F.one_hot(torch.where(masks == IGNORE, 0, masks), classes).movedim(-1, 1).to(logits.dtype) * known
    guess = logits.softmax(dim=1) * known
    both = (truth * guess).sum(dim=(0, 2, 3))
    sizes = truth.sum(dim=(0, 2, 3)) + guess.sum(dim=(0, 2, 3))
    occurs = truth.sum(dim=(0, 2, 3)) > 0
    dice = (2 * both + 1.0) / (sizes + 1.0)
    return 1.0 - (dice * occurs).sum() / occurs.sum().clamp_min(1)


def segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy plus Dice: the first for every pixel, the second so that small classes count as much."""
    logits = logits.float()
    known = (masks != IGNORE).sum()
    entropy = F.cross_entropy(logits, masks, ignore_index=IGNORE, reduction="sum") / known.clamp_min(1)
    return entropy + dice_loss(logits, masks)
