"""The split of a pretraining is kept by what is fine-tuned from it: its test pictures were never seen.

It is kept when the labels have changed since, so that results before and after a correction are of the same pictures.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.dataset.split import PARTS, Split
from sslstudio.engine.labels.roles import GROUP, IGNORE, PART, TOGETHER
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.runs.relink import pictures_folder
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import DataConfig, FinetuneConfig, PretrainConfig
from sslstudio.engine.training.session import draw_split

SETTINGS = ("groups", "test", "validation", "split_seed")
RARE = 3  # pictures of a class: with fewer, one of the parts has to do without it


def split_kept(config: FinetuneConfig, source: PretrainConfig | None) -> Split | None:
    """The split of the pretraining that `config` starts from; None if that was on other pictures or set apart by other
    settings."""
    if source is None or Path(source.data.folder).resolve() != Path(config.data.folder).resolve():
        return None
    if any(getattr(config.data, name) != getattr(source.data, name) for name in SETTINGS):
        return None
    if _splitting(config.data) != _splitting(source.data):
        return None
    return Split.from_json(RunFolder(Path(config.source)).split_table() or {})


def _splitting(data: DataConfig) -> dict[str, str]:
    """What a person said that has a say in the split."""
    return {
        path: role for path, role in data.roles.items() if role in (GROUP, PART, IGNORE) or role.startswith(TOGETHER)
    }


def suited(kept: Split | None, kind: str, recognised: Recognised, config: DataConfig) -> Split:
    """`kept` with the pictures that have come since; drawn anew if the labels as they are now could not be tested.

    kind: classification or segmentation.
    """
    if recognised.drawn is not None:  # whatever a pretraining set apart, nothing else is a random sample
        asked = recognised if kind == "classification" else replace(recognised, classes=None)
        return draw_split(asked, config, kept)
    if kept is None:
        return draw_split(recognised, config)
    split = kept
    if not {path for part in PARTS for path in getattr(split, part)}.issuperset(recognised.pictures.paths):
        groups = groups_of(recognised.pictures.paths, config.groups, recognised.groups, recognised.together)
        split = split.with_later(draw_split(recognised, config), groups)
    if _serves(split, kind, recognised):
        return split
    asked = recognised if kind == "classification" else replace(recognised, classes=None)
    return draw_split(asked, config)


def _serves(split: Split, kind: str, recognised: Recognised) -> bool:
    """Whether each class that is not rare is trained on and tested, and the folders do not hold out other pictures."""
    part_of = {path: part for part in PARTS for path in getattr(split, part)}
    if any(part_of.get(path, part) != part for path, part in recognised.given_split.items() if part != PARTS[0]):
        return False
    labels = _labels(kind, recognised)
    total = Counter(labels.values())
    parts = [Counter(labels[path] for path in part if path in labels) for part in (split.train, split.test)]
    return all(min(part[label] for part in parts) > 0 for label, count in total.items() if count >= RARE)


def _labels(kind: str, recognised: Recognised) -> dict[str, int]:
    """The class of each labelled picture; all that have masks are of one."""
    if kind == "classification":
        return recognised.classes.of if recognised.classes else {}
    return dict.fromkeys(recognised.masks.of, 0) if recognised.masks else {}


@dataclass(frozen=True)
class Leak:
    """How many pictures that were set apart for a test would be trained on, and how many runs set them apart."""

    pictures: int = 0
    runs: int = 0


def leak_of(recognised: Recognised, config: DataConfig, runs: Sequence[Path]) -> Leak:
    """What of the tests of these runs the training part of `config` would hold; runs on other pictures do not count.

    Raises ConfigError for a split that cannot be drawn.
    """
    wanted = Path(config.folder).resolve()
    kept = [test for run in runs if (test := _tested(run, wanted))]
    if not kept:
        return Leak()
    train = set(draw_split(recognised, config).train)
    torn = [both for test in kept if (both := train & test)]
    return Leak(len(set().union(*torn)), len(torn))


def _tested(run: Path, wanted: Path) -> set[str]:
    """The test pictures of a run on the pictures of a folder; none where that cannot be read."""
    with suppress(StudioError, OSError, ValueError, TypeError, AttributeError):
        if pictures_folder(run).resolve() == wanted:
            return set((RunFolder.open(run).split_table() or {"test": []})["test"])
    return set()
