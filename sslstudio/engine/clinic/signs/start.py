"""What a training had better start from: nothing, or the general weights that come with the program."""

from sslstudio.engine.clinic.signs.colour import grey_share
from sslstudio.engine.clinic.signs.looked import Finding, LookedAt
from sslstudio.engine.core.messages import Message

NAME, TITLE = "start", Message("What to start from")
MOSTLY_GREY = 0.5  # share of grey pictures from which they are not called photographs
MANY = 10_000  # pictures to train on, from which own pretraining may be worth its time on photographs too


def start_from(seen: LookedAt) -> Finding:
    """Say which of three cases this is likely to be. It concerns no task, and nothing is wrong in any of them.

    Grey pictures are mostly scans and microscopy, of which the general weights have seen none; whether pictures in
    colour are photographs of things is not measured, hence the word likely.
    """
    share, count = grey_share(seen), len(seen.split.train)
    words = {"share": share, "count": count}
    if share > MOSTLY_GREY:
        text = Message(
            "{share:.0%} of the pictures are grey, as scans and microscopy are: likely it pays to start from the "
            "general weights, then to pretrain on these {count:,} pictures, then to fine-tune.",
            **words,
        )
    elif count < MANY:
        text = Message(
            "{count:,} pictures to train on, {share:.0%} of them grey: if they are photographs of things, the general "
            "weights are likely good already. Fine-tune from these first; pretraining that goes on from them likely "
            "adds to it, and pretraining from nothing hardly comes as far.",
            **words,
        )
    else:
        text = Message(
            "{count:,} pictures to train on, {share:.0%} of them grey: if they are photographs of things, start from "
            "the general weights. There are enough of them that pretraining on top of that may help.",
            **words,
        )
    return Finding(name=NAME, title=TITLE, text=text, share=share, counts=False)
