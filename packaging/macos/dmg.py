"""Make the disk image for macOS of what packaging/build.py has built: python packaging/macos/dmg.py, on a Mac.

Signed and notarised where these are given, else signed ad hoc (the image then says what to do at the first start):

    SSLSTUDIO_SIGN_IDENTITY     "Developer ID Application: NAME (TEAM)", in the keychain
    SSLSTUDIO_NOTARY_PROFILE    a profile of `xcrun notarytool store-credentials`
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT, DIST = HERE.parents[1], HERE.parent / "dist"
APP = DIST / "SSL Studio.app"
ENTITLEMENTS = HERE / "entitlements.plist"
UNSIGNED = """This copy of SSL Studio is not signed by a developer whom Apple knows.

Drag it into Applications, open it once (macOS refuses), then go to System Settings, Privacy & Security, and press
"Open Anyway". The SHA-256 of the image is on the release page.
"""


def version() -> str:
    """The version of the program."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "sslstudio" / "__init__.py").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def image() -> Path:
    """The file that is made."""
    return DIST / f"SSLStudio-{version()}-macos-{platform.machine()}.dmg"


def signing(identity: str) -> list[list[str]]:
    """The commands that sign the application; '' signs ad hoc, which Apple's processors need at least."""
    words = ["codesign", "--force", "--deep", "--sign", identity or "-"]
    if identity:
        words += ["--options", "runtime", "--timestamp", "--entitlements", str(ENTITLEMENTS)]
    return [[*words, str(APP)], ["codesign", "--verify", "--deep", "--strict", str(APP)]]


def notarising(profile: str, file: Path) -> list[list[str]]:
    """The commands that have an image notarised and its ticket fixed to it; none without a profile."""
    if not profile:
        return []
    return [
        ["xcrun", "notarytool", "submit", str(file), "--keychain-profile", profile, "--wait"],
        ["xcrun", "stapler", "staple", str(file)],
    ]


def packing(folder: Path, file: Path) -> list[str]:
    """The command that makes an image of a folder."""
    return [
        *("hdiutil", "create", "-volname", "SSL Studio", "-srcfolder", str(folder), "-ov", "-format", "ULFO", str(file))
    ]


def main() -> int:
    """Sign, pack, notarise; returns the exit code."""
    if sys.platform != "darwin":
        print("A disk image can be made on a Mac only.", file=sys.stderr)
        return 2
    identity, profile = (os.environ.get(f"SSLSTUDIO_{name}", "") for name in ("SIGN_IDENTITY", "NOTARY_PROFILE"))
    for command in signing(identity):
        subprocess.run(command, check=True)
    folder, file = DIST / "image", image()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["ditto", APP, folder / APP.name], check=True)  # keeps links, which the signature counts on
    (folder / "Applications").symlink_to("/Applications")
    if not identity:
        (folder / "First start.txt").write_text(UNSIGNED, encoding="utf-8")
    for command in [packing(folder, file), *notarising(profile, file)]:
        subprocess.run(command, check=True)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_name(file.name + ".sha256").write_text(f"{digest}  {file.name}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
