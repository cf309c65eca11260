"""The clinic on a folder and the audit of a run: pictures and weights are read, then evaluate/ looks at them."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from sslstudio.engine import device as devices
from sslstudio.engine.config import BaseConfig
from sslstudio.engine.control import RunControl
from sslstudio.engine.data.duplicates import MOST, near_duplicates
from sslstudio.engine.data.loader import Pictures
from sslstudio.engine.errors import DataError, RunError
from sslstudio.engine.evaluate.clinic import SIGNS, Clinic, Finding, LookedAt, findings_of, judged
from sslstudio.engine.evaluate.signs.looked import FINE
from sslstudio.engine.evaluate.signs.sheet import example_sheet
from sslstudio.engine.events import Preparing
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.train.session import Session, open_session
from sslstudio.engine.train.settings import DataConfig

SAMPLE = 600  # pictures that the signs are measured on
CHUNK = 512
LOOKING = "Looking at the pictures"
COMPARING = "Comparing the pictures"


@dataclass(frozen=True)
class Examined:
    """What the clinic says, and what it was said about."""

    clinic: Clinic
    session: Session
    looked_at: int

    def save_examples(self, folder: Path) -> list[Path]:
        """A sheet of example pictures for each finding that is not fine; returns the files."""
        folder.mkdir(parents=True, exist_ok=True)
        return [self._save(one, folder) for one in self.clinic.findings if one.severity != FINE and one.examples]

    def _save(self, finding: Finding, folder: Path) -> Path:
        cache = self.session.cache
        place = {path: number for number, path in enumerate(cache.index.paths)}
        images = list(cache.pixels([place[path] for path in finding.examples]))
        path = folder / f"{finding.name}.png"
        Image.fromarray(example_sheet(finding, images)).save(path)
        return path


def examine(
    data: DataConfig, options: Mapping[str, BaseConfig], control: RunControl
) -> Generator[Preparing, None, Examined]:
    """Ask every sign about a folder. `options`: those of tasks that differ from their defaults.

    Raises DataError when there are no pictures to look at.
    """
    device = devices.choose("cpu")
    session = yield from open_session(data, device, control)
    yield Preparing(stage=COMPARING, done=0, total=0)
    seen = _seen(session, Pictures(session.cache, session.split.train, device), options)
    found: list[Finding] = []
    for finding in findings_of(seen):
        if control.stopping:
            raise RunError("Stopped while looking at the pictures.")
        found.append(finding)
        yield Preparing(stage=LOOKING, done=len(found), total=len(SIGNS))
    return Examined(judged(seen, found), session, len(seen.images))


def _seen(session: Session, pictures: Pictures, options: Mapping[str, BaseConfig]) -> LookedAt:
    if len(pictures) < 2:
        raise DataError("Fewer than two pictures are left to look at. Lower the test and validation shares.")
    chosen = torch.linspace(0, len(pictures) - 1, min(SAMPLE, len(pictures))).round().long()
    every = Pictures(session.cache, session.cache.index.paths, pictures.device)
    registry = load_tasks()
    return LookedAt(
        images=pictures.take(chosen),
        paths=tuple(pictures.paths[number] for number in chosen.tolist()),
        every=every.paths,
        sizes=session.cache.sizes,
        copies=tuple(near_duplicates((every.take(chunk) for chunk in every.chunks(CHUNK, MOST)), MOST)),
        split=session.split,
        options={task: options.get(task) or registry[task].Config() for task in registry},
    )
