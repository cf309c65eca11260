"""Names of files, classes, runs and projects do nothing but be read, on the terminal and in tables."""

import csv
import errno
import json
from pathlib import Path

import pytest
from PIL import Image

from sslstudio.cli import train
from sslstudio.cli.console import print_result, show
from sslstudio.cli.main import main
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Note, RunStarted
from sslstudio.engine.core.messages import Message, neutral, plain_markdown, printable
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.runs.label_decisions import KEEP, decide
from sslstudio.engine.runs.metrics import ScoreInterval
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder
from tests.support import odd_dicom, oddities

HOSTILE = ["\x1b[2J\x1b]0;owned\x07x", "[/]", "[red]x", "=1+1", "<img src=x>", "\u202egpj", "\x9b31mx", "a\rb"]
STEERS = ("\x1b", "\x07", "\x9b", "\u202e", "\r")


def test_a_name_is_written_out() -> None:
    for name in HOSTILE:
        for said in (neutral(name), printable(name), str(Message("{x}", x=name)), str(Message("{x}", x=Path(name)))):
            assert not any(sign in said for sign in STEERS)
    assert printable("a\nb") == "a\\u000ab"
    assert neutral("ä\n\tß 日本") == "ä\n\tß 日本"
    assert plain_markdown("# <b>|*x*") == "\\# \\<b\\>\\|\\*x\\*"


@pytest.mark.parametrize("as_json", [False, True])
def test_events_of_hostile_names_are_shown_as_they_are(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    for name in HOSTILE:
        started = RunStarted(job="finetune", run=name, title=Message("{n}", n=name), facts={name: name}, total_steps=1)
        show([started, Note(level="info", text=Message("{n} it is", n=name))], as_json)
    out = capsys.readouterr().out
    assert not any(sign in out.replace("\r\n", "\n") for sign in STEERS[1:4])
    assert "[/] it is" in out
    assert "[red]x it is" in out
    if as_json:
        assert [json.loads(line)["event"] for line in out.splitlines()] == ["RunStarted", "Note"] * len(HOSTILE)


def test_a_result_of_hostile_classes_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    score: ScoreInterval = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 4}
    print_result(
        {
            "job": "finetune", "kind": "classification", "classes": HOSTILE, "n_train": 4, "n_test": 4,
            "headline": "[/]",
            "baseline": {"[/]": 0.5}, "parts": {"[/]": {"scores": {"[/]": score}, "confusion": [], "per_class": []}},
            "difference": None, "verdict": "[/] is best", "notes": ["[red]x"],
        }
    )  # fmt: skip
    out = capsys.readouterr().out
    assert "[/] is best" in out
    assert "Note: [red]x" in out


def test_commands_on_a_folder_of_hostile_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (one for one in HOSTILE if "/" not in one):
        (tmp_path / "p" / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (40, 40), (number * 90, 80, 9)).save(tmp_path / "p" / name / f"{name}{number}.png")
        (tmp_path / "p" / name / f"{name}.png").write_bytes(b"no picture")
    assert main(["index", str(tmp_path / "p"), "--side", "16"]) == 0
    assert main(["suggest", str(tmp_path / "p"), "--order", "random", "--count", "5"]) in (0, 2)
    assert main(["runs", str(tmp_path / HOSTILE[0])]) == 2
    RunFolder.create(tmp_path / "runs" / HOSTILE[0], {"job": "pretrain", "task": HOSTILE[1]})
    assert main(["runs", str(tmp_path / "runs")]) == 0
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not any(sign in text for sign in STEERS[1:4])
        assert "\x1b]0" not in text


def test_a_decision_on_a_hostile_name_is_no_formula(tmp_path: Path) -> None:
    for name in HOSTILE:
        decide(tmp_path, name, name, name, KEEP)
    with (tmp_path / "doubts.csv").open(encoding="utf-8-sig", newline="") as lines:
        cells = [cell for row in csv.reader(lines) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_what_the_system_refuses_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr("sslstudio.engine.runs.run_folder.list_runs", broken)
    assert "runs" in [one.name for one in train.COMMANDS]
    assert main(["runs", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert f"sslstudio: {tmp_path}: Input/output error. The disk has failed there." in err
    assert "Traceback" not in err
    assert "sslstudio.log" in err


def test_a_mistake_of_the_program_is_a_sentence_and_a_trace_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    def broken(folder: Path) -> None:
        raise KeyError("x")

    monkeypatch.setattr("sslstudio.engine.runs.run_folder.list_runs", broken)
    assert main(["runs", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "Something went wrong inside the program: KeyError" in err
    assert "Traceback" in (own_cache / "log" / "sslstudio.log").read_text()


# F8: killed while the settings were first written


@pytest.mark.parametrize("left", [[], [".0123456789abcdef.4242.part"], [".0123456789abcdef.89abcdef.4242.0.part"]])
def test_a_run_that_was_killed_before_its_settings_is_no_dead_end(
    left: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in left:
        (run / name).write_bytes(b"job = ")
    assert main(["resume", str(run)]) == 2
    assert "start it again with the same command" in capsys.readouterr().err
    assert RunFolder.create(run, {"job": "pretrain"}).job == "pretrain"
    assert (run / CONFIG).exists()


# F14


@pytest.mark.parametrize("mark", [b"1.2.840.10008.1.2.1\0", b"MONOCHROME2 ", b"OT"])
def test_a_reason_of_dicom_quotes_nothing(mark: bytes, tmp_path: Path) -> None:
    patient = b"DOE^JANE^SECRET"
    content = odd_dicom.dicom(oddities.LUMA)
    file = tmp_path / "x.dcm"
    for cut in (len(content), 600, 400, 360):
        file.write_bytes(content[:cut].replace(mark, patient[: len(mark)].ljust(len(mark))))
        said = ""
        try:
            read_picture(file)
        except DataError as error:
            said = str(error)
        assert "DOE" not in said
