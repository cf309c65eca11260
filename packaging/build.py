"""Build the program as one folder that needs no Python, and try it: python packaging/build.py.

The result is packaging/dist/SSLStudio with two executables, SSLStudio (the window) and sslstudio-cli (the command
line). Exits with 0 only when both work. PyInstaller builds for the system that it runs on.
"""

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Build, then try what was built."""
    if importlib.util.find_spec("PyInstaller") is None:
        print('PyInstaller is not installed. Try: pip install -e ".[package]"', file=sys.stderr)
        return 2
    began = time.perf_counter()
    code = _build()
    print(f"Build: {time.perf_counter() - began:.0f} s", flush=True)
    return code or subprocess.run([sys.executable, HERE / "smoke.py"]).returncode


def _build() -> int:
    return subprocess.run(
        [
            *(sys.executable, "-m", "PyInstaller", HERE / "sslstudio.spec", "--noconfirm", "--log-level", "WARN"),
            *("--workpath", HERE / "build", "--distpath", HERE / "dist"),
        ]
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
