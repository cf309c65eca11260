"""The read-out of a part: fitted once before its network is trained, kept in the run folder, put around the network.

readout.safetensors    (scratch-readout.safetensors of the twin) the encoder as the part begins with it, the ridge
                       regression and the pool of the label propagation

What is scored is what is delivered: the result, predictions, heat maps and exports all come through `put_around`.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.arms import UNTRAINED
from sslstudio.engine.evaluate.label_propagation import propagate
from sslstudio.engine.evaluate.linear_and_knn import fit_ridge
from sslstudio.engine.finetuning.calibration import read_calibrations
from sslstudio.engine.finetuning.labelled import is_averaged, is_closed_form, prefix_of
from sslstudio.engine.finetuning.recipe import CALIBRATED_ON, CHUNK
from sslstudio.engine.models.encoders import build_encoder
from sslstudio.engine.models.finetuned import Classifier, Network, PixelScale
from sslstudio.engine.models.read_out import FrozenFeatures, Propagation, ReadOut, Ridge
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors, save_tensors
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.transforms.geometry import to_float

MOST_IN_POOL = 4096  # pictures of the pool: their graph takes seconds
MOST_NUMBERS = 8_000_000  # of the pool's features: 32 MB in the run folder and in an export
NEVER = -100.0  # score of a class that no labelled picture has; -inf would be nan in some runtimes


def file_of(run: RunFolder, part: str, config: FinetuneConfig) -> Path:
    """Where the read-out of a part is kept. Of untrained features it is that of the twin from scratch."""
    return run.path / f"{prefix_of(part, config)}readout.safetensors"


def fit_read_out(
    frozen: FrozenFeatures, unlabelled: Pictures, labelled: Sequence[str], targets: Tensor, classes: int, *,
    propagates: bool, flip: bool, device: Device,
) -> ReadOut:  # fmt: skip
    """Fit ridge regression and label propagation on frozen features; the network comes later.

    `unlabelled`: the pictures of the training part, the `labelled` ones among them; `targets` int64 (n,): the classes
    of these. Sets the scale of the features by up to 512 mixed pictures.
    """
    frozen = frozen.to(device.handle)
    standard = _features(frozen, unlabelled.chosen(unlabelled.mix(CALIBRATED_ON)), device, raw=True)
    frozen.standard.fit(standard.to(device.handle))
    pool = pool_of(unlabelled, labelled, frozen.width if propagates else 0)
    features = _features(frozen, pool, device)
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
        propagation.pool.copy_(torch.nn.functional.normalize(features, dim=1))
        propagation.shares.copy_(propagate(features, known, taught, classes))
    return ReadOut(None, frozen, ridge, propagation, flip=flip).to(device.handle).eval()


def pool_of(unlabelled: Pictures, labelled: Sequence[str], width: int) -> Pictures:
    """The labelled pictures and, as far as there is room for `width` features of each, others, mixed."""
    room = min(MOST_IN_POOL, MOST_NUMBERS // width) if width else len(labelled)
    own = set(labelled)
    mixed = [path for path in unlabelled.chosen(unlabelled.mix(len(unlabelled))).paths if path not in own]
    return unlabelled.of([*labelled, *mixed[: max(0, room - len(labelled))]])


@torch.no_grad()
def _features(frozen: FrozenFeatures, pictures: Pictures, device: Device, *, raw: bool = False) -> Tensor:
    """Features (n, D), float32 on the CPU."""
    found = []
    for chosen in pictures.chunks(CHUNK):
        images = to_float(pictures.take(chosen))
        with device.autocast():
            features = frozen.raw(images) if raw else frozen(images)
        found.append(features.float().cpu())
    return torch.cat(found)


def save_read_out(read: ReadOut, file: Path) -> None:
    """Write it without its network, which has a checkpoint of its own."""
    tensors = {name: value for name, value in read.state_dict().items() if not name.startswith("network.")}
    save_tensors(file, tensors, {"pool": 0 if read.propagation is None else len(read.propagation.pool)})


def answering_network(
    part: str, network: Network | None, config: FinetuneConfig, run: RunFolder, classes: int
) -> Network | ReadOut:
    """What answers for a part: its trained `network` (None where nothing was trained), with the read-out of its run
    around it if it has one."""
    if not is_averaged(config):
        assert network is not None
        return network
    trained = None if part == UNTRAINED or is_closed_form(config) else network
    read = put_around(trained, file_of(run, part, config), config, classes)
    calibrated = read_calibrations(run).get(part)
    if calibrated:
        read.temperature.fill_(calibrated["temperature"])
    return read


def put_around(network: Network | None, file: Path, config: FinetuneConfig, classes: int) -> ReadOut:
    """The read-out in a file, around a trained network (None: without one). Raises RunError when it does not fit."""
    tensors, meta = load_tensors(file)
    read = blank_read_out(config, classes, int(meta.get("pool", 0)))
    try:
        read.load_state_dict(tensors)
    except RuntimeError as error:
        raise RunError("{file} belongs to another network.", file=file) from error
    assert network is None or isinstance(network, Classifier)
    read.network = network
    return read.eval()


def blank_read_out(config: FinetuneConfig, classes: int, pool: int) -> ReadOut:
    """One whose numbers are yet to be loaded, without a network. `pool`: pictures of its label propagation, 0: none."""
    frozen = FrozenFeatures(PixelScale(torch.zeros(1, 3, 1, 1, dtype=torch.uint8)), build_encoder(config.encoder, 0))
    propagation = Propagation(pool, frozen.width, classes) if pool else None
    return ReadOut(None, frozen, Ridge(frozen.width, classes), propagation, flip=config.flip)
