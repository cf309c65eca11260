"""What further labels would give a run: the curve of its own labels, read from the features that its read-out reads."""

from collections.abc import Generator
from pathlib import Path

import torch
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.finetuning.labelled import labels_of
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.finetuning.use.propose import best_part
from sslstudio.engine.models.read_out import Beside, FrozenFeatures, ReadOut
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.session import reopen_session
from sslstudio.engine.transforms.geometry import to_float
from sslstudio.engine.verdicts.label_curve import FEWEST, LabelCurve, measure_curve

CHUNK = 64


def read_label_curve(run: Path, control: RunControl) -> Generator[Preparing, None, LabelCurve]:
    """The curve of all labels of a fine-tuning that sorts pictures into classes: nothing is trained, so it takes
    seconds. Raises DataError where there are too few labels or no classes, RunError when stopped."""
    folder = RunFolder.open(run)
    network = run if folder.read_json("folds.json") is None else run / "fold-1"
    trained = load_trained(network, part=best_part(folder.finetune_metrics()))
    read = trained.predictor.network
    if not isinstance(read, ReadOut):
        raise DataError(
            "What further labels give can be told of classes that are read from features (answers by: averaged), not "
            "of masks."
        )
    device = trained.predictor.device
    session = yield from reopen_session(trained.run, trained.config.data, device, control)
    of, names = labels_of(session, trained.config)
    paths = sorted(of)
    features = yield from _features(read.frozen, Pictures(session.cache, paths, device), device, control)
    together = groups_of(paths, trained.config.data.groups, session.recognised.groups)
    groups = None
    if together:
        order = {group: number for number, group in enumerate(sorted(set(together.values())))}
        groups = torch.tensor([order[together[path]] for path in paths])
    yield Preparing(stage=Message("Following the curve"), done=0, total=0)
    curve = measure_curve(features, torch.tensor([of[path] for path in paths]), len(names), groups)
    if curve is None:
        raise DataError(
            "{labels:,} labels are too few for a curve: it takes {fewest} or more, two of each class.",
            labels=len(paths),
            fewest=FEWEST,
        )
    return curve


def _features(
    frozen: FrozenFeatures | Beside, pictures: Pictures, device: Device, control: RunControl
) -> Generator[Preparing, None, Tensor]:
    found: list[Tensor] = []
    for number, chosen in enumerate(pictures.chunks(CHUNK)):
        if control.stopping:
            raise RunError("Stopped.")
        yield Preparing(stage=Message("Reading features"), done=number * CHUNK, total=len(pictures))
        with torch.no_grad(), device.autocast():
            found.append(frozen(to_float(pictures.take(chosen))).float().cpu())
    return torch.cat(found)
