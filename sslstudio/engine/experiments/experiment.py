"""How any experiment goes: the folder and its config settled, then run after run, its table safe after each of them.

    for event in Experiment(Comparison, config, control).run(): ...

An experiment is a folder of ordinary runs. Whatever is done is not done again. Several processes, also of several
machines with one disk, share the runs: each is claimed with a lock file beside it. A strategy says which runs there
are, which is next, and what the table is; everything else is here.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Generic

from filelock import Timeout

from sslstudio.engine.core.config import to_dict
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import StudioError, TaskDoesNotFit
from sslstudio.engine.core.events import (
    Advanced,
    CheckpointSaved,
    Event,
    Note,
    Preparing,
    RunFinished,
    RunStarted,
    StepDone,
)
from sslstudio.engine.core.files.atomic_files import holding, make_folder
from sslstudio.engine.core.messages import Message
from sslstudio.engine.experiments.config import C, stored_config
from sslstudio.engine.experiments.experiment_run import DONE, FAILED, REFUSED, ExperimentRun, Outcome, Spent
from sslstudio.engine.experiments.tables import Table
from sslstudio.engine.finetuning.label_snapshot import keep_labels
from sslstudio.engine.runs.experiment_folder import write_experiment_settings
from sslstudio.engine.runs.writer_lock import writer_of

WAIT_SECONDS = 1.0  # between two looks at what another process works on


class Strategy(ABC, Generic[C]):
    """What one kind of experiment is. `config` is what was asked for, `whole` what the folder holds with it."""

    counted: ClassVar[bool]
    """Whether it is known from the start how many runs there are; else the first and the last event count none."""
    runs: Sequence[ExperimentRun]
    """Every run that there can be."""

    def __init__(self, config: C, whole: C | None = None) -> None:
        self.config, self.whole = config, whole or config

    @staticmethod
    @abstractmethod
    def settle(config: C, stored: C | None) -> tuple[C, C]:
        """`config` with every choice made, and what the folder is to hold; that is `stored` itself where nothing is
        added to it. Raises ConfigError when what is there already has other settings."""

    def count(self) -> tuple[int, int]:
        """How many runs are settled, and how many there are."""
        return sum(self.is_settled(run) for run in self.runs), len(self.runs)

    @abstractmethod
    def facts(self) -> dict[str, str | Message]:
        """Lines for people, said as it begins."""

    @abstractmethod
    def order(self) -> Iterator[ExperimentRun | Event | None]:
        """The runs as they are to be done, with what is to be told between them. None: nothing can be done now, for
        other processes work on what is left. Whatever came of a run is on the disk when the next one is asked for."""

    def is_settled(self, run: ExperimentRun) -> bool:
        """Whether nothing is left to do."""
        return run.outcome() is not None

    @abstractmethod
    def start(self, run: ExperimentRun, control: RunControl) -> Iterator[Event]:
        """Begin a run."""

    @abstractmethod
    def ends_all(self, run: ExperimentRun, error: StudioError) -> bool:
        """Whether no run can be done, when this one fails like that."""

    @abstractmethod
    def facts_of(self, outcome: str, seconds: float) -> Spent:
        """What is written down with the outcome of a run that took so long."""

    def tidy(self, run: ExperimentRun) -> None:
        """Remove what nobody needs of a run that is finished."""
        return

    @abstractmethod
    def tell(self, run: ExperimentRun) -> Note | None:
        """What is said of a run that has just been settled."""

    @abstractmethod
    def stand(self, now: ExperimentRun | None) -> Advanced:
        """Where it stands as a run is begun, or between two."""

    @abstractmethod
    def conclude(self, control: RunControl) -> Generator[Preparing, None, Table]:
        """Write the tables of what is done, and give back the content of the JSON file."""

    @abstractmethod
    def is_over(self) -> bool:
        """Whether all is done."""


class Experiment(Generic[C]):
    """One go at an experiment: what is left of it is done, until it is over or stopped."""

    def __init__(self, kind: type[Strategy[C]], config: C, control: RunControl) -> None:
        self._kind, self._config, self._control = kind, config, control

    def run(self) -> Iterator[Event]:
        """Do what is left and write the tables. The last event's metrics are the content of the table's JSON file.

        Raises StudioError in words when the pictures do not allow it, or when the folder holds something else.
        """
        began = time.monotonic()
        yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
        out = Path(self._config.out)
        make_folder(out)
        with holding(out / f"{self._config.job}.lock", timeout=-1):  # one settles it, the others find it settled
            strategy, changed = yield from self._settle(out)
        yield from self._go_on(strategy, changed, began)

    def _settle(self, out: Path) -> Generator[Preparing, None, tuple[Strategy[C], Message]]:
        """The strategy for what is asked and what is there, which is written down, and a sentence where the labels are
        others than those that it began with; those are kept."""
        folder = str(Path(self._config.data.folder).resolve())
        asked = self._config.replace(out=str(out), data=self._config.data.replace(folder=folder))
        stored = stored_config(type(asked), out)
        if stored is not None:
            stored = stored.replace(out=asked.out)
        config, whole = self._kind.settle(asked, stored)
        if whole is not stored:
            write_experiment_settings(out, config.job, to_dict(whole))
        kept = yield from keep_labels(out, config.data, config.label_kind())
        return self._kind(config.replace(data=kept.data), whole.replace(data=kept.data)), kept.note

    def _go_on(self, strategy: Strategy[C], changed: Message, began: float) -> Iterator[Event]:
        config = strategy.config
        settled, total = strategy.count() if strategy.counted else (0, 0)
        yield RunStarted(
            job=config.job,
            run=config.out,
            title=config.title(),
            facts=strategy.facts(),
            total_steps=total,
            first_step=settled,
        )
        if changed:
            yield Note(level="warning", text=changed)
        yield from self._work(strategy)
        table = yield from strategy.conclude(self._control)
        yield RunFinished(
            outcome="finished" if strategy.is_over() else "stopped",
            step=strategy.count()[0] if strategy.counted else 0,
            seconds=time.monotonic() - began,
            metrics=table,
        )

    def _work(self, strategy: Strategy[C]) -> Iterator[Event]:
        for step in strategy.order():
            if isinstance(step, Event):
                yield step
            elif not self._control.proceed():
                return
            elif step is not None:
                yield from self._claim(strategy, step)
            else:
                done, total = strategy.count()
                yield Preparing(stage=Message("Waiting for what another process works on"), done=done, total=total)
                time.sleep(WAIT_SECONDS)

    def _claim(self, strategy: Strategy[C], run: ExperimentRun) -> Iterator[Event]:
        """Do a run, unless another process does."""
        make_folder(run.path.parent)
        with ExitStack() as held:
            try:
                held.enter_context(holding(run.lock))
            except Timeout:
                return
            if strategy.is_settled(run) or writer_of(run.path) is not None:
                return  # a machine that has crashed lets go of its lock before its name in the run is out of date
            yield strategy.stand(run)
            yield from self._do(strategy, run)
            told = strategy.tell(run) if run.outcome() is not None else None
            if told is not None:
                yield told

    def _do(self, strategy: Strategy[C], run: ExperimentRun) -> Iterator[Event]:
        began = time.monotonic()
        outcome: Outcome = DONE
        words = ""
        try:
            yield from _pass_on(run, run.carry_out(lambda: strategy.start(run, self._control), self._control))
        except StudioError as error:
            outcome, words = REFUSED if isinstance(error, TaskDoesNotFit) else FAILED, error.message
            if outcome == FAILED and strategy.ends_all(run, error):
                raise
        seconds = time.monotonic() - began
        if outcome == DONE:
            if not run.finished():  # stopped
                return
            strategy.tidy(run)
            if pretrained := run.folder.pretrain_metrics():
                seconds = max(seconds, pretrained["seconds"])  # one that was gone on with took longer
        run.note(outcome, words, **strategy.facts_of(outcome, seconds))


def _pass_on(run: ExperimentRun, events: Iterator[Event]) -> Iterator[Event]:
    """What of a run's events is worth telling: a cell is one of many, and its own record holds the rest."""
    for event in events:
        progress = isinstance(event, (Preparing, StepDone))
        if progress or (not run.is_cell and not isinstance(event, (RunFinished, CheckpointSaved))):
            yield event
