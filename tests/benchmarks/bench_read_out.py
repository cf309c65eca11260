"""What encoders are worth to the read-out without a fine-tuned network: ridge regression alone, and averaged with label
propagation, over draws of labels that are the same for all.

python -m tests.benchmarks.bench_read_out DIR --side 96 untrained general own=runs/own both=general+own

The network that a fine-tuning adds is left out, so that ten draws take a minute: it is for looking at many encoders.
Differences are to the first one, paired by draw, with Student's 95 % interval over draws: test pictures are the same
in all of them and their luck is not in it. `--apart` leaves out test pictures that have a near copy elsewhere.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.near_duplicates import across, near_duplicates
from sslstudio.engine.dataset.split import draw_labelled
from sslstudio.engine.evaluate.label_propagation import propagate
from sslstudio.engine.evaluate.linear_and_knn import fit_ridge
from sslstudio.engine.finetuning.read_out.read_out import NEVER
from sslstudio.engine.finetuning.recipe import recalibrate
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.general import is_general
from sslstudio.engine.models.finetuned import Network, PixelScale
from sslstudio.engine.models.read_out import FrozenFeatures, Propagation, Ridge
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import DataConfig, pretrain_from_dict
from sslstudio.engine.training.session import Session, open_session
from sslstudio.engine.transforms.geometry import to_float
from tests.benchmarks.bench_kit import Figures, show

UNTRAINED = "untrained"
SCALE_FROM = 512
DEVICE = devices.choose("cpu")


def frozen_of(source: str, session: Session, side: int) -> FrozenFeatures:
    """The features of an untrained encoder, of general weights or of a pretraining run."""
    if source == UNTRAINED:
        settings = EncoderConfig(name="small").resolve(accelerated=False, side=side)
    elif is_general(source):
        settings = EncoderConfig(weights=source).resolve(accelerated=False, side=side, trained=False)
    else:
        settings = pretrain_from_dict(RunFolder.open(Path(source)).config()).encoder
    encoder = build_encoder(settings, seed=0)
    if source != UNTRAINED:
        load_encoder(encoder, settings.weights if is_general(source) else source)
    unlabelled = Pictures(session.cache, session.split.train, DEVICE)
    scale = PixelScale(unlabelled.spread(SCALE_FROM).cpu(), encoder.spec.pixels)
    recalibrate(Network(scale, encoder, encoder), unlabelled)
    return FrozenFeatures(scale, encoder)


def features_of(frozen: FrozenFeatures, pictures: Pictures) -> Tensor:
    """float32 (n, D)."""
    with torch.no_grad():
        return torch.cat([frozen.raw(to_float(pictures.take(chunk))) for chunk in pictures.chunks(64)])


def read_out(features: Tensor, asked: Tensor, taught: Tensor, targets: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The classes of `asked` (n, D) by a ridge regression on the `taught` rows of `features` (N, D), and by it and
    label propagation over all of these, averaged."""
    ridge, propagation = Ridge(features.shape[1], classes), Propagation(len(features), features.shape[1], classes)
    weight, middle, level = fit_ridge(features[taught].double(), targets, classes)
    ridge.weight.copy_(weight)
    ridge.bias.copy_((level - middle @ weight).clamp_min(NEVER))
    propagation.pool.copy_(torch.nn.functional.normalize(features, dim=1))
    propagation.shares.copy_(propagate(features, taught, targets, classes))
    alone = ridge(asked)
    return alone.argmax(1), (alone + propagation(asked)).argmax(1)


def balanced(predicted: Tensor, truth: Tensor) -> float:
    """The mean share that is right over the classes that there are."""
    shares = [(predicted[truth == one] == one).float().mean() for one in range(int(truth.max()) + 1)]
    return float(np.nanmean(shares))


def measure(options: argparse.Namespace) -> dict[tuple[str, int, str], list[float]]:
    """Balanced accuracy of each draw, by encoder, labels a class and who answers."""
    session = to_end(open_session(DataConfig(folder=str(options.folder), side=options.side), DEVICE, RunControl()))
    classes = session.recognised.classes
    if classes is None:
        raise SystemExit("The pictures need classes.")
    unlabelled = Pictures(session.cache, session.split.train, DEVICE)
    tested = Pictures(session.cache, test_of(session, options.apart), DEVICE)
    truth = torch.tensor([classes.of[path] for path in tested.paths])
    features = read_all(options, session, [unlabelled, tested])
    of = {path: classes.of[path] for path in unlabelled.paths}
    place = {path: number for number, path in enumerate(unlabelled.paths)}
    found: dict[tuple[str, int, str], list[float]] = {}
    for labels in options.labels:
        for draw in range(options.draws):
            drawn = draw_labelled(unlabelled.paths, of, labels, draw)
            taught, targets = (torch.tensor([kept[path] for path in drawn]) for kept in (place, of))
            for name, (pool, asked) in features.items():
                answers = read_out(pool, asked, taught, targets, len(classes.names))
                for who, predicted in zip(("ridge", "ridge and propagation"), answers, strict=True):
                    found.setdefault((name, labels, who), []).append(balanced(predicted, truth))
    return found


def read_all(
    options: argparse.Namespace, session: Session, pictures: Sequence[Pictures]
) -> dict[str, tuple[Tensor, ...]]:
    """The features of each encoder, standardised on the first of `pictures`, of each of these."""
    sources = dict(one.split("=", 1) if "=" in one else (one, one) for one in options.encoders)
    found: dict[str, tuple[Tensor, ...]] = {}
    for name, source in sources.items():
        if "+" in source:
            first, second = (found[one] for one in source.split("+"))
            found[name] = tuple(torch.cat(pair, dim=1) / 2**0.5 for pair in zip(first, second, strict=True))
            continue
        frozen = frozen_of(source, session, options.side)
        raw = [features_of(frozen, one) for one in pictures]
        frozen.standard.fit(raw[0])
        found[name] = tuple(frozen.standard(one) / frozen.width**0.5 for one in raw)
    return found


def test_of(session: Session, apart: bool) -> Sequence[str]:
    """The test pictures; `apart`: without those that have a near copy among all others."""
    if not apart:
        return session.split.test
    paths = list(session.cache.index.paths)
    pictures = Pictures(session.cache, paths, DEVICE)
    groups = near_duplicates((pictures.take(chunk) for chunk in pictures.chunks(64)), limit=None)
    copied = {path for path, _ in across(groups, paths, session.split)}
    return [path for path in session.split.test if path not in copied]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="pictures with classes")
    parser.add_argument("encoders", nargs="+", help="untrained, general, NAME=RUN, or NAME=ONE+OTHER side by side")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--labels", type=int, nargs="*", default=[5, 10, 25])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--apart", action="store_true", help="no test pictures with a near copy elsewhere")
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    found = measure(options)
    figures: Figures = {}
    first = next(iter(found))[0]
    for (name, labels, who), scores in found.items():
        figures[f"{name}, {labels} labels a class, {who}"] = float(np.mean(scores))
        if name != first:
            apart = np.array(scores) - np.array(found[first, labels, who])
            half = float(student.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / len(apart) ** 0.5)
            figures[f"{name} - {first}, {labels} labels a class, {who}"] = float(apart.mean())
            figures[f"{name} - {first}, {labels} labels a class, {who}: half interval"] = half
    show("read_out", figures, options.draws, {"folder": options.folder.name, "side": options.side}, options.out)


if __name__ == "__main__":
    main()
