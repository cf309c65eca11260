"""The errors whose text is meant for the user: it says what was asked, what was found and what to try.

StudioError
├── InputError            what the user gave does not work; the command line exits with 2
│   ├── ConfigError       an option: unknown, of the wrong type or out of its limits
│   ├── DataError         a folder, a picture, a label file or a mask
│   └── TaskDoesNotFit    a pretext task that has nothing to learn from these pictures
└── RunError              a run that cannot go on: diverged, damaged checkpoint; exits with 1
    ├── TrainerDied       the process of a run is gone; it may go on from what it saved last
    └── DiskFull          there is no room for what was to be written: it may be tried again

What the system raises (OSError, MemoryError, RecursionError) becomes a sentence at the boundary (`mishaps`); anything
else is a bug in the program, and its traceback is kept in the log.
"""

import difflib
from collections.abc import Iterable
from typing import Any, Self

from sslstudio.engine.core.messages import Message, as_message


class StudioError(Exception):
    """Base of every error whose message is shown to people: a template and the values in it, as in `Message`.

    `str()` is English; whoever shows the error in another language says its `message`.
    """

    def __init__(self, template: str, /, **values: Any) -> None:
        self.message = as_message(template, values)
        super().__init__(str(self.message))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.message)

    @classmethod
    def of(cls, message: Message) -> Self:
        """An error of this kind with a message that is there already, such as one that came from a child process."""
        error = cls.__new__(cls)
        StudioError.__init__(error, message)
        return error


def _again(kind: type[StudioError], message: Message) -> StudioError:
    return kind.of(message)


class InputError(StudioError):
    """What the user gave cannot be used."""


class ConfigError(InputError):
    """An option is unknown, of the wrong type or out of its limits."""


class DataError(InputError):
    """A folder, picture, label file or mask cannot be used."""


class TaskDoesNotFit(InputError):
    """A pretext task has nothing to learn from these pictures."""


class RunError(StudioError):
    """A run cannot go on."""


class TrainerDied(RunError):
    """The process of a run has ended without a word. `run`: its folder; `saved`: whether it can go on from there."""

    run: str = ""
    saved: bool = False


class DiskFull(RunError):
    """The disk has no room for what was to be written. What was there before is as it was."""


def did_you_mean(name: str, known: Iterable[str]) -> Message:
    """A sentence that names the nearest known name, or lists them all when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return Message("Did you mean {near!r}?", near=near[0]) if near else Message("Known are: {names}.", names=names)
