"""A fine-tuned run put to use: loaded, and scored on another labelled folder."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.evaluate.predict import Predictor
from sslstudio.engine.evaluate.verdict import summarise
from sslstudio.engine.finetuning.labelled import parts_of, prefix_of
from sslstudio.engine.finetuning.networks import stage_of
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.finetuning.run import score_part
from sslstudio.engine.labels.named_alike import named_alike
from sslstudio.engine.models.encoders import build_encoder
from sslstudio.engine.models.finetuned import Classifier, Network, PixelScale, Segmenter
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import FinetuneConfig, finetune_from_dict
from sslstudio.engine.training.session import open_session, reopen_session


@dataclass(frozen=True)
class Trained:
    """A fine-tuned run, loaded."""

    run: RunFolder
    config: FinetuneConfig
    predictor: Predictor
    part: str
    weights: Path

    @property
    def side(self) -> int:
        """The side of pictures it was trained on."""
        assert self.config.data.side is not None
        return self.config.data.side


def load_trained(path: Path, device: str = "auto", part: str = "", weights: str = "last") -> Trained:
    """The network of a fine-tuning run. `part`: pretrained or scratch ('' takes the first); `weights`: last or best.

    Raises DataError when the folder is no fine-tuning run or has no weights yet.
    """
    run = RunFolder.open(path)
    if run.job != "finetune":
        raise DataError("{path} is a pretraining run: it has no classes to predict. Fine-tune it first.", path=path)
    if run.read_json("folds.json") is not None:
        raise DataError(
            "{path} is a cross-validation: its networks are those of its folds. Take {fold}.",
            path=path,
            fold=path / "fold-1",
        )
    config, plan = finetune_from_dict(run.config()), read_plan(run)
    part = part or parts_of(config)[0]
    if part not in parts_of(config):
        raise DataError(
            "{path} has no part {part!r}: it was made without a twin. It has: {parts_of}.",
            path=path,
            part=part,
            parts_of=parts_of(config),
        )
    file = path / f"{prefix_of(part, config)}{weights}.safetensors"
    if plan is None or not file.exists():
        raise DataError(
            "{path} has no {weights} weights of the part {part!r}. Go on with it: sslstudio resume {path}",
            path=path,
            weights=weights,
            part=part,
        )
    names = tuple(plan["classes"])
    scale, encoder = PixelScale(torch.zeros(1, 3, 1, 1, dtype=torch.uint8)), build_encoder(config.encoder, 0)
    network: Network = Segmenter(scale, encoder, len(names))
    if config.kind == "classification":
        network = Classifier(scale, encoder, len(names), stage=stage_of(run, part, config))
    network.load_state_dict(_network_weights(load_tensors(file)[0]))
    where = devices.choose(device, config.hardware.precision)
    return Trained(run, config, _predictor(network, config, names, where), part, file)


def _predictor(network: Network, config: FinetuneConfig, names: tuple[str, ...], where: Device) -> Predictor:
    return Predictor(network.to(where.handle).eval(), config.kind, names, where, config.views, config.flip)


def _network_weights(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = "model.network."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def evaluate_run(
    trained: Trained, folder: Path, table: Path, control: RunControl
) -> Generator[Preparing, None, FinetuneMetrics]:
    """Score a run on labelled pictures: on its own folder the test pictures that it set apart, elsewhere all of them.

    Writes the table of predictions; returns what metrics.json of a run holds, for the one part.
    """
    own = Path(trained.config.data.folder).resolve() == folder.resolve()
    device = trained.predictor.device
    if own:
        session = yield from reopen_session(trained.run, trained.config.data, device, control)
    else:
        data = trained.config.data.replace(folder=str(folder), labels="")
        session = yield from open_session(data, device, control)
        session = replace(session, split=Split(train=(), validation=(), test=tuple(session.cache.index.paths)))
    recognised = named_alike(trained.config.kind, trained.predictor.names, session.recognised)
    session = replace(session, recognised=recognised)
    found = session.recognised.classes if trained.config.kind == "classification" else session.recognised.masks
    assert found is not None
    paths = tuple(path for path in session.split.test if path in found.of)
    if not paths:
        raise DataError(
            "None of the {test} pictures to test with in {folder} has a label.",
            test=len(session.split.test),
            folder=folder,
        )
    confusions = yield from score_part(trained.predictor, session, paths, table, control)
    frequent = int(confusions.sum((0, 2)).argmax())
    counted = None if own else confusions.sum((0, 2)) > 0  # another folder may have some of the classes only
    return summarise(
        trained.config.kind, trained.predictor.names, {trained.part: confusions}, n_train=0, most_frequent=frequent,
        groups=None, counted=counted,
    )  # fmt: skip
