"""Up and down: whether a simple look tells which way up a picture is, and whether only its frame tells.

The four turns of each picture are told apart by a linear classifier on small pictures and edges, asked about pictures
that it has not seen. Measured on 400 pictures each: photographs of 32 pixels 0.46, landscapes 0.79, slices of heads
0.85, cells 0.28 to 0.31 (guessing gives 0.25).
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import CAREFUL, UNSUITABLE, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.clinic.signs.simple import describe, right_by_picture
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Asks, Fault
from sslstudio.engine.transforms.random_crop import disc, standardise_within

NAME, TITLE = "direction", Message("Up and down")
FRAME_NAME, FRAME_TITLE = "direction_frame", Message("What tells up from down")
TOO_FEW = Message("Too few pictures to tell whether they have an up and a down.")
LEAST = 60  # pictures: with fewer a linear classifier learns nothing, whatever is to be seen
ENOUGH = 150  # pictures from which what it cannot tell is not there; with fewer it may not have learnt to see it
NO_DIRECTION = 0.36  # right answers below which there is next to no up and down (guessing gives 0.25)
TEXTURE = 0.2  # share of a picture's contrast at a coarse scale below which it is a texture or many small things
FRAME_TELLS = 0.6  # right answers from the frame alone that are worth a word ...
FRAME_MORE = 0.25  # ... when they are so many more than from all the rest
FRAME = 0.1  # width of the frame, as a share of the side
_MOST = 400
_SIDE = 32


def up_and_down(seen: LookedAt) -> Finding:
    """Unsuitable for rotation when turns cannot be told and the pictures are textures; careful if only the former."""
    fine = Finding(name=NAME, title=TITLE, tasks=tasks_that_ask(Asks.DIRECTION), text=TOO_FEW)
    if len(seen.images) < ENOUGH:
        return fine
    mean = float(_right(seen, disc(_side(seen), seen.images.device)).mean())
    words = Message("a simple look tells which way up a picture is in {mean:.0%} of cases (guessing: 25 %)", mean=mean)
    if mean >= NO_DIRECTION:
        return replace(fine, text=Message("There is an up and a down: {words}.", words=words))
    texture = coarse_share(seen.lightness()) < TEXTURE
    says = Message("no up and down") if texture else Message("hardly an up and a down to be seen")
    many = Message("They show a texture or many small things, which look alike from all sides. ") if texture else ""
    return replace(
        fine, severity=UNSUITABLE if texture else CAREFUL, changes=seen.changes(Fault.NO_DIRECTION),
        examples=seen.paths[:4], share=1 - mean,
        text=Message("These pictures have {says}: {words}. {many}Rotation has little to teach here; the tasks "
"with two views may turn these pictures as far as they like, and masks are better answered over all turns of a picture "
"(fine-tuning, Turn).", says=says, words=words, many=many),
    )  # fmt: skip


def frame_tells(seen: LookedAt) -> Finding:
    """Careful for rotation when the rim of what it sees tells the turn and the rest does not: a stamp, a shadow."""
    fine = Finding(name=FRAME_NAME, title=FRAME_TITLE, tasks=tasks_that_ask(Asks.DIRECTION), text=TOO_FEW)
    if len(seen.images) < LEAST:
        return fine
    rims = {task: _score_rim_and_rest(seen, task) for task in fine.tasks}
    worst = max(rims, key=lambda task: rims[task][0] - rims[task][1])
    rim, rest = rims[worst]
    words = Message(
        "the outer tenth tells which way up a picture is in {rim:.0%} of cases, all the rest in {rest:.0%}",
        rim=rim,
        rest=rest,
    )
    if rim < FRAME_TELLS or rim < rest + FRAME_MORE:
        return replace(fine, text=Message("The subject matters, not the rim: {words}.", words=words))
    return replace(
        fine, severity=CAREFUL, changes=seen.changes(Fault.TELLING_FRAME), share=rim,
        examples=seen.paths[:4], boxes=((FRAME, FRAME, 1 - FRAME, 1 - FRAME),),
        text=Message("The rim gives the answer away: {words}. A stamp, a border or a shadow at the edge does "
"that. Look at a round crop, without the corners, or at a smaller one, or cut the rim off.", words=words),
    )  # fmt: skip


def _score_rim_and_rest(seen: LookedAt, task: str) -> tuple[float, float]:
    """Score the share of the turns told right by the outer tenth of what a task would see, and by the rest."""
    is_round = load_tasks()[task].sees_disc(seen.options[task])
    rim, rest = (float(_right(seen, part).mean()) for part in _rim_and_rest(_side(seen), is_round))
    return rim, rest


def _rim_and_rest(side: int, is_round: bool) -> tuple[Tensor, Tensor]:
    """Masks (s, s) of the outer tenth of a square or a disc, and of the rest of it."""
    steps = ((torch.arange(side) + 0.5) / side - 0.5) * 2
    far = torch.hypot(steps[:, None], steps) if is_round else torch.maximum(steps[:, None].abs(), steps.abs())
    return ((far > 1 - 2 * FRAME) & (far <= 1)).float(), (far <= 1 - 2 * FRAME).float()


def coarse_share(lightness: Tensor) -> float:
    """Median over pictures (n, S, S) of the share of their contrast that is left in 4 x 4 means."""
    coarse = F.adaptive_avg_pool2d(lightness[:, None], 4).flatten(1).var(dim=1, correction=0)
    return float((coarse / lightness.flatten(1).var(dim=1, correction=0).clamp_min(1e-5)).median())


def _side(seen: LookedAt) -> int:
    return min(_SIDE, seen.side)


def _right(seen: LookedAt, shown: Tensor) -> Tensor:
    """Share of the four turns told right for each picture, when only the places where `shown` is 1 are seen."""
    small = F.adaptive_avg_pool2d(seen.spread(_MOST).float() / 255, _side(seen))
    upright = standardise_within(small, shown)
    turned = torch.cat([torch.rot90(upright, turn, dims=(-2, -1)) for turn in range(4)])
    count = len(upright)
    turn, picture = torch.arange(4).repeat_interleave(count), torch.arange(count).repeat(4)
    return right_by_picture(describe(turned), turn, picture, generator(0, "clinic", NAME))
