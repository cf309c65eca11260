"""Micro-batches with gradient accumulation: for batches whose pictures do not all fit into memory together.

The gradients of the micro-batches are added, each weighted with its share of the pictures, so the step is that of the
whole batch as far as the loss is a mean over pictures. Batch norm sees one micro-batch at a time, and so does a loss
that compares pictures with each other: that is said.
"""

import math

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.messages import NOTHING, Message

WHOLE_BATCH = slice(None)
LEAST_SIZE = 2  # pictures in a micro-batch: batch norm needs two


def micro_batch_count(batch_size: int, wanted: int) -> int:
    """Return the number of micro-batches nearest to `wanted` that leaves each of them enough pictures."""
    return max(1, min(wanted, batch_size // LEAST_SIZE))


def double_count(batch_size: int, parts: int) -> int:
    """Return twice as many micro-batches. Raises RunError when they cannot be smaller."""
    now = micro_batch_count(batch_size, 2 * parts)
    if now == parts:
        raise RunError(
            "The memory does not suffice for {ceil} pictures at once. Take smaller pictures or a smaller "
            "encoder, or close other programs. The last checkpoint is kept.",
            ceil=math.ceil(batch_size / parts),
        )
    return now


def count_holding(batch_size: int, most: int) -> int:
    """Count the micro-batches of `most` pictures at most (as far as it can be) that a batch is cut into."""
    return micro_batch_count(batch_size, math.ceil(batch_size / max(1, most)))


def cut_batch(batch_size: int, parts: int) -> list[tuple[slice, float]]:
    """Cut a batch as evenly as can be, with the share that each micro-batch holds. A single one is `WHOLE_BATCH`."""
    if parts == 1:
        return [(WHOLE_BATCH, 1.0)]
    size, longer = divmod(batch_size, parts)
    sizes = [size + (number < longer) for number in range(parts)]
    ends = [sum(sizes[: number + 1]) for number in range(parts)]
    return [(slice(end - one, end), one / batch_size) for one, end in zip(sizes, ends, strict=True)]


def seed_numbers(part: slice) -> tuple[int, ...]:
    """Tell the generator of a micro-batch from that of the whole batch, which keeps the numbers that it always drew."""
    return () if part is WHOLE_BATCH else (int(part.start),)


def micro_batches_note(batch_size: int, parts: int, compares: bool, asked: bool = False) -> Message:
    """Say that a batch is computed in micro-batches, because it was `asked` for or because it does not fit."""
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


def explain_leaving_out(what: str) -> Message:
    """Say that a look at a network does not fit beside its training and is left out."""
    return Message(
        "The memory does not suffice to look at {what} beside the training, so that look is left "
        "out. The training goes on as it would. Smaller pictures, a smaller batch or fewer open "
        "programs make room.",
        what=what,
    )
