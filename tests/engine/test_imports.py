"""What loads what: the window opens before torch is there, and the engine runs without Qt.

Which part may import which is in pyproject.toml, for lint-imports.
"""

import subprocess
import sys
from pathlib import Path

import pytest

import sslstudio

PACKAGE = Path(sslstudio.__file__).parent


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def loaded_by(*modules: str) -> set[str]:
    """The top-level names in sys.modules (and ours in full) after importing these in a fresh interpreter."""
    code = f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    names = set(done.stdout.split())
    return {name for name in names if name.startswith("sslstudio")} | {name.partition(".")[0] for name in names}


def test_the_engine_never_loads_qt_or_the_window() -> None:
    engine = [name for name in MODULES if name.startswith("sslstudio.engine")]
    assert len(engine) > 40
    loaded = loaded_by(*engine)
    assert "torch" in loaded
    assert not loaded & {"PySide6", "shiboken6", "pyqtgraph", "sslstudio.ui", "sslstudio.cli.main"}


@pytest.mark.parametrize("module", ["sslstudio", "sslstudio.cli.main"])
def test_the_package_loads_neither_torch_nor_qt(module: str) -> None:
    assert not loaded_by(module) & {"torch", "torchvision", "PySide6", "pyqtgraph", "numpy", "sslstudio.ui"}


def test_looking_at_a_folder_needs_no_torch() -> None:
    """The first page of the window scans and decodes."""
    light = {
        "sslstudio.engine.images.index",
        "sslstudio.engine.images.formats.decode",
        "sslstudio.engine.images.cache.pixel_cache",
        "sslstudio.engine.core.events",
        "sslstudio.engine.core.config",
    }
    loaded = loaded_by(*light)
    assert light <= loaded
    assert not loaded & {"torch", "torchvision", "sklearn"}


def test_only_a_command_that_asks_for_it_loads_the_window() -> None:
    commands = [name for name in MODULES if not name.startswith(("sslstudio.ui", "sslstudio.engine"))]
    assert len(commands) > 10
    assert not loaded_by(*commands) & {"PySide6", "sslstudio.ui"}
