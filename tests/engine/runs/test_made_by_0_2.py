"""What version 0.2 has written is read and gone on with: runs, studies, labels, a queue, projects."""

import hashlib
import html
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sslstudio.cli.main import main
from sslstudio.engine.core.config import to_dict
from sslstudio.engine.core.migrations import current_key
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.projects.project import open_project
from sslstudio.engine.runs.queue import RunQueue
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import finetune_from_dict, pretrain_from_dict
from tests.support.record import weights_of
from tests.support.samples import machine

OUTCOMES = {
    "pretrained": "finished",
    "paused": "stopped",
    "killed": "interrupted",
    "classified": "finished",
    "segmented": "finished",
    "folds": "finished",
    "stopped twin": "stopped",
    "comparison/pretrained/rotation": "finished",
    "cup/round-1/vicreg": "finished",
    "cup/winner": "finished",
    "cup that was killed/winner": "interrupted",
}


def project_folder(root: Path) -> Path:
    return root / "home" / "Projects" / "little zoo"


def ask(capsys: pytest.CaptureFixture[str], *command: object) -> list[str]:
    """The lines that a command prints."""
    code = main([str(word) for word in command])
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out.splitlines()


def told(capsys: pytest.CaptureFixture[str], *command: object) -> Any:
    """The last line of a command that prints JSON."""
    return json.loads(ask(capsys, *command, "--json")[-1])


def content(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    """A table with the English text of each message in it, as version 0.2 wrote them."""
    if isinstance(value, dict):
        return value["text"] if "template" in value else {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


MENDED = {"low", "high", "low_bound", "high_bound", "flat", "verdict", "notes", "final", "agrees", "used", "together",
          "measured", "made", "tuning", "read_at", "longer", "suggested"}  # fmt: skip


def measured(value: Any) -> Any:
    """A table without what hangs on how intervals are worked out, which was mended since, and what it did not say."""
    if isinstance(value, dict):
        return {key: measured(one) for key, one in value.items() if key not in MENDED}
    return [measured(one) for one in value] if isinstance(value, list) else value


def expected(root: Path) -> dict[str, Any]:
    facts: dict[str, Any] = content(root / "expected.json")
    return facts


def stamps(folder: Path) -> dict[Path, int]:
    """When the weights in a folder were written: nothing is trained while these stay."""
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*.safetensors")}


def test_every_run_is_listed_as_it_ended(made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = project_folder(made_by_0_2) / "runs"
    listed = {
        Path(line["path"]).relative_to(runs).as_posix(): line
        for line in map(json.loads, ask(capsys, "runs", runs, "--json"))
    }
    assert {name: listed[name]["outcome"] for name in OUTCOMES} == OUTCOMES
    assert not [name for name, line in listed.items() if line["outcome"] == "damaged"]
    for name in ("classified", "segmented", "folds"):
        assert listed[name]["headline"] == content(runs / name / "metrics.json")["verdict"]
    assert all(line["told"] for line in listed.values())


def flat(values: dict[str, Any], owner: str = "") -> dict[str, Any]:
    """Every option by section.option; those of a task by task.option."""
    found: dict[str, Any] = {}
    for name, one in values.items():
        section = str(values["task"]) if name == "options" else name
        found |= flat(one, f"{section}.") if isinstance(one, dict) else {owner + name: one}
    return found


def test_every_setting_of_every_run_means_the_same(made_by_0_2: Path) -> None:
    renamed: set[str] = set()
    for file in sorted(made_by_0_2.rglob("config.toml")):
        stored = tomllib.loads(file.read_text(encoding="utf-8"))
        read = finetune_from_dict if stored["job"] == "finetune" else pretrain_from_dict
        today = flat(to_dict(read(RunFolder.open(file.parent).config())))
        for key, value in flat(stored).items():
            renamed |= {key} if key != current_key(key) else set()
            assert key == "job" or today[current_key(key)] == value, (file, key)
    assert renamed >= {"hardware.tune", "hardware.layout", "recipe.decay", "recipe.head", "recipe.steady",
                       "rotation.field", "rotation.field_side", "vicreg.smallest", "vicreg.expander"}  # fmt: skip


@pytest.mark.parametrize("name", ["paused", "killed", "stopped twin"])
def test_a_run_goes_on_to_the_weights_that_it_would_have_had(
    name: str, made_by_0_2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, facts = project_folder(made_by_0_2) / "runs" / name, expected(made_by_0_2)
    assert told(capsys, "resume", run)["outcome"] == "finished"
    if facts["machine"] == machine():  # elsewhere sums end in other bits
        assert weights_of(run) == facts["ends"][name]
    steps = [event for line in (run / "events.jsonl").read_text("utf-8").splitlines()
             if (event := json.loads(line))["event"] == "StepDone"]  # fmt: skip
    places = [(event["part"], event["step"]) for event in steps]
    assert len(set(places)) == len(places)  # what had come after the checkpoint was taken back, and no more


@pytest.mark.parametrize("name", ["classified", "segmented"])
def test_a_result_is_evaluated_and_reported(name: str, made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = project_folder(made_by_0_2) / "runs" / name
    stored = content(run / "metrics.json")
    scored = told(capsys, "evaluate", run, made_by_0_2 / "little zoo", "--device", "cpu")
    assert scored["n_test"] == stored["n_test"] > 0
    for score, values in stored["parts"]["pretrained"]["scores"].items():
        again = scored["parts"]["pretrained"]["scores"][score]
        for key in ("value", "n"):  # the intervals are others since they were mended
            assert again[key] == pytest.approx(values[key], nan_ok=True)
    page = made_by_0_2 / "report.html"
    ask(capsys, "report", run, "--out", page)
    assert stored["verdict"] in html.unescape(page.read_text(encoding="utf-8"))


def test_folds_are_reported(made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, page = project_folder(made_by_0_2) / "runs" / "folds", made_by_0_2 / "report.html"
    ask(capsys, "report", run, "--out", page)
    assert content(run / "metrics.json")["verdict"] in html.unescape(page.read_text(encoding="utf-8"))


def test_the_encoder_is_exported_and_the_answers_are_a_film(
    made_by_0_2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = project_folder(made_by_0_2) / "runs" / "pretrained"
    ask(capsys, "export", run, "--format", "safetensors", "--out", made_by_0_2 / "taken")
    assert list((made_by_0_2 / "taken").glob("*.safetensors"))
    ask(capsys, "gif", run, "--out", made_by_0_2 / "film.gif")
    with Image.open(made_by_0_2 / "film.gif") as film:
        assert getattr(film, "n_frames", 1) > 1


def test_a_new_fine_tuning_starts_from_it(made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = made_by_0_2
    source = project_folder(root) / "runs" / "pretrained"
    command = ["finetune", root / "little zoo", "--from", source, "--labels-per-class", "2", "--no-twin",
               "--out", root / "new", "--device", "cpu", "--set", "budget.steps=2"]  # fmt: skip
    assert told(capsys, *command)["outcome"] == "finished"
    # the pictures that the pretraining has kept for the test are those of the result
    held_out = content(source / "split.json")["test"]
    assert set(content(root / "new" / "split.json")["test"]) == set(held_out)


def test_answered_pictures_are_skipped_and_a_new_one_is_added(
    made_by_0_2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, run = made_by_0_2, project_folder(made_by_0_2) / "runs" / "classified"
    command = ("predict", run, root / "more", "--device", "cpu", "--out", root / "predictions")
    table = root / "predictions" / "predictions.csv"
    before = table.read_text(encoding="utf-8-sig")
    assert told(capsys, *command)["new"] == 0
    assert table.read_text(encoding="utf-8-sig") == before
    first = next((root / "more" / "images").rglob("*.png"))
    shutil.copy(first, first.with_name("one more.png"))
    assert told(capsys, *command)["new"] == 1
    after = table.read_text(encoding="utf-8-sig")
    assert set(before.splitlines()) < set(after.splitlines())


@pytest.mark.parametrize(("name", "table"), [("comparison", "table.json"), ("cup", "tournament.json")])
def test_a_study_that_is_over_trains_nothing_again(
    name: str, table: str, made_by_0_2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project_folder(made_by_0_2) / "runs" / name
    before, weights = content(folder / table), stamps(folder)
    again = told(capsys, *expected(made_by_0_2)["commands"][name])["metrics"]
    assert stamps(folder) == weights
    assert plain(again) == plain(content(folder / table))
    assert measured(plain(again)) == measured(before)


def test_a_tournament_that_was_killed_goes_on(made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "cup that was killed"
    folder = project_folder(made_by_0_2) / "runs" / name
    before, weights = content(folder / "tournament.json"), stamps(folder / "round-1")
    assert before["winner"] is None
    table = told(capsys, *expected(made_by_0_2)["commands"][name])["metrics"]
    assert stamps(folder / "round-1") == weights
    assert plain(table["rounds"]) == before["rounds"]
    assert table["winner"]["task"] == table["rounds"][0][0]["task"]
    assert table["winner_run"] == str(folder / "winner")


def test_labels_are_there_with_every_edit_that_nobody_has_saved(made_by_0_2: Path) -> None:
    folder, facts = project_folder(made_by_0_2) / "labels", expected(made_by_0_2)["labels"]
    assert len((folder / "journal.jsonl").read_bytes().splitlines()) == facts["lines"] > 0
    for _ in range(2):  # from the journal, and from the files that it was saved to
        with Labelling(folder) as labels:
            names = {one.number: one.name for one in labels.names("classification")}
            masks = {path: labels.mask(path) for path in sorted(labels.masked)}
            assert {path: names[number] for path, number in sorted(labels.of.items())} == facts["of"]
            assert facts["classes"] == {
                kind: [one.name for one in labels.names(kind)] for kind in ("classification", "segmentation")
            }
            hashes = {path: hashlib.sha256(mask.tobytes()).hexdigest() for path, mask in masks.items()
                      if mask is not None}  # fmt: skip
            assert hashes == facts["masks"]


def test_labels_are_taken_by_a_training(made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = project_folder(made_by_0_2) / "labels"
    said = json.dumps(told(capsys, "index", made_by_0_2 / "little zoo", "--labels", labels))
    assert "ladybird" in said
    assert "scarab" in said


def test_waiting_runs_are_read(made_by_0_2: Path) -> None:
    first, second = RunQueue(made_by_0_2 / "home" / "queue.json").runs
    pretraining, tuning = pretrain_from_dict(first.config), finetune_from_dict(second.config)
    assert (first.job, pretraining.task, pretraining.budget.steps) == ("pretrain", "jigsaw", 4)
    assert (second.job, tuning.folds, Path(tuning.source).name) == ("finetune", 2, "pretrained")
    assert Path(pretraining.data.folder) == made_by_0_2 / "little zoo"


def test_several_folders_are_one_set(made_by_0_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = open_project(made_by_0_2 / "home" / "Projects" / "little zoo + more").project
    assert told(capsys, "index", project.pictures)["pictures"] == 66


def test_a_project_is_read_with_what_was_chosen(made_by_0_2: Path) -> None:
    opened = open_project(project_folder(made_by_0_2))
    project = opened.project
    assert opened.told == ""
    assert (project.task, project.options["rotation"]["grey"], project.data["side"]) == ("rotation", 0.5, 32)
    assert (project.options["rotation"]["min_crop_side"], project.options["rotation"]["size"]) == (0.7, 0.6)
    assert project.pictures == made_by_0_2 / "little zoo"
    assert project.choices["pretrain"]["time"] == 7
    assert [run.name for run in project.all_runs] == ["runs", "2026-01-02 old"]
    assert all(run.is_dir() for run in project.all_runs)
