"""Fine-tuning with its twin, really run on small pictures."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import CheckpointSaved, Event, Note, RunStarted, StepDone
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.runs.metrics import interval_of
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import BudgetConfig, DataConfig, RecipeConfig
from tests.support.small_runs import finetune_config, finished, of, result_of, run_finetune


def test_both_parts_take_the_same_steps_and_the_result_compares_them(classified: Path) -> None:
    steps = of(StepDone, RunFolder(classified).events())
    last = {part: [step for step in steps if step.part == part][-1] for part in ("pretrained", "scratch")}
    assert last["pretrained"].step == last["scratch"].step == last["scratch"].total_steps
    assert last["pretrained"].seconds_left > 0  # the twin is still to come
    assert last["scratch"].seconds_left == 0
    metrics = RunFolder(classified).finetune_metrics()
    assert metrics is not None
    assert metrics["n_train"] == 15  # three a class of five
    assert list(metrics["parts"]) == ["pretrained", "scratch", "untrained"]
    for part in metrics["parts"].values():
        assert np.sum(part["confusion"]) == metrics["n_test"]
        score = part["scores"]["balanced_accuracy"]
        value, low, high = interval_of(score)
        assert 0 <= low <= value <= high <= 1
        assert score["n"] == metrics["n_test"]
    gap = metrics["difference"]
    scores = [metrics["parts"][part]["scores"]["balanced_accuracy"] for part in ("pretrained", "scratch")]
    values = [interval_of(score)[0] for score in scores]
    assert gap is not None
    assert gap["value"] == pytest.approx(values[0] - values[1])
    assert "pretrained against" in metrics["verdict"]
    assert any("No test picture was seen" in note for note in metrics["notes"])


def test_near_copies_of_test_pictures_are_counted(tmp_path: Path) -> None:
    """A picture that is saved again under another name: one is trained on, the other tested."""
    rng = np.random.default_rng(0)
    for number in range(40):  # smooth fields, each unlike the others
        file = tmp_path / "pictures" / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize((40, 40)).save(file)
    config = finetune_config(tmp_path / "pictures", tmp_path / "first", "scratch")
    config = config.replace(budget=BudgetConfig(steps=1))
    first = result_of(run_finetune(config))["notes"]
    assert any("No test picture has a near copy" in note for note in first)
    tested = json.loads((tmp_path / "first" / "split.json").read_text())["test"][0]
    taught = json.loads((tmp_path / "first" / "plan.json").read_text())["labelled"][0]
    with Image.open(tmp_path / "pictures" / taught) as picture:
        picture.resize((36, 36)).save(tmp_path / "pictures" / tested)
    second = result_of(run_finetune(config.replace(out=str(tmp_path / "second"))))["notes"]
    said = [note for note in second if "near copy" in note]
    assert len(said) == 1
    assert said[0].startswith("1 of the ")
    assert f"for example {tested} and {taught}:" in said[0]
    cell = result_of(run_finetune(config.replace(out=str(tmp_path / "cell"), watch=False)))["notes"]
    assert not [note for note in cell if "near copy" in note]


def test_labels_are_drawn_from_training_pictures_only(classified: Path) -> None:
    split = json.loads((classified / "split.json").read_text())
    labelled = json.loads((classified / "plan.json").read_text())["labelled"]
    assert len(labelled) == 15
    assert set(labelled) <= set(split["train"])


def test_the_split_of_the_pretraining_is_kept(classified: Path, pretrained: Path) -> None:
    assert (classified / "split.json").read_bytes() == (pretrained / "split.json").read_bytes()


def test_the_predictions_table_agrees_with_the_confusion_matrix(classified: Path) -> None:
    metrics = json.loads((classified / "metrics.json").read_text())
    for part, content in metrics["parts"].items():
        with (classified / f"predictions-{part}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        counted = np.zeros((5, 5), int)
        for row in rows:
            counted[metrics["classes"].index(row["label"]), metrics["classes"].index(row["predicted"])] += 1
            assert row["file"].split("/")[-2] == row["label"]
        assert counted.tolist() == content["confusion"]


def test_masks_are_predicted_at_their_own_size_with_class_numbers(segmented: Path, sample_folder: Path) -> None:
    metrics = json.loads((segmented / "metrics.json").read_text())
    assert metrics["headline"] == "mean_iou"
    assert metrics["classes"][0] == "background"
    assert metrics["n_train"] == 10
    with (segmented / "predictions-scratch.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == metrics["n_test"]
    with Image.open(segmented / "predictions-scratch" / f"{rows[0]['file']}.png") as mask:
        assert mask.mode == "P"
        assert mask.size == (32, 32)
        assert np.asarray(mask).max() < len(metrics["classes"])


def test_a_probe_trains_the_head_alone(pretrained: Path, sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "probe", str(pretrained)).replace(mode="probe", twin=False)
    config = config.replace(recipe=RecipeConfig(read_out="network"))
    run_finetune(config)
    before = load_tensors(pretrained / "last.safetensors")[0]
    after = load_tensors(tmp_path / "probe" / "last.safetensors")[0]
    encoder = [name for name in after if name.startswith("model.network.encoder.")]
    assert encoder
    for name in encoder:  # batch statistics are measured anew on whole pictures, once
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.equal(after[name], before[name.replace("model.network.", "model.")]), name


def test_stopped_in_the_twin_and_resumed_gives_the_same_result(
    classified: Path, pretrained: Path, sample_folder: Path, tmp_path: Path
) -> None:
    control = RunControl()
    out = tmp_path / "stopped"
    for event in finetune(finetune_config(sample_folder, out, str(pretrained)), control):
        if isinstance(event, StepDone) and event.part == "scratch" and event.step == 2:
            control.stop()
    assert finished(RunFolder(out).events()).outcome == "stopped"
    events = list(resume(out, RunControl()))
    assert not [step for step in of(StepDone, events) if step.part == "pretrained"]
    ours, theirs = (json.loads((run / "metrics.json").read_text()) for run in (out, classified))
    assert ours == theirs
    steps = [(step.part, step.step) for step in of(StepDone, RunFolder(out).events())]
    assert len(steps) == len(set(steps))
    assert of(CheckpointSaved, RunFolder(out).events())


def test_the_main_part_has_the_plain_checkpoint_names(sample_folder: Path, tmp_path: Path) -> None:
    run_finetune(finetune_config(sample_folder, tmp_path / "run", "scratch"))
    assert (tmp_path / "run" / "last.safetensors").exists()
    assert not list((tmp_path / "run").glob("scratch-*.safetensors"))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert list(metrics["parts"]) == ["scratch", "untrained"]
    assert metrics["difference"] is None


def test_minutes_become_a_number_of_steps(sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch")
    config = config.replace(budget=config.budget.replace(epochs=None, minutes=0.05))
    events = run_finetune(config)
    steps = json.loads((tmp_path / "run" / "plan.json").read_text())["steps"]
    assert 1 <= steps < 400  # that 15 labels could use; how many, the speed of this machine decides
    minutes = math.ceil(0.05 * 400 / steps)
    said = f"The minutes allow {steps} steps of the 400 that 15 labelled pictures can use: with about {minutes} minute"
    assert [str(note.text).startswith(said) for note in of(Note, events) if "minutes" in str(note.text)] == [True]
    assert any(str(note).startswith(said) for note in result_of(events)["notes"])


@pytest.mark.parametrize(
    ("source", "words"),
    [("nowhere", "no run or weights file"), ("classified", "is a fine-tuning run"), ("folder", "is not a run")],
)
def test_sources_that_cannot_be_started_from(
    source: str, words: str, classified: Path, sample_folder: Path, tmp_path: Path
) -> None:
    path = {"classified": classified, "folder": sample_folder}.get(source, tmp_path / "nowhere")
    with pytest.raises(DataError, match=words):
        run_finetune(finetune_config(sample_folder, tmp_path / "run", str(path)))
    assert not (tmp_path / "run").exists()


def test_a_folder_without_labels_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "flat"
    folder.mkdir()
    for number in range(12):
        Image.effect_noise((40, 40), 20 + number).save(folder / f"{number}.png")
    with pytest.raises(DataError, match="one folder a class"):
        run_finetune(finetune_config(folder, tmp_path / "run", "scratch"))
    with pytest.raises(DataError, match="masks of the same names"):
        run_finetune(finetune_config(folder, tmp_path / "run", "scratch", "segmentation"))


def test_the_baseline_guesses_what_is_frequent_among_all_labels_not_in_the_draw(
    sample_folder: Path, tmp_path: Path
) -> None:
    """Of each class as many are drawn; the first class is the rare one."""
    names = sorted(path.relative_to(sample_folder).as_posix() for path in (sample_folder / "images").rglob("*.*"))
    rare = set(names[::4])
    with (tmp_path / "labels.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("file", "label"), *((name, "a" if name in rare else "b") for name in names)])
    config = finetune_config(sample_folder, tmp_path / "run", "scratch").replace(
        data=DataConfig(folder=str(sample_folder), labels=str(tmp_path / "labels.csv")), budget=BudgetConfig(steps=1)
    )
    metrics = result_of(run_finetune(config))
    counts = {row["name"]: row["n"] for row in metrics["parts"]["scratch"]["per_class"]}
    assert metrics["n_train"] == 6
    assert counts["b"] > counts["a"] > 0
    assert metrics["baseline"]["accuracy"] == pytest.approx(counts["b"] / metrics["n_test"])


def tuned(folder: Path, out: Path, source: str, autotune: str, budget: BudgetConfig) -> list[Event]:
    config = finetune_config(folder, out, source)
    return run_finetune(config.replace(hardware=config.hardware.replace(autotune=autotune), budget=budget))


def test_a_step_is_tried_where_that_is_asked_for_and_its_choice_is_kept(
    sample_folder: Path, pretrained: Path, tmp_path: Path
) -> None:
    events = tuned(sample_folder, tmp_path / "run", str(pretrained), "on", BudgetConfig(steps=2))
    kept = RunFolder(tmp_path / "run").read_json("step.json")
    assert len(kept["tried"]) > 1
    assert "fastest of" in str(of(RunStarted, events)[0].facts["Step"])


def test_runs_in_steps_are_the_same_to_the_bit_whether_or_not_trying_is_left_to_the_program(
    sample_folder: Path, pretrained: Path, tmp_path: Path
) -> None:
    losses = {}
    for autotune in ("auto", "off"):
        events = tuned(sample_folder, tmp_path / autotune, str(pretrained), autotune, BudgetConfig(steps=3))
        losses[autotune] = [one.loss for one in of(StepDone, events)]
        assert RunFolder(tmp_path / autotune).read_json("step.json")["tried"] == {}
    assert losses["auto"] == losses["off"]


def test_a_run_of_a_version_that_tried_nothing_goes_on_as_it_began(
    sample_folder: Path, pretrained: Path, tmp_path: Path
) -> None:
    control = RunControl()
    config = finetune_config(sample_folder, tmp_path / "run", str(pretrained))
    for event in finetune(config.replace(hardware=config.hardware.replace(autotune="on")), control):
        if isinstance(event, StepDone) and event.step == 2:
            control.stop()
    (tmp_path / "run" / "step.json").unlink()
    assert finished(list(resume(tmp_path / "run", RunControl()))).outcome == "finished"
    assert not (tmp_path / "run" / "step.json").exists()
