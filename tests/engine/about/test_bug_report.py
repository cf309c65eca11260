"""A report says what is needed and nothing about the person."""

import getpass
import json
import platform
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.about.bug_report import masks, write_report
from sslstudio.engine.about.masking import mask_names, names_of, without_files, without_places
from sslstudio.engine.core.mishaps import keep_line
from sslstudio.engine.runs.run_folder import RunFolder


def contents(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run on pictures of a person."""
    config = {"job": "pretrain", "task": "jigsaw", "data": {"folder": "/data/Müller, Eva", "labels": "C:\\Eva\\a.csv"}}
    folder = RunFolder.create(tmp_path / "secret project" / "run 1", config)
    lines = [json.dumps({"event": "Note", "text": f"/data/Müller, Eva/{number}.png"}) for number in range(1000)]
    (folder.path / "events.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder.path


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of this test."""
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path / "log"))


def test_a_report_holds_words_machine_log_and_run(tmp_path: Path, run: Path) -> None:
    keep_line("met something")
    held = contents(write_report(tmp_path / "report.zip", "It closed by itself.", run))
    assert set(held) == {
        "read me.txt", "what happened.txt", "machine.json", "log.txt", "run/config.toml", "run/events.jsonl",
    }  # fmt: skip
    assert held["what happened.txt"] == "It closed by itself."
    assert json.loads(held["machine.json"])["Packages"]["torch"]
    assert "something" in held["log.txt"]
    assert 'task = "jigsaw"' in held["run/config.toml"]
    assert held["run/events.jsonl"].count("\n") == 399
    assert ".png" in held["run/events.jsonl"]
    assert "999" not in held["run/events.jsonl"]  # names of pictures may be names of people


def test_no_name_is_in_a_report(tmp_path: Path, run: Path) -> None:
    said = f"File {Path.home() / 'thesis'} of {getpass.getuser()} on {platform.node()}, in {run}"
    keep_line(said)
    for text in contents(write_report(tmp_path / "report.zip", said, run)).values():
        for name in ("Müller", "M\\u00fcller", "Eva", str(Path.home()), "secret project", platform.node()):
            assert name not in text or len(name) < 3
    assert "<pictures>" in contents(tmp_path / "report.zip")["run/config.toml"]


def test_a_run_that_cannot_be_read_is_no_hindrance(tmp_path: Path) -> None:
    held = contents(write_report(tmp_path / "report.zip", "", tmp_path / "gone"))
    assert "could not be read" in held["run/config.toml"]
    assert "The log is empty" in held["log.txt"]


@given(st.text(min_size=3).filter(lambda name: name.strip() and "<" not in name and ">" not in name), st.text())
def test_a_masked_name_is_gone_however_it_is_written(name: str, around: str) -> None:
    text = mask_names(f"{around}{name}|{json.dumps(name)}|{json.dumps({'folder': name})}", {name: "<x>"})
    assert "<x>" in text
    assert name not in text.replace("<x>", "") or name in around


def test_the_name_of_the_program_is_no_secret(tmp_path: Path) -> None:
    home = {str(tmp_path / "SSL Studio"): "<home>", str(tmp_path / "Vogel" / "sslstudio"): "<project>"}
    held = contents(write_report(tmp_path / "report.zip", f"SSL Studio closed {tmp_path / 'SSL Studio'}", None, home))
    assert "bug report of SSL Studio" in held["read me.txt"]
    assert held["what happened.txt"] == "SSL Studio closed <home>"


def test_a_folder_is_masked_before_its_parent(run: Path) -> None:
    assert mask_names(str(run), masks(run)) == "<run>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller_Eva.png cannot be read", "<file>.png cannot be read"),
        ("DataError: Dr. Eva Müller.zip is none", "DataError: <file>.zip is none"),
        ("Looked for .png, .tif", "Looked for .png, .tif"),
        ("events.jsonl of it", "events.jsonl of it"),
        ("see app.pngs", "see app.pngs"),
        ("of Eva Müller/scan 1.JPG, and", "of <file>.JPG, and"),
        ('{"text": "scan 1.JPG"}', '{"text": "<file>.JPG"}'),
        ("a.png b.tif", "<file>.png <file>.tif"),
        ("no file, only .png", "no file, only .png"),
    ],
)
def test_names_of_pictures_are_masked(text: str, expected: str) -> None:
    assert without_files(text, names_of(["Eva Müller/scan 1.JPG"])) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in /media/Eva/x.zip.", "in <path>"),
        ("[Errno 2] No such file: '/media/Eva Müller/a b.csv'", "[Errno 2] No such file: '<path>'"),
        (r"C:\Praxis\Eva\x.csv: no", "<path>: no"),
        ('File "/opt/x/sslstudio/ui/shell/app.py", line 3', 'File "<path>/sslstudio/ui/shell/app.py", line 3'),
        ('File "/opt/x/site-packages/PIL/Image.py", line 3', 'File "<path>/PIL/Image.py", line 3'),
        ("12 pictures/s and 3 / 4, <run>/last", "12 pictures/s and 3 / 4, <run>/last"),
    ],
)
def test_paths_are_masked(text: str, expected: str) -> None:
    assert without_places(text) == expected


@given(st.text("abcäß ._-", min_size=1).map(str.strip).filter(bool), st.sampled_from([".png", ".jpg", ".dcm"]))
def test_a_known_picture_is_gone_from_any_sentence(name: str, suffix: str) -> None:
    left = without_files(f"<{name}{suffix}|{json.dumps(name + suffix)}", names_of([name + suffix]))
    assert left == f'<<file>{suffix}|"<file>{suffix}"'
