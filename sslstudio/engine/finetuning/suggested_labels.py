"""A replay of a person who labels what is suggested: the labels of a run chosen by the features that it starts from."""

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.active_learning import doubts_of, suggest
from sslstudio.engine.finetuning.frozen_features import read_features
from sslstudio.engine.finetuning.labelled import Labelled, labels_of, parts_of
from sslstudio.engine.finetuning.networks import first_encoder
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.training.session import Session

AT_ONCE = 12  # labels between two suggestions, as in the window
AT_HAND = 0.8  # share of the training pictures that a draw may choose among, so that draws differ


def choose_suggested(
    labelled: Labelled, config: FinetuneConfig, session: Session, device: Device, run: RunFolder | None
) -> Generator[Preparing, None, Labelled]:
    """`labelled`, of whose training pictures as many in all are kept as a draw of each class would have; chosen by
    suggestion among a random part of them, each label told before the next dozen is suggested.

    run: one that was begun keeps what it was begun with.
    """
    if config.choice != "suggested" or config.labels_per_class is None:
        return labelled
    stored = read_plan(run) if run is not None else None
    if stored:
        return replace(labelled, train=tuple(stored["labelled"]))
    of, names = labels_of(session, config)
    count = config.labels_per_class * (len(names) if config.kind == "classification" else 1)
    order = np.random.default_rng(derive(config.seed, "at hand")).permutation(len(labelled.train))
    most = max(min(count, len(order)), round(AT_HAND * len(order)))
    paths = [labelled.train[place] for place in sorted(order[:most].tolist())]
    encoder, _ = first_encoder(parts_of(config)[0], config)
    features = yield from read_features(encoder, Pictures(session.cache, paths, device), device)
    chosen: list[int] = []
    while len(chosen) < min(count, len(paths)):
        known = {number: of[paths[number]] for number in chosen} if config.kind == "classification" else {}
        wanted = min(AT_ONCE, count - len(chosen), len(paths) - len(chosen))
        chosen += suggest(features, chosen, wanted, doubts_of(features, known))
    return replace(labelled, train=tuple(sorted(paths[number] for number in chosen)))
