"""Fetches the GPU part when a person has asked for it: look whether there is room, fetch with uv, try it, switch it on.

All happens in a folder of its own that nothing names until a training step has worked on the card; whatever goes wrong
before, that folder is deleted and the program is as it was. uv is told everything here and reads no settings of the
user's, because these break what they were not made for.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import rename_patiently
from sslstudio.engine.core.files.checked_files import parse_json
from sslstudio.engine.core.files.resource_files import resource_places
from sslstudio.engine.core.messages import Message
from sslstudio.engine.gpu_part.place import SITE, TRIED, Active, part_folder, python_here, remove, sweep, switch_on
from sslstudio.engine.gpu_part.plan import UNPACKED, Plan

STAGES = 4
KEPT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
SHOWN = 300  # characters of uv's last words
PATIENCE = 0.2  # seconds between looks at a child
# What uv says when a fetch fails -> what it means. The first that matches counts.
_FULL = re.compile(r"no space left|os error 28|os error 112|disk full|not enough space", re.IGNORECASE)
_SHUT = re.compile(
    r"error sending request|failed to fetch|dns error|connection (refused|reset)|timed out|tunnel|"
    r"403 forbidden|407 proxy|certificate|network is unreachable",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"hash mismatch|failed to extract|invalid (zip|archive|wheel|package format)|from zip|central directory|"
    r"unexpected end|corrupt|failed to (read|unzip|parse) .*\.whl",
    re.IGNORECASE,
)
_NONE = re.compile(r"no solution found|no matching|not found in|no wheels|unsatisfiable|404 not found", re.IGNORECASE)


def fetch_part(plan: Plan, control: RunControl) -> Generator[Preparing, None, Active]:
    """Fetch what the plan says and switch it on; returns what is used from the next start on.

    Raises RunError, in words, when it did not work: then everything is as it was before.
    """
    yield _stage(Message("Looking for room on the disk"), 0)
    check_room(part_folder(), UNPACKED)
    stage = part_folder() / f"{plan.name}.{os.getpid()}.part"
    with _cleared(stage):
        yield _stage(Message("Fetching PyTorch for the card"), 1)
        _carry_out(_command(plan, stage), _environment(stage), control, plan)
        yield _stage(Message("Trying a training step on the card"), 2)
        device = os.environ.get("SSLSTUDIO_GPU_TRY_DEVICE", "cuda:0")
        version = try_part(stage / SITE, device, control)
        if version != plan.version:
            raise RunError(
                "PyTorch {found} was fetched instead of {wanted}. Nothing was changed.",
                found=version,
                wanted=plan.version,
            )
        yield _stage(Message("Switching it on"), 3)
        active = _settle(plan, stage)
    sweep()  # parts from before
    return active


def remove_part(control: RunControl) -> None:
    """Switch the GPU part off and delete it."""
    remove()


def check_room(folder: Path, needed: int) -> None:
    """Raises RunError when the disk of a folder, which need not be there yet, has less than this many bytes free."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise RunError(
            "There is not enough room in {folder}: {needed:.0f} GB are needed, and {free:.1f} GB are free. Make room, "
            "or set SSLSTUDIO_GPU_FOLDER to a folder on another disk. Nothing was changed.",
            folder=there,
            needed=needed / 1e9,
            free=free / 1e9,
        )


def _stage(said: Message, done: int) -> Preparing:
    return Preparing(stage=said, done=done, total=STAGES)


@contextmanager
def _cleared(stage: Path) -> Generator[None, None, None]:
    """A new folder, which is gone afterwards unless it was renamed. Raises RunError when it cannot be made."""
    try:
        stage.mkdir(parents=True)
    except OSError as error:
        raise RunError(
            "The folder {folder} cannot be made: {reason}. Nothing was changed.", folder=stage, reason=error.strerror
        ) from error
    try:
        yield
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _settle(plan: Plan, stage: Path) -> Active:
    """Give the folder its name and switch it on. Raises RunError."""
    folder, number = plan.name, 2
    while (part_folder() / folder).exists():  # the one that is in use: it is deleted only when this one is named
        folder, number = f"{plan.name}.{number}", number + 1
    try:
        shutil.rmtree(stage / "cache", ignore_errors=True)
        rename_patiently(stage, part_folder() / folder)
    except OSError as error:
        raise RunError("{folder} could not be named: {reason}.", folder=stage, reason=error.strerror) from error
    active = Active(folder, plan.version, python_here(), plan.card.name)
    try:
        switch_on(active)
    except RunError:
        shutil.rmtree(part_folder() / folder, ignore_errors=True)
        raise
    return active


# uv


def find_uv() -> str:
    """The program uv: the one that is bundled, else one that is installed. Raises RunError when there is none."""
    name = "uv.exe" if sys.platform == "win32" else "uv"
    bundled = [place.parent / "tools" / name for place in resource_places()]
    found = next((str(file) for file in bundled if file.is_file()), None) or shutil.which("uv")
    if found is None:
        try:
            from uv import find_uv_bin

            found = str(find_uv_bin())
        except (ImportError, FileNotFoundError):
            raise RunError(
                "The program uv, which fetches the GPU part, is not installed. Try: pip install uv"
            ) from None
    return found


def _command(plan: Plan, stage: Path) -> list[str]:
    source = ["--default-index", plan.index]
    if plan.folder is not None:
        source = ["--no-index", "--find-links", str(plan.folder)]
    return [
        *(find_uv(), "pip", "install", f"torch=={plan.version}", "--target", str(stage / SITE)),
        *("--python", sys.executable, "--only-binary", ":all:", "--link-mode", "copy", "--no-progress", *source),
    ]


def _environment(stage: Path) -> dict[str, str]:
    """Ours without what steers uv, pip and Python; its cache lies in the folder that is deleted afterwards."""
    steering = ("UV_", "PIP_", "PYTHON", "VIRTUAL_ENV", "CONDA_")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(steering)}
    own = {
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(stage / "cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NATIVE_TLS": "1",  # certificates of a company's proxy are with the system
        "UV_HTTP_TIMEOUT": "60",
        "SSLSTUDIO_AS_PYTHON": "1",  # the built program answers what uv asks its Python; see packaging/entry.py
    }
    return {**kept, **own}


def _carry_out(command: list[str], environment: Mapping[str, str], control: RunControl, plan: Plan) -> None:
    """Run uv to its end. Raises RunError that says what it means."""
    code, said = _run_child(command, environment, control)
    if control.stopping:
        raise RunError("Fetching was stopped. Nothing was changed.")
    if code != 0:
        raise _explain(said, plan)


def _explain(said: str, plan: Plan) -> RunError:
    """What uv's words mean for a person."""
    words = last_words(said)
    source = str(plan.folder) if plan.folder is not None else plan.index
    if _FULL.search(said):
        return RunError(
            "The disk of {folder} became full. Make room on it, or set SSLSTUDIO_GPU_FOLDER to a folder on another "
            "disk, then try again. Nothing was changed.",
            folder=part_folder(),
        )
    if plan.folder is None and _SHUT.search(said) and not re.search("404", said):
        return RunError(
            "{source} could not be reached; a firewall or a proxy may refuse it ({words}). Ask whoever looks after "
            "your network, name a mirror, or choose a folder of wheels that was fetched elsewhere. Nothing was "
            "changed.",
            source=source,
            words=words,
        )
    if _BROKEN.search(said):
        return RunError(
            "What was fetched from {source} is damaged: {words}. Try again; of a folder, copy the files anew. Nothing "
            "was changed.",
            source=source,
            words=words,
        )
    if _NONE.search(said):
        return RunError(
            "{source} has no PyTorch {version} for this system and Python {python}: {words}. Nothing was changed.",
            source=source,
            version=plan.version,
            python=python_here(),
            words=words,
        )
    return RunError("Fetching from {source} failed: {words}. Nothing was changed.", source=source, words=words)


def last_words(said: str) -> str:
    """The end of what a program has said, in one line, from the beginning of a word on."""
    line = " ".join(said.split())
    if len(line) <= SHOWN:
        return line
    return f"… {line[-SHOWN:].partition(' ')[2]}"


def _run_child(command: list[str], environment: Mapping[str, str], control: RunControl) -> tuple[int, str]:
    """Exit code and last words of a child, which ends when it is asked to stop."""
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    with tempfile.TemporaryFile() as heard:
        try:
            child = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=heard, stderr=heard,
                creationflags=hidden,
            )  # fmt: skip
        except OSError as error:
            return 1, f"{command[0]}: {error.strerror}"
        while child.poll() is None:
            if control.wait(PATIENCE):
                child.kill()
                break
        code = child.wait()
        heard.seek(0)
        return code, heard.read().decode("utf-8", "replace")


# Trying it


def program() -> list[str]:
    """The words that start this program as a child."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "sslstudio"]


def try_part(site: Path, device: str, control: RunControl) -> str:
    """Train two real steps with the PyTorch in this folder, in a child; returns its version.

    Raises RunError with the words of what failed: a part that cannot do this is not used.
    """
    environment = {**os.environ, TRIED: str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    code, said = _run_child([*program(), "self-test", "--device", device, "--json"], environment, control)
    if control.stopping:
        raise RunError("Fetching was stopped. Nothing was changed.")
    results = _results(said)
    failed = [outcome for outcome in results.values() if outcome.startswith("FAILED")]
    if code != 0 or not results or failed:
        words = last_words((failed or [said])[0])
        raise RunError(
            "A training step with what was fetched did not work: {words}. Nothing was changed; trainings go on as "
            "before.",
            words=words or str(code),
        )
    version, _, place = results.get("PyTorch", "").partition(" from ")
    if not Path(place).resolve().is_relative_to(site.resolve()):
        raise RunError("The child used another PyTorch ({place}). Nothing was changed.", place=place or "?")
    return version


def _results(said: str) -> dict[str, str]:
    """The results that the self-test prints as JSON, among whatever else was said."""
    begin, end = said.find("{"), said.rfind("}")
    try:
        found: dict[str, str] = parse_json(said[begin : end + 1], "self-test", dict[str, str])
    except RunError:
        return {}
    return found
