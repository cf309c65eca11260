"""An ordinary installation has the icons and styles, and a source distribution has all that it is built from."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys, setuptools.build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what the build reads, because setuptools writes into the folder that it builds from."""
    copy = tmp_path / "source"
    for name in ("sslstudio", "resources"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "packaging/with_resources.py"):
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    return copy


def _build(source: Path, kind: str) -> Path:
    target = source.parent / "built"
    subprocess.run([sys.executable, "-c", BUILD, f"build_{kind}", target], cwd=source, check=True, capture_output=True)
    return next(target.iterdir())


def _files(*folders: str) -> set[str]:
    found = (file for folder in folders for file in (ROOT / folder).rglob("*"))
    return {file.relative_to(ROOT).as_posix() for file in found if file.is_file() and file.suffix != ".pyc"}


def test_the_wheel_holds_the_package_and_the_resources_inside_it(source: Path) -> None:
    with zipfile.ZipFile(_build(source, "wheel")) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert _files("resources")
    assert names == _files("sslstudio") | {f"sslstudio/{name}" for name in _files("resources")}


def test_the_source_distribution_holds_what_it_is_built_from(source: Path) -> None:
    with tarfile.open(_build(source, "sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {*_files("sslstudio", "resources"), "packaging/with_resources.py", "pyproject.toml"} <= names
