"""How far a job is and how long it still takes, in a line."""

import time
from collections.abc import Callable

from sslstudio.engine.core.events import Preparing
from sslstudio.ui.text import formatting
from sslstudio.ui.text.formatting import tr

SETTLED = 0.5  # seconds that a stage must have gone on before its pace says anything


class Progress:
    """One for each job. The time left is that of the stage, by its pace since its first word: what was done before, in
    an earlier session, costs nothing and says nothing of the pace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage, self._began, self._first, self._last = "", 0.0, 0, 0

    def forget(self) -> None:
        """Another job begins."""
        self._stage = ""

    def describe(self, event: Preparing) -> str:
        """Describe the stage, how much of it is done, and the time left."""
        return formatting.facts_line([formatting.render(event.stage), self.far(event)])

    def far(self, event: Preparing) -> str:
        """The same without the stage; '' while nothing is known."""
        if event.stage != self._stage or event.done < self._last:
            self._stage, self._began, self._first = event.stage, self._clock(), event.done
        self._last = event.done
        if not event.total:
            return ""
        said = [tr("{0} of {1}").format(formatting.count(event.done), formatting.count(event.total))]
        new, seconds = event.done - self._first, self._clock() - self._began
        if new and seconds > SETTLED and event.done < event.total:
            said.append(formatting.time_to_go(seconds / new * (event.total - event.done)))
        return formatting.facts_line(said)
