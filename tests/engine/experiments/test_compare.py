"""Comparisons: real runs, small ones."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.core.events import Note, Preparing, RunFinished, RunStarted, StepDone, from_json
from sslstudio.engine.core.files import leftovers
from sslstudio.engine.core.messages import Message
from sslstudio.engine.experiments.compare import Comparison, compare
from sslstudio.engine.experiments.compare_config import CompareConfig, cell_run
from sslstudio.engine.experiments.compare_table import Scored, scored_pictures
from sslstudio.engine.experiments.config import stored_config
from sslstudio.engine.experiments.experiment_run import ExperimentRun
from sslstudio.engine.runs.confusions import confusions_file, write_confusions
from sslstudio.engine.runs.run_folder import RunFolder, list_runs
from tests.support.small_comparisons import compare_config, content, run_compare, table_of


def scored(cell: Path) -> Scored:
    return scored_pictures(ExperimentRun(cell, cell.parent.name), cell.parent.name)


@pytest.fixture(scope="module")
def done(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished comparison of scratch and rotation."""
    out = tmp_path_factory.mktemp("compare") / "done"
    events = run_compare(compare_config(sample_folder, out))
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "finished"
    return out


def test_every_row_has_the_same_labels_and_the_same_test(done: Path) -> None:
    for cell in ("2-0", "2-1", "4-0", "4-1"):
        scratch, rotation = (done / "cells" / row / cell for row in ("scratch", "rotation"))
        assert content(scratch / "plan.json") == content(rotation / "plan.json")
        assert scored(scratch).paths == scored(rotation).paths
    few, more = (set(content(done / "cells/scratch" / cell / "plan.json")["labelled"]) for cell in ("2-0", "4-0"))
    assert few < more
    assert few != set(content(done / "cells/scratch/2-1/plan.json")["labelled"])


def test_the_table_says_what_the_cells_say(done: Path) -> None:
    table = content(done / "table.json")
    assert [row["source"] for row in table["rows"]] == ["scratch", "untrained", "rotation"]
    scratch, untrained, rotation = table["rows"]
    for place, labels in enumerate((2, 4)):
        scores = {
            part: [
                content(done / "cells" / row / f"{labels}-{draw}" / "metrics.json")["parts"][part]["scores"][
                    "balanced_accuracy"
                ]["value"]
                for draw in range(2)
            ]
            for row, part in (("scratch", "scratch"), ("scratch", "untrained"), ("rotation", "pretrained"))
        }
        assert scratch["cells"][place]["draws"] == pytest.approx(scores["scratch"])
        assert untrained["cells"][place]["draws"] == pytest.approx(scores["untrained"])
        assert rotation["cells"][place]["score"]["value"] == pytest.approx(np.mean(scores["pretrained"]))
        gap = np.mean(np.subtract(scores["pretrained"], scores["scratch"]))
        assert rotation["cells"][place]["difference"]["value"] == pytest.approx(gap)
        assert rotation["cells"][place]["worth"] is not None
    gaps = [cell["difference"]["value"] for cell in rotation["cells"]]
    assert rotation["overall"]["value"] == pytest.approx(sum(gaps) / len(gaps))
    assert rotation["overall"]["low"] <= rotation["overall"]["value"] <= rotation["overall"]["high"]
    assert rotation["overall"]["labels"] == [cell["labels"] for cell in rotation["cells"]]
    assert table["n_test"] == len(scored(done / "cells/scratch/2-0").paths)
    assert table["baseline"] == pytest.approx(1 / len(content(done / "cells/scratch/2-0/metrics.json")["classes"]))
    assert rotation["pretraining"]["steps"] == 2
    assert rotation["pretraining"]["chance"] == pytest.approx(0.25)


def test_each_row_says_what_it_cost(done: Path) -> None:
    scratch, untrained, rotation = content(done / "table.json")["rows"]
    for row in (scratch, untrained, rotation):
        assert row["made"] == {"encoder": "small", "side": 32}
        assert [one["labels"] for one in row["tuning"]] == [2, 4]
        assert all(0 < one["minutes"] < 1 for one in row["tuning"])
    assert [one["steps"] for one in scratch["tuning"] + rotation["tuning"]] == [2] * 4
    assert [one["steps"] for one in untrained["tuning"]] == [0, 0]
    assert untrained["tuning"][0]["minutes"] < scratch["tuning"][0]["minutes"]
    words = (done / "table.md").read_text()
    assert "only read" in words
    assert "small, 32 px" in words


def test_what_is_left_on_the_disk(done: Path) -> None:
    assert not list((done / "cells").rglob("*.safetensors"))
    assert (done / "pretrained/rotation/last.safetensors").exists()
    assert {run.job for run in list_runs(done)} == {"pretrain", "finetune"}
    words = (done / "table.md").read_text()
    assert "| From scratch" in words
    assert "near copy" in words
    with Image.open(done / "curve.png") as picture:
        assert picture.size[0] > 600


def test_done_again_it_only_writes_its_tables(done: Path, sample_folder: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in done.rglob("*") if file.parent != done and file.is_file()}
    (done / "table.md").unlink()
    events = run_compare(compare_config(sample_folder, done))
    assert not [event for event in events if isinstance(event, StepDone)]
    assert (done / "table.md").exists()
    after = {file: file.stat().st_mtime_ns for file in done.rglob("*") if file.parent != done and file.is_file()}
    assert after == before


@pytest.mark.parametrize("where", ["pretraining", "cell"])
def test_stopped_and_started_again_it_comes_to_the_same(
    where: str, done: Path, sample_folder: Path, tmp_path: Path
) -> None:
    config, control = compare_config(sample_folder, tmp_path / "stopped"), RunControl()
    part = {"pretraining": "", "cell": "pretrained"}[where]
    for event in compare(config, control):
        if isinstance(event, StepDone) and event.part == part and event.step == 1:
            control.stop()
    assert isinstance(event, RunFinished)
    assert event.outcome == "stopped"
    assert event.step == {"pretraining": 4, "cell": 5}[where]
    resumed = table_of(run_compare(config))
    whole = content(done / "table.json")
    assert [row["cells"] for row in resumed["rows"]] == [row["cells"] for row in whole["rows"]]


def test_two_processes_share_the_work(sample_folder: Path, done: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    command = [sys.executable, "-m", "sslstudio", "compare", str(sample_folder), "--out", str(out)]
    command += ["--tasks", "rotation", "--labels", "2,4", "--seeds", "2", "--steps", "2", "--side", "32"]
    command += ["--set", "budget.steps=2", "--set", "probe.enabled=false", "--set", "optimiser.batch_size=8"]
    command += ["--device", "cpu", "--no-general", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as other:
        events = run_compare(compare_config(sample_folder, out))
        said, errors = other.communicate()
    assert other.returncode == 0, errors.decode()
    theirs = [from_json(line) for line in said.decode().splitlines()]
    said_by_both = [*events, *theirs]
    notes = [event.text for event in said_by_both if isinstance(event, Note) and " of 9: " in event.text]
    assert len(notes) == 9
    assert len({note.partition(": ")[2].partition(": ")[0] for note in notes}) == 9
    assert isinstance(theirs[-1], RunFinished)
    assert theirs[-1].outcome == "finished"
    expected = content(done / "table.json")["rows"]
    assert [row["cells"] for row in table_of(events)["rows"]] == [row["cells"] for row in expected]


def test_what_another_process_works_on_is_waited_for(sample_folder: Path, tmp_path: Path) -> None:
    config = compare_config(sample_folder, tmp_path / "held", tasks="", labels="2", seeds=1)
    cell = cell_run(config, "scratch", 2, 0)
    cell.path.parent.mkdir(parents=True)
    lock = FileLock(cell.lock)
    lock.acquire()
    waited = False
    for event in compare(config, RunControl()):
        if isinstance(event, Preparing) and event.stage.startswith("Waiting"):
            waited = True
            lock.release()
    assert waited
    assert cell.outcome() == "done"


def test_rows_labels_and_draws_can_be_added(done: Path, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "grown"
    shutil.copytree(done, out)
    config = compare_config(sample_folder, out, tasks="jigsaw", labels="2,3", seeds=1)
    events = run_compare(config)
    trained = [event.text for event in events if isinstance(event, Note) and "draw" in event.text]
    assert len(trained) == 3  # scratch on 3 labels, jigsaw on 2 and 3
    stored = stored_config(CompareConfig, out)
    assert stored is not None
    assert (stored.tasks, stored.labels, stored.seeds) == (("rotation", "jigsaw"), (2, 4, 3), 2)
    table = content(out / "table.json")
    assert [row["source"] for row in table["rows"]] == ["scratch", "untrained", "rotation", "jigsaw"]
    assert [len(row["cells"]) for row in table["rows"]] == [3, 3, 2, 2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 3}, "fine-tuning: budget.steps was 2 and now is 3"),
        ({"pretrain_settings": "budget.steps=3"}, "rotation: .*budget.steps was 2 and now is 3"),
        ({"kind": "segmentation"}, "kind was classification and now is segmentation"),
    ],
)
def test_other_settings_need_another_folder(
    change: dict[str, object], words: str, done: Path, sample_folder: Path
) -> None:
    before = (done / "compare.toml").read_text()
    with pytest.raises(ConfigError, match=words):
        run_compare(compare_config(sample_folder, done, **change))
    assert (done / "compare.toml").read_text() == before


def test_a_task_that_does_not_fit_is_a_row_and_no_end(sample_folder: Path, tmp_path: Path) -> None:
    grey = tmp_path / "grey"
    for file in sorted((sample_folder / "images").rglob("*.*")):
        target = (grey / file.relative_to(sample_folder / "images")).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(file).convert("L").save(target)
    config = compare_config(grey, tmp_path / "out", tasks="colorization", labels="2", seeds=1)
    row = table_of(run_compare(config))["rows"][-1]
    assert row["note"].startswith("refused: ")
    assert "grey" in row["note"]
    assert row["cells"] == []
    assert Comparison(config).is_over()


def test_weights_that_do_not_fit_are_noted_and_the_rest_goes_on(
    done: Path, sample_folder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    weights = f"broken={broken};again={done / 'pretrained/rotation'}"
    config = compare_config(sample_folder, tmp_path / "out", tasks="", weights=weights, labels="2", seeds=1)
    rows = {row["source"]: row for row in table_of(run_compare(config))["rows"]}
    assert "1 of 1 cells failed" in rows["broken"]["note"]
    again = content(done / "table.json")["rows"][-1]["cells"][0]["draws"][0]
    assert rows["again"]["cells"][0]["draws"] == [pytest.approx(again)]


def test_a_row_that_was_tested_on_other_pictures_is_left_out(done: Path, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "torn"
    shutil.copytree(done, out)
    cell = out / "cells/rotation/2-0"
    old = scored(cell)
    others = tuple(f"other/{path}" for path in old.paths)
    write_confusions(confusions_file(cell, "pretrained"), others, old.confusions)
    row = table_of(run_compare(compare_config(sample_folder, out)))["rows"][-1]
    assert "tested on other pictures" in row["note"]
    assert row["cells"] == []


def test_several_pretrainings_are_one_row_with_their_luck_in_its_intervals(
    done: Path, sample_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "seeds"
    table = table_of(run_compare(compare_config(sample_folder, out, labels="2", pretrain_seeds=2)))
    assert sorted(one.name for one in (out / "pretrained").iterdir() if one.is_dir()) == ["rotation", "rotation-2"]
    assert [row["source"] for row in table["rows"]] == ["scratch", "untrained", "rotation"]
    for draw, name in enumerate(("rotation", "rotation-2")):
        assert Path(RunFolder(out / f"cells/rotation/2-{draw}").config()["source"]).name == name
    before, row = content(done / "table.json")["rows"][-1], table["rows"][-1]
    assert row["pretraining"]["seeds"] == 2
    assert row["cells"][0]["draws"][0] == before["cells"][0]["draws"][0]  # the first pretraining is the one of before
    assert row["cells"][0]["draws"][1] != before["cells"][0]["draws"][1]
    notes = " ".join(str(note) for note in table["notes"])
    assert "pretrained 2 times" in notes
    assert "one pretraining" not in notes
    assert "| 2 × 0.0 min" in (out / "table.md").read_text()
    assert "one pretraining" in " ".join(str(note) for note in content(done / "table.json")["notes"])


def test_longer_runs_stand_beside_the_usual_ones(done: Path, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "longer"
    shutil.copytree(done, out)
    events = run_compare(compare_config(sample_folder, out, longer=3))
    told = [str(event.text) for event in events if isinstance(event, Note) and "3 times the steps" in event.text]
    assert len(told) == 4  # two rows, two draws, where worth is read: nothing else is done again
    table, before = content(out / "table.json"), content(done / "table.json")
    assert [row["cells"] for row in table["rows"]] == [row["cells"] for row in before["rows"]]
    assert table["read_at"] == before["read_at"] == 4
    assert [(row["source"], row["labels"], row["steps"]) for row in table["longer"]] == [
        ("scratch", 4, 6), ("rotation", 4, 6)
    ]  # fmt: skip
    for row, usual in zip(table["longer"], (table["rows"][0], table["rows"][2]), strict=True):
        gap = row["difference"]
        assert gap["value"] == pytest.approx(np.mean(row["draws"]) - np.mean(usual["cells"][1]["draws"]))
        assert gap["low"] < gap["value"] < gap["high"]
    words = (out / "table.md").read_text()
    assert "## 3 times the steps, with 4 labels a class" in words
    assert f"| {table['rows'][2]['title']}, 3 times the steps" in words
    assert "## Read at 4 labels a class" in words
    assert any("3 times the steps" in str(note) for note in table["notes"])
    assert before["longer"] == []


def test_masks_are_compared_by_their_overlap(sample_folder: Path, tmp_path: Path) -> None:
    config = compare_config(sample_folder, tmp_path / "masks", kind="segmentation", tasks="", labels="3", seeds=2)
    table = table_of(run_compare(config))
    assert table["headline"] == "mean_iou"
    assert 0 < table["rows"][0]["cells"][0]["score"]["value"] < 1
    assert table["rows"][0]["cells"][0]["n_train"] == 3


def test_pictures_without_labels_are_the_end(tmp_path: Path) -> None:
    for number in range(12):
        Image.effect_noise((40, 40), 20 + number).save(tmp_path / f"{number}.png")
    with pytest.raises(DataError, match="one folder a class"):
        run_compare(compare_config(tmp_path, tmp_path / "out"))


def test_a_finished_pretraining_is_used_as_it_is(done: Path, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "given"
    shutil.copytree(done / "pretrained/rotation", out / "pretrained/rotation")
    events = run_compare(compare_config(sample_folder, out, labels="2", seeds=1))
    assert not [event for event in events if isinstance(event, StepDone) and not event.part]
    assert [event.job for event in events if isinstance(event, RunStarted)] == ["compare"]
    assert RunFolder(out / "cells/rotation/2-0").metrics() is not None


def test_what_lies_where_a_run_is_to_be_is_put_aside(tmp_path: Path) -> None:
    """As a rule it is a run that was killed before it saved anything."""
    cell = ExperimentRun(tmp_path / "cells" / "scratch" / "5-0", "scratch", 5)
    cell.path.mkdir(parents=True)
    (cell.path / "model.pth").write_bytes(b"somebody's")
    assert list(cell.carry_out(lambda: iter([Note(level="info", text=Message("begins"))]), RunControl())) == [
        Note(level="info", text=Message("begins"))
    ]
    assert not cell.path.exists()
    assert (cell.path.parent / ".discarded" / "5-0" / "model.pth").read_bytes() == b"somebody's"


def test_the_half_settings_of_a_killed_run_are_removed_and_not_put_aside(tmp_path: Path) -> None:
    cell = ExperimentRun(tmp_path / "cells" / "scratch" / "5-0", "scratch", 5)
    cell.path.mkdir(parents=True)
    killed = subprocess.Popen([sys.executable, "-c", "pass"])
    killed.wait()
    (cell.path / f".50f40a4ed29a632a.{leftovers._HOST}.{killed.pid}.68.part").write_bytes(b'job = "pre')
    assert list(cell.carry_out(lambda: iter(()), RunControl())) == []
    assert [file for file in cell.path.parent.rglob("*") if file != cell.path] == []


def test_a_task_goes_on_from_general_weights_in_a_row_of_its_own(sample_folder: Path, tmp_path: Path) -> None:
    config = compare_config(
        sample_folder, tmp_path / "out", labels="2", seeds=1, general=True, finetune_settings="recipe.propagate=false"
    )
    rows = {row["source"]: row for row in table_of(run_compare(config))["rows"]}
    assert list(rows) == ["scratch", "untrained", "general", "rotation", "rotation+general", "after-general-rotation"]
    row = rows["after-general-rotation"]
    assert row["made"]["encoder"] == "efficientnet_lite0"
    assert row["pretraining"] is not None
    assert row["cells"][0]["difference"] is not None
    begun = (tmp_path / "out/pretrained/after-general-rotation/config.toml").read_text()
    assert 'weights = "general:efficientnet_lite0"' in begun


def test_general_weights_are_rows_by_themselves_and_beside_a_pretraining(
    done: Path, sample_folder: Path, tmp_path: Path
) -> None:
    weights = f"again={done / 'pretrained/rotation'}"
    config = compare_config(
        sample_folder, tmp_path / "out", tasks="", weights=weights, labels="2", seeds=1, general=True,
        finetune_settings="recipe.propagate=false",
    )  # fmt: skip
    table = table_of(run_compare(config))
    rows = {row["source"]: row for row in table["rows"]}
    assert list(rows) == ["scratch", "untrained", "general", "again", "again+general"]
    assert str(rows["again+general"]["title"]) == "again beside general weights"
    parts = {"scratch": "scratch", "untrained": "scratch", "general": "scratch", "again": "again",
             "again+general": "again"}  # fmt: skip
    for row, folder in parts.items():
        metrics = content(tmp_path / "out/cells" / folder / "2-0/metrics.json")
        part = {"again": "pretrained", "again+general": "beside"}.get(row, row)
        assert rows[row]["cells"][0]["draws"] == [metrics["parts"][part]["scores"]["balanced_accuracy"]["value"]]
    assert rows["general"]["made"]["encoder"] == "efficientnet_lite0"
    assert rows["again+general"]["made"]["encoder"] == "small + efficientnet_lite0"
    read = {name: row["tuning"][0]["minutes"] for name, row in rows.items() if not row["tuning"][0]["steps"]}
    assert list(read) == ["untrained", "general", "again+general"]
    assert min(read.values()) > 0
    assert rows["general"]["cells"][0]["difference"] is not None
    assert rows["untrained"]["cells"][0]["difference"] is None


def test_suggested_labels_are_as_many_in_all_and_stand_beside_random_ones(sample_folder: Path, tmp_path: Path) -> None:
    config = compare_config(sample_folder, tmp_path / "out", suggested=True)
    table = table_of(run_compare(config))
    rows = {row["source"]: row for row in table["rows"]}
    assert list(rows) == ["scratch", "untrained", "rotation", "rotation+suggested"]
    assert str(rows["rotation+suggested"]["title"]).endswith(", suggested labels")
    out, split = Path(config.out), content(Path(config.out) / "cells/rotation/2-0/split.json")
    chosen = []
    for cell in ("2-0", "2-1", "4-0", "4-1"):
        plain, suggested = (
            content(out / "cells" / row / cell / "plan.json")["labelled"] for row in rows if row[:1] == "r"
        )
        assert len(suggested) == len(plain)  # in all, not a class
        assert set(suggested) <= set(split["train"])
        assert set(suggested) != set(plain)
        assert content(out / "cells/rotation+suggested" / cell / "split.json") == split
        chosen.append(suggested)
    assert chosen[0] != chosen[1]
    assert set(chosen[0]) <= set(chosen[2])  # more labels go on from fewer
    beside = table["suggested"]
    assert [(one["source"], one["labels"]) for one in beside] == [("rotation+suggested", 2), ("rotation+suggested", 4)]
    for place, one in enumerate(beside):
        means = [rows[name]["cells"][place]["score"]["value"] for name in ("rotation+suggested", "rotation")]
        assert one["difference"]["value"] == pytest.approx(means[0] - means[1])
        assert one["difference"]["low"] <= one["difference"]["value"] <= one["difference"]["high"]
    words = (out / "table.md").read_text()
    assert "suggested labels, beside random ones" in words
    assert "as many in all" in words


def test_suggested_labels_can_be_added_to_a_comparison(done: Path, sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(done, out)
    events = run_compare(compare_config(sample_folder, out, suggested=True))
    assert {run.path.parent.name for run in list_runs(out) if run.job == "finetune"} == {
        "scratch", "rotation", "rotation+suggested"
    }  # fmt: skip
    assert table_of(events)["suggested"]
    again = table_of(run_compare(compare_config(sample_folder, out)))  # asked for without: they stay
    assert again["suggested"]
