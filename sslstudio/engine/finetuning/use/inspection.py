"""A closer look at a fine-tuned run: features and answers of all its labelled pictures, asked once and then at hand."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.embedding_map import flat_map
from sslstudio.engine.evaluate.neighbours import Doubt, directions, doubts, nearest
from sslstudio.engine.evaluate.occlusion import entropy, occlusion
from sslstudio.engine.evaluate.predict import CHUNK
from sslstudio.engine.finetuning.labelled import labels_of
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.finetuning.use.load import Trained, load_trained
from sslstudio.engine.labels.named_alike import named_alike
from sslstudio.engine.training.session import Session, reopen_session
from sslstudio.engine.transforms.geometry import to_float

MOST = 3000  # pictures on the map and among the neighbours: t-SNE of more takes minutes
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Closer:
    """What is known of the labelled pictures `paths` (root-relative): n of them.

    `labels` are class numbers (0 for all that have masks), `places` directions in feature space (n, D), `chances`
    (n, C) the network's probabilities (of masks: shares of the pixels), `taught` those that it was trained on.
    """

    trained: Trained
    session: Session
    paths: tuple[str, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]
    places: Array
    chances: Array
    taught: frozenset[str]

    @property
    def root(self) -> Path:
        """The folder of the pictures."""
        return self.session.recognised.pictures.root

    def neighbours(self, path: str, count: int = 6) -> list[tuple[str, float]]:
        """The pictures most like this one, with their cosine; none for a picture that is not known."""
        if path not in self.paths:
            return []
        return [(self.paths[one], alike) for one, alike in nearest(self.places, self.paths.index(path), count)]

    def label(self, path: str) -> str:
        """The name of a picture's class, '' where pictures have masks instead."""
        return self.names[self.labels[self.paths.index(path)]] if self.trained.config.kind == "classification" else ""

    def doubts(self) -> list[Doubt]:
        """Labels that are probably wrong, of pictures that the network was not trained on."""
        if self.trained.config.kind != "classification":
            return []
        asked = [number for number, path in enumerate(self.paths) if path not in self.taught]
        return doubts(self.places, self.labels, self.chances, asked)

    def positions(self) -> Generator[Preparing, None, npt.NDArray[np.float64]]:
        """(n, 2) between 0 and 1: where each picture lies on the map."""
        return flat_map(self.places)

    def heat(self, path: str, target: str, control: RunControl) -> Generator[Preparing, None, Array]:
        """(side, side): how much of the probability of class `target` goes when a place is covered."""
        number = self.names.index(target)
        return occlusion(self.trained.predictor.chances, self._picture(path), number, control)

    def uncertainty(self, path: str) -> Array:
        """(side, side) from 0, sure, to 1: entropy of the mask's probabilities."""
        with torch.no_grad():
            return entropy(self.trained.predictor.chances(self._picture(path))[0])

    def _picture(self, path: str) -> torch.Tensor:
        pictures = Pictures(self.session.cache, [path], self.trained.predictor.device)
        if not len(pictures):
            raise RunError("{path} is not there any more.", path=path)
        return to_float(pictures.take(torch.tensor([0])))


def look_closer(run: Path, part: str, control: RunControl) -> Generator[Preparing, None, Closer]:
    """Ask the network of a run about its labelled pictures (3,000 at most, test pictures first)."""
    trained = load_trained(run, "auto", part)
    device = trained.predictor.device
    session = yield from reopen_session(trained.run, trained.config.data, device, control)
    # Since the network was taught, labels may have been corrected and classes added or emptied.
    alike = named_alike(trained.config.kind, trained.predictor.names, session.recognised, partly=True)
    session = replace(session, recognised=alike)
    labels, names = labels_of(session, trained.config)
    paths = _chosen(session, labels)
    pictures = Pictures(session.cache, paths, device)
    network = trained.predictor.network
    features: list[torch.Tensor] = []
    answers: list[torch.Tensor] = []
    for chosen in pictures.chunks(CHUNK):
        if control.stopping:
            raise RunError("Stopped while looking at the pictures.")
        images = to_float(pictures.take(chosen))
        with torch.no_grad(), device.autocast():
            features.append(network.encoder(network.scale(images)).float().cpu())
            chances = trained.predictor.chances(images).cpu()
        answers.append(chances if chances.ndim == 2 else chances.mean(dim=(2, 3)))
        done = sum(len(chunk) for chunk in features)
        yield Preparing(stage=Message("Looking at the labelled pictures"), done=done, total=len(pictures))
    plan = read_plan(trained.run)
    taught = plan["labelled"] if plan else ()
    return Closer(
        trained, session, pictures.paths, tuple(labels[path] for path in pictures.paths), names,
        directions(torch.cat(features).numpy()), torch.cat(answers).numpy(), frozenset(taught),
    )  # fmt: skip


def _chosen(session: Session, labels: Mapping[str, int]) -> list[str]:
    split = session.split
    ordered = [path for part in (split.test, split.validation, split.train) for path in part if path in labels]
    return sorted(ordered[:MOST])
