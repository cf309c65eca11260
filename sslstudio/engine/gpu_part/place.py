"""Where the GPU part lies, and whether it is switched on: one small file that is replaced in one go.

active.json names the folder that is in use. It is written after a training step has worked on the card, so a part that
is half fetched is never used; and it is of use to one version of Python and of PyTorch only, so that after an upgrade
of the program an old part is left alone and said to be old.
"""

import json
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import SETTINGS, read_json
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import NOTHING, Message

POINTER = "active.json"
SITE = "packages"  # in the folder of a part: what Python imports from
TRIED = "SSLSTUDIO_GPU_PART"  # a folder to import from instead, for the child that tries a part


@dataclass(frozen=True)
class Active:
    """What is switched on. `folder`: its name; `torch`: '2.13.0+cu130'; `python`: '3.11'; `card`: for people."""

    folder: str
    torch: str
    python: str
    card: str = ""


def part_folder() -> Path:
    """SSLSTUDIO_GPU_FOLDER, or a folder with the user's data: the program's own may belong to somebody else."""
    given = os.environ.get("SSLSTUDIO_GPU_FOLDER")
    return Path(given) if given else Path(platformdirs.user_data_dir("SSLStudio", appauthor=False)) / "gpu-part"


def python_here() -> str:
    """The version of Python that compiled parts must be for, as '3.11'."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def read_active() -> Active | None:
    """What the pointer names; None where there is none, or none that can be read."""
    try:
        held = read_json(part_folder() / POINTER, dict[str, str], largest=SETTINGS)
        active = Active(*(held[name] for name in ("folder", "torch", "python", "card")))
    except (OSError, KeyError, StudioError):
        return None
    return None if leads_out(active.folder) or len(Path(active.folder).parts) != 1 else active


def why_not_used(active: Active) -> Message:
    """Why a part that is switched on cannot be used by this program; nothing when it can."""
    if active.python != python_here():
        return Message(
            "The GPU part was fetched for Python {theirs}, and this version of the program has {ours}. Fetch it again.",
            theirs=active.python,
            ours=python_here(),
        )
    if not (part_folder() / active.folder / SITE / "torch").is_dir():
        return Message("The GPU part in {folder} is gone. Fetch it again.", folder=part_folder() / active.folder)
    return NOTHING


def activate() -> Path | None:
    """Have torch imported from the GPU part, if one is switched on and fits; returns where from. Call it before torch
    is imported, in every process."""
    tried = os.environ.get(TRIED)
    active = read_active()
    site = Path(tried) if tried else None
    if site is None and active is not None and not why_not_used(active):
        site = part_folder() / active.folder / SITE
    if site is not None and str(site) not in sys.path:
        sys.path.insert(0, str(site))
    return site


def switch_on(active: Active) -> None:
    """Use this part from the next start on. Raises RunError when the disk does not take it."""
    write_atomic(part_folder() / POINTER, json.dumps(asdict(active), indent=1).encode())


def sweep() -> None:
    """Delete every folder that the pointer does not name: parts that were removed while they were in use, and what a
    fetch left behind that was killed."""
    active = read_active()
    kept = {POINTER, active.folder if active else POINTER}
    with suppress(OSError):
        for found in part_folder().iterdir():
            if found.name not in kept:
                shutil.rmtree(found, ignore_errors=True)


def remove() -> None:
    """Switch the part off and delete it. What Windows still holds open is deleted by the next `sweep`."""
    with suppress(FileNotFoundError):
        (part_folder() / POINTER).unlink()
    sweep()
