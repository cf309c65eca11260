"""Puzzles of tiles that need no understanding, or cannot be solved: a tile's own look tells its place, or nothing has a
place; blank tiles, edges that fit.

All are measured on the tiles that the task would really ask about, with the options it would have.
"""

from dataclasses import replace

import torch
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import CAREFUL, UNSUITABLE, Finding, LookedAt, tasks_that_ask, tiles_of
from sslstudio.engine.clinic.signs.simple import describe, interval, right_by_picture
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Asks, Fault
from sslstudio.engine.transforms.geometry import BLANK, blank_share, standardise_each

CENTRED, CENTRED_TITLE = "centred", Message("Always the same place")
SCATTERED, SCATTERED_TITLE = "scattered", Message("Nothing has its place")
EMPTY, EMPTY_TITLE = "blank", Message("Blank tiles")
EDGES, EDGES_TITLE = "edges", Message("Edges that fit together")
LEAST = 60  # pictures: with fewer a linear classifier learns nothing
ENOUGH = 150  # pictures from which a place that cannot be told is not there to be told
NO_PLACE = 0.15  # tiles whose place is told below which there is no arrangement to learn (guessing: 0.11)
GIVEN_AWAY = 0.45  # tiles whose place is told from their own look (guessing: 1 in 9; photographs 0.2 to 0.3)
MANY_BLANK, MOSTLY_BLANK = 0.3, 0.6
EDGE_FITS = 0.45  # neighbours found by their edges (guessing: 1 in 8)
_MOST = 300


def centred(seen: LookedAt) -> Finding:
    """Careful when a simple look at one tile tells its place, as in pictures of one centred subject, and when it tells
    nothing at all, as in pictures of many small things that lie anywhere.

    Measured with a `min_crop_side` of 0.75: photographs and landscapes 0.17 to 0.28, slices of heads 0.64, cells 0.11.
    """
    tasks = tasks_that_ask(Asks.POSITION)
    fine = Finding(name=CENTRED, title=CENTRED_TITLE, tasks=tasks, text=Message("Too few pictures to tell."))
    if len(seen.images) < LEAST:
        return fine
    told = {task: _score_places(seen, task) for task in tasks}
    worst = max(told, key=lambda task: told[task][0])
    mean, low, high = told[worst]
    words = Message("a simple look at a single tile tells its place in {mean:.0%} of cases (guessing: 11 %)", mean=mean)
    if high < NO_PLACE and len(seen.images) >= ENOUGH:
        return replace(
            fine, name=SCATTERED, title=SCATTERED_TITLE, severity=CAREFUL, examples=seen.paths[:4], share=1 - mean,
            text=Message("Things lie anywhere in these pictures: {words}. A puzzle of tiles then has next to no order "
"to learn, and may stay at guessing. Tasks with two views (vicreg, vicregl) or inpainting "
"need none.", words=words),
        )  # fmt: skip
    if low <= GIVEN_AWAY:
        return replace(fine, text=Message("A tile's look does not give its place away: {words}.", words=words))
    changes = seen.changes(Fault.FIXED_POSITIONS)
    own = next((change for change in changes if change.startswith(f"{worst}.")), "")
    text = Message(
        "The same things lie at the same places: {words}. The puzzle is then solved without understanding.", words=words
    )
    if own:
        text = Message(
            "{text} Tiles from a smaller crop, which may lie anywhere, make that {better:.0%}.",
            text=text, better=_score_places(seen, worst, own.removeprefix(f"{worst}."))[0],
        )  # fmt: skip
    return replace(
        fine, severity=CAREFUL, changes=tuple(sorted(changes, key=lambda change: change != own)),
        examples=seen.paths[:4], share=mean, text=text,
        boxes=tuple((x / 3, y / 3, (x + 1) / 3, (y + 1) / 3) for y in range(3) for x in range(3)),
    )  # fmt: skip


def _score_places(seen: LookedAt, task: str, change: str = "") -> tuple[float, float, float]:
    """Score how often a tile's look tells its position, with the 95 % interval; with OPTION=VALUE changed."""
    tiles = _tiles(seen, task, change)
    pictures, count = tiles.shape[:2]
    place, picture = torch.arange(count).repeat(pictures), torch.arange(pictures).repeat_interleave(count)
    features = describe(standardise_each(tiles).flatten(0, 1))
    return interval(right_by_picture(features, place, picture, generator(0, "clinic", CENTRED, "folds")))


def _tiles(seen: LookedAt, task: str, change: str = "") -> Tensor:
    batch = seen.puzzles(task, generator(0, "clinic", "tiles"), _MOST, change)
    tiles = tiles_of(batch)
    if tiles is None:
        raise TypeError(f"{task} says that it asks about positions, but its inputs hold no tiles (B, T, 3, s, s)")
    return tiles


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
    found = {task: edges_fit(_tiles(seen, task)) for task in tasks}
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
