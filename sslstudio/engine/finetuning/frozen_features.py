"""Features of an encoder as it stands, to compare pictures by."""

from collections.abc import Generator

import numpy as np
import torch

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.embedding_map import Features
from sslstudio.engine.evaluate.features import MEASURED_ON, copy_with_own_statistics, stage_features
from sslstudio.engine.finetuning.networks import SCALE_FROM
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.finetuned import PixelScale
from sslstudio.engine.transforms.geometry import to_float

CHUNK = 64


def read_features(encoder: Encoder, pictures: Pictures, device: Device) -> Generator[Preparing, None, Features]:
    """Features (N, D) of the last stage, with batch statistics of these pictures."""
    scale = PixelScale(pictures.spread(SCALE_FROM).cpu(), encoder.spec.pixels).to(device.handle)
    with torch.no_grad():
        twin = copy_with_own_statistics(encoder.to(device.handle), scale(to_float(pictures.spread(MEASURED_ON))))
    found = []
    for chosen in pictures.chunks(CHUNK):
        with torch.no_grad():
            images = scale(to_float(pictures.take(chosen)))
        found.append(stage_features(twin, images, device)[-1])
        yield Preparing(stage=Message("Comparing pictures"), done=int(chosen[-1]) + 1, total=len(pictures))
    return np.asarray(torch.cat(found).numpy(), np.float32)
