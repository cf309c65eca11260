"""The job at a machine with one core: commands, or the window. Each thread pool may then have a single thread.

python -m tests.support.one_core FOLDER PICTURES commands|window
"""

import os
import sys
from pathlib import Path


def commands(folder: Path, pictures: Path) -> int:
    """Index, clinic, a training, and labels over it."""
    from sslstudio.cli.main import main

    small = ["--device", "cpu", "--side", "32", "--set", "optimiser.batch_size=8"]
    for words in (
        ["index", pictures],
        ["clinic", pictures, "--task", "rotation", "--side", "32"],
        ["pretrain", pictures, "--out", folder / "pre", "--task", "rotation", *small, "--set", "budget.steps=4"],
        ["finetune", pictures, "--from", folder / "pre", "--out", folder / "fine", *small, "--epochs", "1", "--set",
         "general=false"],
    ):  # fmt: skip
        if code := main([str(word) for word in words]):
            return code
    return 0


def window(folder: Path, pictures: Path) -> int:
    """Open, label, queue and train, in this process."""
    from PySide6.QtCore import QThreadPool

    from tests.support.window_job import Person

    assert QThreadPool.globalInstance().maxThreadCount() == 1, "this machine's cores were not taken away"
    person = Person(folder)
    person.open(pictures)
    person.label(4, lambda line: None)
    person.workspace.queue.add("pretrain", "queued", person.config(pictures, folder / "queued", "jigsaw"))
    person.train(person.config(pictures, folder / "run"))
    person.close()
    sys.stderr.write("\n".join(person.errors))
    return 1 if person.errors else 0


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sys.exit({"commands": commands, "window": window}[sys.argv[3]](Path(sys.argv[1]), Path(sys.argv[2])))
