"""Which NVIDIA cards there are, asked of their driver: nothing of CUDA need be installed for it."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS = 20.0
FIELDS = "name,compute_cap,driver_version,memory.total"


@dataclass(frozen=True)
class Card:
    """A card: its compute capability as (8, 6), the driver's version as (580, 65), its memory in MiB (0: not known)."""

    name: str
    capability: tuple[int, int]
    driver: tuple[int, ...]
    memory: int = 0


def find_cards() -> list[Card]:
    """The cards that the driver knows; none where there is no driver or it does not answer."""
    asked = [_program(), f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"]
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # else Windows opens a console for a moment
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, errors="replace", timeout=SECONDS, creationflags=hidden
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return read_cards(done.stdout) if done.returncode == 0 else []


def _program() -> str:
    places = [Path("/usr/lib/wsl/lib/nvidia-smi")]
    if sys.platform == "win32":
        places = [Path("C:/Windows/System32/nvidia-smi.exe")]
    return shutil.which("nvidia-smi") or next((str(one) for one in places if one.is_file()), "nvidia-smi")


def read_cards(said: str) -> list[Card]:
    """The cards in what nvidia-smi prints, one a line. Lines that are something else are passed over: a driver that is
    too old for a question answers in words."""
    return [card for line in said.splitlines() if (card := _read_card(line)) is not None]


def _read_card(line: str) -> Card | None:
    parts = [part.strip() for part in line.rsplit(",", 3)]
    if len(parts) != 4:
        return None
    name, capability, driver, memory = parts
    found = re.fullmatch(r"(\d+)\.(\d+)", capability)
    if found is None or not re.fullmatch(r"\d+(\.\d+)*", driver):
        return None
    version = tuple(int(number) for number in driver.split("."))
    return Card(name, (int(found[1]), int(found[2])), version, int(memory) if memory.isdigit() else 0)
