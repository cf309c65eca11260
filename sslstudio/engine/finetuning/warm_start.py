"""Learn again with more labels: from the weights that were fine-tuned last, or from the pretraining that these came
from, whichever is measured better on labels that the fine-tuning has not learnt from.

Who starts from fine-tuned weights keeps the split of their run. What they were taught can test nothing any more: a
split that would have it so is refused.
"""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.evaluate.probes import best_stage
from sslstudio.engine.finetuning.frozen_features import read_features
from sslstudio.engine.finetuning.labelled import encoder_of, parts_of
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.finetuning.split_policy import SETTINGS
from sslstudio.engine.models.encoders import build_encoder
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import FinetuneConfig, finetune_from_dict
from sslstudio.engine.training.session import open_session

FEWEST = 12  # labels that the fine-tuning has not learnt from, under which nothing can be measured on them
WEIGHTS = "last.safetensors"


@dataclass(frozen=True)
class Start:
    """What a fine-tuning is to start from (as `FinetuneConfig.source` has it), and why, in words."""

    source: str
    why: Message


def tuned_run(source: str) -> RunFolder | None:
    """The fine-tuning run whose weights `source` is a file of; None for anything else."""
    path = Path(source)
    with suppress(StudioError, OSError):
        if path.name == WEIGHTS and path.is_file() and RunFolder.open(path.parent).job == "finetune":
            return RunFolder(path.parent)
    return None


def following_tuned(config: FinetuneConfig, tuned: RunFolder) -> tuple[FinetuneConfig, Split | None]:
    """The config with the encoder of a fine-tuned run and, unless another one is asked for, its picture side; and its
    split, None if that was on other pictures or set apart by other settings."""
    theirs = finetune_from_dict(tuned.config())
    encoder = encoder_of(parts_of(theirs)[0], theirs)
    data = config.data if config.data.side else config.data.replace(side=theirs.data.side)
    config = config.replace(data=data, encoder=encoder.replace(weights=""), source=str(Path(config.source).resolve()))
    same = Path(theirs.data.folder).resolve() == Path(config.data.folder).resolve()
    if not same or any(getattr(theirs.data, name) != getattr(config.data, name) for name in SETTINGS):
        return config, None
    return config, Split.from_json(tuned.read_json("split.json"))


def refuse_taught(split: Split, tuned: RunFolder) -> None:
    """Raises DataError where pictures are to test that fine-tuned weights were taught."""
    plan, stored = read_plan(tuned), tuned.read_json("split.json") or {}
    taught = {*(plan["labelled"] if plan else ()), *stored.get("validation", ())}
    torn = taught & set(split.test)
    if torn:
        raise DataError(
            "{pictures:,} of the test pictures were taught to the weights of {run}: the result would be too good. "
            "Start from the pretraining instead, or set the pictures apart as that run did.",
            pictures=len(torn),
            run=tuned.path.name,
        )


def choose_start(run: Path, labels: str, control: RunControl) -> Generator[Preparing, None, Start]:
    """What to start from to learn again after `run`, with the labels in `labels` ('' for those found by themselves).

    Measured where there are enough new labels: balanced accuracy of a linear read-out of both encoders' features, by
    cross-validation on labelled pictures that the fine-tuning has not learnt from. Raises DataError when the run is no
    fine-tuning.
    """
    folder = RunFolder.open(run)
    config, plan = finetune_from_dict(folder.config()), read_plan(folder)
    weights = run / WEIGHTS
    if config.kind != "classification" or not weights.is_file() or plan is None or config.source == "scratch":
        return Start(config.source, Message("Starts as the last time: nothing else can be measured against that."))
    device = devices.choose()
    session = yield from open_session(config.data.replace(labels=labels, side=config.data.side), device, control)
    classes = session.recognised.classes
    known = session.readable(sorted(classes.of)) if classes is not None else ()
    unseen = [path for path in known if path not in set(plan["labelled"])]
    if classes is None or len(unseen) < FEWEST:
        return Start(
            config.source,
            Message(
                "Starts from the same pretraining as the last time: {labels} labels that it has not learnt from are "
                "too few to measure whether the fine-tuned weights are a better start.",
                labels=len(unseen),
            ),
        )
    targets = torch.tensor([classes.of[path] for path in unseen])
    pictures = Pictures(session.cache, unseen, device)
    features = []
    for source in (config.source, str(weights)):
        encoder = build_encoder(encoder_of(parts_of(config)[0], config), config.seed)
        load_encoder(encoder, source)
        features.append(torch.from_numpy((yield from read_features(encoder, pictures, device))))
    _, (before, after) = best_stage(features, targets, config.seed)
    return _better(config.source, str(weights), before, after, len(unseen))


def _better(source: str, weights: str, before: float, after: float, n: int) -> Start:
    figures = Message(
        "balanced accuracy {after:score} against {before:score} on {n:,} labels that it has not learnt from",
        after=after,
        before=before,
        n=n,
    )
    if after > before:
        return Start(weights, Message("Starts warm, from the weights that were fine-tuned last: {figures}.",
                                      figures=figures))  # fmt: skip
    return Start(
        source,
        Message("Starts from the same pretraining as the last time; the fine-tuned weights are no better: {figures}.",
                figures=figures),
    )  # fmt: skip
