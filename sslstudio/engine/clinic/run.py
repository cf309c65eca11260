"""The clinic on a folder and the audit of a run: pictures and weights are read, then evaluate/ looks at them."""

import io
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from sslstudio.engine.clinic.clinic import SIGNS, Clinic, Finding, LookedAt, findings_of, judge
from sslstudio.engine.clinic.puzzle_scores import Audited
from sslstudio.engine.clinic.shortcut_audit import TaskAudit, audit_task
from sslstudio.engine.clinic.signs.looked import FINE
from sslstudio.engine.clinic.signs.sheet import example_sheet
from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.near_duplicates import MOST, Group, near_duplicates
from sslstudio.engine.evaluate.predict import write_table
from sslstudio.engine.pretraining.run import load_task
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import Picture, load_tasks
from sslstudio.engine.training.config import DataConfig, PretrainConfig, pretrain_from_dict
from sslstudio.engine.training.session import Session, open_session, reopen_session

SAMPLE = 600  # pictures that the signs are measured on
CHUNK = 512
LOOKING = Message("Looking at the pictures")
COMPARING = Message("Comparing the pictures")
ASKING = Message("Asking altered puzzles")
HELD_OUT = 256  # pictures that the audit asks about
CHECKS = 9  # of a task with tiles; others have fewer
AUDIT = "audit.json"


@dataclass(frozen=True)
class Examined:
    """What the clinic says, and what it was said about."""

    clinic: Clinic
    session: Session
    looked_at: int
    copies: tuple[Group, ...]  # near duplicates, as numbers into the cache's pictures

    def save_examples(self, folder: Path) -> list[Path]:
        """A sheet of example pictures for each finding that is not fine; returns the files."""
        make_folder(folder)
        sheets = {folder / f"{name}.png": sheet for name, sheet in self.example_sheets().items()}
        for path, sheet in sheets.items():
            content = io.BytesIO()
            Image.fromarray(sheet).save(content, "PNG")
            write_atomic(path, content.getvalue())
        return [*sheets, *self._save_copies(folder / "copies.csv")]

    def _save_copies(self, path: Path) -> list[Path]:
        """Every picture that has a near copy, with the number of its group: what a person needs to take them out."""
        paths = self.session.cache.index.paths
        rows = [[str(number), paths[one]] for number, group in enumerate(self.copies, start=1) for one in group]
        if rows:
            write_table(path, ["group", "file"], rows)
        return [path] if rows else []

    def example_sheets(self) -> dict[str, Picture]:
        """A sheet of example pictures for each finding that is not fine, by its name."""
        return {one.name: self._sheet(one) for one in self.clinic.findings if one.severity != FINE and one.examples}

    def _sheet(self, finding: Finding) -> Picture:
        cache = self.session.cache
        place = {path: number for number, path in enumerate(cache.index.paths)}
        return example_sheet(finding, list(cache.pixels([place[path] for path in finding.examples])))


def examine(
    data: DataConfig, options: Mapping[str, BaseConfig], control: RunControl
) -> Generator[Preparing, None, Examined]:
    """Ask every sign about a folder. `options`: those of tasks that differ from their defaults.

    Raises DataError when there are no pictures to look at.
    """
    device = devices.choose("cpu")
    session = yield from open_session(data, device, control)
    yield Preparing(stage=COMPARING, done=0, total=0)
    seen = _look_at(session, Pictures(session.cache, session.split.train, device), options, data.side is not None)
    found: list[Finding] = []
    for finding in findings_of(seen):
        if control.stopping:
            raise RunError("Stopped while looking at the pictures.")
        found.append(finding)
        yield Preparing(stage=LOOKING, done=len(found), total=len(SIGNS))
    return Examined(judge(seen, found), session, len(seen.images), seen.copies)


def _look_at(session: Session, pictures: Pictures, options: Mapping[str, BaseConfig], side_given: bool) -> LookedAt:
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
        side_given=side_given,
    )


@dataclass(frozen=True)
class AuditDone:
    """What the audit of a run says: one part for each task that it was trained with."""

    run: Path
    parts: tuple[TaskAudit, ...]

    def to_json(self) -> dict[str, object]:
        """The content of audit.json."""
        return {"run": str(self.run), "parts": [part.to_json() for part in self.parts]}


def audit(path: Path, device_name: str, control: RunControl) -> Generator[Preparing, None, AuditDone]:
    """Audit a pretraining run on its validation pictures; writes audit.json into its folder.

    Raises DataError when the folder is no pretraining run or has no weights yet.
    """
    run = RunFolder.open(path)
    if run.job != "pretrain":
        raise DataError(
            "{path} is a fine-tuning run: it has no puzzles to audit. Give the run it started from.", path=path
        )
    config = pretrain_from_dict(run.config())
    device = devices.choose(device_name, config.hardware.precision)
    session = yield from reopen_session(run, config.data, device, control)
    held_out = Pictures(session.cache, session.split.validation, device)
    if not len(held_out):
        raise DataError(
            "None of the pictures that {path} kept aside is there any more, so there is nothing to ask.", path=path
        )
    images = held_out.spread(HELD_OUT)
    parts = []
    for trained in _load_members(run, config, device):
        done = yield from _audit_part(trained, images, device, config.seed, control)
        parts.append(done)
    result = AuditDone(path, tuple(parts))
    run.write_json(AUDIT, result.to_json())
    return result


def _audit_part(
    trained: Audited, images: Tensor, device: Device, seed: int, control: RunControl
) -> Generator[Preparing, None, TaskAudit]:
    stage = Message("{stage} ({name})", stage=ASKING, name=trained.name)
    for number, item in enumerate(audit_task(trained, images, device, seed)):
        if isinstance(item, TaskAudit):
            yield Preparing(stage=stage, done=CHECKS, total=CHECKS)
            return item
        if control.stopping:
            raise RunError("Stopped while asking altered puzzles.")
        yield Preparing(stage=stage, done=min(number + 1, CHECKS), total=CHECKS)
    raise AssertionError("an audit ends with its result")


def _load_members(run: RunFolder, config: PretrainConfig, device: Device) -> Iterator[Audited]:
    """Load the network of a run with its weights; each task of a run of several by itself."""
    encoder, task, _ = load_task(run, config, device)
    if not task.members():
        yield Audited(config.task, config.options, task, encoder)
    for name, member in task.members().items():
        yield Audited(name, member.config, member, encoder, settable=False)
