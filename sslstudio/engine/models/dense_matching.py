"""Which place of one view is which place of the other: by where it lies in the picture, or by what it looks like.

Letters: B pictures with two views each, P = h * w places of a view's map, row by row, D length of a place's embedding.
Places are (x, y) in -1..1 from edge to edge of a view.
"""

import torch
from torch import Tensor

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.process_group import sum_over_ranks
from sslstudio.engine.compute.resampling import sample
from sslstudio.engine.models.joint_embedding_losses import exact
from sslstudio.engine.transforms.two_views import cell_places, inverse, map_places


def counterparts(matrices: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where the centre of each place lies in the other view (B, 2, P, 2), and whether that view shows it (B, 2, P).

    matrices (B, 2, 2, 3) take places of a view to places of the picture.
    """
    in_picture = map_places(matrices, cell_places(height, width, matrices.device))
    in_other = map_places(inverse(matrices.flip(1)), in_picture)
    return in_other, (in_other.abs() <= 1.0).all(dim=-1)


def at_places(embedded: Tensor, spots: Tensor, height: int, width: int) -> Tensor:
    """Embeddings (B, 2, P, D) read at spots (B, 2, N, 2), between the centres of cells: (B, 2, N, D)."""
    maps = embedded.flatten(0, 1).transpose(1, 2).reshape(-1, embedded.shape[-1], height, width)  # (2B, D, h, w)
    read = sample(maps, spots.flatten(0, 1).unsqueeze(1))
    return read[:, :, 0].transpose(1, 2).reshape(len(embedded), 2, -1, embedded.shape[-1])


@torch.no_grad()
def alike(embedded: Tensor, other: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """For each place the number of the nearest of `other` (both (B, 2, P, D)), and the `share` of places to keep.

    Kept (bool, (B, 2, P)) are in each view those whose nearest is the nearest.
    """
    with exact(embedded):
        distance = torch.cdist(embedded.float(), other.float())  # (B, 2, P, P)
    least, number = distance.min(dim=-1)
    ranked = least.argsort(dim=-1).argsort(dim=-1)
    return number, ranked < max(1, round(share * number.shape[-1]))


def likeness_loss(embedded: Tensor, other: Tensor, counted: Tensor) -> Tensor:
    """The mean square of the difference of embeddings (B, 2, P, D) over the places that count (B, 2, P); 0 if none."""
    each = (embedded - other).square().mean(dim=-1)
    weights = counted.to(each.dtype)
    return sum_over_ranks((each * weights).sum()) / sum_over_ranks(weights.sum()).clamp_min(1.0)


@torch.no_grad()
def near_share(number: Tensor, spots: Tensor, shown: Tensor, height: int, width: int) -> Tensor:
    """Share of the shown places whose chosen counterpart (a number, (B, 2, P)) is no further than a cell from the true
    one: 0-dimensional, 0 if none is shown."""
    cells = constant((2.0 / width, 2.0 / height), spots.device, spots.dtype)
    away = (cell_places(height, width, spots.device)[number] - spots).abs() / cells
    near = (away <= 1.0).all(dim=-1) & shown
    return near.sum() / shown.sum().clamp_min(1)
