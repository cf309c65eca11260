"""What a run needs before its first step: pictures read, labels recognised, split drawn, side chosen."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from sslstudio.engine.control import RunControl
from sslstudio.engine.data.cache import PixelCache, build_cache
from sslstudio.engine.data.decode import read_picture
from sslstudio.engine.data.index import ImageIndex, scan
from sslstudio.engine.data.labels import Recognised, recognise
from sslstudio.engine.data.split import Split, group_paths, make_split
from sslstudio.engine.device import Device
from sslstudio.engine.errors import DataError
from sslstudio.engine.events import Preparing
from sslstudio.engine.train.settings import DataConfig

SIDE_CPU = 96
SIDE_GPU = 224
SIDES_LOOKED_AT = 24


@dataclass(frozen=True)
class Session:
    """The pictures of a run, at one size, set apart."""

    recognised: Recognised
    cache: PixelCache
    split: Split

    def facts(self) -> dict[str, str]:
        """Lines for people."""
        unreadable = len(self.cache.index.unreadable)
        side = self.cache.side
        return {
            "Pictures": f"{len(self.cache.index):,} read, {unreadable:,} could not be read, {side} x {side} pixels",
            "Set apart": f"{len(self.split.train):,} to train on, {len(self.split.validation):,} to watch with, "
            f"{len(self.split.test):,} kept for the test",
        }


def open_session(
    config: DataConfig, device: Device, control: RunControl, stored_split: dict[str, Any] | None = None
) -> Generator[Preparing, None, Session]:
    """Read the pictures of `config.folder` and set them apart (as `stored_split` says, if it is given).

    Raises DataError when the folder has no pictures, or fewer than four that can be read.
    """
    if not config.folder:
        raise DataError("No folder was given. Choose the folder that holds the pictures.")
    yield Preparing(stage="Looking for pictures", done=0, total=0)
    recognised = recognise(scan(Path(config.folder)), config.labels)
    side = config.side or suitable_side(recognised.pictures, device)
    cache = yield from build_cache(recognised.pictures, side, control=control)
    if len(cache.index) < 4:
        raise DataError(
            f"Only {len(cache.index)} pictures in {config.folder} can be read; at least 4 are needed, and some "
            "hundreds before anything can be learnt. See what is wrong with: sslstudio index FOLDER"
        )
    recognised = replace(recognised, pictures=cache.index)
    split = Split.from_json(stored_split) if stored_split else draw_split(recognised, config)
    return Session(recognised, cache, split)


def draw_split(recognised: Recognised, config: DataConfig) -> Split:
    """Training, validation and test pictures, stratified by class where there are classes, groups kept together."""
    paths = recognised.pictures.paths
    labels = recognised.classes.of if recognised.classes else None
    if labels is None and recognised.masks:
        labels = dict.fromkeys((path for path in paths if path in recognised.masks.of), 0)
    readable = set(paths)
    return make_split(
        paths,
        {path: label for path, label in labels.items() if path in readable} if labels else None,
        validation=config.validation,
        test=config.test,
        seed=config.split_seed,
        groups=group_paths(paths, config.groups) or None,
        given=recognised.given_split or None,
    )


def suitable_side(index: ImageIndex, device: Device) -> int:
    """A side for these pictures on this device: not above their own, and what a CPU or a GPU trains in good time."""
    most = SIDE_GPU if device.accelerated else SIDE_CPU
    step = max(1, len(index.files) // SIDES_LOOKED_AT)
    sides = [side for file in index.files[::step] if (side := _short_side(index.root / file.path))]
    own = median(sides) if sides else most
    return max(32, int(min(own, most)) // 8 * 8)


def _short_side(path: Path) -> int:
    try:
        return min(read_picture(path).size)
    except DataError:  # listed with its reason when the pictures are read
        return 0
