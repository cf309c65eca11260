"""The pictures that probes look at while a pretraining runs, and what is known of them. No test picture is taken, but
where a whole pool is given: a winner that was chosen by probes is measured on pictures that no choice has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.split import draw_labelled
from sslstudio.engine.evaluate.features import (
    classes_at_positions,
    copy_with_own_statistics,
    dense_features,
    stage_features,
)
from sslstudio.engine.evaluate.probes import Counts, Labels, count_answers, draws_of, labels_taught
from sslstudio.engine.evaluate.rankme import Reach, reach
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.models.encoders import ENCODERS, Encoder
from sslstudio.engine.models.finetuned import PixelScale
from sslstudio.engine.training.config import PretrainConfig
from sslstudio.engine.training.session import Session
from sslstudio.engine.transforms.geometry import to_float

GRID = 10  # places a side at which a mask is asked for
MASKS = 120  # pictures with masks that are probed at most
LEAST_SCORED = 20  # pictures: with fewer, an interval says nothing
UNLABELLED = 512  # pictures whose rank is taken where there are no labels
SEED = 0  # of the draws of labels: runs with different seeds are compared on the same labels


@dataclass(frozen=True)
class Reading:
    """What the probes read from one network. `counts` is None without labels."""

    counts: Counts | None
    reach: Reach


class ProbeSet:
    """Probed pictures, their labels if there are any, and the draws of labels."""

    def __init__(
        self, config: PretrainConfig, session: Session, device: Device, pool: Sequence[str] | None = None
    ) -> None:
        self.device = device
        wanted = config.probe
        known = _gather_known(session, wanted.pictures, pool or (*session.split.train, *session.split.validation))
        self.labels = _labels(session, known, config.data.groups) if known else None
        if self.labels and not _enough(self.labels, wanted.labels):
            self.labels = None
        paths = list(known.paths) if known and self.labels else None
        seen = Pictures(session.cache, paths or session.split.train, device)
        self.images = seen.spread(len(seen) if paths else UNLABELLED)
        self.paths = seen.paths
        self.scale = PixelScale(self.images.cpu(), ENCODERS[config.encoder.name].pixels).to(device.handle)
        self.draws = draws_of(self.labels, wanted.labels, wanted.draws, SEED) if self.labels else []
        self.taught = labels_taught(self.labels, self.draws) if self.labels else 0

    def read(self, encoder: Encoder) -> Reading:
        """Probe a network. It is not changed: a copy is looked at."""
        with torch.no_grad():
            images = self.scale(to_float(self.images))
        twin = copy_with_own_statistics(encoder, images)
        if self.labels is None:
            last = stage_features(twin, images, self.device)[-1]
            return Reading(None, reach(last))
        if self.labels.kind == "classification":
            features = [stage[:, None] for stage in stage_features(twin, images, self.device)]
        else:
            features = dense_features(twin, images, GRID, self.device)
        last = features[-1].mean(dim=1)
        return Reading(count_answers(features, self.labels, self.draws, SEED), reach(last))


@dataclass(frozen=True)
class _Known:
    """Labelled pictures. `of` is their class; for masks empty."""

    paths: tuple[str, ...]
    of: Mapping[str, int]
    classes: int
    masks: Tensor | None = None


def _gather_known(session: Session, most: int, given: Sequence[str]) -> _Known | None:
    """Gather up to `most` labelled pictures of those given, of each class as many; leave out classes of a single
    picture."""
    pool = sorted(set(given))
    classes, masks = session.recognised.classes, session.recognised.masks
    if classes:
        sizes = np.bincount([classes.of[path] for path in pool if path in classes.of], minlength=len(classes.names))
        of = {path: classes.of[path] for path in pool if path in classes.of and sizes[classes.of[path]] >= 2}
        each = max(2, most // max(1, len(set(of.values()))))
        paths = session.readable(draw_labelled(pool, of, each, SEED)) if of else ()
        return _Known(paths, of, len(classes.names))
    if masks:
        with_mask = [path for path in pool if path in masks.of]
        drawn = draw_labelled(with_mask, None, min(most, MASKS), SEED) if with_mask else ()
        return _decode_masks(session, session.readable(drawn)) if drawn else None
    return None


def _decode_masks(session: Session, paths: Sequence[str]) -> _Known:
    """Decode the masks that can be read; one that cannot is no reason to end a pretraining that does not need it."""
    labels = session.recognised.masks
    assert labels is not None
    found: dict[str, Tensor] = {}
    for path in paths:
        try:
            mask = decode_mask(session.recognised.pictures.root / labels.of[path], labels.coding, session.cache.side)
        except DataError:
            continue
        found[path] = torch.from_numpy(mask)
    masks = torch.stack(list(found.values())) if found else torch.zeros(0, 1, 1, dtype=torch.uint8)
    return _Known(tuple(found), {}, len(labels.names), masks)


def _labels(session: Session, known: _Known, rule: str) -> Labels:
    groups = groups_of(session.cache.index.paths, rule, session.recognised.groups, session.recognised.together)
    names = {name: number for number, name in enumerate(sorted({groups.get(path, path) for path in known.paths}))}
    group = torch.tensor([names[groups.get(path, path)] for path in known.paths], dtype=torch.int64)
    if known.masks is not None:
        return Labels("segmentation", known.classes, classes_at_positions(known.masks, GRID), group)
    targets = torch.tensor([known.of[path] for path in known.paths], dtype=torch.int64)
    return Labels("classification", known.classes, targets[:, None], group)


def _enough(labels: Labels, per_class: int) -> bool:
    """Two classes at least, and enough pictures left to score in every draw."""
    if len(labels.targets) < LEAST_SCORED or len(np.unique(labels.targets)) < 2 or len(np.unique(labels.group)) < 4:
        return False
    return all(len(draw.scored) >= LEAST_SCORED for draw in draws_of(labels, per_class, 4, SEED))
