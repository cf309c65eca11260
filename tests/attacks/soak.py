"""Hours at the window and in the engine: nothing grows that is not asked for.

    python -m tests.attacks.soak --cycles 500 --hours 8

A cycle starts a training, pauses it, goes on, stops it, goes on with it and stops it again, all through a window. The
hours are events of a long training, two logged steps a second of it, fed to the page as fast as they can be taken.
Threads, open files and memory after the warm-up (a fifth of the cycles, and of the hours) and at the end are compared.
Memory may vary by one percent; what the allocator can give back is given back before it is read.
"""

import argparse
import gc
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sslstudio.engine.compute.malloc import give_back, keep_for_reuse
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import Message

SHARE = 0.01  # of memory
LEAST = 2 << 20  # bytes: a few pages of Qt's and Python's own
WARM = 0.2  # of the cycles and the hours
STEPS_AN_HOUR = 3600 * 2  # logged steps of a quick training


@dataclass(frozen=True)
class Held:
    """What a process holds: threads, handles, bytes."""

    threads: int
    handles: int
    memory: int

    @classmethod
    def now(cls) -> "Held":
        """What it holds now, without what could be collected."""
        from tests.support.window_job import let_go

        let_go()
        gc.collect()
        give_back()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        tasks = len(list(Path("/proc/self/task").iterdir()))
        return cls(max(tasks, threading.active_count()), len(os.listdir("/proc/self/fd")), pages * 4096)

    def grown(self, before: "Held", what: str) -> list[str]:
        """What is more than it was, in words."""
        found = []
        if self.threads > before.threads:
            found.append(f"{what}: threads {before.threads} to {self.threads}")
        if self.handles > before.handles:
            found.append(f"{what}: open files {before.handles} to {self.handles}")
        if self.memory - before.memory > max(LEAST, SHARE * before.memory):
            found.append(f"{what}: memory {before.memory >> 10} to {self.memory >> 10} kB")
        return found


def say(text: object) -> None:
    """A line for whoever started it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Soak; 1 if anything grew."""
    parser = argparse.ArgumentParser(description="Hours at the window and in the engine.")
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--hours", type=float, default=8.0)
    options = parser.parse_args(arguments)
    if not sys.platform.startswith("linux"):
        say("Skipped: /proc is of Linux.")
        return 0
    keep_for_reuse()  # as the program does
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        os.environ |= {"SSLSTUDIO_CACHE": f"{folder}/cache", "SSLSTUDIO_LOG": f"{folder}/log"}
        found = soak(Path(folder), options.cycles, options.hours)
    say("\n".join(found) or "Nothing grew.")
    return 1 if found else 0


def soak(folder: Path, cycles: int, hours: float) -> list[str]:
    """What grew, over cycles and hours; empty if nothing did."""
    from sslstudio.engine.sample.make import make_sample
    from tests.support.window_job import Person

    for _ in make_sample(folder / "pictures", count=40, side=32, seed=1):
        pass
    person = Person(folder)
    person.open(folder / "pictures")
    found = compared("cycles", cycles, partial(cycle, person, folder))
    found += compared("hours", round(hours * 10), partial(tenth_of_an_hour, person, folder))
    person.close()
    return [*found, *person.errors]


def compared(what: str, times: int, call: Callable[[int], None]) -> list[str]:
    """Do it so many times; what grew after the warm-up."""
    warm, before = max(1, round(WARM * times)), None
    for number in range(times):
        call(number)
        if number + 1 == warm:
            before = Held.now()
        if number + 1 == warm or number % max(1, times // 10) == 0:
            say(f"{what}, {number + 1} of {times}: {Held.now()}")
    after = Held.now()
    say(f"{what}, {times} of {times}: {after}")
    return after.grown(before, what) if before is not None else []


def cycle(person: object, folder: Path, number: int) -> None:
    """Start, pause, go on, stop, and go on to the end."""
    import shutil

    from tests.support.window_job import Person, wait

    assert isinstance(person, Person)
    run = folder / "runs" / str(number)
    person.window.go("pretrain")
    runner, view = person.workspace.runner, person.window.pages["pretrain"].view  # type: ignore[attr-defined]
    person.start(person.config(folder / "pictures", run, steps=400))
    wait(lambda: view.step.value.text() not in ("–", "0") or not runner.active, "the first steps")
    runner.toggle_pause()
    wait(lambda: "Paused" in view.state.text() or not runner.active, "the pause")
    runner.toggle_pause()
    runner.stop()
    person.rest()
    assert view.outcome == "stopped", view.outcome
    person.resume(run, stop_after=True)
    assert view.outcome in ("stopped", "finished"), view.outcome
    shutil.rmtree(run)


def tenth_of_an_hour(person: object, folder: Path, number: int) -> None:
    """Six minutes of a training: its events through the runner and the page, as fast as they come; then the record is
    read and shown."""
    from tests.support.window_job import Person

    assert isinstance(person, Person)
    count = STEPS_AN_HOUR // 10

    def events(control: RunControl) -> Iterator[Event]:
        title = Message("A long run")
        yield RunStarted(job="pretrain", run=str(folder / "long"), title=title, facts={}, total_steps=count)
        for step in range(1, count + 1):
            yield StepDone(
                step=step, total_steps=count, epoch=step / 9, loss=1 / step, metrics={"accuracy": 0.5},
                chance={"accuracy": 0.25}, learning_rate=0.1, pictures_per_second=9.0, seconds_left=9.0,
            )  # fmt: skip
        yield RunFinished(outcome="finished", step=count, seconds=360.0, metrics={})

    person.workspace.runner.start("pretrain", events)
    person.rest()


if __name__ == "__main__":
    sys.exit(main())
