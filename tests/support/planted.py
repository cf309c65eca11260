"""Healthy pictures, and the faults that the clinic and the audit must catch, planted into them."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import LookedAt
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.dataset.near_duplicates import Group
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.transforms.geometry import to_float

SIDE = 48


def textures(count: int, side: int = SIDE, seed: int = 0) -> Tensor:
    """uint8 (count, 3, side, side): smooth coloured fields with grain, without an up or a subject.

    As in photographs, red, green and blue have most of their structure in common.
    """
    rng = generator(seed, "textures")
    shape = (count, 1, side // 4, side // 4)
    cells = 0.6 * torch.rand(shape, generator=rng) + 0.4 * torch.rand(count, 3, *shape[2:], generator=rng)
    fields = F.interpolate(cells, size=side, mode="bicubic", align_corners=False)
    grain = 0.02 * torch.randn(count, 3, side, side, generator=rng)
    return ((fields + grain).clamp(0, 1) * 255).to(torch.uint8)


def landscapes(count: int, seed: int = 0) -> Tensor:
    """uint8 (count, 3, SIDE, SIDE): textures that are lighter and bluer above a horizon at a random height."""
    rng = generator(seed, "landscapes")
    below = torch.linspace(0, 1, SIDE).view(1, 1, SIDE, 1) > 0.25 + 0.5 * torch.rand(count, 1, 1, 1, generator=rng)
    sky = to_float(textures(count, seed=seed + 1)) * 0.25 + torch.tensor([0.45, 0.55, 0.7]).view(1, 3, 1, 1)
    ground = to_float(textures(count, seed=seed)) * torch.tensor([0.7, 0.7, 0.4]).view(1, 3, 1, 1)
    return (torch.where(below, ground, sky) * 255).to(torch.uint8)


def stamped(images: Tensor, share: float = 1.0, height: int = 5) -> Tensor:
    """Letters in the bottom left corner of the first `share` of the pictures, always the same way up."""
    letters = torch.from_numpy(np.random.default_rng(1).random((height, 9)) < 0.5)
    result, side = images.clone(), images.shape[-1]
    some = result[: round(share * len(images)), :, side - 1 - height : side - 1, 2:11]
    some[:] = torch.where(letters, torch.tensor(245, dtype=torch.uint8), torch.tensor(10, dtype=torch.uint8))
    return result


def letterboxed(images: Tensor, rows: int = 5) -> Tensor:
    """Black strips at the top and at the bottom."""
    result = images.clone()
    result[:, :, :rows] = result[:, :, -rows:] = 0
    return result


def vignetted(images: Tensor) -> Tensor:
    """Darker towards the corners."""
    steps = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1] * 2 - 1
    squared = (steps[:, None] ** 2 + steps[None, :] ** 2) / 2
    return (images.float() * (1 - 0.6 * squared**1.5)).to(torch.uint8)


def aberrated(images: Tensor, red: float, blue: float) -> Tensor:
    """Red and blue drawn larger by these shares than green."""
    shades = to_float(images)

    def drawn(channel: int, factor: float) -> Tensor:
        matrix = torch.tensor([[1 / factor, 0, 0], [0, 1 / factor, 0]]).expand(len(images), 2, 3)
        plane = shades[:, channel : channel + 1]
        grid = F.affine_grid(matrix, list(plane.shape), align_corners=False)
        return F.grid_sample(plane, grid, padding_mode="border", align_corners=False)

    planes = [drawn(0, 1 + red), shades[:, 1:2], drawn(2, 1 + blue)]
    return (torch.cat(planes, dim=1) * 255).round().clamp(0, 255).to(torch.uint8)


def grey(images: Tensor) -> Tensor:
    """The same in shades of grey."""
    return images.float().mean(dim=1, keepdim=True).expand(-1, 3, -1, -1).to(torch.uint8)


def looked_at(images: Tensor, copies: tuple[Group, ...] = (), **options: BaseConfig) -> LookedAt:
    """What the clinic would look at, were these all pictures: four in five train, the last ones are tested on."""
    paths = tuple(f"{number:04}.png" for number in range(len(images)))
    cut = round(0.8 * len(paths))
    registry = load_tasks()
    return LookedAt(
        images=images,
        paths=paths,
        every=paths,
        sizes=np.full((len(paths), 2), 200, np.int32),
        copies=copies,
        split=Split(train=paths[:cut], validation=(), test=paths[cut:]),
        options={task: options.get(task) or registry[task].Config() for task in registry},
    )
