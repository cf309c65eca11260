"""The line for a terminal that does what a page does. Runs on another thread: the configs import torch."""

from typing import Any

from sslstudio.engine.core.control import RunControl


def line_of(said: Any, control: RunControl) -> str:
    """A config, or the words of a command (empty ones are left out), as one line for a terminal of this system."""
    from sslstudio.engine.report.command_line import command_line, typed

    return typed([str(word) for word in said if str(word)]) if isinstance(said, list) else command_line(said)


def preview_words(config: Any, out: str, count: int, draw: int) -> list[object]:
    """The command that draws puzzles of the chosen task. Quick, once the engine is there."""
    from sslstudio.engine.report.command_line import PREVIEW, command_words

    words: list[object] = [*command_words(config.replace(out=out), PREVIEW), "--count", count]
    return [*words, "--draw", draw] if draw else words
