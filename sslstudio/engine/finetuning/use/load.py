"""A fine-tuned run put to use: loaded, and scored on another labelled folder."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.config import Table
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.evaluate.predict import Predictor
from sslstudio.engine.evaluate.verdict import summarise
from sslstudio.engine.finetuning.labelled import answering_parts, encoder_of, is_only_read, prefix_of, trained_part
from sslstudio.engine.finetuning.networks import stage_of
from sslstudio.engine.finetuning.plan_file import read_plan
from sslstudio.engine.finetuning.read_out.read_out import answering_network, blank_read_out, file_of, read_with, turning
from sslstudio.engine.finetuning.run import score_part
from sslstudio.engine.labels.named_alike import named_alike
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import LAST, Classifier, Network, PixelScale, Segmenter
from sslstudio.engine.models.mask_read_out import Answering, MaskReadOut, Turning
from sslstudio.engine.models.read_out import ReadOut
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors, restore_weights
from sslstudio.engine.training.config import FinetuneConfig, finetune_from_dict
from sslstudio.engine.training.session import open_session, reopen_session, split_of


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
    parts = answering_parts(config)
    part = part or parts[0]
    if part not in parts:
        raise DataError(
            "{path} has no part {part!r}: it was made without a twin. It has: {parts_of}.",
            path=path,
            part=part,
            parts_of=parts,
        )
    trains = not is_only_read(part, config)
    file = (
        path / f"{prefix_of(trained_part(part), config)}{weights}.safetensors" if trains else file_of(run, part, config)
    )
    if plan is None or not file.exists():
        raise DataError(
            "{path} has no {weights} weights of the part {part!r}. Go on with it: sslstudio resume {path}",
            path=path,
            weights=weights,
            part=part,
        )
    names = tuple(plan["classes"])
    network = _trained_network(run, part, config, len(names), file) if trains else None
    answering = answering_network(part, network, config, run, len(names))
    where = devices.choose(device, config.hardware.precision)
    predictor = Predictor(answering.to(where.handle).eval(), config.kind, names, where, config.views, config.flip)
    return Trained(run, config, predictor, part, file)


def _trained_network(run: RunFolder, part: str, config: FinetuneConfig, classes: int, file: Path) -> Network:
    network = blank_network(encoder_of(part, config), config.kind, classes, stage_of(run, part, config))
    restore_weights(network, _network_weights(load_tensors(file)[0]), file)
    return network


def blank_network(encoder: EncoderConfig, kind: str, classes: int, stage: int) -> Network:
    """One whose weights are yet to be loaded. `stage`: that a classifier reads, 0 for all."""
    scale, built = PixelScale(torch.zeros(1, 3, 1, 1, dtype=torch.uint8)), build_encoder(encoder, 0)
    if kind == "classification":
        return Classifier(scale, built, classes, stage=stage)
    return Segmenter(scale, built, classes)


def blank_like(trained: Trained) -> Answering:
    """One of the same shape as the network of a run, whose weights are yet to be loaded."""
    network, config = trained.predictor.network, trained.config
    if isinstance(network, Turning):
        return turning(_blank_read_out_like(trained, network.inside), config)
    return _blank_read_out_like(trained, network)


def _blank_read_out_like(trained: Trained, network: Network | ReadOut | MaskReadOut) -> Network | ReadOut | MaskReadOut:
    config, classes = trained.config, len(trained.predictor.names)
    encoder = encoder_of(trained.part, config)
    if isinstance(network, Network):
        return blank_network(encoder, config.kind, classes, network.stage if isinstance(network, Classifier) else LAST)
    propagation = network.propagation if isinstance(network, ReadOut) else None
    blank = blank_read_out(trained.part, config, classes, 0 if propagation is None else len(propagation.pool))
    if network.network is None:
        return blank
    stage = network.network.stage if isinstance(network.network, Classifier) else LAST
    return read_with(blank_network(encoder, config.kind, classes, stage), blank)


def _network_weights(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = "model.network."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def evaluate_run(
    trained: Trained,
    folder: Path,
    table: Path,
    control: RunControl,
    labels: str = "",
    roles: Mapping[str, str] | None = None,
) -> Generator[Preparing, None, FinetuneMetrics]:
    """Score a run on labelled pictures: on its own folder the test pictures that it set apart, elsewhere all of them.
    labels, roles: what to score it by, as in `recognise`; empty: those that the run began with, or found by themselves.

    Writes the table of predictions; returns what metrics.json of a run holds, for the one part.
    """
    own = Path(trained.config.data.folder).resolve() == folder.resolve()
    device = trained.predictor.device
    if own and not labels and not roles:
        session = yield from reopen_session(trained.run, trained.config.data, device, control)
    else:
        data = trained.config.data.replace(folder=str(folder), labels=labels, roles=Table(roles or {}))
        session = yield from open_session(data, device, control)
        split = split_of(trained.run, session.recognised, data) if own else None
        every = tuple(session.cache.index.paths)
        session = replace(session, split=split or Split(train=(), validation=(), test=every))
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
