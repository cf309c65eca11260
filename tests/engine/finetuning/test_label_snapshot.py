"""Labels that change while something is trained on them: what goes on, goes on with those that it began with, or says
why it does not."""

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.config import Overrides
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Event, Note, RunFinished, StepDone
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.experiments.tournament import tournament
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.finetuning.label_snapshot import FOLDER, keep_labels
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import BudgetConfig, DataConfig, FinetuneConfig
from tests.support.small_comparisons import compare_config, content, run_compare, table_of
from tests.support.small_runs import CPU, finetune_config, finished, result_of


@pytest.fixture
def table(sample_folder: Path, tmp_path: Path) -> Path:
    """The classes of the sample as a CSV file of the test's own."""
    return write(tmp_path / "classes.csv", classes_of(sample_folder))


def classes_of(folder: Path) -> dict[str, str]:
    classes = recognise(scan(folder)).classes
    assert classes is not None
    return {path: classes.names[number] for path, number in classes.of.items()}


def write(file: Path, labels: Mapping[str, str]) -> Path:
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([("file", "label"), *labels.items()])
    return file


def turned(labels: Mapping[str, str]) -> dict[str, str]:
    """Each picture with the class of the next one."""
    return dict(zip(labels, [*list(labels.values())[1:], next(iter(labels.values()))], strict=True))


def warnings(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note) and event.level == "warning"]


def rows(events: list[Event]) -> Any:
    return [row["cells"] for row in table_of(events)["rows"]]


# Comparisons


def test_labels_changed_between_its_runs_change_nothing_in_a_comparison(
    sample_folder: Path, table: Path, tmp_path: Path
) -> None:
    data = DataConfig(folder=str(sample_folder), side=32, labels=str(table))
    undisturbed = run_compare(compare_config(sample_folder, tmp_path / "quiet", data=data))
    assert not warnings(undisturbed)
    config = compare_config(sample_folder, tmp_path / "disturbed", data=data)
    control, labels = RunControl(), classes_of(sample_folder)
    events: list[Event] = []
    for event in compare(config, control):
        events.append(event)
        if isinstance(event, Note) and event.text.startswith("2 of 9: "):
            write(table, turned(labels))
        if isinstance(event, Note) and event.text.startswith("4 of 9: "):
            control.stop()
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "stopped"
    later = run_compare(config)
    assert rows(later) == rows(undisturbed)
    changed = sum(label != labels[path] for path, label in turned(labels).items())
    assert f"Labels that have changed since this began: {changed}." in warnings(later)[0]
    assert "Begin a new one" in warnings(later)[0]


def test_until_something_is_trained_a_comparison_takes_the_labels_of_now(
    sample_folder: Path, table: Path, tmp_path: Path
) -> None:
    labels = classes_of(sample_folder)
    first, other = sorted(set(labels.values()))[:2]
    pair = [next(path for path, label in labels.items() if label == name) for name in (first, other)]
    write(table, {path: labels[path] for path in pair})
    data = DataConfig(folder=str(sample_folder), side=32, labels=str(table))
    config = compare_config(sample_folder, tmp_path / "out", data=data, tasks="", labels="2", seeds=1)
    with pytest.raises(DataError, match="too few"):
        run_compare(config)
    write(table, labels)
    events = run_compare(config)
    assert not warnings(events)
    assert table_of(events)["rows"][0]["cells"]


def test_masks_made_here_are_kept_as_they_were(sample_folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    to_end(begin(made, recognise(scan(sample_folder))))
    data = DataConfig(folder=str(sample_folder), labels=str(made))
    out = tmp_path / "out"
    out.mkdir()
    kept = to_end(keep_labels(out, data, "segmentation"))
    ours, theirs = (recognise(scan(sample_folder), one.labels).masks for one in (kept.data, data))
    assert ours is not None
    assert theirs is not None
    assert (ours.names, ours.coding) == (theirs.names, theirs.coding)
    assert {path: Path(file).read_bytes() for path, file in ours.of.items()} == {
        path: Path(file).read_bytes() for path, file in theirs.of.items()
    }
    (out / "split.json").write_text("{}")  # a run has begun
    before = Path(next(iter(ours.of.values()))).read_bytes()
    shutil.copy(*list(theirs.of.values())[1::-1])
    again = to_end(keep_labels(out, data, "segmentation"))
    assert again.data == kept.data
    assert "changed since this began: 1." in again.note
    assert Path(next(iter(ours.of.values()))).read_bytes() == before


def test_labels_that_somebody_makes_are_not_replaced_by_kept_ones(
    sample_folder: Path, table: Path, tmp_path: Path
) -> None:
    """The folder of a comparison may be that of a project."""
    out, data = tmp_path / "out", DataConfig(folder=str(sample_folder), labels=str(table))
    to_end(begin(out / FOLDER, recognise(scan(sample_folder))))
    with Labelling(out / FOLDER) as store:
        store.apply(store.adding("classification", "mine"))
        edit = store.labelling(store.of, 1)
        assert edit is not None
        store.apply(edit)
    before = (out / FOLDER / "labels.csv").read_bytes()
    with pytest.raises(DataError, match="labels that somebody has made"):
        to_end(keep_labels(out, data, "classification"))
    (out / FOLDER / "journal.jsonl").unlink()  # came back from a backup
    kept = to_end(keep_labels(out, data, "classification"))
    assert (out / f"{FOLDER} 2" / "labels.csv").read_bytes() == before
    assert classes_of(sample_folder) == {
        path: ours.names[number]
        for ours in [recognise(scan(sample_folder), kept.data.labels).classes]
        if ours
        for path, number in ours.of.items()
    }


def test_mask_files_of_others_are_read_where_they_are(sample_folder: Path, tmp_path: Path) -> None:
    data = DataConfig(folder=str(sample_folder))
    assert to_end(keep_labels(tmp_path, data, "segmentation")).data == data
    assert to_end(keep_labels(tmp_path, data, "classification")).data.labels == str(tmp_path / FOLDER)
    assert not (tmp_path / FOLDER / "masks").exists()


def test_pictures_without_labels_have_none_to_keep(tmp_path: Path, sample_folder: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for number, file in enumerate(sorted(sample_folder.rglob("*.png"))[:6]):
        shutil.copy(file, plain / f"{number}.png")
    data = DataConfig(folder=str(plain))
    assert to_end(keep_labels(tmp_path, data)).data == data
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.slow
def test_a_tournament_keeps_its_labels(sample_folder: Path, table: Path, tmp_path: Path) -> None:
    config = TournamentConfig(
        out=str(tmp_path / "out"), tasks=("rotation", "jigsaw"), minutes=0.2, hardware=CPU,
        data=DataConfig(folder=str(sample_folder), side=32, labels=str(table)),
        pretrain_settings=Overrides({"optimiser": {"batch_size": 8}, "probe": {"draws": 4}}),
    )  # fmt: skip
    control = RunControl()
    for event in tournament(config, control):
        if isinstance(event, StepDone):
            control.stop()
    write(table, turned(classes_of(sample_folder)))
    events = list(tournament(config, RunControl()))
    assert "have changed since this began" in warnings(events)[0]
    own = str(tmp_path / "out" / FOLDER)
    runs = [file.parent for file in (tmp_path / "out").rglob("split.json")]
    assert len(runs) == 3
    assert {RunFolder(run).config()["data"]["labels"] for run in runs} == {own}


# Fine-tunings


def stop_halfway(config: FinetuneConfig) -> None:
    control = RunControl()
    for event in finetune(config, control):
        if isinstance(event, StepDone) and event.step == 2:
            control.stop()


@pytest.mark.parametrize("folds", [1, 3])
def test_a_fine_tuning_does_not_go_on_with_other_labels(
    folds: int, sample_folder: Path, table: Path, tmp_path: Path
) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch").replace(
        data=DataConfig(folder=str(sample_folder), labels=str(table)),
        folds=folds, labels_per_class=6, budget=BudgetConfig(steps=4),
    )  # fmt: skip
    stop_halfway(config)
    run, labels = tmp_path / "run", classes_of(sample_folder)
    used = RunFolder(run / "fold-1" if folds > 1 else run).read_json("plan.json")["labelled"]
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    names = sorted(set(labels.values()))
    write(table, labels | {used[0]: names[names.index(labels[used[0]]) - 1]})
    with pytest.raises(DataError, match="have changed since it was begun"):
        list(resume(run, RunControl()))
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before
    write(table, labels)
    assert finished(list(resume(run, RunControl()))).outcome == "finished"


def test_other_masks_are_other_labels(sample_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(sample_folder, folder)
    config = finetune_config(folder, tmp_path / "run", "scratch", "segmentation").replace(budget=BudgetConfig(steps=4))
    stop_halfway(config)
    masks = recognise(scan(folder)).masks
    assert masks is not None
    first, second = content(tmp_path / "run/plan.json")["labelled"][:2]
    kept = (folder / masks.of[first]).read_bytes()
    shutil.copy(folder / masks.of[second], folder / masks.of[first])
    with pytest.raises(DataError, match="have changed since it was begun"):
        list(resume(tmp_path / "run", RunControl()))
    (folder / masks.of[first]).write_bytes(kept)
    assert finished(list(resume(tmp_path / "run", RunControl()))).outcome == "finished"


def test_a_run_of_before_goes_on(sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch").replace(budget=BudgetConfig(steps=4))
    stop_halfway(config)
    (tmp_path / "run" / "labels.json").unlink()  # which older versions did not write
    assert finished(list(resume(tmp_path / "run", RunControl()))).outcome == "finished"


@pytest.mark.parametrize("folds", [1, 3])
def test_a_class_that_is_new_since_then_does_not_move_the_others(
    folds: int, sample_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(sample_folder / "images", folder)
    labels = classes_of(folder)
    table = write(tmp_path / "classes.csv", labels)
    config = finetune_config(folder, tmp_path / "run", "scratch").replace(
        data=DataConfig(folder=str(folder), labels=str(table)), folds=folds, labels_per_class=6,
        budget=BudgetConfig(steps=4),
    )  # fmt: skip
    stop_halfway(config)
    shutil.copy(folder / next(iter(labels)), folder / "aardvark.png")
    write(table, {"aardvark.png": "aardvark", **labels})
    metrics = result_of(list(resume(tmp_path / "run", RunControl())))
    assert metrics["classes"] == sorted(set(labels.values()))  # which it would have come before


def test_masks_whose_classes_were_given_each_others_names_are_other_labels(sample_folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for _ in begin(made, recognise(scan(sample_folder))):
        pass
    config = finetune_config(sample_folder, tmp_path / "run", "scratch", "segmentation").replace(
        data=DataConfig(folder=str(sample_folder), labels=str(made)), budget=BudgetConfig(steps=4)
    )
    stop_halfway(config)
    whole = (made / "classes.csv").read_text(encoding="utf-8-sig")
    lines = [line.split(",") for line in whole.splitlines()]
    first, second = [name for kind, _, name, _ in lines if kind == "segmentation"][:2]
    for change in ({first: second, second: first}, {first: f"another {first}"}):
        others = [
            (kind, n, change.get(name, name) if kind == "segmentation" else name, c) for kind, n, name, c in lines
        ]
        (made / "classes.csv").write_text("\n".join(map(",".join, others)), encoding="utf-8")
        with pytest.raises(DataError, match="have changed since it was begun"):
            list(resume(tmp_path / "run", RunControl()))
    (made / "classes.csv").write_text(whole, encoding="utf-8")
    assert finished(list(resume(tmp_path / "run", RunControl()))).outcome == "finished"
