"""What became of a run, in a sentence for whoever comes back in the morning: 'Ran 7 h 12 min, best at epoch 84, nothing
lost.'"""

from collections.abc import Sequence

from sslstudio.engine.core.events import Alarm, CheckpointSaved, Event, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import NOTHING, Message


def summary(events: Sequence[Event]) -> Message:
    """From the events of a run, whole or cut short; '' for one that never got to its first step."""
    steps = [event for event in events if isinstance(event, StepDone)]
    if not steps:
        return NOTHING
    last = events[-1]
    alarms = sum(isinstance(event, Alarm) for event in events)
    parts = [*_how_it_went(last, steps[-1]), _best(events, steps), _sittings(events), _alarms(alarms)]
    return Message("{parts}, {lost}.", parts=[part for part in parts if part], lost=_lost(events, steps[-1]))


def _how_it_went(last: Event, step: StepDone) -> list[Message]:
    at, total = step.step, step.total_steps
    if not isinstance(last, RunFinished):
        return [
            Message("Interrupted at step {at:,} of about {total:,}", at=at, total=total)
            if total
            else Message("Interrupted at step {at:,}", at=at)
        ]
    stopped = (
        Message("stopped at step {at:,} of about {total:,}", at=at, total=total)
        if total
        else Message("stopped at step {at:,}", at=at)
    )
    return [Message("Ran {seconds:duration}", seconds=last.seconds), NOTHING if last.outcome == "finished" else stopped]


def _best(events: Sequence[Event], steps: Sequence[StepDone]) -> Message:
    """The epoch of the newest best checkpoint of the first part."""
    part = steps[0].part
    saved = [event.step for event in events if isinstance(event, CheckpointSaved) and event.best and event.part == part]
    before = [step.epoch for step in steps if step.part == part and saved and step.step <= saved[-1]]
    return Message("best at epoch {epoch:,.0f}", epoch=before[-1]) if before and before[-1] >= 1 else NOTHING


def _sittings(events: Sequence[Event]) -> Message:
    count = sum(isinstance(event, RunStarted) for event in events)
    return Message("in {count} sittings", count=count) if count > 1 else NOTHING


def _alarms(n: int) -> Message:
    return Message("{n:,} {n:plural(alarm|alarms)}", n=n) if n else NOTHING


def _lost(events: Sequence[Event], step: StepDone) -> Message:
    """Steps after the last checkpoint are made again when the run goes on."""
    if isinstance(events[-1], RunFinished):
        return Message("nothing lost")
    saved = [event.step for event in events if isinstance(event, CheckpointSaved) and event.part == step.part]
    lost = step.step - (saved[-1] if saved else 0)
    again = Message("{n:,} {n:plural(step|steps)} to be made again", n=lost)
    return again if lost > 0 else Message("nothing lost")
