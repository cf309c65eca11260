"""What was found on this machine, what will be used, and why not the rest."""

import ctypes
import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from sslstudio import __version__

LIBRARIES = {
    "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1", "libdbus-1.so.3": "libdbus-1-3",
}  # fmt: skip
PACKAGES = ("torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "pillow", "pydicom", "tifffile", "imagecodecs")


def findings() -> dict[str, Any]:
    """Facts for people and for bug reports, without anything private."""
    from sslstudio.engine.compute import device
    from sslstudio.engine.core.cache_folder import cache_folder

    used = device.choose()
    gpu = used.accelerated
    return {
        "SSL Studio": __version__,
        "Python": f"{platform.python_version()} on {platform.system()} {platform.release()}",
        "Packages": {name: _version(name) for name in PACKAGES},
        "Devices": {one.name: f"{one.title}: {one.trouble or 'works'}" for one in device.find_all()},
        "Will be used": f"{used.title}, {used.precision}"
        + ("" if gpu else ". No GPU: that is fine, the small encoder is made for it."),
        "GPU part": _gpu_part(),
        "Not used": used.note or "nothing was left out",
        "Memory": _memory(),
        "Window": window_trouble() or missing_libraries() or "can be opened",
        "Pixel cache": f"{cache_folder()}, {_free(cache_folder())} free",
    }


def _gpu_part() -> str:
    from sslstudio.engine.gpu_part.place import read_active, why_not_used

    active = read_active()
    if active is None:
        return "none was fetched"
    return str(why_not_used(active)) or f"PyTorch {active.torch} for {active.card}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _memory() -> str:
    from sslstudio.engine.compute import device

    free = device.choose("cpu").free_memory()
    return "not known" if free is None else f"{free / 1e9:,.1f} GB free"


def missing_libraries() -> str:
    """The libraries of the system that Qt needs on Linux and that are not there, in a sentence; '' when all are."""
    if not sys.platform.startswith("linux"):
        return ""
    missing = [package for library, package in LIBRARIES.items() if not _loads(library)]
    return f"libraries are missing: {', '.join(missing)} (as Debian and Ubuntu name them)" if missing else ""


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _free(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    return f"{shutil.disk_usage(folder).free / 1e9:,.0f} GB"


def window_trouble() -> str:
    """Why a window cannot be opened here; '' when it can. Qt itself would abort without a Python exception."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return ""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return ""
    return (
        "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set. Start the program on a desktop, "
        "or use the command line (sslstudio --help)"
    )
