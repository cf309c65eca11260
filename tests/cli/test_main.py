"""The command line, as a person or a script calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from sslstudio.cli.config_args import config_of
from sslstudio.cli.console import print_result
from sslstudio.cli.main import main, parser
from sslstudio.engine.core.events import from_json
from sslstudio.engine.evaluate.scores import one_hot_confusions
from sslstudio.engine.evaluate.verdict import summarise
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import DEFAULT_TASK, FinetuneConfig, PretrainConfig


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends by itself
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for command in ("demo", "sample", "index", "tasks", "preview", "pretrain", "resume", "runs", "finetune",
                    "evaluate", "suggest", "predict", "doctor"):  # fmt: skip
        assert f"\n    {command} " in out
        assert run(capsys, command, "--help")[0] == 0


def test_tasks_lists_every_task_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "tasks")
    _, lines, _ = run(capsys, "tasks", "--json")
    assert [json.loads(line)["name"] for line in lines.splitlines()] == load_tasks().names()
    assert "--set jigsaw.permutations=" in out


def test_without_a_task_the_engine_s_own_choice_is_trained() -> None:
    config = config_of(parser().parse_args(["pretrain", "DIR", "--out", "RUN"]))
    assert isinstance(config, PretrainConfig)
    assert config.task == DEFAULT_TASK


def test_help_loads_no_torch() -> None:
    command = [sys.executable, "-c", "import sys; from sslstudio.cli.main import parser; parser().format_help(); "
               "sys.exit('torch' in sys.modules)"]  # fmt: skip
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["index", "/nowhere/at/all"], "/nowhere/at/all"),
        (["pretrain", "{sample}", "--task", "jigsav", "--out", "{tmp}/r"], "Did you mean 'jigsaw'"),
        (["pretrain", "{sample}", "--task", "jigsaw", "--out", "{tmp}/r", "--set", "jigsaw.gab=1"], "'gab'"),
        (["pretrain", "{sample}", "--task", "jigsaw", "--out", "{tmp}/r", "--set", "jigsaw"], "not KEY=VALUE"),
        (["pretrain", "{sample}", "--task", "jigsaw", "--out", "{tmp}/r", "--set", "jigsaw.permutations=-3"], "-3"),
        (["pretrain", "{sample}", "--task", "jigsaw", "--out", "{tmp}/r", "--set", "optimizer.clip=1"], "'optimiser'"),
        (
            ["pretrain", "{sample}", "--task", "jigsaw", "--out", "{tmp}/r", "--minutes", "-1"],
            "minutes = -1.0 is below its lowest",
        ),
        (["pretrain", "{sample}", "--task", "jigsaw", "--out", "{tmp}/r", "--epochs", "0"], "epochs = 0"),
        (["pretrain", "{sample}", "--task", "jigsaw"], "--out"),
        (["finetune", "{sample}", "--from", "{tmp}/none", "--out", "{tmp}/r"], "no run or weights file"),
        (["resume", "{tmp}"], "is not a run"),
        (["runs", "{tmp}/none"], "no folder"),
        (["predict", "{tmp}", "{sample}", "--out", "{tmp}/o"], "is not a run"),
        (["preview", "{sample}", "--task", "jigsaw", "--out", "{tmp}/puzzles.txt"], "not the name of a picture"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [argument.format(sample=sample_folder, tmp=tmp_path) for argument in arguments]
    code, _, err = run(capsys, *filled)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert err.startswith("sslstudio: ")
    assert not (tmp_path / "r").exists()


def test_the_whole_job_on_the_command_line(
    sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pretrained, tuned = str(tmp_path / "pretrained"), str(tmp_path / "tuned")
    code, out, _ = run(capsys, "index", str(sample_folder), "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["pictures"] == 60

    puzzles = tmp_path / "puzzles.png"
    assert run(capsys, "preview", str(sample_folder), "--task", "jigsaw", "--out", str(puzzles), "--count", "3")[0] == 0
    with Image.open(puzzles) as sheet:
        assert sheet.height > sheet.width / 4

    code, out, _ = run(capsys, "pretrain", str(sample_folder), "--task", "jigsaw", "--epochs", "1", "--device", "cpu",
                       "--set", "optimiser.batch_size=14", "--out", pretrained, "--json")  # fmt: skip
    assert code == 0
    assert [from_json(line).kind for line in out.splitlines()][-1] == "RunFinished"

    code, out, _ = run(capsys, "finetune", str(sample_folder), "--from", pretrained, "--labels-per-class", "2",
                       "--epochs", "2", "--device", "cpu", "--out", tuned)  # fmt: skip
    assert code == 0
    for words in ("With pretraining", "From scratch", "Always the most frequent class", "95 % interval"):
        assert words in out

    code, out, _ = run(capsys, "evaluate", tuned, str(sample_folder), "--json")
    assert code == 0
    stored = json.loads((tmp_path / "tuned" / "metrics.json").read_text())
    assert json.loads(out.splitlines()[-1])["parts"]["pretrained"] == stored["parts"]["pretrained"]

    assert run(capsys, "predict", tuned, str(sample_folder), "--out", str(tmp_path / "new"))[0] == 0
    assert len((tmp_path / "new" / "predictions.csv").read_text(encoding="utf-8-sig").splitlines()) == 61

    code, out, _ = run(capsys, "runs", str(tmp_path))
    assert code == 0
    assert "finished" in out
    assert str(tmp_path / "tuned") in out


@pytest.mark.parametrize(("flag", "twin"), [([], True), (["--twin"], True), (["--no-twin"], False)])
def test_a_twin_is_trained_unless_it_is_switched_off(flag: list[str], twin: bool) -> None:
    config = config_of(parser().parse_args(["finetune", "d", "--from", "r", "--out", "o", *flag]))
    assert isinstance(config, FinetuneConfig)
    assert config.twin is twin


def test_a_result_without_a_twin_says_so_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    right = one_hot_confusions([0, 1] * 30, [0, 1] * 30, 2)
    for parts, said in ((("pretrained",), True), (("scratch",), False), (("pretrained", "scratch"), False)):
        found = summarise("classification", ("a", "b"), dict.fromkeys(parts, right), n_train=4, most_frequent=0)
        print_result(found)
        assert ("Not compared with not pretraining" in " ".join(capsys.readouterr().out.split())) == said


def test_doctor_says_what_will_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    assert "Will be used: " in out
    assert json.loads(run(capsys, "doctor", "--json")[1])["Devices"]["cpu"].endswith("works")


def test_sigterm_saves_and_ends_well(sample_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sslstudio", "pretrain", str(sample_folder), "--task", "jigsaw",
               "--epochs", "5000", "--device", "cpu", "--out", str(tmp_path / "run"), "--json"]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if from_json(line).kind == "StepDone":
                process.terminate()
                break
        out, err = process.communicate()
    assert process.returncode == 0
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "RunFinished"
    assert last["outcome"] == "stopped"
    assert "what was learnt is kept" in err
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_without_a_screen_the_window_says_so_instead_of_aborting(tmp_path: Path) -> None:
    hidden = {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"}
    bare = {key: value for key, value in os.environ.items() if key not in hidden}
    done = subprocess.run([sys.executable, "-m", "sslstudio"], capture_output=True, text=True, env=bare, check=False)
    assert done.returncode in (1, 2)
    assert "DISPLAY" in done.stderr
    assert "Traceback" not in done.stderr
