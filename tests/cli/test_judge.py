"""`sslstudio clinic` and `sslstudio audit`, as a person or a script calls them."""

import json
from pathlib import Path

import pytest

from sslstudio.cli.main import main
from sslstudio.engine.tasks.base import load_tasks


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends by itself
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_clinic_says_what_suits(capsys: pytest.CaptureFixture[str], sample_folder: Path, tmp_path: Path) -> None:
    code, out, _ = run(capsys, "clinic", sample_folder / "images", "--side", 48, "--out", tmp_path / "examples")
    assert code == 0
    for task in load_tasks():
        assert f"\n{task}: " in out
    assert "CAREFUL  Number of pictures (concerns every task)" in out or "UNSUITABLE  Number of pictures" in out
    assert "What to change: --set encoder.name=small" in out
    assert "Colour: 0 of " in out


def test_the_clinic_speaks_json(capsys: pytest.CaptureFixture[str], sample_folder: Path) -> None:
    undefended = ("gap=0", "jitter=0", "turn=0", "normalise=false")
    changes = [word for option in undefended for word in ("--set", f"jigsaw.{option}")]
    asked = ["clinic", sample_folder / "images", "--side", 48, "--task", "jigsaw", "--json"]
    code, out, _ = run(capsys, *asked, *changes)
    assert code == 0
    content = json.loads(out.splitlines()[-1])
    assert content["pictures"] == 60
    assert set(content["tasks"]) == {"jigsaw"}
    found = {one["name"]: one for one in content["findings"]}
    assert all("jigsaw" in one["tasks"] for one in found.values())
    assert found["edges"]["severity"] == "careful"
    assert found["edges"]["change"] == "jigsaw.jitter=0.2"
    assert any("edge" in reason for reason in content["tasks"]["jigsaw"]["reasons"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clinic", "/nowhere/at/all"], "/nowhere/at/all"),
        (["clinic", "{sample}", "--task", "jigsav"], "Did you mean 'jigsaw'"),
        (["clinic", "{sample}", "--set", "jigsaw.gab=1"], "'gab'"),
        (["clinic", "{sample}", "--set", "jigsaw"], "not KEY=VALUE"),
        (["clinic", "{sample}", "--set", "jigsav.gap=1"], "Did you mean 'jigsaw'"),
        (["clinic", "{sample}", "--side", "3"], "side = 3"),
        (["audit", "{tmp}"], "is not a run"),
        (["audit"], "RUN"),
    ],
)
def test_wrong_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], sample_folder: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    given = [text.format(sample=sample_folder, tmp=tmp_path) for text in arguments]
    code, _, error = run(capsys, *given)
    assert code == 2
    assert words in error
    assert len(error.strip().splitlines()) == 1


def test_a_run_is_audited(capsys: pytest.CaptureFixture[str], sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    pretrain = ["pretrain", sample_folder / "images", "--task", "context_prediction", "--epochs", 2, "--out", out]
    code, _, error = run(capsys, *pretrain, "--side", 48, "--encoder", "small", "--device", "cpu", "--json")
    assert code == 0, error
    code, said, _ = run(capsys, "audit", out, "--device", "cpu")
    assert code == 0
    assert "context_prediction: " in said
    assert str(out / "audit.json") in said
    code, lines, _ = run(capsys, "audit", out, "--json", "--device", "cpu")
    assert code == 0
    assert json.loads(lines.splitlines()[-1])["parts"][0]["task"] == "context_prediction"
    assert json.loads((out / "audit.json").read_text()) == json.loads(lines.splitlines()[-1])
