"""Build the program as one folder that needs no Python: python packaging/build.py.

The result is packaging/dist/SSLStudio with two executables, SSLStudio (the window) and sslstudio-cli (the command
line), the licence texts and the bill of materials of its parts, and a table of their sizes. PyInstaller builds for the
system that it runs on. Which torch is in it is the environment's affair: for the small program install the build for
CPUs. packaging/build_and_smoke.py builds and tries it.
"""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE / "dist" / "SSLStudio"
NEEDED = {"PyInstaller": "PyInstaller", "uv": "uv", "onnxruntime": "onnxruntime", "onnx": "onnx"}
WINDOW_PACKAGES = "libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
# Libraries whose symbols nobody needs. All others stay as they are: strip breaks some, numpy's OpenBLAS for one.
STRIPPED = ("torch/lib/libtorch_cpu.so", "torch/lib/libtorch_python.so", "libpython3*.so*", "torch/lib/libtorch.so")


def main() -> int:
    """Build; returns the exit code."""
    missing = [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        print(f'{", ".join(missing)} not installed. Try: pip install -e ".[package]"', file=sys.stderr)
        return 2
    libraries = missing_libraries()
    if libraries:
        print(
            f"The window would not open where these are not installed, and they are not here to be taken along: "
            f"{', '.join(libraries)}. Try: apt install {WINDOW_PACKAGES}",
            file=sys.stderr,
        )
        return 2
    print(f"With torch {importlib.metadata.version('torch')}", flush=True)
    began = time.perf_counter()
    code = _run(HERE / "icons.py", HERE / "build" / "icons") or _build()
    if code == 0:
        strip(BUILT)
        link_twin(BUILT)
        code = _run(HERE / "parts.py")
    print(f"Build: {time.perf_counter() - began:.0f} s", flush=True)
    return code


def missing_libraries(plugin: Path | None = None) -> list[str]:
    """What Qt's plugin for X needs and this system lacks. PyInstaller leaves out what it does not find, with a warning,
    and Qt then aborts on every system that lacks it too."""
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return []
    if plugin is None:
        qt = importlib.util.find_spec("PySide6")
        assert qt is not None
        assert qt.origin is not None
        plugin = Path(qt.origin).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    said = subprocess.run(["ldd", plugin], capture_output=True, text=True).stdout
    return sorted({line.split()[0] for line in said.splitlines() if line.endswith("not found")})


def _run(script: Path, *arguments: Path) -> int:
    return subprocess.run([sys.executable, script, *arguments]).returncode


def _build() -> int:
    return subprocess.run(
        [
            *(sys.executable, "-m", "PyInstaller", HERE / "sslstudio.spec", "--noconfirm", "--log-level", "WARN"),
            *("--workpath", HERE / "build", "--distpath", HERE / "dist"),
        ]
    ).returncode


def strip(folder: Path) -> None:
    """Take the symbols out of some named libraries; on Linux only, where they are large."""
    if not sys.platform.startswith("linux") or shutil.which("strip") is None:
        return
    for pattern in STRIPPED:
        for file in (folder / "_internal").glob(pattern):
            if not file.is_symlink():
                before = file.stat().st_size
                subprocess.run(["strip", "--strip-unneeded", file], check=True)
                print(f"Stripped {file.name}: {before / 1e6:.0f} to {file.stat().st_size / 1e6:.0f} MB", flush=True)


def link_twin(folder: Path) -> None:
    """Keep the modules of Python once: where a program with and without a console is the same, one is a link."""
    if sys.platform.startswith("linux"):
        twin = folder / "sslstudio-cli"
        twin.unlink()
        twin.symlink_to("SSLStudio")


if __name__ == "__main__":
    sys.exit(main())
