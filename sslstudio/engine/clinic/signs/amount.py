"""Is there enough: few pictures, small pictures, and pictures that are there several times."""

from dataclasses import replace

import numpy as np

from sslstudio.engine.clinic.signs.looked import CAREFUL, EXAMPLES, UNSUITABLE, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.groups import group_paths, suggest_groups
from sslstudio.engine.dataset.near_duplicates import across
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Asks, Fault

FEW, FEW_TITLE = "few", Message("Number of pictures")
SMALL, SMALL_TITLE = "small", Message("Size of the pictures")
COPIES, COPIES_TITLE = "copies", Message("Pictures that are there twice")
LEAST_PICTURES, GOOD_PICTURES = 50, 200  # the first: fewer than a batch; the second: below it runs learn by heart
LEAST_SIDE = 48  # pixels: nine tiles of less than 16 pixels show parts of nothing
MANY_COPIES = 0.02  # share of pictures with a near copy
LEAKING = 0.01  # share of held-out pictures with a near copy in an earlier part


def few_pictures(seen: LookedAt) -> Finding:
    """Careful below 200 pictures to train on, unsuitable below 50."""
    count = len(seen.split.train)
    tasks = tuple(load_tasks().names())
    fine = Finding(name=FEW, title=FEW_TITLE, tasks=tasks, text=Message("{count:,} pictures to train on.", count=count))
    if count >= GOOD_PICTURES:
        return fine
    return replace(
        fine, severity=UNSUITABLE if count < LEAST_PICTURES else CAREFUL, changes=("encoder.name=small",),
        text=Message("Only {count:,} pictures are there to train on; {good_pictures} or more are needed before a "
"network learns more than these by heart. Add pictures, labelled or not; a small encoder "
"remembers less.", count=count, good_pictures=GOOD_PICTURES),
    )  # fmt: skip


def small_pictures(seen: LookedAt) -> Finding:
    """Careful for tiles when pictures have less than 48 pixels a side, in the files or as the network gets them."""
    short = seen.sizes.min(axis=1)
    typical = float(np.median(short))
    words = Message(
        "the short side of the files is typically {typical:.0f} pixels, and the network gets {side}",
        typical=typical,
        side=seen.side,
    )
    tasks = tasks_that_ask(Asks.POSITION)
    fine = Finding(name=SMALL, title=SMALL_TITLE, tasks=tasks, text=Message("Large enough: {words}.", words=words))
    if min(typical, seen.side) >= LEAST_SIDE:
        return fine
    larger = (f"data.side={min(96, int(typical) // 8 * 8)}",)
    changes = larger if typical >= LEAST_SIDE else seen.changes(Fault.SMALL_PICTURES)
    share = float((short < LEAST_SIDE).mean())
    examples = tuple(seen.every[place] for place in np.argsort(short, kind="stable")[:3])
    return replace(
        fine, severity=CAREFUL, changes=changes, share=share, examples=examples,
        text=Message("A ninth of such pictures shows little: {words}. Tasks that look at the picture as a whole "
"suit small pictures better; else take the tiles from all of it.", words=words),
    )  # fmt: skip


def copies(seen: LookedAt) -> Finding:
    """Careful when pictures are there several times, above all on both sides of the split."""
    leaking = across(seen.copies, seen.every, seen.split)
    held_out = max(1, len(seen.split.validation) + len(seen.split.test))
    copied = sum(len(group) for group in seen.copies)
    share = copied / max(1, len(seen.every))
    words = Message(
        "{copied:,} of {every:,} pictures have a near copy ({copies:,} groups), and {leaking:,} of "
        "{held_out:,} held-out pictures have one among those learnt from",
        copied=copied,
        every=len(seen.every),
        copies=len(seen.copies),
        leaking=len(leaking),
        held_out=held_out,
    )
    examples = tuple(path for pair in leaking for path in pair)[:EXAMPLES]
    examples = examples or tuple(seen.every[one] for group in seen.copies for one in group[:2])[:EXAMPLES]
    tasks = tuple(load_tasks().names())
    fine = Finding(
        name=COPIES, title=COPIES_TITLE, tasks=tasks, share=share,
        text=Message("{words}.", words=words), examples=examples, counts=False
    )  # fmt: skip
    if share < MANY_COPIES and len(leaking) < LEAKING * held_out:
        return fine
    rule = _rule_that_helps(seen)
    cure = Message("Keep what belongs together on one side of the split") if rule else Message("Take the copies out")
    return replace(
        fine, severity=CAREFUL, changes=(f"data.groups={rule}",) if rule else (),
        text=Message("{words}: results on them look better than they are. {cure}.", words=words, cure=cure),
    )  # fmt: skip


def _rule_that_helps(seen: LookedAt) -> str:
    """A rule for groups under which most near copies belong together; "" if the names give none."""
    rule = suggest_groups(seen.every)
    if not rule:
        return ""
    group = group_paths(seen.every, rule)
    together = sum(len({group[seen.every[one]] for one in members}) == 1 for members in seen.copies)
    return rule if together > len(seen.copies) / 2 else ""
