"""The read-out of a part: fitted once before its network is trained, kept in the run folder, put around the network.

readout.safetensors    (scratch-readout.safetensors of the twin, and so on) the encoder as the part begins with it, the
                       ridge regression and the pool of the label propagation

What is scored is what is delivered: the result, predictions, heat maps and exports all come through `put_around`.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.halving import in_halves
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.arms import BESIDE, GENERAL, PRETRAINED
from sslstudio.engine.evaluate.label_propagation import propagate
from sslstudio.engine.evaluate.linear_and_knn import fit_ridge
from sslstudio.engine.finetuning.labelled import encoder_of, has_read_out, is_only_read, prefix_of
from sslstudio.engine.finetuning.read_out.calibration import read_calibrations
from sslstudio.engine.finetuning.recipe import CALIBRATED_ON, CHUNK
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.general import find_general, list_general
from sslstudio.engine.models.finetuned import Classifier, Network, PixelScale, Segmenter
from sslstudio.engine.models.mask_read_out import Answering, DenseFeatures, MaskReadOut, PixelRidge, Turning
from sslstudio.engine.models.read_out import Beside, FrozenFeatures, Propagation, ReadOut, Ridge
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors, save_tensors
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.transforms.geometry import to_float

MOST_IN_POOL = 4096  # pictures of the pool: their graph takes seconds
MOST_NUMBERS = 8_000_000  # of the pool's features: 32 MB in the run folder and in an export
Known = dict[FrozenFeatures, tuple[tuple[str, ...], Tensor]]  # what was read of which pictures: (N, D)
NEVER = -100.0  # score of a class that no labelled picture has; -inf would be nan in some runtimes


def file_of(run: RunFolder, part: str, config: FinetuneConfig) -> Path:
    """Where the read-out of a part is kept. Of untrained features it is that of the twin from scratch."""
    return run.path / f"{prefix_of(part, config)}readout.safetensors"


def fit_read_out(
    frozen: FrozenFeatures | Beside, unlabelled: Pictures, labelled: Sequence[str], targets: Tensor, classes: int, *,
    propagates: bool, flip: bool, device: Device, control: RunControl, earlier: Known | None = None,
) -> Generator[Preparing, None, ReadOut]:  # fmt: skip
    """Fit ridge regression and label propagation on frozen features; the network comes later. Raises RunError when
    stopped.

    `unlabelled`: the pictures of the training part, the `labelled` ones among them; `targets` int64 (n,): the classes
    of these. Sets the scale of the features by up to 512 mixed pictures. `earlier`: what was read for an earlier fit on
    the same pictures; it is not read again, and what is read is added.
    """
    frozen, earlier = frozen.to(device.handle), {} if earlier is None else earlier
    for one in [frozen] if isinstance(frozen, FrozenFeatures) else [frozen.first, frozen.second]:
        if one in earlier:  # its scale is set
            continue
        measured = yield from _features(one.raw, unlabelled.chosen(unlabelled.mix(CALIBRATED_ON)), device, control)
        one.standard.fit(measured.to(device.handle))
    pool = pool_of(unlabelled, labelled, frozen.width if propagates else 0)
    features = yield from _read(frozen, pool, device, control, earlier)
    place = {path: number for number, path in enumerate(pool.paths)}
    kept = [number for number, path in enumerate(labelled) if path in place]
    known, taught = torch.tensor([place[labelled[number]] for number in kept]), targets.cpu()[kept]
    ridge = Ridge(frozen.width, classes)
    weight, middle, level = fit_ridge(features[known].double(), taught, classes)
    ridge.weight.copy_(weight)
    ridge.bias.copy_((level - middle @ weight).clamp_min(NEVER))
    propagation = None
    if propagates and len(pool) > len(known):
        propagation = Propagation(len(pool), frozen.width, classes)
        propagation.pool.copy_(torch.nn.functional.normalize(features, dim=1).half())
        propagation.shares.copy_(propagate(features, known, taught, classes))
    return ReadOut(None, frozen, ridge, propagation, flip=flip).to(device.handle).eval()


def pool_of(unlabelled: Pictures, labelled: Sequence[str], width: int) -> Pictures:
    """The labelled pictures and, as far as there is room for `width` features of each, others, mixed."""
    room = min(MOST_IN_POOL, MOST_NUMBERS // width) if width else len(labelled)
    own = set(labelled)
    mixed = [path for path in unlabelled.chosen(unlabelled.mix(len(unlabelled))).paths if path not in own]
    return unlabelled.of([*labelled, *mixed[: max(0, room - len(labelled))]])


def _read(
    frozen: FrozenFeatures | Beside, pictures: Pictures, device: Device, control: RunControl, known: Known
) -> Generator[Preparing, None, Tensor]:
    """Standardised features (n, D), float32 on the CPU, of what is not known yet."""
    if isinstance(frozen, Beside):
        first = yield from _read(frozen.first, pictures, device, control, known)
        second = yield from _read(frozen.second, pictures, device, control, known)
        return frozen.join(first, second)
    paths, features = known.get(frozen, ((), torch.empty(0)))
    place = {path: number for number, path in enumerate(paths)}
    if all(path in place for path in pictures.paths):
        return features[[place[path] for path in pictures.paths]]
    features = yield from _features(frozen, pictures, device, control)
    known[frozen] = (tuple(pictures.paths), features)
    return features


def _features(
    read: Callable[[Tensor], Tensor], pictures: Pictures, device: Device, control: RunControl
) -> Generator[Preparing, None, Tensor]:
    """Features (n, D), float32 on the CPU."""
    found: list[Tensor] = []

    def look(some: Tensor) -> Tensor:
        with torch.no_grad(), device.autocast():
            return read(to_float(pictures.take(some))).float().cpu()

    for number, chosen in enumerate(pictures.chunks(CHUNK)):
        if control.stopping:
            raise RunError("Stopped while reading features; the run goes on from there when it is resumed.")
        yield Preparing(stage=Message("Reading features"), done=number * CHUNK, total=len(pictures))
        found += [features for _, features in in_halves(look, chosen, device)]
    return torch.cat(found)


def save_read_out(read: ReadOut | MaskReadOut, file: Path) -> None:
    """Write it without its network, which has a checkpoint of its own, and without general weights, which come with the
    program. The pool is kept in half precision, to which it was rounded when it was fitted."""
    tensors = {name: value for name, value in read.state_dict().items() if not name.startswith("network.")}
    propagation = read.propagation if isinstance(read, ReadOut) else None
    meta: dict[str, object] = {"pool": 0 if propagation is None else len(propagation.pool)}
    if propagation is not None:
        tensors["propagation.pool"] = tensors["propagation.pool"].half()
    for prefix, encoder in _encoders(read):
        for general in list_general().values():
            if general.encoder == encoder.spec.name:
                same = _same(tensors, prefix, general.read())
                tensors = {name: value for name, value in tensors.items() if name not in same}
                meta[prefix] = {"general": general.source_name, "sha256": general.sha256} if same else {}
    save_tensors(file, tensors, meta)


def _encoders(read: ReadOut | MaskReadOut) -> list[tuple[str, Encoder]]:
    """The encoders that are read, with what the names of their tensors begin with."""
    if isinstance(read.frozen, FrozenFeatures | DenseFeatures):
        return [("frozen.encoder.", read.frozen.encoder)]
    both = {"first": read.frozen.first, "second": read.frozen.second}
    return [(f"frozen.{name}.encoder.", one.encoder) for name, one in both.items()]


def _same(tensors: Mapping[str, Tensor], prefix: str, general: Mapping[str, Tensor]) -> set[str]:
    """Names of the tensors that are just those of general weights: all but batch statistics."""
    named = {f"{prefix}{name}": value for name, value in general.items()}
    return {name for name, value in named.items() if name in tensors and torch.equal(tensors[name].cpu(), value)}


def answering_network(
    part: str, network: Network | None, config: FinetuneConfig, run: RunFolder, classes: int, *, only_read: bool = False
) -> Answering:
    """What answers for a part: its trained `network` (None where nothing was trained), with the read-out of its run
    around it if it has one. `only_read`: without the network."""
    if not has_read_out(part, config):
        assert network is not None
        return turning(network, config)
    trained = None if only_read or is_only_read(part, config) else network
    read = put_around(trained, file_of(run, part, config), part, config, classes)
    calibrated = read_calibrations(run).get(part)
    if calibrated and isinstance(read, ReadOut):
        read.temperature.fill_(calibrated["temperature"])
    return turning(read, config)


def turning(network: Network | ReadOut | MaskReadOut, config: FinetuneConfig) -> Answering:
    """What answers for masks, asked about all turns of a picture where the settings say that nothing is up in it."""
    if config.turn and isinstance(network, Segmenter | MaskReadOut):
        return Turning(network, flip=config.flip)
    return network


def put_around(
    network: Network | None, file: Path, part: str, config: FinetuneConfig, classes: int
) -> ReadOut | MaskReadOut:
    """The read-out in a file, around a trained network (None: without one). Raises RunError when it does not fit, and
    when general weights that it needs are no longer those that it was fitted to."""
    tensors, meta = load_tensors(file)
    read = blank_read_out(part, config, classes, int(meta.get("pool", 0)))
    for prefix, _ in _encoders(read):
        if about := meta.get(prefix):
            general = find_general(about["general"])
            if general.sha256 != about["sha256"]:
                raise RunError(
                    "{file} was fitted to general weights {name} of another version of the program. Fine-tune again.",
                    file=file,
                    name=general.name,
                )
            tensors = {**{f"{prefix}{name}": value for name, value in general.read().items()}, **tensors}
    try:
        read.load_state_dict(tensors)
    except RuntimeError as error:
        raise RunError("{file} belongs to another network.", file=file) from error
    return read_with(network, read).eval()


def read_with(network: Network | None, read: ReadOut | MaskReadOut) -> ReadOut | MaskReadOut:
    """Put a read-out around a network of its kind."""
    if isinstance(read, ReadOut):
        assert network is None or isinstance(network, Classifier)
        read.network = network
    else:
        assert network is None or isinstance(network, Segmenter)
        read.network = network
    return read


def blank_read_out(part: str, config: FinetuneConfig, classes: int, pool: int) -> ReadOut | MaskReadOut:
    """One whose numbers are yet to be loaded, without a network. `pool`: pictures of its label propagation, 0: none."""
    if config.kind == "segmentation":
        dense = DenseFeatures(_blank_scale(), build_encoder(encoder_of(GENERAL if part == BESIDE else part, config), 0))
        return MaskReadOut(None, dense, PixelRidge(dense.dims, classes))
    own = _blank_features(encoder_of(PRETRAINED if part == BESIDE else part, config))
    frozen = Beside(own, _blank_features(encoder_of(GENERAL, config))) if part == BESIDE else own
    propagation = Propagation(pool, frozen.width, classes) if pool else None
    return ReadOut(None, frozen, Ridge(frozen.width, classes), propagation, flip=config.flip)


def _blank_features(encoder: EncoderConfig) -> FrozenFeatures:
    return FrozenFeatures(_blank_scale(), build_encoder(encoder, 0))


def _blank_scale() -> PixelScale:
    return PixelScale(torch.zeros(1, 3, 1, 1, dtype=torch.uint8))
