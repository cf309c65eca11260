"""Pictures that are nearly the same: a photograph saved again, resized or brightened, or the next slice of a scan.

Each picture becomes the low frequencies of its lightness (a discrete cosine transform), the finer ones weighing more,
because natural pictures have most of their energy in the coarse ones, in which many look alike (Field 1987: amplitude
falls as 1/frequency). Two pictures are nearly the same when the cosine of their signatures is above LIKENESS. Measured:
copies that were brightened, resized by a quarter and saved as JPEG have 0.95 to 1, the nearest of 600 different drawn
pictures 0.72, those of photographs of 32 pixels 0.70; neighbouring slices of one scan have 0.9 to 1.

Letters: N pictures, S their side, F frequencies along each axis, D length of a signature.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from sslstudio.engine.dataset.split import PARTS, Split

LIKENESS = 0.92
MOST = 20_000  # pictures compared at most: the time grows with their square (10 s for these, on one core)
_SIDE = 32  # pixels that signatures are taken from
_FREQUENCIES = 16
_FLAT = 2.0  # shades: a picture that deviates less shows nothing that could be compared
_ROWS = 256  # pictures compared with all others at once: bounds the memory
_CHUNK = 512

Group = tuple[int, ...]


def near_duplicates(
    images: Tensor | Iterable[Tensor], limit: int | None = MOST, likeness: float = LIKENESS
) -> list[Group]:
    """Groups of two or more pictures that are nearly the same, as their numbers, each group in ascending order.

    `images`: uint8 (N, 3, S, S), or chunks of such in order. A picture is in one group at most; a chain of pictures,
    each like the next, is one group. Only the first `limit` pictures are compared (None: all). Blank pictures have no
    copies.
    """
    signatures = _signatures(images, limit)
    label = np.arange(len(signatures))
    for start in range(0, len(signatures), _ROWS):
        rows = signatures[start : start + _ROWS]
        alike = rows @ signatures[: start + len(rows)].T > likeness
        label = _join_groups(label, start, alike)
    members: dict[int, list[int]] = {}
    for number, group in enumerate(label.tolist()):
        members.setdefault(group, []).append(number)
    return sorted(tuple(group) for group in members.values() if len(group) > 1)


def copies_among(
    tested: Tensor | Iterable[Tensor], others: Tensor | Iterable[Tensor], limit: int | None = MOST
) -> dict[int, int]:
    """For each tested picture that has nearly the same one among the others, the number of the most alike.

    Images as in `near_duplicates`; only the first `limit` of each side are compared. The time grows with the product of
    both, not with the square of all.
    """
    wanted, there = _signatures(tested, limit), _signatures(others, limit)
    found: dict[int, int] = {}
    if not len(there):
        return found
    for start in range(0, len(wanted), _ROWS):
        most, place = (wanted[start : start + _ROWS] @ there.T).max(dim=1)
        for row in torch.nonzero(most > LIKENESS).flatten().tolist():
            found[start + row] = int(place[row])
    return found


def across(groups: Sequence[Group], paths: Sequence[str], split: Split) -> list[tuple[str, str]]:
    """(held-out picture, a copy of it in an earlier part) for each held-out picture that has one.

    `paths`: of the pictures that the groups number. The order of the parts is train, validation, test: a test picture
    that was trained or watched with makes the result look better than it is.
    """
    part_of = {path: number for number, part in enumerate(PARTS) for path in getattr(split, part)}
    pairs: list[tuple[str, str]] = []
    for group in groups:
        members = sorted((part_of[paths[one]], paths[one]) for one in group if paths[one] in part_of)
        earliest = members[0] if members else (0, "")
        pairs += [(path, earliest[1]) for part, path in members if part > earliest[0]]
    return sorted(pairs)


def straddling(groups: Sequence[Group], paths: Sequence[str], split: Split) -> int:
    """How many held-out pictures have a near copy in an earlier part: see `across`."""
    return len(across(groups, paths, split))


def _signatures(images: Tensor | Iterable[Tensor], limit: int | None) -> Tensor:
    """float32 (N, D), each of length 1, or 0 for a picture without structure."""
    parts: list[Tensor] = []
    room = math.inf if limit is None else limit
    for chunk in _chunks(images):
        if room <= 0:
            break
        parts.append(signature(chunk[: int(min(room, len(chunk)))]))
        room -= len(parts[-1])
    return torch.cat(parts) if parts else torch.zeros(0, 1)


def _chunks(images: Tensor | Iterable[Tensor]) -> Iterator[Tensor]:
    for part in [images] if isinstance(images, Tensor) else images:
        if len(part):
            yield from torch.split(part, _CHUNK)


def signature(images: Tensor) -> Tensor:
    """float32 (N, D) of uint8 (N, 3, S, S): weighted low frequencies without the mean, of length 1 (0 if blank)."""
    side = min(_SIDE, *images.shape[-2:])
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device)
    shades = torch.einsum("c,nchw->nhw", weights, images.float())
    small = F.adaptive_avg_pool2d(shades[:, None], side)[:, 0]
    waves = _waves(side, min(_FREQUENCIES, side)).to(images.device)
    steps = torch.arange(len(waves), device=images.device).float()
    weighted = (waves @ small @ waves.T * torch.hypot(steps[:, None], steps[None, :])).flatten(1)
    shows = small.flatten(1).std(dim=1, correction=0) > _FLAT
    return F.normalize(weighted, dim=1) * shows[:, None]


def _waves(side: int, count: int) -> Tensor:
    """(count, side): the first rows of the orthonormal discrete cosine transform (type II)."""
    places, steps = torch.arange(side) + 0.5, torch.arange(count)
    waves = torch.cos(math.pi / side * steps[:, None] * places[None, :]) * math.sqrt(2 / side)
    waves[0] /= math.sqrt(2)
    return waves


def _join_groups(label: npt.NDArray[np.int64], start: int, alike: Tensor) -> npt.NDArray[np.int64]:
    """Join groups by what a block of rows is alike to: `alike` bool (rows, pictures up to the end of the block)."""
    row, column = torch.nonzero(alike, as_tuple=True)
    links = np.unique(np.stack([label[row.cpu().numpy() + start], label[column.cpu().numpy()]]), axis=1)
    count = len(label)
    graph = coo_matrix((np.ones(links.shape[1], np.int8), (links[0], links[1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)[label]
