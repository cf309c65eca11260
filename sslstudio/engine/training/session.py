"""What a run needs before its first step: pictures read, labels recognised, split drawn, side chosen."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from pathlib import Path
from statistics import median
from typing import TypeVar

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Event, Note, Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.drawn_split import DrawnFor, split_drawn
from sslstudio.engine.dataset.file_parts import choose_parts, left_out_words
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.split import Split, make_split
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache, check_enough, stream_cache
from sslstudio.engine.images.formats.decode import short_side_of
from sslstudio.engine.images.index import ImageIndex, scan
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.picture_choices import excluded_words
from sslstudio.engine.labels.recognise import recognising
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.recognised_record import recall

SIDE_CPU = 96
SIDE_GPU = 224
SIDES_LOOKED_AT = 24

T = TypeVar("T")
SetApart = Callable[[Recognised, DataConfig], Split]
Finer = Callable[[int], int]  # the side that a task needs where one is usual: `PretextTask.side_needed`


@dataclass(frozen=True)
class Session:
    """The pictures of a run, at one size, set apart."""

    recognised: Recognised
    cache: PixelCache
    split: Split

    def readable(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of `paths` that can be read; waits for these if they are being read."""
        places = self.cache.index.places
        known = [path for path in paths if path in places]
        return tuple(compress(known, self.cache.readable([places[path] for path in known])))

    def left_out(self) -> list[Message]:
        """What of the pictures is not used, in sentences, as far as they are read."""
        index = replace(self.cache.index, left=self.cache.left)
        sizes = [(int(height), int(width)) for height, width in self.cache.sizes.tolist()]
        return left_out_words(index, sizes, self.cache.side)

    def facts(self) -> dict[str, str]:
        """Lines for people."""
        index, side = self.cache.index, self.cache.side
        broken = len(self.cache.broken)
        unreadable = len(index.unreadable) + broken
        said = Message(
            "{index:,} read, {unreadable:,} could not be read", index=len(index) - broken, unreadable=unreadable
        )
        if not self.cache.complete:
            said = Message("{index:,} found and read while the training goes on", index=len(index))
        return {
            Message("Pictures"): said,
            Message("Read at"): Message("{side} x {side} pixels", side=side),
            **({Message("Excluded"): excluded_words(out)} if (out := len(self.recognised.excluded)) else {}),
            **({Message("Not used"): Message("{left}", left=left)} if (left := self.left_out()) else {}),
            Message("Set apart"): Message(
                "{train:,} to train on, {validation:,} to watch with, {test:,} kept for the test",
                train=len(self.split.train),
                validation=len(self.split.validation),
                test=len(self.split.test),
            ),
        }


def open_session(
    config: DataConfig, device: Device, control: RunControl, *, early: bool = False, set_apart: SetApart | None = None,
    finer: Finer | None = None,
) -> Generator[Preparing, None, Session]:  # fmt: skip
    """Read the pictures of `config.folder` and set them apart, by `set_apart` or as `config` says. `finer`: see
    `side_of`.

    early: return before they are read. The session then holds all pictures, those too that turn out to be unreadable,
    and its cache is to be closed. Raises DataError when the folder has no pictures, or fewer than four that can be
    read.
    """
    recognised = yield from look_at(config)
    split = (set_apart or draw_split)(recognised, config)
    side = side_of(recognised, config, device, finer)
    return (yield from _read(recognised, split, config, side, control, early))


def reopen_session(
    run: RunFolder, config: DataConfig, device: Device, control: RunControl, *, early: bool = False
) -> Generator[Preparing, None, Session]:
    """Read the pictures of a run that was begun, set apart and labelled as they were then, wherever that is known: the
    folder is not looked at again. `config`: the run's own. Raises as `open_session`."""
    recognised = recall(run, config.folder, config.labels)
    if recognised is None:
        recognised = yield from look_at(config)
    side = side_of(recognised, config, device)
    return (yield from _read(recognised, split_of(run, recognised, config), config, side, control, early))


def look_at(config: DataConfig) -> Generator[Preparing, None, Recognised]:
    """What a folder holds, before anything of it is read."""
    if not config.folder:
        raise DataError("No folder was given. Choose the folder that holds the pictures.")
    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    recognised = yield from recognising(scan(Path(config.folder)), config.labels, config.roles)
    return choose_parts(recognised, config.channels, config.pages)


def _read(
    recognised: Recognised, split: Split, config: DataConfig, side: int, control: RunControl, early: bool
) -> Generator[Preparing, None, Session]:
    """Which pictures can be read has no say in the split, so that it is the same before and after."""
    if early:
        check_enough(len(recognised.pictures), config.folder)
        return Session(
            recognised, (yield from stream_cache(recognised.pictures, side, control=control, patient=True)), split
        )
    cache = yield from build_cache(recognised.pictures, side, control=control, patient=True)
    check_enough(len(cache.index), config.folder)
    return Session(replace(recognised, pictures=cache.index), cache, split.within(cache.index.places))


def note_when_read(session: Session, events: Generator[Event, None, T]) -> Generator[Event, None, T]:
    """The events, and among them a word when the last picture has been read. Returns what `events` returns."""
    told = session.cache.complete
    with closing(events):
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                result: T = end.value
                return result
            yield event
            if not told and session.cache.complete:
                told = True
                broken = len(session.cache.broken)
                rest = (
                    Message(" {broken:,} of them could not be; others stand in for these.", broken=broken)
                    if broken
                    else ""
                )
                for left in session.left_out():
                    yield Note(level="warning", text=left)
                yield Note(
                    level="info",
                    text=Message("All {cache:,} pictures have been read.{rest}", cache=len(session.cache), rest=rest),
                )


def split_of(run: RunFolder, recognised: Recognised, config: DataConfig) -> Split:
    """How a run that was begun set its pictures apart."""
    stored = run.split_table()
    return Split.from_json(stored) if stored else draw_split(recognised, config)


def draw_split(recognised: Recognised, config: DataConfig, kept: Split | None = None) -> Split:
    """Training, validation and test pictures, stratified by class where there are classes, groups kept together. Where
    pictures were suggested to be labelled, those that were drawn at random test: see `split_drawn`, with `kept`."""
    paths = recognised.pictures.paths
    labels = recognised.classes.of if recognised.classes else None
    if labels is None and recognised.masks:
        labels = dict.fromkeys((path for path in paths if path in recognised.masks.of), 0)
    draw = partial(
        make_split,
        paths,
        validation=config.validation,
        test=config.test,
        seed=config.split_seed,
        groups=groups_of(paths, config.groups, recognised.groups, recognised.together) or None,
        given=recognised.given_split or None,
    )
    if recognised.drawn is None:
        return draw(labels or None)
    kind = "classification" if recognised.classes else "segmentation"
    return split_drawn(
        draw, paths, labels or {}, DrawnFor(recognised.drawn, kind),
        groups=groups_of(paths, config.groups, recognised.groups, recognised.together),
        given=recognised.given_split, validation=config.validation, seed=config.split_seed, kept=kept,
    )  # fmt: skip


def propose_drawn(recognised: Recognised, config: DataConfig) -> DrawnTest:
    """What is held for the test if pictures are suggested from now on: what a pretraining on these pictures without
    labels sets apart for it, so that it has not seen them."""
    if recognised.drawn is not None:
        return recognised.drawn
    unlabelled = replace(recognised, classes=None, masks=None)
    return DrawnTest.draw(recognised.pictures.paths, draw_split(unlabelled, config).test, {})


def side_of(recognised: Recognised, config: DataConfig, device: Device, finer: Finer | None = None) -> int:
    """The side that was asked for, or one that suits: see `suitable_side`."""
    return config.side or suitable_side(recognised.pictures, device, finer)


def suitable_side(index: ImageIndex, device: Device, finer: Finer | None = None) -> int:
    """A side for these pictures on this device: not above their own, and what a CPU or a GPU trains in good time.

    `finer` tells a task's need from that: more where its tiles would have too few pixels, as far as the pictures have
    them.
    """
    most = SIDE_GPU if device.accelerated else SIDE_CPU
    step = max(1, len(index) // SIDES_LOOKED_AT)
    sides = [side for path in index.paths[::step] if (side := _short_side(index.root / path))]
    own = median(sides) if sides else most
    side = max(32, int(min(own, most)) // 8 * 8)
    return max(side, min(finer(side), int(own) // 8 * 8)) if finer else side


def _short_side(path: Path) -> int:
    try:
        return short_side_of(path)
    except DataError:  # listed with its reason when the pictures are read
        return 0
