"""Refusals that no journey through the program meets by the way: each is reached here, and its sentence read."""

import importlib.util
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom import Dataset

from sslstudio.cli.main import main
from sslstudio.engine.clinic.run import _look_at
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import from_json
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.files.resource_files import find_resource
from sslstudio.engine.core.metrics import LOSS, Metric, declare, forget
from sslstudio.engine.evaluate.occlusion import occlusion
from sslstudio.engine.export.formats import chosen_formats
from sslstudio.engine.export.use_it import choose_channels
from sslstudio.engine.finetuning.networks import _known_stage
from sslstudio.engine.finetuning.use.predict import TABLE, _claim
from sslstudio.engine.images.formats import dicom
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.editing.edits import LabelClass, check_class, edit_from_json
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.formats import imagej, labelme, nnunet
from sslstudio.engine.labels.formats.coco import labels as coco
from sslstudio.engine.labels.formats.coco.reader import read_file
from sslstudio.engine.labels.formats.csv_table import read_table
from sslstudio.engine.labels.formats.label_studio import brush_runs
from sslstudio.engine.labels.outlines.name_lists import read_names
from sslstudio.engine.labels.outlines.plain_pickle import load_plain
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.launch.torchrun import _resume
from sslstudio.engine.models.encoders.general import list_general
from sslstudio.engine.projects.project import Project, save_project
from sslstudio.engine.projects.relocate import copy_project, rename_project
from sslstudio.engine.report.run import write_report
from sslstudio.engine.runs import confusions
from sslstudio.engine.runs.folder_predictions import ABOUT
from sslstudio.engine.runs.run_folder import NAME, RunFolder
from sslstudio.engine.runs.run_name import rename_run
from sslstudio.engine.tasks.byol import Byol
from sslstudio.engine.training.autotune import _stored_choice
from tests.attacks.refusals import Refusal, is_named, texts_of_tests, unnamed, words_of

NOTHING: Any = None


def written(folder: Path, name: str, text: str) -> Path:
    """A file with these words."""
    (folder / name).write_text(text)
    return folder / name


def coco_file(folder: Path, outline: str) -> Path:
    """A COCO file of one picture of 4 x 5 with one annotation."""
    return written(
        folder,
        "a.json",
        '{"images": [{"id": 1, "file_name": "a.png", "width": 5, "height": 4}], "categories": [{"id": 1, "name": '
        '"x"}], "annotations": [{"image_id": 1, "category_id": 1, "segmentation": ' + outline + "}]}",
    )


class Undeclared:
    """Pickled as a call of numpy.ndarray, which numpy itself never writes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return np.ndarray, ((2,),)


def pickled(folder: Path, content: object) -> Any:
    """What the careful reader makes of a pickle."""
    (folder / "a.npy").write_bytes(pickle.dumps(content, protocol=2))
    with (folder / "a.npy").open("rb") as file:
        return load_plain(file)


def claimed(folder: Path, before: Callable[[Path], object]) -> None:
    """Ask for a folder of answers in which something lies."""
    (folder / "weights").write_bytes(b"w")
    out = folder / "out"
    out.mkdir()
    before(out)
    trained: Any = SimpleNamespace(
        weights=folder / "weights", part="", views=1, side=8, run=SimpleNamespace(path=folder),
        config=SimpleNamespace(kind="classification", views=1), predictor=SimpleNamespace(names=("a", "b")),
    )  # fmt: skip
    _claim(out, trained, folder)


def of_one_class(folder: Path) -> object:
    file = written(folder, "labels.csv", "file,label\na.png,cat\nb.png,cat\n")
    found = read_table(file, ["a.png", "b.png"], "labels.csv", {"labels.csv:label": "class"})
    assert found.problem is not None
    raise found.problem


def packed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(imagej, "_MOST", 1)
    with zipfile.ZipFile(folder / "a.zip", "w") as made:
        for name in ("a.roi", "b.roi"):
            made.writestr(name, b"x")
    return imagej._contents(folder / "a.zip")


def matrices(folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    confusions.write_confusions(folder / "a.npz", ("a.png",), np.zeros((1, 2, 2)))
    monkeypatch.setattr(confusions, "LARGEST", 10)
    return confusions.read_confusions(folder / "a.npz")


def many_classes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(coco, "MOST_CLASSES", 0)
    Image.new("RGB", (5, 4)).save(folder / "a.png")
    coco_file(folder, "[[0, 0, 4, 0, 4, 3]]")
    return recognise(scan(folder), str(folder / "a.json"))


def without_onnx(folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    return chosen_formats("onnx")


def run_of(folder: Path, job: str = "finetune") -> Path:
    RunFolder.create(folder / "run", {"job": job})
    return folder / "run"


def misnamed(folder: Path) -> object:
    run = run_of(folder)
    (run / NAME).mkdir()
    rename_run(run, "")
    return None


def project_in(folder: Path) -> Project:
    (folder / "mine").mkdir()
    (folder / "yours").mkdir()
    project = Project(folder=folder / "mine", pictures=folder, name="mine")
    save_project(project)
    return project


def same_class_twice(folder: Path) -> object:
    for name in ("a/1", "a/2", "b/3", "b/4"):
        (folder / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / "p" / f"{name}.png")
    to_end(begin(folder / "labels", recognise(scan(folder / "p"), "")))
    with Labelling(folder / "labels") as store:
        assert store.classes["classification"], "there are none"
        return store._fitting("classification", " A ", 9)


def bare_byol() -> object:
    task: Any = SimpleNamespace(teacher={})
    return Byol._teach(task, torch.zeros(2, 3))


def stopped_occlusion() -> object:
    control = RunControl()
    control.stop()
    return to_end(occlusion(lambda images: images.mean((2, 3)), torch.rand(1, 3, 16, 16), 0, control))


FILES: dict[str, tuple[Callable[[Path], object], type[Exception], str]] = {
    "two pictures": (lambda at: _look_at(NOTHING, [], {}, False), DataError, "Fewer than two pictures are left"),  # type: ignore[arg-type]
    "an event": (lambda at: from_json('{"event": "RunFinished"}'), RunError, "The event RunFinished is incomplete"),
    "a number without end": (
        lambda at: read_json(written(at, "a.json", "[1e999]"), Any), RunError, "a number that is finite"),
    "a resource": (lambda at: find_resource("nothing"), FileNotFoundError, "nothing is in none of "),
    "a metric": (lambda at: declare(Metric("loss", LOSS.title, better="higher")), ValueError, "is declared twice"),
    "occlusion": (lambda at: stopped_occlusion(), RunError, "Stopped while looking for what matters"),
    "channels": (lambda at: choose_channels(Image.new("RGB", (1, 1)), [4]), ValueError,
                 r"Channel 4 is needed, and the picture has 3\."),
    "a stage": (lambda at: _known_stage(RunFolder(at), 9), RunError, "names the stage 9, and encoders have 4"),
    "answers of another": (
        lambda at: claimed(at, lambda out: written(out, ABOUT, "{}")), DataError,
        "holds the answers of another network, or for other pictures"),
    "files of others": (
        lambda at: claimed(at, lambda out: written(out, TABLE, "x")), DataError, "already, and not from here"),
    "a report in DICOM": (lambda at: dicom._check(Dataset(), 0), DataError, "this DICOM file holds no picture"),
    "a class 0": (lambda at: check_class(LabelClass(0, "a", 1)), ValueError, "no class has the number 0"),
    "a path": (
        lambda at: edit_from_json({"edit": "labels", "after": [[5, 1]]}), TypeError, "'5' is not a path"),
    "a class twice": (same_class_twice, DataError, "There is a class called 'A' already"),
    "run lengths without a size": (
        lambda at: read_file(coco_file(at, '{"counts": [20]}')), DataError,
        "the run lengths of annotation 1 have no size"),
    "run lengths of another size": (
        lambda at: read_file(coco_file(at, '{"counts": [20], "size": [5, 4]}')), DataError,
        "the run lengths of annotation 1 are for 4 x 5 pixels, and its picture has 5 x 4"),
    "one class": (of_one_class, DataError, "There have to be two classes at least"),
    "a brush": (lambda at: brush_runs([0, 0, 0, 4, *[0] * 8], 4), DataError, "is of another size than its picture"),
    "a mask of labelme": (
        lambda at: labelme._mask({"mask": "AAAA"}, "cell", (0, 0)), DataError, "the mask of cell is no picture"),
    "regions": (
        lambda at: nnunet._coding({"labels": {"a": [1, 2]}}, Path("dataset.json")), DataError,
        r"has labels of several values each \(regions\)"),
    "no names": (lambda at: read_names(written(at, "classes.txt", "# none\n")), DataError, "txt names no classes"),
    "an array by its class": (
        lambda at: pickled(at, Undeclared()), ValueError, "an array made in a way that numpy does not write"),
    "a fine-tuning for several": (
        lambda at: list(_resume(run_of(at), RunControl(), NOTHING)), DataError, "only a pretraining can be shared by"),
    "general weights": (
        lambda at: replace(next(iter(list_general().values())), file="none").read(), DataError,
        r"The general weights none are missing\. Install the program again"),
    "a name that is taken": (
        lambda at: rename_project(project_in(at), "yours", at), DataError, "There is something called yours in"),
    "a copy over another": (
        lambda at: to_end(copy_project(project_in(at), at / "yours", False, RunControl())), DataError,
        r"already\. Choose another name"),
    "a report that is there": (
        lambda at: to_end(write_report(at, written(at, "a.html", "mine"), control=RunControl())), DataError,
        r"a\.html exists already\. Choose another name for the report"),
    "a name that stays": (misnamed, RunError, f"{NAME} cannot be written: Is a directory"),
    "no teacher": (lambda at: bare_byol(), RunError, "BYOL has no teacher yet"),
    "a way to compute": (
        lambda at: _stored_choice(
            {"precision": "float32", "memory_format": "sideways", "threads": 1, "compile": False, "parts": 1,
             "tried": {}},
            at / "step.json"), RunError, "names ways to compute that are none"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_it_is_said_what_is_wrong(name: str, tmp_path: Path) -> None:
    do, kind, said = FILES[name]
    with pytest.raises(kind, match=said):
        do(tmp_path)


@pytest.mark.parametrize(
    ("do", "kind", "said"),
    [
        (packed, DataError, "zip unpacks to more than"),
        (matrices, RunError, "it unpacks to more than"),
        (many_classes, DataError, "marks 1 classes; masks can hold 0"),
        (without_onnx, DataError, "ONNX files need onnx"),
    ],
)
def test_limits(
    do: Callable[[Path, pytest.MonkeyPatch], object], kind: type[Exception], said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with pytest.raises(kind, match=said):
        do(tmp_path, monkeypatch)


def test_an_array_whose_type_is_none(tmp_path: Path) -> None:
    """The second argument of what numpy calls is the type; here it is a number."""
    content = b"cnumpy.core.multiarray\nscalar\n(I1\nU\x01xtR."
    (tmp_path / "a.npy").write_bytes(content)
    with (tmp_path / "a.npy").open("rb") as file, pytest.raises(ValueError, match="an array without a type"):
        load_plain(file)


def test_a_folder_with_another_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tmp_path / "a"), "--count", "6"]) == 0
    assert main(["sample", str(tmp_path / "a"), "--count", "7"]) == 2
    assert "holds another sample" in capsys.readouterr().err


def test_every_refusal_is_named_by_a_test() -> None:
    """A new one needs a test that reads its sentence: `python -m tests.attacks.refusals` lists those without."""
    found = [f"{one.file}:{one.line}  {one.template}" for one in unnamed()]
    assert not found, "\n".join(found)


def test_a_refusal_without_a_test_would_be_found() -> None:
    refused = Refusal(Path("a.py"), 1, " ".join(["{path}", "is", "purple,", "never", "green"]))
    assert words_of(refused)
    assert not is_named(refused, texts_of_tests())
    assert not words_of(Refusal(Path("a.py"), 1, "{file}, line {place}: {problem}."))


def test_the_same_metric_twice_is_one() -> None:
    declare(Metric("of_this_test", LOSS.title))
    declare(Metric("of_this_test", LOSS.title))
    forget("of_this_test")
