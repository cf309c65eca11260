"""The runs of a project: which there are, which from before it are on the same pictures, and how they are mended when
the pictures have moved."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import RunFinished, from_json
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.projects.project import Project, save_project, with_pictures
from sslstudio.engine.runs.experiment_folder import experiment_job
from sslstudio.engine.runs.relink import pictures_folder, relink
from sslstudio.engine.runs.run_folder import CONFIG, EVENTS, RunFolder, RunSummary, list_runs, run_folders

LAST_LINE = 65_536  # bytes of a record in which its last line is looked for
WEIGHTS, METRICS = "last.safetensors", "metrics.json"


def runs_in(folders: Sequence[Path]) -> list[RunSummary]:
    """The runs in all of these folders, which may be runs themselves, newest first; what is not there is left out."""
    runs = [run for folder in folders if os.path.isdir(folder) for run in list_runs(folder)]
    return sorted(runs, key=lambda run: run.modified, reverse=True)


def earlier_runs(folder: Path, pictures: Path) -> tuple[str, ...]:
    """What lies in a folder of runs from before there were projects, and is on these pictures."""
    wanted = pictures.resolve()
    found = []
    for one in sorted(folder.iterdir()) if folder.is_dir() else []:
        if any(_pictures_of(run) == wanted for run in run_folders(one)):
            found.append(str(one.absolute()))
    return tuple(found)


def _pictures_of(run: Path) -> Path | None:
    with suppress(StudioError, OSError, AttributeError):  # damaged, or another program's config.toml
        return pictures_folder(run).resolve()
    return None


@dataclass(frozen=True)
class Newest:
    """What there is to go on from: the newest pretraining with weights, a finished one if there is any, and the newest
    result."""

    pretrained: Path | None
    result: Path | None


def newest(project: Project) -> Newest:
    """Of the runs of a project; those inside comparisons do not count. Reads no whole records: there may be many."""
    pretrained: list[tuple[bool, float, Path]] = []  # a finished one goes before any that was cut off
    results: list[tuple[float, Path]] = []
    for run in _runs_and_studies(project):
        with suppress(StudioError, OSError):
            job, when = RunFolder.open(run).job, (run / CONFIG).stat().st_mtime
            if job == "pretrain" and (run / WEIGHTS).exists():
                pretrained.append((_is_finished(run), when, run))
            if job == "finetune" and (run / METRICS).exists():
                results.append((when, run))
    return Newest(max(pretrained)[-1] if pretrained else None, max(results)[-1] if results else None)


def _is_finished(run: Path) -> bool:
    """Whether a run came to its end, by the last line of its record."""
    try:
        with open_regular(run / EVENTS) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_LINE))
            line = file.read().rstrip(b"\n").rpartition(b"\n")[2].decode("utf-8", "replace")
        event = from_json(line)
    except (OSError, StudioError, ValueError):
        return False
    return isinstance(event, RunFinished) and event.outcome == "finished"


def _runs_and_studies(project: Project) -> list[Path]:
    own = sorted(project.runs.iterdir()) if project.runs.is_dir() else []
    found = [*own, *project.all_runs[1:]]
    return [one for one in found if os.path.isdir(one) and not one.name.startswith(".")]


def count_runs(project: Project) -> int:
    """Count runs and comparisons at a glance."""
    return len(_runs_and_studies(project))


def relink_project(project: Project, pictures: Path) -> Project:
    """Say that the pictures of a project lie in another folder now: in its file, its runs and its labels.

    Raises DataError when they are not there.
    """
    moved = with_pictures(project, pictures)
    mend_runs(moved)
    if label_files.is_labelling(project.labels_folder):
        label_files.write_about(project.labels_folder, pictures.resolve())
    save_project(moved)  # last: after a crash on the way the question comes again
    return moved


def mend_runs(project: Project) -> None:
    """Runs, comparisons and tournaments that look for their pictures where there is nothing any more, and find them in
    the project's folder, are told so: the project was moved, or its pictures. So are runs that start from one that lies
    here now. Those on other pictures are left as they are."""
    # A comparison before its runs, which show what its pictures are; one without any says nothing of that.
    studies = [one for one in _runs_and_studies(project) if experiment_job(one) and run_folders(one)]
    for run in [*studies, *(run for folder in project.all_runs for run in run_folders(folder))]:
        _mend_source(run, project)
        pictures = _pictures_of(run)
        if pictures is not None and not pictures.is_dir():
            with suppress(StudioError, OSError):
                relink(run, project.pictures)


def _mend_source(run: Path, project: Project) -> None:
    with suppress(StudioError, OSError, AttributeError):
        config = RunFolder.open(run).config()
        source = Path(str(config.get("source", "") or "."))
        there = project.runs / source.name
        if not source.exists() and source.is_absolute() and (there / CONFIG).is_file():
            write_atomic(run / CONFIG, to_toml({**config, "source": str(there)}).encode())
