"""What can spoil a pretext task, and the changes of its options that a task declares to answer that.

The clinic finds faults in pictures, the shortcut audit in a trained network, the alarms in a training. None of them
knows a task by name: each asks the tasks which of their options help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.errors import ConfigError


class Asks(StrEnum):
    """What the questions of a task are about. It decides which findings of the clinic concern a task."""

    POSITION = "position"  # where in the picture a tile lies: its `inputs` hold tiles (B, T, 3, s, s)
    DIRECTION = "direction"  # which way up the picture is
    COLOUR = "colour"  # which colours belong where
    FILLING = "filling"  # what was in a hole


class Fault(StrEnum):
    """What goes wrong."""

    # In the pictures
    SMALL_PICTURES = "small pictures"  # a ninth of them shows little
    BLANK_TILES = "blank tiles"  # they fit anywhere
    FIXED_POSITIONS = "fixed positions"  # a tile's own look tells where it lies
    FITTING_EDGES = "fitting edges"  # a tile's neighbour is the one whose edge fits
    COLOUR_FRINGES = "colour fringes"  # of the lens; the amount is their shift, as a share of the picture's side
    MARKS = "marks"  # text, a stamp, a scale bar at one place
    BORDERS = "borders"
    DARK_CORNERS = "dark corners"
    TELLING_FRAME = "telling frame"  # the rim tells which way up a picture is
    NO_DIRECTION = "no direction"  # there is no up and down: a task that turns pictures may turn them all the way

    # In a trained network
    RELIES_ON_COLOUR = "relies on colour"
    RELIES_ON_MEAN_COLOUR = "relies on mean colour"  # of whole tiles
    RELIES_ON_EDGES = "relies on edges"  # of tiles
    RELIES_ON_FRAME = "relies on frame"  # or on a corner of the picture
    RELIES_ON_SIDES = "relies on sides"  # tells left from right

    # In a training
    TOO_EASY = "too easy"  # solved at once
    TOO_HARD = "too hard"  # no better than guessing
    MEMORISED = "memorised"  # the pictures are learnt by heart


@dataclass(frozen=True)
class Remedy:
    """A value for an option. `bound` says which values need no change: this one alone (""), "at least" or "at most" it.

    `per_amount`: the value grows with the amount of the fault.
    """

    option: str
    value: bool | float | str
    bound: str = ""
    per_amount: bool = False

    def change(self, config: BaseConfig, amount: float = 1.0) -> str:
        """OPTION=VALUE; "" where the config needs no change, or does not allow this one."""
        value = round(float(self.value) * amount, 1) if self.per_amount else self.value
        has: Any = getattr(config, self.option)
        if (self.bound == "at least" and has >= value) or (self.bound == "at most" and has <= value) or has == value:
            return ""
        try:
            config.replace(**{self.option: value})
        except ConfigError:
            return ""
        return f"{self.option}={str(value).lower() if isinstance(value, bool) else value}"


Remedies: TypeAlias = Mapping[Fault, tuple[Remedy, ...]]  # the first that changes something counts


def to(option: str, value: bool | float | str) -> Remedy:
    """Set an option."""
    return Remedy(option, value)


def at_least(option: str, value: float, *, per_amount: bool = False) -> Remedy:
    """Raise an option."""
    return Remedy(option, value, "at least", per_amount)


def at_most(option: str, value: float) -> Remedy:
    """Lower an option."""
    return Remedy(option, value, "at most")


SMALLER_CROP: Remedies = {
    fault: (at_most("min_crop_side", 0.5),) for fault in (Fault.TOO_EASY, Fault.MEMORISED)
}  # of tasks that look at a random crop: no two steps ask the same of a picture
