"""Build the program, try it with the network forbidden, and pack it: python packaging/build_and_smoke.py.

    build       one folder that needs no Python, its licence texts, bill of materials and sizes
    bill        the bill names just what is there, and every part has its licence text
    smoke       tasks, packages, self-test as JSON, window, time to the first window; the network is forbidden
    packages    on Linux the Debian package and the archive, each with its SHA-256
    sums        what the files of SHA-256 say is so
    beside      bill and sizes beside the installers, for a release
    installed   with --root FOLDER: the package and the archive in a clean Debian that is made there (needs root)

A step that is done is not done again while nothing that it depends on has changed: source, resources, installed
packages. --again does all of them, --from STEP that one and what follows. Exits with 0 only when every step did.
"""

import argparse
import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DONE = HERE / "build" / "steps.json"  # step -> digest of what it was done with
# What each step depends on, besides all that those before it do.
STEPS = {
    "build": (
        *("sslstudio", "resources", "LICENSE", "pyproject.toml", "packaging/build.py", "packaging/parts.py"),
        *("packaging/sslstudio.spec", "packaging/entry.py", "packaging/icons.py"),
    ),
    "bill": (),
    "smoke": ("packaging/smoke.py",),
    "packages": ("packaging/deb.py", "packaging/linux"),
    "sums": (),
    "beside": (),
    "installed": ("packaging/installed.py",),
}
CUT_OFF = (["unshare", "-n"], ["unshare", "-r", "-n"])  # as root, and as anybody where that is allowed


def without_network() -> list[str]:
    """The words before a command that keep it from the network; none where that cannot be had."""
    if shutil.which("unshare") is None:
        return []
    works = (words for words in CUT_OFF if not subprocess.run([*words, "true"], capture_output=True).returncode)
    return next(works, [])


def digests(root: Path = ROOT) -> dict[str, str]:
    """What each step depends on, in one word: files of the checkout, and the packages that are installed."""
    digest = hashlib.sha256(platform.python_version().encode())
    for one in sorted({f"{found.metadata['Name']} {found.version}" for found in importlib.metadata.distributions()}):
        digest.update(one.encode())
    found = {}
    for step, places in STEPS.items():
        for file in (file for place in places for file in _files(root / place)):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
        found[step] = digest.hexdigest()
    return found


def _files(place: Path) -> list[Path]:
    return sorted(file for file in [place, *place.rglob("*")] if file.is_file() and "__pycache__" not in file.parts)


# The steps: each returns an exit code


def _python(*words: str | Path) -> int:
    return subprocess.run([sys.executable, *words]).returncode


def build() -> int:
    """PyInstaller, symbols, licence texts, bill and sizes."""
    return _python(HERE / "build.py")


def bill() -> int:
    """Whether the bill of materials is of this program."""
    return _python(HERE / "parts.py", "--check", HERE / "dist" / "SSLStudio")


def smoke() -> int:
    """The built program, from outside, cut off from the network where the system allows it."""
    words = without_network()
    print("The network is forbidden." if words else "The network cannot be forbidden here.", flush=True)
    return subprocess.run([*words, sys.executable, HERE / "smoke.py"]).returncode


def packages() -> int:
    """The installers of this system, as far as a script here makes them."""
    if sys.platform.startswith("linux") and shutil.which("dpkg-deb"):
        return _python(HERE / "deb.py")
    print("Installers of this system are made by packaging/windows/sslstudio.iss and packaging/macos/dmg.py.")
    return 0


def sums(folder: Path = HERE / "dist") -> int:
    """Read every installer back and compare it with the SHA-256 beside it."""
    wrong = 0
    for file in sorted(folder.glob("*.sha256")):
        said, _, name = file.read_text(encoding="utf-8").strip().partition("  ")
        with (folder / name).open("rb") as opened:
            good = hashlib.file_digest(opened, "sha256").hexdigest() == said
        print(f"{said}  {name}: {'as it says' if good else 'NOT what it says'}", flush=True)
        wrong += not good
    return 1 if wrong else 0


def beside() -> int:
    """Bill and sizes as files of their own."""
    return _python(HERE / "parts.py", "--copy", {"Darwin": "macOS"}.get(platform.system(), platform.system()))


def installed(root: str) -> int:
    """Package and archive in a clean system."""
    return _python(HERE / "installed.py", root)


# One after the other


def run_steps(
    steps: Sequence[tuple[str, Callable[[], int]]],
    wanted: Mapping[str, str],
    known: dict[str, str],
    record: Path = DONE,
) -> int:
    """Do each step that is not known to be done with what it depends on; returns the first exit code that is not 0.

    What is known is kept after each step, so that the next call goes on behind the last that was done. A step that
    is done again makes those after it unknown.
    """
    for at, (name, step) in enumerate(steps):
        if known.get(name) == wanted[name]:
            print(f"== {name}: done before, and nothing has changed", flush=True)
            continue
        for later, _ in steps[at:]:
            known.pop(later, None)
        print(f"== {name}", flush=True)
        began = time.perf_counter()
        code = step()
        print(f"== {name}: {'FAILED' if code else 'done'}, {time.perf_counter() - began:.0f} s", flush=True)
        if code == 0:
            known[name] = wanted[name]
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(known, indent=1), encoding="utf-8")
        if code:
            return code
    return 0


def read_known(record: Path = DONE) -> dict[str, str]:
    """What was done before; nothing where the record is missing or damaged."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left to do; returns the exit code of the first step that failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="do all steps again")
    parser.add_argument("--from", dest="first", choices=list(STEPS), help="do this step again, and what follows")
    parser.add_argument("--root", default="", help="a folder for a clean Debian in which the packages are tried")
    options = parser.parse_args(arguments)
    known = {} if options.again else read_known()
    if options.first:
        names = list(STEPS)
        known = {name: known[name] for name in names[: names.index(options.first)] if name in known}
    steps = [("build", build), ("bill", bill), ("smoke", smoke), ("packages", packages), ("sums", sums)]
    steps.append(("beside", beside))
    if options.root:
        steps.append(("installed", lambda: installed(options.root)))
    return run_steps(steps, digests(), known)


if __name__ == "__main__":
    sys.exit(main())
