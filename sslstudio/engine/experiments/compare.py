"""Label efficiency: scratch against each pretext task, on the same labels, pictures and steps.

    for event in compare(config, control): ...

The runs are a fixed list: pretrained/TASK and cells/ROW/LABELS-DRAW. Each is claimed with a lock file beside it, so the
same command started twice, in two terminals or on two machines with one disk, shares the work.
"""

import math
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import InputError, StudioError
from sslstudio.engine.core.events import Advanced, Event, Note, Preparing
from sslstudio.engine.core.files.atomic_files import remove_file
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.evaluate.verdict import TITLES
from sslstudio.engine.experiments.caveats import look_at_split
from sslstudio.engine.experiments.compare_config import (
    SCRATCH,
    CompareConfig,
    begun_from,
    cell_runs,
    finetune_config,
    follow_settings,
    join,
    longer_runs,
    pretrain_config,
    pretrained_sources,
    pretraining_run,
    pretraining_runs,
    source_title,
    sources_of,
    suggested_sources,
    trained_sources,
)
from sslstudio.engine.experiments.compare_table import write_tables
from sslstudio.engine.experiments.config import follow, resolve
from sslstudio.engine.experiments.experiment import Experiment, Strategy
from sslstudio.engine.experiments.experiment_run import DONE, FAILED, REFUSED, ExperimentRun, Spent
from sslstudio.engine.experiments.tables import EfficiencyTable
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.finetuning.recipe import steps_for
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.models.encoders import build_encoder
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.training.config import HardwareConfig

TRIES = 3  # steps that are timed; the quickest counts, others have to do with what else the machine does
LONG_STEP = 1.0  # seconds; one such step is enough, the person waits for the number
AROUND = 1.5  # a fine-tuning reads, varies and scores pictures beside its steps


def compare(config: CompareConfig, control: RunControl) -> Iterator[Event]:
    """Do what is left of a comparison and write its tables. The last event's metrics are the content of table.json.

    Raises StudioError in words when the folder cannot be compared on, or holds a comparison with other settings.
    """
    return Experiment(Comparison, config, control).run()


@dataclass(frozen=True)
class Ahead:
    """What is left of a comparison: runs, and seconds by what is known (nan: not known)."""

    done: int
    pretrainings: int
    cells: int
    pretraining_seconds: float  # of all that are left
    cell_seconds: float  # of one with the usual steps
    longer: int = 0  # so many cells more would take the time that longer ones take beyond the usual

    @property
    def total(self) -> int:
        """Runs in all."""
        return self.done + self.pretrainings + self.cells

    @property
    def seconds(self) -> float:
        """Of all that is left."""
        cells = (self.cells + self.longer) * self.cell_seconds if self.cells else 0.0
        return cells + (self.pretraining_seconds if self.pretrainings else 0.0)


class Comparison(Strategy[CompareConfig]):
    """Every run is known from the start: scratch, then each pretraining and its cells."""

    counted = True

    def __init__(self, config: CompareConfig, whole: CompareConfig | None = None) -> None:
        super().__init__(config, whole)
        runs: list[ExperimentRun] = []
        for source in (SCRATCH, *trained_sources(config)):
            runs += pretraining_runs(config, source)
            runs += cell_runs(config, source)
        runs += [run for source in suggested_sources(config) for run in cell_runs(config, source)]
        self.runs = [
            *runs,
            *(run for source in (SCRATCH, *trained_sources(config)) for run in longer_runs(config, source)),
        ]

    @staticmethod
    def settle(config: CompareConfig, stored: CompareConfig | None) -> tuple[CompareConfig, CompareConfig]:
        """Tasks, weights, labels and draws may be added to what is there."""
        config = resolve(follow_settings(follow(config, stored), stored) if stored else config)
        return config, join(config, stored) if stored else config

    def facts(self) -> dict[str, str | Message]:
        """Rows, labels and runs."""
        config, left = self.config, len(self.left())
        steps = Message("{steps} steps each", steps=config.steps) if config.steps else Message("steps by their number")
        labels = Message("{labels} in {seeds} draws, {steps}", labels=config.labels, seeds=config.seeds, steps=steps)
        spread = Message("{count} of each task, with other seeds", count=config.pretrain_seeds)
        return {
            Message("Rows"): ", ".join(sources_of(config)),
            Message("Labels"): labels,
            **({Message("Pretrainings"): spread} if config.pretrain_seeds > 1 else {}),
            Message("Runs"): Message("{total:,} in all, {left:,} to do", total=len(self.runs), left=left),
        }

    def left(self) -> list[ExperimentRun]:
        """The runs that are not settled."""
        return [run for run in self.runs if not self.is_settled(run)]

    def order(self) -> Iterator[ExperimentRun | Event | None]:
        """Pass over what is left until nothing is; the table is told with each new point of a curve."""
        while left := self.left():
            worked = False
            for run in left:
                if self.is_settled(run) or not self._is_ready(run):
                    continue
                yield run
                if run.outcome() is not None:
                    worked = True
                    if self._is_point_done(run):
                        yield self.stand(None)
            if not worked and self.left():
                yield None

    def is_settled(self, run: ExperimentRun) -> bool:
        """Done, refused, failed, or a cell whose pretraining came to nothing."""
        return run.outcome() is not None or self._before(run) in (REFUSED, FAILED)

    def _is_ready(self, run: ExperimentRun) -> bool:
        return self._before(run) == DONE

    def _before(self, run: ExperimentRun) -> str | None:
        """What became of the pretraining that a cell waits for; done where it waits for none."""
        source = begun_from(run.source)
        if not run.is_cell or source not in pretrained_sources(self.config):
            return DONE
        return pretraining_run(self.config, source, run.seed).outcome()

    def _is_point_done(self, run: ExperimentRun) -> bool:
        """Whether every draw of these labels is settled, so that a point of a curve is there."""
        return run.is_cell and all(
            self.is_settled(other)
            for other in self.runs
            if (other.source, other.labels, other.times) == (run.source, run.labels, run.times)
        )

    def start(self, run: ExperimentRun, control: RunControl) -> Iterator[Event]:
        """A pretraining or a fine-tuning."""
        if run.is_cell:
            return finetune(finetune_config(self.config, run.source, run.labels, run.draw, run.times), control)
        return pretrain(pretrain_config(self.config, run.source, run.seed), control)

    def ends_all(self, run: ExperimentRun, error: StudioError) -> bool:
        """From scratch it is the pictures or the labels: no row can be done."""
        return run.source == SCRATCH and isinstance(error, InputError)

    def facts_of(self, outcome: str, seconds: float) -> Spent:
        """How long it took, and on what."""
        return {"seconds": seconds, "machine": machine(self.config.hardware)} if outcome == DONE else {}

    def tidy(self, run: ExperimentRun) -> None:
        """Keep of a cell what the tables need: hundreds of cells would fill a disk with weights."""
        if run.is_cell and not self.config.keep_weights:
            for file in run.path.glob("*.safetensors"):
                remove_file(file)

    def tell(self, run: ExperimentRun) -> Note:
        """'3 of 9: From scratch, 2 labels, draw 2: balanced accuracy 0.417 (3 s)'."""
        done, total = self.count()
        text = Message(
            "{done} of {units}: {words}: {result}",
            done=done,
            units=total,
            words=self.name_run(run),
            result=_result(run),
        )
        return Note(level="info", text=text)

    def name_run(self, run: ExperimentRun) -> Message:
        """For people."""
        title = source_title(self.config, run.source)
        if not run.is_cell:
            many = self.config.pretrain_seeds > 1
            return Message("{source}, pretraining {number}", source=title, number=run.seed + 1) if many else title
        said = Message("{source}, {labels} labels, draw {draw}", source=title, labels=run.labels, draw=run.draw + 1)
        return Message("{cell}, {times} times the steps", cell=said, times=run.times) if run.times > 1 else said

    def stand(self, now: ExperimentRun | None) -> Advanced:
        """The table is told between two runs."""
        left = self.ahead(now)
        return Advanced(
            done=left.done,
            total=len(self.runs),
            now=self.name_run(now) if now else NOTHING,
            seconds_after=left.seconds,
            table={} if now else dict(write_tables(self.whole)),
        )

    def conclude(self, control: RunControl) -> Generator[Preparing, None, EfficiencyTable]:
        """Look at the split once, and write table.json, table.md and curve.png."""
        if control.proceed():
            yield from look_at_split(self.whole, control)
        yield Preparing(stage=Message("Working out the intervals"), done=0, total=0)
        return write_tables(self.whole)

    def is_over(self) -> bool:
        """Whether nothing is left of what was asked for."""
        return not self.left()

    def ahead(self, now: ExperimentRun | None = None, cell_seconds: float = math.nan) -> Ahead:
        """What is left without the run that is being done `now`. Where cells are done, they tell the time."""
        unsettled = self.left()
        left = [run for run in unsettled if run != now]
        cells = sum(run.is_cell for run in left)
        known = [run for run in self.runs if run not in left and run.outcome() == DONE]
        took = _mean(run.facts().get("seconds", math.nan) / run.times for run in known if run.is_cell)
        return Ahead(
            done=len(self.runs) - len(unsettled),
            pretrainings=len(left) - cells,
            cells=cells,
            pretraining_seconds=sum(self._pretraining_seconds(run.source, known) for run in left if not run.is_cell),
            cell_seconds=cell_seconds if math.isnan(took) else took,
            longer=sum(run.times - 1 for run in left if run.is_cell),
        )

    def _pretraining_seconds(self, task: str, known: list[ExperimentRun]) -> float:
        budget = pretrain_config(self.config, task).budget
        if budget.steps is None and budget.epochs is None and budget.minutes is not None:
            return 60 * budget.minutes
        return _mean(run.facts().get("seconds", math.nan) for run in known if not run.is_cell)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else math.nan


def _result(run: ExperimentRun) -> Message:
    """One line on how it went."""
    facts, metrics = run.facts(), run.folder.finetune_metrics()
    if facts["outcome"] != DONE:
        return Message("{outcome}: {words}", outcome=facts["outcome"], words=facts["words"])
    seconds = facts.get("seconds", 0)
    if metrics is not None:
        name = metrics["headline"]
        part = next(iter(metrics["parts"].values()))
        title, value = TITLES[name], part["scores"][name]["value"]
        return Message("{title} {value:score} ({seconds:.0f} s)", title=title, value=value, seconds=seconds)
    return Message("pretrained ({seconds:.0f} s)", seconds=seconds)


def machine(hardware: HardwareConfig) -> dict[str, str]:
    """What it runs on, in words."""
    device = devices.choose(hardware.device, hardware.precision)
    return {
        "device": device.title,
        "precision": device.precision,
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }


def ahead_of(config: CompareConfig) -> Ahead:
    """What a comparison that has not begun, or not come to its end, will take on this machine."""
    comparison = Comparison(resolve(config))
    left = comparison.ahead()
    if left.cells and math.isnan(left.cell_seconds):
        return comparison.ahead(cell_seconds=time_cell(comparison.config, _classes(config)))
    return left


def _classes(config: CompareConfig) -> int:
    """How many classes have labels; 1 for masks."""
    found = recognise(scan(Path(config.data.folder)), config.data.labels, config.data.roles).classes
    return len(found.names) if config.kind == "classification" and found is not None else 1


def time_cell(config: CompareConfig, classes: int) -> float:
    """Seconds that a fine-tuning takes on this machine, from a few steps on noise. `config` must be resolved.

    The batch is that of the most labels, so many for each of `classes` (1 for masks, where labels are counted in all).

    A rough number, to be said before anything is done: the first fine-tunings say it better.
    """
    most = max(config.labels, default=1)
    base = finetune_config(config, SCRATCH, most, 0)
    device = devices.choose(config.hardware.device, config.hardware.precision)
    encoder = build_encoder(base.encoder, seed=0).to(device.handle).train()
    side = base.data.side or 64
    count = min(base.optimiser.batch_size, max(2, most * classes))
    rng = generator(0, "trial", device=device.handle)
    noise = torch.rand(count, 3, side, side, device=device.handle, generator=rng)
    least = math.inf
    for _ in range(TRIES):
        began = time.perf_counter()
        with device.autocast():
            loss = encoder(noise).square().mean()
        loss.backward()
        device.wait()
        least = min(least, time.perf_counter() - began)
        if least > LONG_STEP:
            break
    return AROUND * (config.steps or steps_for(most * classes)) * least
