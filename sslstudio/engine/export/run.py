"""A run as files for other programs: its encoder, and after fine-tuning its model."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sslstudio import __version__
from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.export import use_it
from sslstudio.engine.export.formats import Chances, Embedding, Exportable, Written, chosen_formats, write_export
from sslstudio.engine.finetuning.labelled import encoder_of
from sslstudio.engine.finetuning.networks import SCALE_FROM
from sslstudio.engine.finetuning.recipe import recalibrate
from sslstudio.engine.finetuning.run import pretraining_of
from sslstudio.engine.finetuning.use.load import Trained, blank_like, load_trained
from sslstudio.engine.images.formats.wanted import read_channels
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.models.encoders import ENCODERS, STEM_STRIDES, Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.resnet import OWN_BLOCKS
from sslstudio.engine.models.finetuned import Classifier, Network, PixelScale
from sslstudio.engine.models.mask_read_out import Answering, MaskReadOut, Turning
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import DataConfig, FinetuneConfig, PretrainConfig, pretrain_from_dict
from sslstudio.engine.training.session import Session, reopen_session
from sslstudio.engine.transforms.geometry import to_float

COMPARED_ON = 8  # pictures that each file is asked about


@dataclass(frozen=True)
class Exported:
    """What was written, and where."""

    out: Path
    files: tuple[Written, ...]

    def lines(self) -> list[str]:
        """For people."""
        return [one.line() for one in self.files]


def export_run(
    path: Path, out: Path, form: str, control: RunControl, part: str = "", weights: str = "last"
) -> Generator[Preparing, None, Exported]:
    """Write encoder (and model) of a run into the new folder `out`, in a format or in 'all' of them.

    Each file is read back and asked about up to 8 held-out pictures of the run. `part` and `weights` as for
    `load_trained`. Raises DataError in words when the run has no weights, its pictures are gone or `out` is not empty.
    """
    formats = chosen_formats(form)
    device = devices.choose("cpu")
    run = RunFolder.open(path)
    if run.job == "finetune":
        trained = load_trained(path, "cpu", part, weights)
        session = yield from reopen_session(run, trained.config.data, device, control)
        network, config = trained.predictor.network.eval(), encoder_of(trained.part, trained.config)
        exportables = [_encoder(network.scale, network.encoder, config), _model(trained)]
        card = {**_card(run, trained.config.data, network, config), **_model_card(trained)}
    else:
        pretraining = pretrain_from_dict(run.config())
        session = yield from reopen_session(run, pretraining.data, device, control)
        network, config = _pretrained(path, pretraining, session, device), pretraining.encoder
        exportables = [_encoder(network.scale, network.encoder, config)]
        card = {**_card(run, pretraining.data, network, config), "task": _task(pretraining)}
    pictures = to_float(_held_out(session, device))
    files = yield from write_export(out, exportables, formats, pictures, card)
    return Exported(out, tuple(files))


def _pretrained(path: Path, config: PretrainConfig, session: Session, device: Device) -> Network:
    """The encoder of a pretraining as fine-tuning starts from it: statistics of whole pictures, not of puzzles."""
    if not (path / "last.safetensors").exists():
        raise DataError("{path} has no weights yet. Go on with it: sslstudio resume {path}", path=path)
    encoder = build_encoder(config.encoder, config.seed)
    load_encoder(encoder, path)
    unlabelled = Pictures(session.cache, session.split.train, device)
    scale = PixelScale(unlabelled.spread(SCALE_FROM).cpu(), encoder.spec.pixels)
    network = Network(scale, encoder, encoder)
    recalibrate(network, unlabelled)
    return network.eval()


def _held_out(session: Session, device: Device) -> Tensor:
    for paths in (session.split.test, session.split.validation, session.split.train):
        pictures = Pictures(session.cache, paths, device)
        if len(pictures):
            return pictures.spread(COMPARED_ON)
    raise DataError("None of the pictures of this run is there any more, so the files could not be compared on them.")


def _encoder(scale: PixelScale, encoder: Encoder, config: EncoderConfig) -> Exportable:
    """Read back by the snippet that goes with the files: a ResNet into torchvision's own where that is installed."""

    def rebuilt(tensors: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
        facts = encoder_facts(config)
        own = OWN_BLOCKS and facts["family"] == "resnet"
        net: nn.Module = ENCODERS[config.name].build(config.name, config.stem) if own else use_it.build_encoder(facts)
        net.eval()
        net.load_state_dict(tensors)
        return nn.Sequential(scale, net)

    return Exportable("encoder", Embedding(scale, encoder).eval(), encoder.state_dict(), rebuilt)


def _model(trained: Trained) -> Exportable:
    """Read back into a network that is built anew."""
    network = trained.predictor.network

    def rebuilt(tensors: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
        fresh = blank_like(trained)
        fresh.load_state_dict(tensors)
        return Chances(fresh.eval())

    return Exportable("model", Chances(network).eval(), network.state_dict(), rebuilt)


def encoder_facts(config: EncoderConfig) -> dict[str, object]:
    """All that another program needs to build the encoder."""
    shape = ENCODERS[config.name]
    with torch.device("meta"):  # shapes without numbers
        dim = shape.build(config.name, config.stem).spec.dim
    stem = {"stem": config.stem, "stem_stride": STEM_STRIDES[config.stem]}
    return {"name": config.name, **shape.facts(), **stem, "dim": dim}


def _card(run: RunFolder, data: DataConfig, network: Answering, config: EncoderConfig) -> dict[str, object]:
    """What holds for every export. Folders are named without their path: it is nobody's business."""
    split = run.split_table() or {}
    return {
        "made_with": f"SSL Studio {__version__}",
        "made_at": time.strftime("%Y-%m-%d %H:%M:%S"),
        "run": run.path.resolve().name,
        "job": run.job,
        "encoder": encoder_facts(config),
        "input": {
            "side": data.side,
            "channels": "RGB",
            "chosen_channels": list(read_channels(data.channels)),
            "values": "0 to 1 (8-bit values divided by 255)",
            "fit": "the whole picture, squeezed into a square with bicubic resampling",
        },
        "normalisation": {
            "mean": network.scale.mean.flatten().tolist(),
            "deviation": network.scale.deviation.flatten().tolist(),
            "inside": "onnx and torchscript normalise by themselves; before encoder.safetensors do it yourself",
        },
        "data": {"folder": title_of(data.folder), **{name: len(paths) for name, paths in split.items()}},
    }


def _task(config: PretrainConfig) -> dict[str, str]:
    task = load_tasks()[config.task]
    return {"name": config.task, "title": task.title, "paper": task.paper}


def _model_card(trained: Trained) -> dict[str, object]:
    network, metrics = trained.predictor.network, trained.run.finetune_metrics()
    part = metrics["parts"].get(trained.part) if metrics else None
    return {
        "kind": trained.config.kind,
        "part": trained.part,
        "classes": list(trained.predictor.names),
        "reads_stage": (network.stage or "all") if isinstance(network, Classifier) else "all",
        "answers_by": _voices(network),
        "task": _task_of_source(trained.config),
        "result": {
            "verdict": metrics["verdict"] if metrics else "",
            "n_train": metrics["n_train"] if metrics else None,
            "n_test": metrics["n_test"] if metrics else None,
            "scores": part["scores"] if part else {},
            "baseline": metrics["baseline"] if metrics else {},
            "notes": metrics["notes"] if metrics else [],
        },
    }


def _voices(network: Answering) -> list[str]:
    """Whose shares are averaged. A label propagation holds features of unlabelled pictures, which the card says."""
    if isinstance(network, Turning):
        looks = 8 if network.flip else 4
        return [f"{one}, mean over {looks} turns of a picture" for one in _voices(network.inside)]
    if isinstance(network, Network):
        return ["network"]
    voices = ["network"] if network.network is not None else []
    if isinstance(network, MaskReadOut):
        return [*voices, "ridge regression of the classes of pixels on features that nothing was trained on"]
    voices.append("ridge regression on the features before fine-tuning")
    if network.propagation is not None:
        voices.append(f"label propagation (holds the features of {len(network.propagation.pool)} pictures)")
    return voices


def _task_of_source(config: FinetuneConfig) -> dict[str, str] | None:
    """The pretext task behind a fine-tuning, if its pretraining is still where it was."""
    try:
        source = pretraining_of(config.source)
    except DataError:
        return None
    return _task(source) if source else None
