"""What became of a run, in a sentence for whoever comes back in the morning: 'Ran 7 h 12 min, best at epoch 84, nothing
lost.'"""

from collections.abc import Sequence

from sslstudio.engine.durations import duration
from sslstudio.engine.events import Alarm, CheckpointSaved, Event, RunFinished, RunStarted, StepDone


def summary(events: Sequence[Event]) -> str:
    """From the events of a run, whole or cut short; '' for one that never got to its first step."""
    steps = [event for event in events if isinstance(event, StepDone)]
    if not steps:
        return ""
    last = events[-1]
    alarms = sum(isinstance(event, Alarm) for event in events)
    parts = [*_how_it_went(last, steps[-1]), _best(events, steps), _sittings(events), _alarms(alarms)]
    return f"{', '.join(part for part in parts if part)}, {_lost(events, steps[-1])}."


def _how_it_went(last: Event, step: StepDone) -> list[str]:
    at, total = step.step, step.total_steps
    if not isinstance(last, RunFinished):
        return [f"Interrupted at step {at:,} of about {total:,}" if total else f"Interrupted at step {at:,}"]
    stopped = f"stopped at step {at:,} of about {total:,}" if total else f"stopped at step {at:,}"
    return [f"Ran {duration(last.seconds)}", "" if last.outcome == "finished" else stopped]


def _best(events: Sequence[Event], steps: Sequence[StepDone]) -> str:
    """The epoch of the newest best checkpoint of the first part."""
    part = steps[0].part
    saved = [event.step for event in events if isinstance(event, CheckpointSaved) and event.best and event.part == part]
    before = [step.epoch for step in steps if step.part == part and saved and step.step <= saved[-1]]
    return f"best at epoch {before[-1]:,.0f}" if before and before[-1] >= 1 else ""


def _sittings(events: Sequence[Event]) -> str:
    count = sum(isinstance(event, RunStarted) for event in events)
    return f"in {count} sittings" if count > 1 else ""


def _alarms(count: int) -> str:
    return ("1 alarm" if count == 1 else f"{count:,} alarms") if count else ""


def _lost(events: Sequence[Event], step: StepDone) -> str:
    """Steps after the last checkpoint are made again when the run goes on."""
    if isinstance(events[-1], RunFinished):
        return "nothing lost"
    saved = [event.step for event in events if isinstance(event, CheckpointSaved) and event.part == step.part]
    lost = step.step - (saved[-1] if saved else 0)
    again = "1 step to be made again" if lost == 1 else f"{lost:,} steps to be made again"
    return again if lost > 0 else "nothing lost"
