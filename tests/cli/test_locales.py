"""Locales that are not UTF-8: names of files and numbers are the same as everywhere."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

NAME = "Käfer für ß"  # every sign of it has a place in ISO 8859-1

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have one encoding for names of files")


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the German locales of both encodings, which a machine need not have."""
    made = tmp_path_factory.mktemp("locales")
    for encoding in ("ISO-8859-1", "UTF-8"):
        words = ["localedef", "-i", "de_DE", "-f", encoding, made / f"de_DE.{encoding}"]
        if shutil.which("localedef") is None or subprocess.run(words, capture_output=True).returncode > 1:
            pytest.skip("this machine cannot make locales")
    return made


def said(words: Sequence[str | Path], locales: Path, folder: Path, **setting: str) -> bytes:
    """What a Python of its own says with the locale of `setting` and nothing else set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    own = {"LOCPATH": str(locales), "QT_QPA_PLATFORM": "offscreen", "SSLSTUDIO_HOME": str(folder / "home")}
    done = subprocess.run([sys.executable, *words], env={**kept, **own, **setting}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


@pytest.mark.parametrize("setting", [{"LANG": "de_DE.ISO-8859-1"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}])
def test_names_are_read_and_written_as_they_are(setting: dict[str, str], locales: Path, tmp_path: Path) -> None:
    """They were taken apart to two letters each, told to other programs and written into runs so."""
    for kind in (NAME, "Blätter"):
        (tmp_path / NAME / kind).mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / NAME / kind / "ö.png")
    index = said(["-m", "sslstudio", "index", tmp_path / NAME, "--json"], locales, tmp_path, **setting)
    assert NAME in json.loads(index.splitlines()[-1].decode("utf-8"))["folder"]
    sample = tmp_path / "Büro"
    said(["-m", "sslstudio", "sample", sample, "--count", "5"], locales, tmp_path, **setting)
    assert len(list((sample / "images").rglob("*.png"))) == 5


def test_a_terminal_of_another_encoding_keeps_its_own(locales: Path, tmp_path: Path) -> None:
    """Names of files are UTF-8 then; what is said on the terminal is not."""
    code = f"import pty, sys\npty.spawn([sys.executable, '-m', 'sslstudio', 'index', {str(tmp_path / NAME)!r}])"
    out = said(["-c", code], locales, tmp_path, LANG="de_DE.ISO-8859-1")
    assert NAME.encode("iso8859-1") in out


WINDOW = """
import ctypes, os, sys
from PySide6.QtCore import QDir
import sslstudio.ui.shell.main_window as shown
from sslstudio.cli.main import main

class Looking(shown.MainWindow):
    def open_folder(self, folder):
        libc = ctypes.CDLL(None)
        libc.strtod.restype = ctypes.c_double
        names = QDir(str(folder)).entryList(QDir.Filter.Files)
        print(names == [one.name for one in folder.iterdir()], len(names), libc.strtod(b"0.5", None), flush=True)
        os._exit(0)  # the engine need not be loaded for it

shown.MainWindow = Looking
sys.exit(main())
"""


@pytest.mark.parametrize("setting", [{"LANG": "de_DE.ISO-8859-1"}, {"LANG": "de_DE.UTF-8"}, {"LC_ALL": "C"}])
def test_the_window_finds_what_python_has_named(setting: dict[str, str], locales: Path, tmp_path: Path) -> None:
    """Qt has names in UTF-8, Python had them as the locale says; and Qt's locale made 0 of 0.5 in libraries in C."""
    (tmp_path / NAME).mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / NAME / "ö.png")
    script = tmp_path / "window.py"
    script.write_text(WINDOW, encoding="utf-8")
    out = said([script, tmp_path / NAME], locales, tmp_path, XDG_CONFIG_HOME=str(tmp_path / "config"), **setting)
    assert out.split() == [b"True", b"1", b"0.5"]
