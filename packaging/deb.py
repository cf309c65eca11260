"""Make the Debian package and the archive of what packaging/build.py has built: python packaging/deb.py.

    packaging/dist/sslstudio_VERSION_ARCH.deb      apt install ./FILE; /opt/sslstudio, a menu entry, the commands
    packaging/dist/sslstudio-VERSION-linux-ARCH.tar.zst    the same program, to be unpacked anywhere, with a script that
                                                           puts it into the menu

The package is compressed with zstd, or with xz by --xz (smaller, twenty times slower). It writes nothing outside of its
own files and has no scripts of its own: menus, icons and kinds of files are kept by the triggers of their packages.
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
ROOT = HERE.parent
BUILT = HERE / "dist" / "SSLStudio"
LINUX = HERE / "linux"
MENU_SCRIPT = "add-to-menu.sh"
PLACE = Path("opt/sslstudio")
ICONS = (16, 24, 32, 48, 64, 128, 256, 512)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Of the bundle's own libraries these are left to the system, because they go with its graphics driver and its fonts.
DEPENDS = (
    "libc6 (>= 2.34), libgl1, libegl1, libxkbcommon0, libfontconfig1, fontconfig-config, "
    "fonts-dejavu-core | fonts-freefont-ttf"
)
RECOMMENDS = "shared-mime-info, desktop-file-utils, hicolor-icon-theme, xdg-utils"


def version() -> str:
    """The version of the program in the order of Debian: 0.3.0.dev0 comes before 0.3.0."""
    text = (ROOT / "sslstudio" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found is not None
    return re.sub(r"\.?(dev|a|b|rc)(\d+)$", r"~\1\2", found[1])


def architecture() -> str:
    """What Debian calls this machine's processor."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def control(installed: int) -> str:
    """The package's description; `installed` in KiB."""
    return f"""Package: sslstudio
Version: {version()}
Section: science
Priority: optional
Architecture: {architecture()}
Depends: {DEPENDS}
Recommends: {RECOMMENDS}
Installed-Size: {installed}
Maintainer: SSL Studio <sslstudio@users.noreply.github.com>
Description: self-supervised learning for people with many pictures and few labels
 SSL Studio trains a network on your own pictures without labels, fine-tunes it
 on the few labels that you have, and tells whether the first step was worth it.
 .
 Everything stays on the computer and nothing is fetched. The package holds a
 PyTorch for CPUs; one for an NVIDIA card is fetched when you ask for it.
"""


def lay_out(tree: Path) -> None:
    """Put everything where the package has it. Raises FileNotFoundError when nothing was built."""
    if not (BUILT / "SSLStudio").is_file():
        raise FileNotFoundError(f"There is no program in {BUILT}: python packaging/build.py")
    shutil.copytree(BUILT, tree / PLACE, symlinks=True)
    commands = tree / "usr" / "bin"
    commands.mkdir(parents=True)
    (commands / "sslstudio").symlink_to(Path("/") / PLACE / "sslstudio-cli")
    (commands / "sslstudio-window").symlink_to(Path("/") / PLACE / "SSLStudio")
    _copy(LINUX / "sslstudio.desktop", tree / "usr/share/applications/sslstudio.desktop")
    _copy(LINUX / "sslstudio.xml", tree / "usr/share/mime/packages/sslstudio.xml")
    for side in ICONS:
        folder = tree / f"usr/share/icons/hicolor/{side}x{side}/apps"
        _copy(HERE / "build" / "icons" / f"{side}.png", folder / "sslstudio.png")
    _copy(ROOT / "resources" / "icons" / "app.svg", tree / "usr/share/icons/hicolor/scalable/apps/sslstudio.svg")
    about = tree / "usr/share/doc/sslstudio"
    about.mkdir(parents=True)
    (about / "copyright").write_text(copyright_text(tree / PLACE), encoding="utf-8")
    _make_readable(tree)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def copyright_text(program: Path) -> str:
    """The licences of every part, one after the other."""
    texts = sorted((program / "_internal" / "resources" / "licences").glob("*.txt"))
    own = (ROOT / "LICENSE").read_text(encoding="utf-8")
    head = f"SSL Studio\n\n{own}\n\nThe package holds these parts, each under its own licence. Their texts follow.\n"
    names = "\n".join(f"  {file.stem}" for file in texts)
    parts = [f"\n\n{'=' * 78}\n{file.read_text(encoding='utf-8')}" for file in texts]
    return "".join([head, names, *parts])


def _make_readable(tree: Path) -> None:
    """Files 644 or 755, folders 755, whatever this machine's mask is."""
    for found in [tree, *tree.rglob("*")]:
        if found.is_symlink():
            continue
        runs = found.is_dir() or found.stat().st_mode & 0o100
        found.chmod(0o755 if runs else 0o644)


def write_control(tree: Path) -> None:
    """The folder DEBIAN: description, checksums, and what the loader must not look for."""
    files = sorted(file for file in tree.rglob("*") if file.is_file() and not file.is_symlink())
    installed = sum(file.stat().st_size for file in files) // 1024
    about = tree / "DEBIAN"
    about.mkdir(mode=0o755)
    (about / "control").write_text(control(installed), encoding="utf-8")
    lines = [f"{_md5(file)}  {file.relative_to(tree).as_posix()}\n" for file in files]
    (about / "md5sums").write_text("".join(lines), encoding="utf-8")


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def make_archive(archive: Path) -> None:
    """The program as a folder, with what add-to-menu.sh needs in it. Raises CalledProcessError."""
    beside = HERE / "build" / "archive"
    shutil.rmtree(beside, ignore_errors=True)
    share = beside / BUILT.name / "share"
    for name in ("sslstudio.desktop", "sslstudio.xml"):
        _copy(LINUX / name, share / name)
    _copy(HERE / "build" / "icons" / "256.png", share / "sslstudio.png")
    _copy(LINUX / MENU_SCRIPT, beside / BUILT.name / MENU_SCRIPT)
    (beside / BUILT.name / MENU_SCRIPT).chmod(0o755)
    _make_readable(beside)
    environment = {**os.environ, "ZSTD_CLEVEL": "10", "ZSTD_NBTHREADS": "2"}
    places = [word for place in (BUILT.parent, beside) for word in ("-C", str(place), BUILT.name)]
    words = ["tar", "--zstd", "--owner=0", "--group=0", "-cf", str(archive), *places]
    subprocess.run(words, check=True, env=environment)
    shutil.rmtree(beside)


def write_sums(files: list[Path]) -> None:
    """A file of SHA-256 beside each, as sha256sum reads it."""
    for file in files:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        file.with_name(file.name + ".sha256").write_text(f"{digest}  {file.name}\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Make both files; returns the exit code."""
    tree = HERE / "build" / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    lay_out(tree)
    write_control(tree)
    deb = HERE / "dist" / f"sslstudio_{version()}_{architecture()}.deb"
    squeeze = ["-Zxz", "-z6"] if "--xz" in arguments else ["-Zzstd", "-z10"]
    subprocess.run(["dpkg-deb", "--root-owner-group", *squeeze, "--build", tree, deb], check=True)
    made = [deb]
    if shutil.which("zstd"):
        archive = HERE / "dist" / f"sslstudio-{version().replace('~', '.')}-linux-{platform.machine()}.tar.zst"
        make_archive(archive)
        made.append(archive)
    write_sums(made)
    shutil.rmtree(tree)
    for file in made:
        print(f"{file.stat().st_size / 1e6:8.1f} MB  {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
