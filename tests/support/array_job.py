"""A job array of Slurm without Slurm: the recipe of the manual, by several processes with the variables set by hand."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

MANUAL = Path(__file__).parents[2] / "resources" / "manual" / "clusters.md"


def recipe(command: str) -> list[str]:
    """The lines of the manual for `sslstudio COMMAND` in a job array, those for Slurm itself left out."""
    text = MANUAL.read_text(encoding="utf-8")
    found = re.search(rf"    #SBATCH --array=\S+[^\n]*\n((?:    [^\n]+\n)*?    sslstudio {command} [^\n]+\n)", text)
    assert found, f"no array of sslstudio {command} in the manual"
    return [line.strip() for line in found[1].splitlines()]


def array_job(command: str, pictures: Path, out: Path, options: list[str], count: int) -> list["subprocess.Popen[str]"]:
    """Start the recipe once for each task of an array. What it calls `sslstudio` is this Python's; `options` are added
    to those of the recipe and count before them."""
    lines = recipe(command)
    own = f'sslstudio() {{ exec {shlex.join([sys.executable, "-m", "sslstudio"])} "$@"; }}'
    script = "\n".join([own, *lines[:-1], f"{lines[-1]} {shlex.join(options)}"])
    started = []
    for number in range(count):
        slurm = {
            "SLURM_JOB_ID": str(100 + number), "SLURM_ARRAY_JOB_ID": "100", "SLURM_ARRAY_TASK_ID": str(number),
            "SLURM_ARRAY_TASK_COUNT": str(count), "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "1",
        }  # fmt: skip
        environment = {**os.environ, **slurm, "PICTURES": str(pictures), "OUT": str(out), "OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(
                ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
            )
        )
    return started
