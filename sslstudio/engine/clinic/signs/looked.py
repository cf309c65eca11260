"""What the clinic looks at, and what a sign of it finds.

A sign is a function from `LookedAt` to one `Finding`. One that finds nothing wrong says so, with its numbers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.dataset.near_duplicates import Group
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.models.encoders import EncoderSpec
from sslstudio.engine.tasks.base import FINER, Batch, load_tasks
from sslstudio.engine.tasks.remedies import Asks, Fault
from sslstudio.engine.transforms.geometry import grey, to_float

FINE, CAREFUL, UNSUITABLE = "fine", "careful", "unsuitable"
SEVERITIES = (FINE, CAREFUL, UNSUITABLE)
EXAMPLES = 6  # pictures shown for a finding
_MOST = 300  # pictures that tiles are cut from

Box = tuple[float, float, float, float]  # left, top, right, bottom as shares of the picture's side


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sign: what was seen, which tasks it concerns and what answers it.

    `severity` is fine, careful or unsuitable. `changes` are single `--set` of settings ("jigsaw.min_crop_side=0.5")
    that answer it, those of one task together. `ruled_out` are tasks that nothing answers it for: they are unsuitable,
    whatever the severity. `share` is the share of pictures (0 to 1) that show it, or of
    answers given away; `examples` are paths of pictures and `boxes` what to look at in them. `counts` is False for what
    concerns the results and not whether a task suits.
    """

    name: str
    title: str
    text: str
    severity: str = FINE
    tasks: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    share: float = 0.0
    counts: bool = True
    ruled_out: tuple[str, ...] = ()

    def changes_for(self, task: str = "") -> tuple[str, ...]:
        """All changes for a task; those for the first task if there are none for it, unless it is ruled out."""
        if task in self.ruled_out:
            return ()
        mine = tuple(change for change in self.changes if change.startswith(f"{task}."))
        first = self.changes[0].partition(".")[0] if self.changes else ""
        return mine or tuple(change for change in self.changes if change.startswith(f"{first}."))

    def change_for(self, task: str = "") -> str:
        """The first of them, "" if there is none."""
        return next(iter(self.changes_for(task)), "")

    def to_json(self) -> dict[str, object]:
        """Plain values; `change` is the first of the changes."""
        return {**asdict(self), "change": self.change_for()}


def tasks_that_ask(*about: Asks) -> tuple[str, ...]:
    """The names of the tasks whose questions are about one of these."""
    tasks = load_tasks()
    return tuple(name for name in tasks if tasks[name].asks & set(about))


@dataclass(frozen=True, kw_only=True)
class LookedAt:
    """A sample of the pictures, and what is known of all of them.

    `images` uint8 (n, 3, S, S) on the CPU with their `paths`; `every` the paths of all N pictures, `sizes` (N, 2) their
    heights and widths in the files, `copies` groups of near duplicates among them as numbers into `every`. `options`
    holds the options of each task that would be used. `side_given`: the side of the pictures is the user's choice.
    """

    images: Tensor
    paths: tuple[str, ...]
    every: tuple[str, ...]
    sizes: npt.NDArray[np.int32]
    copies: tuple[Group, ...]
    split: Split
    options: Mapping[str, BaseConfig]
    side_given: bool = False

    @property
    def side(self) -> int:
        """Side of the pictures in pixels, as the network gets them."""
        return int(self.images.shape[-1])

    @property
    def finest_side(self) -> int:
        """Side in pixels up to which a run would read the pictures for small tiles: see `PretextTask.side_needed`."""
        own = int(np.median(self.sizes.min(axis=1)))
        return self.side if self.side_given else max(self.side, min(own, FINER * self.side))

    def shades(self) -> Tensor:
        """float32 (n, 3, S, S) in [0, 1]."""
        return to_float(self.images)

    def lightness(self) -> Tensor:
        """float32 (n, S, S) in [0, 1]."""
        return grey(self.shades())[:, 0]

    def worst(self, amount: Tensor) -> tuple[str, ...]:
        """Paths of the pictures with the largest `amount` (n,) above zero: the examples."""
        order = amount.argsort(descending=True, stable=True)[:EXAMPLES]
        return tuple(self.paths[number] for number in order.tolist() if float(amount[number]) > 0)

    def puzzles(self, task: str, rng: torch.Generator, most: int, options: BaseConfig | None = None) -> Batch:
        """Make a batch of the task's puzzles from up to `most` pictures, made as the training makes them.

        `options` are others than those that would be used.
        """
        # The pseudo labels and inputs do not depend on the encoder: a tiny one keeps the heads small.
        spec = EncoderSpec("none", (8, 8, 8, 8), (1, 2, 4, 8))
        with torch.random.fork_rng(devices=[]):
            made = load_tasks()[task](options or self.options[task], spec)
        return made.make_batch(self.spread(most), rng)

    def tiles(self, task: str, options: BaseConfig) -> Tensor:
        """Cut the tiles (B, T, C, s, s) that a task would ask about with these options; the same ones each time."""
        tiles = tiles_of(self.puzzles(task, generator(0, "clinic", "tiles"), _MOST, options))
        if tiles is None:
            raise TypeError(f"{task} says that it asks about positions, but its inputs hold no tiles (B, T, 3, s, s)")
        return tiles

    def changes(self, fault: Fault, amount: float = 1.0) -> tuple[str, ...]:
        """What answers a fault and is not made yet, as TASK.OPTION=VALUE, one for each task that has an answer."""
        tasks = load_tasks()
        found = ((task, tasks[task].remedy(options, fault, amount)) for task, options in self.options.items())
        return tuple(f"{task}.{change}" for task, change in found if change)

    def spread(self, most: int) -> Tensor:
        """Up to `most` of the sample, evenly spaced."""
        count = len(self.images)
        return self.images[torch.linspace(0, count - 1, min(most, count)).round().long()]


def tiles_of(batch: Batch) -> Tensor | None:
    """The tiles or patches (B, T, C, s, s) among the inputs of a batch, None if the task asks about no parts."""
    return next((value for value in batch.inputs.values() if value.ndim == 5), None)
