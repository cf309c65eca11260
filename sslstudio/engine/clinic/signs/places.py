"""Puzzles of tiles that cannot be solved, or are solved by the way: blank tiles, edges that fit."""

from dataclasses import replace

import torch
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import CAREFUL, UNSUITABLE, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Asks, Fault
from sslstudio.engine.transforms.geometry import BLANK, blank_share

EMPTY, EMPTY_TITLE = "blank", Message("Blank tiles")
EDGES, EDGES_TITLE = "edges", Message("Edges that fit together")
MANY_BLANK, MOSTLY_BLANK = 0.3, 0.6
EDGE_FITS = 0.45  # neighbours found by their edges (guessing: 1 in 8)


def blank(seen: LookedAt) -> Finding:
    """Careful from three blank ninths in ten on: they fit anywhere. Unsuitable where the tasks themselves refuse."""
    share = blank_share(seen.images)
    words = Message("{share:.0%} of the ninths of these pictures show next to nothing", share=share)
    fine = Finding(
        name=EMPTY,
        title=EMPTY_TITLE,
        tasks=tasks_that_ask(Asks.POSITION),
        share=share,
        text=Message("{words}.", words=words),
    )
    if share < MANY_BLANK:
        return fine
    each = torch.tensor([blank_share(image[None]) for image in seen.images])
    return replace(
        fine, severity=UNSUITABLE if share > MOSTLY_BLANK else CAREFUL, changes=seen.changes(Fault.BLANK_TILES),
        examples=seen.worst(each),
        text=Message("{words}; blank tiles fit anywhere. Cut the empty border off, or take tiles from the whole "
"picture.", words=words),
    )  # fmt: skip


def edges(seen: LookedAt) -> Finding:
    """Careful when a tile's neighbour is found by fitting edges: the options leave no gap between tiles."""
    tasks = tasks_that_ask(Asks.POSITION)
    found = {task: edges_fit(seen.tiles(task, seen.options[task])) for task in tasks}
    worst = max(found, key=lambda task: found[task])
    words = Message(
        "the right neighbour of a tile has the best fitting edge in {found:.0%} of cases (guessing: 12 %)",
        found=found[worst],
    )
    text = Message("Edges do not give the order away: {words}.", words=words)
    fine = Finding(name=EDGES, title=EDGES_TITLE, tasks=tasks, share=found[worst], text=text)
    if found[worst] < EDGE_FITS:
        return fine
    kind, options = load_tasks()[worst], seen.options[worst]
    change = kind.remedy(options, Fault.FITTING_EDGES)
    names = dict.fromkeys(remedy.option for remedy in kind.remedies.get(Fault.FITTING_EDGES, ()))
    return replace(
        fine, tasks=(worst,), severity=CAREFUL, changes=(f"{worst}.{change}",) if change else (),
        examples=seen.paths[:4],
        text=Message(
            "Tiles can be put together by their edges alone: {words}. With a gap between tiles and room "
            "to move the network has to look at what they show ({options}).",
            words=words, options=[f"{name} = {getattr(options, name)}" for name in names],
        ),
    )  # fmt: skip


def edges_fit(tiles: Tensor) -> float:
    """Share of neighbours in a 3 x 3 grid (B, 9, C, s, s) whose facing edges fit better than all other tiles do."""
    sideways = _fit(tiles[..., -1], tiles[..., 0], step=1, allowed=[0, 1, 3, 4, 6, 7])
    downwards = _fit(tiles[..., -1, :], tiles[..., 0, :], step=3, allowed=[0, 1, 2, 3, 4, 5])
    return (sideways + downwards) / 2


def _fit(leaving: Tensor, entering: Tensor, step: int, allowed: list[int]) -> float:
    """`leaving`, `entering` (B, 9, C, s): the edges where one tile ends and another may begin."""
    distance = torch.cdist(leaving.flatten(2), entering.flatten(2))  # (B, 9, 9)
    distance.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    best = distance.argmin(dim=2)[:, allowed]
    shows = leaving.flatten(2).std(dim=2)[:, allowed] > BLANK
    right = best == torch.tensor(allowed) + step
    return float(right[shows].float().mean()) if bool(shows.any()) else 0.0
