"""What a run does on a full disk: it says so, waits, tries again, and goes on when there is room."""

import time
from collections.abc import Callable, Generator

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DiskFull
from sslstudio.engine.core.events import Event, Note, Paused, Resumed
from sslstudio.engine.core.messages import Message

SECONDS = 10.0  # between two tries


def when_there_is_room(
    write: Callable[[], None], control: RunControl | None, step: int
) -> Generator[Event, None, float]:
    """Call `write` until it does not raise DiskFull; returns how many seconds were waited. Raises DiskFull once the run
    is to stop, or without a control.

    What is said meanwhile is for whoever looks on; where there is no room it cannot be recorded.
    """
    told, began = False, time.monotonic()
    while True:
        try:
            write()
        except DiskFull as error:
            if control is None or control.stopping:
                raise
            if not told:
                told = True
                text = Message(
                    "{error} The run waits, tries again every {seconds:.0f} seconds, and goes on when there is room.",
                    error=error.message,
                    seconds=SECONDS,
                )
                yield Note(level="warning", text=text)
                yield Paused(step=step)
            control.wait(SECONDS)
        else:
            break
    if told:
        yield Resumed(step=step)
        yield Note(level="info", text=Message("There is room on the disk again: the run goes on."))
    return time.monotonic() - began if told else 0.0
