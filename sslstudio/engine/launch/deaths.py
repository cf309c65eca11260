"""How a child process died, in words; and what is said when it has been silent for long."""

import signal
from pathlib import Path

from sslstudio.engine.core.events import Stalled
from sslstudio.engine.core.messages import Message

SHOWN = 300  # characters of its last words
ASKED = {"SIGTERM", "SIGHUP", "SIGINT"}  # another program or a person wants it to end


def cause(code: int, last: str) -> Message:
    """Why a process with this exit code (a signal is negative) ended; `last` is the last line of its log."""
    if code >= 0:
        return Message("The process of the training ended by itself with code {code}. {last}", code=code, last=last)
    try:
        name = signal.Signals(-code).name
    except ValueError:  # one that has no name
        name = f"signal {-code}"
    if name == "SIGKILL":
        return Message(
            "The process of the training was killed, most often because the machine ran out of memory. "
            "If it happens again, take a smaller batch or smaller pictures. {last}",
            last=last,
        )
    if name in ASKED:
        return Message(
            "The process of the training was told to end from outside ({name}), as a system does that shuts down or a "
            "person with a task manager; nothing is wrong with the training. {last}",
            name=name,
            last=last,
        )
    return Message(
        "The process of the training crashed ({name}), most often inside a driver or library. {last}",
        name=name,
        last=last,
    )


def abandoned() -> Message:
    """It was ended because a person asked for that."""
    return Message("The process of the training was ended as you asked.")


def stalled(seconds: float, last: str) -> Stalled:
    """Nothing has come for so long."""
    text = Message(
        "No progress for {seconds} s. It may be busy with something long, or hang. If nothing comes, end it: what was "
        "saved last is kept. {last}",
        seconds=round(seconds),
        last=Message("Its last line: {line}", line=last) if last else "",
    )
    return Stalled(seconds=seconds, text=text)


def last_line(log: Path) -> str:
    """The last line of a log that says anything; '' if none does."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - (1 << 16)))
            content = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    return lines[-1][:SHOWN] if lines else ""
