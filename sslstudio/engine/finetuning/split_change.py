"""What another split does to the runs that there are: pictures that they were tested on would be trained on."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.runs.relink import pictures_folder
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import draw_split


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
            return set((RunFolder.open(run).read_json("split.json") or {}).get("test", ()))
    return set()
