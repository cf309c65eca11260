"""A batch in parts: computed one after the other where all of its pictures together do not fit into memory.

The gradients of the parts are added, each weighted with its share of the pictures, so the step is that of the whole
batch as far as the loss is a mean over pictures. Batch norm sees one part at a time, and so does a loss that compares
pictures with each other: that is said.
"""

import math

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.messages import NOTHING, Message

WHOLE = slice(None)
LEAST = 2  # pictures in a part: batch norm needs two


def part_count(batch_size: int, wanted: int) -> int:
    """The number of parts nearest to `wanted` that leaves each of them enough pictures."""
    return max(1, min(wanted, batch_size // LEAST))


def finer(batch_size: int, parts: int) -> int:
    """Twice as many parts. Raises RunError when they cannot be smaller."""
    now = part_count(batch_size, 2 * parts)
    if now == parts:
        raise RunError(
            "The memory does not suffice for {ceil} pictures at once. Take smaller pictures or a smaller "
            "encoder, or close other programs. The last checkpoint is kept.",
            ceil=math.ceil(batch_size / parts),
        )
    return now


def parts_holding(batch_size: int, most: int) -> int:
    """Into how many parts of `most` pictures at most (as far as it can be) a batch is cut."""
    return part_count(batch_size, math.ceil(batch_size / max(1, most)))


def parts_of(batch_size: int, parts: int) -> list[tuple[slice, float]]:
    """The parts, as even as can be, and the share of the batch that each holds. One part is `WHOLE` itself."""
    if parts == 1:
        return [(WHOLE, 1.0)]
    size, longer = divmod(batch_size, parts)
    sizes = [size + (number < longer) for number in range(parts)]
    ends = [sum(sizes[: number + 1]) for number in range(parts)]
    return [(slice(end - one, end), one / batch_size) for one, end in zip(sizes, ends, strict=True)]


def counted(part: slice) -> tuple[int, ...]:
    """What tells the generator of a part from that of the whole batch, which keeps the numbers that it always drew."""
    return () if part is WHOLE else (int(part.start),)


def in_parts_words(batch_size: int, parts: int, compares: bool, asked: bool = False) -> Message:
    """What is said when a batch is computed in parts, because it was `asked` for or because it does not fit."""
    size = math.ceil(batch_size / parts)
    why = (
        NOTHING
        if asked
        else Message("The memory does not suffice for {batch_size} pictures at once. ", batch_size=batch_size)
    )
    seen = Message("Batch norm sees {size} pictures at a time", size=size)
    if compares:
        seen = Message("Pictures are compared within a part only, as if a batch had {size}", size=size)
    return Message(
        "{why}Each step is computed in {parts} parts of {size} and their gradients are added, so a "
        "step still learns from {batch_size}. {seen}.",
        why=why,
        parts=parts,
        size=size,
        batch_size=batch_size,
        seen=seen,
    )


def left_out_words(what: str) -> Message:
    """What is said when a look at a network while it trains does not fit beside the training and is left out."""
    return Message(
        "The memory does not suffice to look at {what} beside the training, so that look is left "
        "out. The training goes on as it would. Smaller pictures, a smaller batch or fewer open "
        "programs make room.",
        what=what,
    )
