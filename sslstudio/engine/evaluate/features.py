"""Features of an encoder that is left as it is: one vector a picture, or one a place of a picture, from each stage."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.resampling import sample
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.finetuned import pool_stages

CHUNK = 64
MEASURED_ON = 256  # pictures


@contextmanager
def _as_it_is(encoder: Encoder) -> Iterator[None]:
    """Evaluation mode and no gradients inside; every layer is put back to the mode that it was in."""
    modes = [(layer, layer.training) for layer in encoder.modules()]
    encoder.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer, mode in modes:
            layer.training = mode


def stage_features(encoder: Encoder, images: Tensor, device: Device | None = None) -> list[Tensor]:
    """For each stage float32 (n, D) on the CPU: a 2x2 grid of means for stages 1 to 3, the mean of stage 4.

    `images`: float (n, 3, H, W) as the encoder expects them (`PixelScale`).
    """
    return _features(encoder, images, pool_stages, device)


def dense_features(encoder: Encoder, images: Tensor, grid: int, device: Device | None = None) -> list[Tensor]:
    """For each stage float32 (n, grid * grid, D) on the CPU, at the same evenly spaced places whatever its stride.

    A stage of few places is read between them (bilinearly), as a decoder would.
    """

    def read(maps: list[Tensor]) -> list[Tensor]:
        return [_at_places(features, grid) for features in maps]

    return _features(encoder, images, read, device)


def _features(
    encoder: Encoder, images: Tensor, read: Callable[[list[Tensor]], list[Tensor]], device: Device | None
) -> list[Tensor]:
    found: list[list[Tensor]] = []
    with _as_it_is(encoder):
        for chunk in torch.split(images, CHUNK):
            maps = _maps(encoder, chunk, device)
            found.append([values.float().cpu() for values in read(maps)])
    return [torch.cat(stage) for stage in zip(*found, strict=True)]


def _maps(encoder: Encoder, images: Tensor, device: Device | None) -> list[Tensor]:
    images = images.contiguous(memory_format=torch.channels_last)
    if device is None:
        return encoder.stages(images)
    with device.autocast():
        return encoder.stages(images)


def _at_places(features: Tensor, grid: int) -> Tensor:
    steps = (torch.arange(grid, device=features.device) + 0.5) / grid * 2 - 1
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    where = torch.stack([columns, rows], dim=-1).expand(len(features), grid, grid, 2)
    read = sample(features.float(), where)
    return read.flatten(2).transpose(1, 2)


def classes_at_positions(masks: Tensor, grid: int) -> Tensor:
    """int64 (n, grid * grid): the class of masks (n, H, W) at the places of `dense_features`."""
    rows, columns = (((torch.arange(grid) + 0.5) / grid * side).to(torch.int64) for side in masks.shape[1:])
    return masks[:, rows[:, None], columns[None, :]].flatten(1).to(torch.int64)


@torch.no_grad()
def copy_with_own_statistics(encoder: Encoder, images: Tensor) -> Encoder:
    """A copy whose batch statistics are those of up to 256 of `images` (as for `stage_features`), mixed: sorted by
    class, a batch would have statistics of its own.

    Pretraining sees tiles and crops, the probes whole pictures; and an untrained network has no statistics at all. The
    encoder itself is not touched.
    """
    twin = copy.deepcopy(encoder)
    twin.compiled = False  # for a few batches, each of another shape or mode, compiling would take minutes
    for layer in twin.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over the batches
    twin.train()
    mixed = images[torch.randperm(len(images), generator=generator(0, "mixed"))[:MEASURED_ON].to(images.device)]
    for chunk in torch.split(mixed, CHUNK):
        if len(chunk) > 1:
            _maps(twin, chunk, None)
    return twin.eval()
