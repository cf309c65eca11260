"""What a run says while it goes: frozen events of numbers, texts and lists of them, each with a JSON form.

A run is a generator of these. `events.jsonl` in the run folder holds one a line and is the record of the run:
feeding that file to a window replays it. No tensor is ever in an event.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from sslstudio.engine.core.errors import RunError, did_you_mean
from sslstudio.engine.core.files.checked_files import Count, checked, parse_json
from sslstudio.engine.core.messages import Message, to_stored


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. `kind` is the name in the JSON form."""

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__name__
        Event.kinds[cls.kind] = cls


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preparing(Event):
    """A stage before the first step, for example 'Reading pictures': `done` of `total` (0 when not known)."""

    stage: Message
    done: Count
    total: Count


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The run begins or goes on. `job` is pretrain or finetune; `facts` are lines for people (device, pictures ...)."""

    job: str
    run: str
    title: Message
    facts: dict[str, str | Message]
    total_steps: Count
    first_step: Count = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepDone(Event):
    """A logged step. `part` tells trainings of one run apart ('pretrained', 'scratch'; '' when there is one).

    `metrics` are means since the last logged step; `chance` holds the value that guessing gives, where there is one.
    `data_wait` is the share of the time since then in which the step waited for its pictures.
    """

    part: str = ""
    step: Count
    total_steps: Count
    epoch: float
    loss: float
    metrics: dict[str, float]
    chance: dict[str, float]
    learning_rate: float
    pictures_per_second: float
    seconds_left: float
    data_wait: float = 0.0  # which records of earlier versions do not have


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """Held-out pictures were scored. `split` is validation or test; `n` is how many pictures."""

    part: str = ""
    step: Count
    split: str
    n: Count
    metrics: dict[str, float]
    chance: dict[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probed(Event):
    """What frozen features are worth, against those of the same network untrained, `share` (0 to 1) into the run.

    `labels` a class (for masks: in all) teach a probe, `n` further pictures are scored; both 0 without labels, where
    `stages`, `difference` and `verdict` are empty and `best_stage` is 0. Else `stages` holds for each stage its number
    (`stage`) and the scores `linear`, `knn`, `untrained_linear` and `untrained_knn`; `difference` has value, low and
    high (95 % interval) and the scores `ours` and `untrained` that it is between; `verdict` is 'helps', 'harms' or
    'no difference yet'. `rank` and `spread` (evaluate/rankme.py) need no labels.
    """

    step: Count
    share: float
    part: str = ""
    labels: Count
    n: Count
    stages: list[dict[str, float]]
    best_stage: int
    difference: dict[str, float]
    verdict: str
    text: Message
    rank: float
    spread: float
    untrained_rank: float
    untrained_spread: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Alarm(Event):
    """Something is wrong with the training. `name` is said once a run; `text` is for people.

    `change` is the one change of settings that answers it, as `--set` takes it; '' where no setting does.
    """

    step: Count
    name: str
    text: Message
    change: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleSaved(Event):
    """A picture of the network's answers on held-out puzzles; `path` is relative to the run folder."""

    step: Count
    path: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    """The weights are safely on disk; `path` is relative to the run folder; `best` if they are the best so far."""

    part: str = ""
    step: Count
    path: str
    best: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Note(Event):
    """A sentence for people. `level` is info or warning."""

    level: str
    text: Message


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stalled(Event):
    """The process of a run has said nothing for so many seconds. Said by who started it; it is in no record."""

    seconds: float
    text: Message


@dataclasses.dataclass(frozen=True, kw_only=True)
class Advanced(Event):
    """Where a comparison or a tournament stands: `done` of `total` runs are done, and one is begun `now` (empty when
    none is). The runs after that one take `seconds_after` by what is known; nan: not known yet. `table` is the
    content of table.json or tournament.json as far as it goes; empty when nothing in it is new.
    """

    done: Count
    total: Count
    now: Message
    seconds_after: float
    table: Mapping[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paused(Event):
    """The run waits."""

    step: Count


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resumed(Event):
    """The run goes on after a pause."""

    step: Count


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The last event. `outcome` is finished or stopped; `metrics` is the content of metrics.json, as runs/metrics.py
    has it, or of an experiment's table; empty when there is none."""

    outcome: str
    step: Count
    seconds: float
    metrics: Mapping[str, object]


def to_json(event: Event) -> str:
    """One line of JSON: strict (a number that is not finite becomes null)."""
    values = {"event": event.kind, **dataclasses.asdict(event)}
    return json.dumps(to_stored(values), ensure_ascii=False, allow_nan=False)


def _numbers(value: Any, hint: object) -> Any:
    """The inverse of `to_stored` where a number belongs: null was one that is not finite."""
    if hint is float and value is None:
        return math.nan
    if hint == dict[str, float] and isinstance(value, dict):
        return {key: _numbers(item, float) for key, item in value.items()}
    if hint == list[dict[str, float]] and isinstance(value, list):
        return [_numbers(item, dict[str, float]) for item in value]
    return value


@cache
def _hints(name: str) -> dict[str, Any]:
    return {field.name: field.type for field in dataclasses.fields(Event.kinds[name])}


def from_json(line: str) -> Event:
    """The event of one line. Raises RunError when the line is not an event (a torn or foreign file)."""
    try:
        values = parse_json(line, Message("A line of an events file"), dict[str, Any])
        name = values.pop("event")
    except (RunError, KeyError) as error:
        raise RunError("This is not a line of an events file: {line!r}.", line=line[:80]) from error
    if not isinstance(name, str) or name not in Event.kinds:
        raise RunError(
            "There is no event called {name!r}. {hint}", name=name, hint=did_you_mean(str(name), Event.kinds)
        )
    kind = Event.kinds[name]
    hints = _hints(name)
    unknown = set(values) - set(hints)
    if unknown:
        raise RunError(
            "The event {name} has no {unknown}: was it written by a newer version?", name=name, unknown=sorted(unknown)
        )
    for key, value in values.items():
        values[key] = checked(_numbers(value, hints[key]), hints[key], f"{name}.{key}")
    try:
        return kind(**values)
    except TypeError as error:
        raise RunError("The event {name} is incomplete: {error}.", name=name, error=error) from error
