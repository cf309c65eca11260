"""Try the built program from outside, as a user's machine would run it: python packaging/smoke.py [FOLDER]."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE / "dist" / "SSLStudio"
LEFT_OUT = ("torchvision",)  # the engine has the two classes of it that it needs
SUFFIX = ".exe" if sys.platform == "win32" else ""
STARTS = 5
LONGEST = 900.0  # seconds for one call


class Failure(Exception):
    """What the built program did not do."""


sys.path.insert(0, str(HERE.parent))  # what is compared with is this checkout, whatever is installed
TROUBLES = (Failure, OSError, subprocess.TimeoutExpired, ValueError, KeyError)  # no program, no end, not the JSON meant


def try_built(folder: Path = BUILT) -> bool:
    """Run every check; prints what came of each. True when nothing failed."""
    good = True
    for name, check in _checks(folder):
        try:
            print(f"{name}: {check()}", flush=True)
        except TROUBLES as trouble:
            good = False
            print(f"{name}: FAILED: {trouble}", flush=True)
    return good


def _checks(folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    window, command = folder / f"SSLStudio{SUFFIX}", folder / f"sslstudio-cli{SUFFIX}"
    yield "Size", lambda: f"{_size(folder) / 1e6:,.0f} MB"
    yield "Version", lambda: _said(command, "--version").strip()
    yield "Pretext tasks", lambda: _same_tasks(command)
    yield "Bill of materials", lambda: _bill(folder)
    yield "Packages", lambda: _packages(command)
    yield "Self-test", lambda: _self_test(window)
    yield "Window", lambda: _window(command)
    yield "Time to the first window, warm", lambda: _start_times(window)


def _environment() -> dict[str, str]:
    """Ours, without a screen and without the Python that built it."""
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "QT_QPA_PLATFORM": "offscreen"}


def _said(program: Path, *arguments: str) -> str:
    """What it printed. Raises Failure with its last words when it did not exit with 0."""
    with tempfile.TemporaryDirectory() as elsewhere:  # nothing may be found by lying in the current folder
        done = subprocess.run(
            [program, *arguments], env=_environment(), cwd=elsewhere, capture_output=True, timeout=LONGEST
        )
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        words = (said + done.stderr.decode("utf-8", "replace")).strip()[-4000:]
        raise Failure(f"{program.name} {' '.join(arguments)} ended with {done.returncode}:\n{words}")
    return said


def _size(folder: Path) -> int:
    """Bytes of the files; links count as nothing, as they do on the disk."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _same_tasks(command: Path) -> str:
    built = [json.loads(line)["name"] for line in _said(command, "tasks", "--json").splitlines()]
    from sslstudio.engine.tasks.base import load_tasks  # seconds: only when there is something to compare with

    if built != load_tasks().names():
        raise Failure(f"the built program has {built}, the source {load_tasks().names()}")
    return ", ".join(built)


def _same_encoders(said: str) -> None:
    """Raises Failure unless the source's encoders were built, those of timm apart."""
    from sslstudio.engine.models.encoders import ENCODERS

    built, _, left = said.partition("; without the library timm: ")
    names = [*built.split(", "), *(left.split(", ") if left else [])]
    wrong = [name for name in left.split(", ") if left and not name.startswith("timm_")]
    if sorted(names) != sorted(ENCODERS.names()) or wrong:
        raise Failure(f"the built program has {said}, the source {ENCODERS.names()}")


def _self_test(window: Path) -> str:
    """What the program says of itself, kept as dist/self-test.json."""
    said = _said(window, "self-test", "--json")
    results: dict[str, str] = json.loads(said[said.index("{") :])
    (HERE / "dist").mkdir(exist_ok=True)
    (HERE / "dist" / "self-test.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    failed = {name: outcome for name, outcome in results.items() if outcome.startswith("FAILED")}
    if failed:
        raise Failure(str(failed))
    _same_encoders(results["encoders"])
    return "\n" + "\n".join(f"  {name}: {outcome}" for name, outcome in results.items())


def _bill(folder: Path) -> str:
    done = subprocess.run([sys.executable, HERE / "parts.py", "--check", folder], capture_output=True, text=True)
    if done.returncode:
        raise Failure((done.stdout + done.stderr).strip())
    return done.stdout.strip()


def _packages(command: Path) -> str:
    packages: dict[str, str] = json.loads(_said(command, "doctor", "--json"))["Packages"]
    missing = [name for name, version in packages.items() if version == "not installed" and name not in LEFT_OUT]
    if missing:
        raise Failure(f"not in the built program: {', '.join(missing)}")
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def _window(command: Path) -> str:
    outcome: str = json.loads(_said(command, "self-test", "--window", "--json"))["window"]
    if not outcome.startswith("opened"):
        raise Failure(outcome)
    return outcome


def _start_times(window: Path) -> str:
    times = sorted(_time_to_window(window) for _ in range(STARTS))
    return f"least {times[0]:.2f} s, median {statistics.median(times):.2f} s of {STARTS}"


def _time_to_window(window: Path) -> float:
    """Seconds from starting the process until it says that the window was painted."""
    began = time.perf_counter()
    with subprocess.Popen(
        [window, "self-test", "--window"], env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline().decode("utf-8", "replace")
        seconds = time.perf_counter() - began
    if "opened" not in said:
        raise Failure(f"the window did not open: {said}")
    return seconds


if __name__ == "__main__":
    sys.exit(0 if try_built(*map(Path, sys.argv[1:2])) else 1)
