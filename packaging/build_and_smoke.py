"""Build the program and try it, with the network forbidden: python packaging/build_and_smoke.py.

Exits with 0 only when it was built, every part has its size, its licence and its place on the bill of materials, and
the program's self-test, window and command line work. On Linux the trial runs in a network namespace without a way out
where the system allows one; elsewhere it says that it does not.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CUT_OFF = (["unshare", "-n"], ["unshare", "-r", "-n"])  # as root, and as anybody where that is allowed


def without_network() -> list[str]:
    """The words before a command that keep it from the network; none where that cannot be had."""
    if shutil.which("unshare") is None:
        return []
    works = (words for words in CUT_OFF if not subprocess.run([*words, "true"], capture_output=True).returncode)
    return next(works, [])


def main() -> int:
    """Build, then try; returns the exit code of the first that failed."""
    code = subprocess.run([sys.executable, HERE / "build.py"]).returncode
    if code:
        return code
    words = without_network()
    print("The network is forbidden." if words else "The network cannot be forbidden here.", flush=True)
    return subprocess.run([*words, sys.executable, HERE / "smoke.py"]).returncode


if __name__ == "__main__":
    sys.exit(main())
