"""`sslstudio predict`, `sslstudio export` and `sslstudio report`, as a person or a script calls them."""

import json
from pathlib import Path

import pytest

from sslstudio.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends by itself
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_export_says_how_exactly_each_file_agrees(
    capsys: pytest.CaptureFixture[str], classified: Path, tmp_path: Path
) -> None:
    code, out, _ = run(capsys, "export", classified, "--format", "safetensors", "--out", tmp_path / "out")
    assert code == 0
    assert "model.safetensors" in out
    assert "on 8 pictures the answers differ by at most" in out
    code, lines, _ = run(capsys, "export", classified, "--format", "torchscript", "--out", tmp_path / "new", "--json")
    assert code == 0
    result = json.loads(lines.splitlines()[-1])
    assert [one["file"] for one in result["files"]] == ["encoder.torchscript.pt", "model.torchscript.pt"]


def test_predict_skips_what_is_done(
    capsys: pytest.CaptureFixture[str], classified: Path, sample_folder: Path, tmp_path: Path
) -> None:
    asked = ["predict", classified, sample_folder / "images" / "leaf", "--out", tmp_path / "out", "--device", "cpu"]
    code, out, _ = run(capsys, *asked)
    assert code == 0
    assert str(tmp_path / "out" / "predictions.csv") in out
    code, lines, _ = run(capsys, *asked, "--json")
    assert code == 0
    result = json.loads(lines.splitlines()[-1])
    assert result["new"] == 0
    assert result["total"] == len(list((sample_folder / "images" / "leaf").iterdir()))


def test_report_is_written(capsys: pytest.CaptureFixture[str], classified: Path, tmp_path: Path) -> None:
    code, lines, _ = run(capsys, "report", classified, "--out", tmp_path / "r.html", "--without-pictures", "--json")
    assert code == 0
    assert json.loads(lines.splitlines()[-1]) == {"report": str(tmp_path / "r.html")}


def test_a_report_speaks_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], classified: Path, tmp_path: Path
) -> None:
    words = ["report", classified, "--out", tmp_path / "r.html", "--without-pictures", "--language"]
    code, _, said = run(capsys, *words, "xx")
    assert (code, "is no language of this program. It has en and de" in said) == (2, True)
    code, _, _ = run(capsys, *words, "de")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert code == 0
    assert '<html lang="de">' in text
    assert "Einstellungen" in text
    assert "<img" not in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "{tmp}", "--out", "{tmp}/out"], "is not a run"),
        (["export", "{run}", "--out", "{tmp}/out", "--format", "onyx"], "Did you mean 'onnx'"),
        (["export", "{run}", "--out", "{run}"], "not empty"),
        (["export", "{run}"], "--out"),
        (["predict", "{run}", "{tmp}/nowhere", "--out", "{tmp}/out"], "There is no folder"),
        (["predict", "{run}", "{tmp}", "--out", "{tmp}/out", "--separator", "dot"], "--separator"),
        (["report", "{run}", "--out", "{tmp}/report.doc"], "report.html"),
    ],
)
def test_wrong_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], classified: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    given = [text.format(run=classified, tmp=tmp_path) for text in arguments]
    code, _, error = run(capsys, *given)
    assert code == 2
    assert words in error
    assert len(error.strip().splitlines()) == 1
