"""The run folder: everything that is known of a run, in files that other programs can read.

config.toml          the settings, with every choice that was left to the program filled in
events.jsonl         what the run said, one event a line; feeding it to a window replays the run
split.json           which pictures were for training, validation and test
recognised.json.gz   which pictures there were and how they were labelled
step.json            how steps are computed: precision, memory format, threads, parts of a batch, and what was tried
last.safetensors     the newest weights and all that is needed to go on; best.safetensors the best so far
samples/             the network's answers on held-out puzzles as it learnt
metrics.json         the result: see metrics.py
writer.json          while the run is written: by which process, on which machine
name.json            what a person calls it
weights.json         which weights a fine-tuning starts from, if the best ones were chosen when it was stopped
"""

import json
import os
import re
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from sslstudio.engine.core import migrations
from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError, StudioError
from sslstudio.engine.core.events import Event, Preparing, RunFinished, RunStarted, StepDone, from_json, to_json
from sslstudio.engine.core.files import leftovers
from sslstudio.engine.core.files.atomic_files import (
    Appender,
    cannot_write,
    cut_file,
    make_folder,
    sync_file,
    write_atomic,
)
from sslstudio.engine.core.files.checked_files import check_kinds, read_json, read_limited, read_settings
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import to_stored
from sslstudio.engine.core.room import when_there_is_room
from sslstudio.engine.runs.metrics import FinetuneMetrics, Metrics, PretrainMetrics, checked_metrics
from sslstudio.engine.runs.summary import summary
from sslstudio.engine.runs.writer_lock import refuse_second_writer, writer_of, writing

CONFIG = "config.toml"
EVENTS = "events.jsonl"
METRICS = "metrics.json"
SPLIT = "split.json"
NAME = "name.json"  # what a person calls the run
ASIDE = ".discarded"  # folder beside the runs that holds those which can still be brought back
KINDS = {
    "job": str, "task": str, "kind": str, "source": str, "out": str, "data": dict, "data.folder": str,
    "data.labels": str, "options": dict, "hardware": dict, "hardware.processes": int,
}  # what is read of the settings without all of them  # fmt: skip
DEPTH = 3  # levels below a folder in which runs are looked for
CHOICE = "weights.json"  # which weights others start from, where somebody chose
# File names that are not UTF-8 are lone surrogates in Python; written with a backslash they are what JSON calls them.
ODD_NAMES = "backslashreplace"


_LEFT = re.compile(r"\.[0-9a-f]{16}\..*\.part")


class SplitTable(TypedDict):
    """split.json: the pictures of each part, relative to their folder."""

    train: list[str]
    validation: list[str]
    test: list[str]


def checked_split(table: dict[str, list[str]], name: Path) -> dict[str, list[str]]:
    """The table itself. Raises RunError for a picture in two parts or outside the folder."""
    paths = [*table["train"], *table["validation"], *table["test"]]
    twice = len(paths) - len(set(paths))
    if twice:
        raise RunError(
            "{file} is damaged: {n:,} of its pictures are in it twice, so that what is trained on would be tested "
            "with. Put it back from a copy, or begin a new run.",
            file=name,
            n=twice,
        )
    if out := next((path for path in paths if leads_out(path)), ""):
        raise RunError(
            "{file} is damaged: {path!r} is no picture in a folder. Put it back from a copy, or begin a new run.",
            file=name,
            path=out[:80],
        )
    return table


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waited = 0.0  # seconds, for room on the disk

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> "RunFolder":
        """A new run. Raises DataError when the folder holds something already: nothing is ever overwritten."""
        if path.exists() and (not path.is_dir() or holds_something(path)):
            if (path / CONFIG).is_file():
                raise DataError(
                    "{path} exists already and is not empty. Choose another folder for the run, or go on with "
                    "it: sslstudio resume {path}",
                    path=path,
                )
            raise DataError(
                "{path} exists already and is not empty, and is no run. Choose another folder for the run.", path=path
            )
        content = _encoded(migrations.stamp(config))
        make_folder(path)
        write_atomic(path / CONFIG, content)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """A run that exists. Raises DataError when the folder is not a run."""
        if not (path / CONFIG).is_file() and path.is_dir() and _is_free(path):
            raise DataError(
                "{path} is not a run: there is no {config} in it. If it was to become one, nothing of it was written "
                "yet, and nothing is lost: start it again with the same command as before, into the same folder.",
                path=path,
                config=CONFIG,
            )
        if not (path / CONFIG).is_file():
            raise DataError(
                "{path} is not a run: there is no {config} in it. Runs are listed by: sslstudio runs FOLDER",
                path=path,
                config=CONFIG,
            )
        return cls(path)

    @classmethod
    def open_unfinished(cls, path: Path) -> "RunFolder":
        """A run that has something left to do. Raises DataError when it is no run or is finished.

        RunError while another process writes it.
        """
        run = cls.open(path)
        refuse_second_writer(path)
        events = run.events()
        if events and isinstance(events[-1], RunFinished) and events[-1].outcome == "finished":
            raise DataError(
                "{path} is finished: there is nothing left to do. Start another run to train longer.", path=path
            )
        return run

    def config(self) -> dict[str, Any]:
        """The content of config.toml, in the format of today. Raises ConfigError when it is damaged."""
        file = self.path / CONFIG
        values = read_settings(file)
        if "job" not in values:  # another program's
            return values
        values = migrations.migrate(migrations.RUN, values, str(file))
        check_kinds(values, KINDS, str(file))
        return values

    @property
    def job(self) -> str:
        """pretrain or finetune."""
        return str(self.config().get("job", "pretrain"))

    @property
    def weights(self) -> Path:
        """The weights that others start from: the last ones, unless the best ones were chosen."""
        chosen: dict[str, str] = self.read_json(CHOICE, dict[str, str]) or {}
        best = chosen.get("use") == "best" and (self.path / "best.safetensors").exists()
        return self.path / ("best.safetensors" if best else "last.safetensors")

    def use_weights(self, which: str) -> None:
        """Choose the weights that others start from: best or last. Both files stay."""
        self.write_json(CHOICE, {"use": which})

    def events(self) -> list[Event]:
        """Every whole line of events.jsonl; a line torn by a power cut at the end is left out."""
        try:
            text = read_limited(self.path / EVENTS).decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        return list(_whole_lines(text))

    def events_size(self) -> int:
        """Bytes of events.jsonl."""
        file = self.path / EVENTS
        return file.stat().st_size if file.exists() else 0

    def cut_events(self, size: int) -> None:
        """Forget events after the first `size` bytes: they come from after the checkpoint that a resume starts at."""
        if self.events_size() > size:
            cut_file(self.path / EVENTS, size)

    def sync_events(self) -> None:
        """See the record so far to the disk: a checkpoint that says how long it is must not outlive it."""
        with suppress(FileNotFoundError):
            try:
                sync_file(self.path / EVENTS)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise cannot_write(self.path / EVENTS, error) from error

    def record(self, events: Generator[Event, None, None], control: RunControl | None = None) -> Iterator[Event]:
        """Write each event down before it is handed on. A torn last line goes first: it would spoil the next one.

        On a full disk it waits until there is room, if `control` is given. Raises RunError while another process
        writes this run, or when the disk does not take it.
        """
        with writing(self.path), Appender(self.path / EVENTS) as file, closing(events):
            for event in events:
                if not isinstance(event, Preparing):
                    line = (to_json(event) + "\n").encode(errors=ODD_NAMES)
                    write = partial(file.append, line)
                    self.waited += yield from when_there_is_room(write, control, getattr(event, "step", 0))
                    if isinstance(event, RunFinished):
                        file.sync()
                yield event

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file of this run, atomically. A number that is not finite becomes null."""
        text = json.dumps(to_stored(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomic(self.path / name, text.encode(errors=ODD_NAMES))

    def read_json(self, name: str, kind: Any = Any) -> Any:
        """A JSON file of this run, None if there is none. `kind`: what it holds, as in `checked_files`. Raises RunError
        when it is damaged."""
        try:
            return read_json(self.path / name, kind)
        except FileNotFoundError:
            return None

    def split_table(self) -> dict[str, list[str]] | None:
        """How the pictures were set apart, None while they are not. Raises RunError when it is damaged: also for a
        picture in two parts, which would be trained on and tested with, and for one outside the folder."""
        table: dict[str, list[str]] | None = self.read_json(SPLIT, SplitTable)
        return table and checked_split(table, self.path / SPLIT)

    def metrics(self) -> Metrics | None:
        """The result, None while there is none. Raises RunError when it is damaged."""
        content = self.read_json(METRICS)
        return checked_metrics(content, self.path / METRICS)

    def pretrain_metrics(self) -> PretrainMetrics | None:
        """The result of a pretraining, None while there is none."""
        metrics = self.metrics()
        return metrics if metrics is not None and metrics["job"] == "pretrain" else None

    def finetune_metrics(self) -> FinetuneMetrics | None:
        """The result of a fine-tuning, None while there is none."""
        metrics = self.metrics()
        return metrics if metrics is not None and metrics["job"] == "finetune" else None


def _is_free(path: Path) -> bool:
    """Whether a folder holds nothing, or only what a killed process had half written of its first file."""
    return path.is_dir() and all(_LEFT.fullmatch(one.name) and one.is_file() for one in path.iterdir())


def holds_something(path: Path) -> bool:
    """Whether a folder holds more than what a process left that was killed before it had written the settings."""
    leftovers.sweep(path)
    return not _is_free(path)


def _encoded(config: dict[str, Any]) -> bytes:
    try:
        return to_toml(config).encode()
    except UnicodeEncodeError as error:
        raise DataError(
            "The name of a folder or file in the settings is not UTF-8, so that it cannot be written "
            "down: {object!r}. Rename it.",
            object=error.object[max(0, error.start - 40) : error.end + 40],
        ) from error


def _whole_lines(text: str) -> Iterator[Event]:
    lines = text.split("\n")
    for line in lines[:-1]:  # after the last line break stands nothing, or a torn line
        if line.strip("\0 "):
            yield from_json(line)


@dataclass(frozen=True)
class RunSummary:
    """A line of the list of runs. `outcome`: finished, stopped, damaged, running (written by another
    process now) or interrupted."""

    path: Path
    job: str
    title: str
    outcome: str
    step: int
    total_steps: int
    headline: str
    modified: float
    task: str = ""  # of a pretraining
    told: str = ""  # what became of it, in a sentence
    name: str = ""  # that a person gave it
    source: str = ""  # of a fine-tuning: the run, file or general weights that it started from, or scratch
    labels: int = 0  # that a fine-tuning was taught
    seconds: float = 0.0
    score: float | None = None  # of a fine-tuning its headline score, of a pretraining its gain over untrained features
    weights: bool = True  # whether another run can start from it


def list_runs(folder: Path) -> list[RunSummary]:
    """The runs in a folder and its sub-folders (three levels), newest first. Raises DataError when it is missing."""
    if not folder.is_dir():
        raise DataError("There is no folder {folder}.", folder=folder)
    runs = [summary for path in run_folders(folder) if (summary := summary_of(path)) is not None]
    return sorted(runs, key=lambda run: run.modified, reverse=True)


def run_folders(folder: Path, depth: int = DEPTH) -> list[Path]:
    """Where runs may be in a folder and its sub-folders: what has a config.toml. A folder that is moved away while it
    is listed is left out (`Path.glob` would raise)."""
    try:
        inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    found = [folder] if any(entry.name == CONFIG for entry in inside) else []
    below = [Path(entry.path) for entry in inside if depth and entry.name != ASIDE and entry.is_dir()]
    return found + [one for place in below for one in run_folders(place, depth - 1)]


def summary_of(path: Path) -> RunSummary | None:
    """A line on a run; None for a folder that is none, or is moved away while it is looked at."""
    try:
        return _summary(path)
    except FileNotFoundError:
        return None


def _summary(path: Path) -> RunSummary | None:
    run = RunFolder(path)
    try:
        if "job" not in run.config():  # another program's config.toml
            return None
        config, events, job, metrics = run.config(), run.events(), run.job, run.metrics()
    except StudioError:
        return RunSummary(path, "?", path.name, "damaged", 0, 0, "", path.stat().st_mtime)
    started = [event for event in events if isinstance(event, RunStarted)]
    steps = [event for event in events if isinstance(event, StepDone)]
    last = events[-1] if events else None
    return RunSummary(
        path=path,
        job=job,
        title=started[-1].title if started else path.name,
        outcome=last.outcome if isinstance(last, RunFinished) else "running" if writer_of(path) else "interrupted",
        step=steps[-1].step if steps else 0,
        total_steps=steps[-1].total_steps if steps else 0,
        headline=str(metrics["verdict"]) if metrics is not None and metrics["job"] == "finetune" else "",
        modified=(path / CONFIG).stat().st_mtime,
        task=str(config.get("task", "")),
        told=summary(events),
        name=_name(path),
        source=str(config.get("source", "")),
        labels=metrics["n_train"] if metrics is not None and metrics["job"] == "finetune" else 0,
        seconds=sum(event.seconds for event in events if isinstance(event, RunFinished)),
        score=score_of(metrics),
        weights=(path / "last.safetensors").exists(),
    )


def score_of(metrics: Metrics | None) -> float | None:
    """What runs of one job are compared by: the headline score of the main arm of a fine-tuning, the gain of a
    pretraining over untrained features; None where it is not known."""
    if metrics is None:
        return None
    if metrics["job"] == "finetune":
        main = next(iter(metrics["parts"].values()), None)
        return main["scores"][metrics["headline"]]["value"] if main is not None else None
    probe = metrics.get("probe")
    return probe["difference"].get("value") if probe else None


def _name(path: Path) -> str:
    """The name that a person gave a run (see run_name.py), '' for none."""
    try:
        content = RunFolder(path).read_json(NAME)
    except (RunError, OSError):
        return ""
    return str(content.get("name", "")) if isinstance(content, dict) else ""
