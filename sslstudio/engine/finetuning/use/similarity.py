"""What a network makes of pictures that have no label: features to find alike ones by, and its doubts."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.embedding_map import Features, Positions, flat_map
from sslstudio.engine.finetuning.frozen_features import read_features
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.general import GENERAL as GENERAL_SOURCE
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import pretrain_from_dict
from sslstudio.engine.training.session import suitable_side

CHUNK = 64
OWN, GENERAL, UNTRAINED = "own", "general", "untrained"
MOST = 10_000  # pictures that are compared: of more an even sample, so that the first suggestion comes in minutes


@dataclass(frozen=True)
class LookAlike:
    """Pictures with their features (N, D) of the last stage and their places (N, 2) on a map, alike ones side by side.

    by  whose features these are: own (a pretraining on such pictures), general (weights learnt from general
        photographs) or untrained
    total  pictures that there are: of very many an even sample is compared
    """

    paths: tuple[str, ...]
    features: Features
    places: Positions
    by: str
    total: int


def look_alike(
    index: ImageIndex, run: Path | None, control: RunControl, device: str = "auto"
) -> Generator[Preparing, None, LookAlike]:
    """Compare the pictures by the best network at hand: that of a pretraining run, else general weights, else an
    untrained one. Of more than `MOST` pictures an even sample is compared.

    Raises DataError when the run holds another network, RunError when stopped.
    """
    where = devices.choose(device)
    paths = index.paths
    if len(paths) > MOST:
        index = index.subset([paths[place] for place in np.linspace(0, len(paths) - 1, MOST).astype(np.int64)])
    own = pretrain_from_dict(RunFolder.open(run).config()) if run is not None else None
    side = (own.data.side if own else None) or suitable_side(index, where)
    cache = yield from build_cache(index, side, control=control)
    if own is not None and run is not None:
        encoder, by = build_encoder(own.encoder, 0), OWN
        load_encoder(encoder, run)
    else:
        encoder, by = _without_pretraining(side)
    features = yield from read_features(encoder, Pictures(cache, cache.index.paths, where), where)
    places = yield from flat_map(features)
    return LookAlike(tuple(cache.index.paths), features, places, by, len(paths))


def _without_pretraining(side: int) -> tuple[Encoder, str]:
    """The encoder of the general weights, or an untrained one where these cannot be read."""
    try:
        settings = EncoderConfig(weights=GENERAL_SOURCE).resolve(accelerated=False, side=side)
        encoder = build_encoder(settings, 0)
        load_encoder(encoder, settings.weights)
    except StudioError:
        return build_encoder(EncoderConfig(name="small").resolve(accelerated=False, side=side), 0), UNTRAINED
    return encoder, GENERAL


def doubts(index: ImageIndex, run: Path, control: RunControl) -> Generator[Preparing, None, dict[str, float]]:
    """How unsure a fine-tuned network is of each picture: the entropy of its answer, for masks the mean over pixels.

    Raises DataError when the run has no network yet, RunError when stopped.
    """
    trained = load_trained(run)
    cache = yield from build_cache(index, trained.side, control=control)
    pictures = Pictures(cache, cache.index.paths, trained.predictor.device)
    found: dict[str, float] = {}
    for paths, chances in trained.predictor.chunks(pictures, control):
        entropy = -(chances * chances.clamp_min(1e-9).log()).sum(dim=1).flatten(1 if chances.ndim > 2 else 0)
        each: npt.NDArray[np.float64] = (entropy.mean(dim=1) if chances.ndim > 2 else entropy).double().numpy()
        found.update(zip(paths, each.tolist(), strict=True))
        yield Preparing(stage=Message("Asking the network"), done=len(found), total=len(pictures))
    return found
