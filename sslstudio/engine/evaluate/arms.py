"""The arms of a comparison: what a network may begin with before it sees a label. One place for their names.

An arm of a fine-tuning run is a part of it; an arm of a comparison is a row.
"""

from sslstudio.engine.core.messages import Message, plain

PRETRAINED, FROM_SCRATCH, UNTRAINED, GENERAL, BESIDE = "pretrained", "scratch", "untrained", "general", "beside"
BASELINES = (FROM_SCRATCH, UNTRAINED)  # without a pretraining: the better of them is what a pretraining has to beat

TITLES = {
    PRETRAINED: Message("With pretraining"),
    FROM_SCRATCH: Message("From scratch"),
    UNTRAINED: Message("Untrained features"),
    GENERAL: Message("General weights"),
    BESIDE: Message("Own beside general"),
}
TAKEN_FOR = {
    PRETRAINED: Message("What is taken for what: with pretraining"),
    FROM_SCRATCH: Message("What is taken for what: from scratch"),
    UNTRAINED: Message("What is taken for what: untrained features"),
    GENERAL: Message("What is taken for what: general weights"),
    BESIDE: Message("What is taken for what: own beside general"),
}


def arm_title(arm: str) -> Message:
    """An arm, for people."""
    return TITLES.get(arm) or plain(arm)
