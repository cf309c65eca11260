"""What is dropped is opened for what it is."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    FinetuneConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
)
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.drop_target import FOLDER, LABELS, RUN, ZIP, Dropped, recognise_drop
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets.labels_view import LabelsView
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.small_comparisons import compare_config
from tests.ui.conftest import Said
from tests.ui.shell.test_main_window import drop

LONG = 60_000


def dragged(path: Path) -> Dropped | None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return recognise_drop(data)


@pytest.fixture
def pictures(sample: Path, tmp_path: Path) -> Path:
    """Twenty pictures of two classes in a folder of their own."""
    folder = tmp_path / "pets"
    for kind in sorted((sample / "images").iterdir())[:2]:
        for file in sorted(kind.glob("*.png"))[:10]:
            (folder / kind.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / kind.name)
    return folder


def from_scratch(folder: Path, out: Path, folds: int, steps: int) -> FinetuneConfig:
    """A fine-tuning on four labels a class."""
    return FinetuneConfig(
        out=str(out), source="scratch", folds=folds, data=DataConfig(folder=str(folder), side=32),
        budget=BudgetConfig(steps=steps), hardware=HardwareConfig(device="cpu"), labels_per_class=4,
    )  # fmt: skip


def trained(folder: Path, out: Path) -> Path:
    """A run of two steps."""
    config = PretrainConfig(
        out=str(out),
        data=DataConfig(folder=str(folder)),
        optimiser=OptimiserConfig(batch_size=8),
        budget=BudgetConfig(steps=2),
        hardware=HardwareConfig(device="cpu"),
    )
    list(pretrain(config, RunControl()))
    return out


def test_each_thing_is_known_by_what_it_is(tmp_path: Path) -> None:
    for name in ("a.zip", "b.CSV", "c.png", "d.json"):
        (tmp_path / name).touch()
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.toml", "events.jsonl"):
        (run / name).touch()
    assert dragged(tmp_path) == Dropped(FOLDER, tmp_path)
    assert dragged(tmp_path / "a.zip") == Dropped(ZIP, tmp_path / "a.zip")
    assert dragged(tmp_path / "b.CSV") == Dropped(LABELS, tmp_path / "b.CSV")
    assert dragged(tmp_path / "d.json") == Dropped(LABELS, tmp_path / "d.json")
    assert dragged(tmp_path / "c.png") == Dropped(FOLDER, tmp_path)
    assert dragged(run) == Dropped(RUN, run)
    for name in ("compare", "tournament"):
        (tmp_path / name).mkdir()
        assert dragged(tmp_path / name) == Dropped(FOLDER, tmp_path / name)
        (tmp_path / name / f"{name}.toml").touch()
        assert dragged(tmp_path / name) == Dropped(RUN, tmp_path / name)
    assert dragged(tmp_path / "gone") is None


def test_a_zip_file_is_unpacked_and_opened(
    window: MainWindow, pictures: Path, tmp_path: Path, own_settings: Path, qtbot: QtBot
) -> None:
    with zipfile.ZipFile(tmp_path / "animals.zip", "w") as archive:
        for file in pictures.rglob("*.png"):
            archive.write(file, file.relative_to(pictures))
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, tmp_path / "animals.zip")
    assert window.workspace.folder == own_settings / "Unpacked" / "animals"
    assert window.workspace.readable is not None
    assert len(window.workspace.readable) == 20


def test_a_broken_zip_file_is_refused_in_words(window: MainWindow, tmp_path: Path, said: Said, qtbot: QtBot) -> None:
    (tmp_path / "animals.zip").write_bytes(b"nothing")
    drop(window, tmp_path / "animals.zip")
    qtbot.waitUntil(lambda: len(said.errors) == 1)
    assert isinstance(said.errors.pop(), DataError)


def test_labels_belong_to_the_open_pictures(window: MainWindow, pictures: Path, tmp_path: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, pictures)
    names = [file.relative_to(pictures).as_posix() for file in sorted(pictures.rglob("*.png"))]
    table = tmp_path / "elsewhere.csv"
    table.write_text("file,label\n" + "\n".join(f"{name},{number % 3}" for number, name in enumerate(names)))
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, table)
    recognised = window.workspace.recognised
    assert window.workspace.folder == pictures
    assert recognised is not None
    assert recognised.classes is not None
    assert recognised.classes.names == ("0", "1", "2")


def test_a_coco_file_opens_its_pictures_with_masks(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    """Nothing is open yet: the pictures are those beside the folder that the file lies in."""
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations").mkdir()
    for number in range(6):
        Image.new("RGB", (16, 16), (40 * number, 90, 60)).save(tmp_path / "images" / f"{number}.png")
    listed = [{"id": number, "file_name": f"{number}.png", "width": 16, "height": 16} for number in range(6)]
    marked = [{"id": 1, "image_id": 2, "category_id": 1, "segmentation": [[2, 2, 9, 2, 9, 9, 2, 9]]}]
    content = {"images": listed, "annotations": marked, "categories": [{"id": 1, "name": "nucleus"}]}
    file = tmp_path / "annotations" / "instances_default.json"
    file.write_text(json.dumps(content))
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, file)
    assert window.workspace.folder == tmp_path
    recognised = window.workspace.recognised
    assert recognised is not None
    assert recognised.masks is not None
    assert recognised.masks.names == ("background", "nucleus")
    view = LabelsView()
    qtbot.addWidget(view)
    view.show_labels(recognised)
    assert "COCO" in view.masks.text()
    assert "nucleus" in view.mask_names.text()


def test_a_run_is_shown_with_its_pictures(window: MainWindow, pictures: Path, tmp_path: Path, qtbot: QtBot) -> None:
    run = trained(pictures, tmp_path / "run")
    drop(window, run)
    qtbot.waitUntil(lambda: window.workspace.pretrained == run, timeout=LONG)
    page = window.stack.currentWidget()
    assert isinstance(page, PretrainPage)
    assert page.view.outcome == "finished"
    assert window.workspace.folder == pictures
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)


@pytest.mark.parametrize("folds", [1, 2])
def test_a_fine_tuning_is_shown_with_its_result(
    folds: int, window: MainWindow, pictures: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    run = tmp_path / "run"
    list(finetune(from_scratch(pictures, run, folds, 2), RunControl()))
    drop(window, run)
    qtbot.waitUntil(lambda: window.workspace.result == run, timeout=LONG)
    page = window.stack.currentWidget()
    assert isinstance(page, FinetunePage)
    assert (page.view.run, page.view.outcome) == (run, "finished")
    assert window.workspace.folder == pictures
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)


def test_a_comparison_is_shown_where_its_pictures_are_now(
    pictures: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    """It is dropped before the engine is loaded, which its settings wait for; then it can go on."""
    out = tmp_path / "workspace"
    config = compare_config(pictures, out, labels="2", seeds=1)
    list(compare(config, RunControl()))
    said.folder = pictures.rename(tmp_path / "animals")
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    drop(window, out)
    qtbot.waitUntil(lambda: "compare" in window.pages, timeout=LONG)
    window.workspace.load_engine()
    page = window.pages["compare"]
    assert isinstance(page, ComparePage)
    qtbot.waitUntil(lambda: page.efficiency.out == out, timeout=LONG)
    table = page.efficiency.shown.efficiency
    assert table is not None
    assert [row["source"] for row in table["rows"]] == ["scratch", "untrained", "rotation"]
    assert (window.stack.currentWidget(), window.workspace.folder) == (page, said.folder)
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)
    with qtbot.waitSignal(window.workspace.runner.ended, timeout=LONG):
        page.start_run()
    assert (page.efficiency.view.outcome, said.errors) == ("finished", [])


def test_a_run_whose_pictures_have_moved_asks_where_they_are(
    window: MainWindow, pictures: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    run = trained(pictures, tmp_path / "run")
    said.folder = pictures.rename(tmp_path / "animals")
    drop(window, run)
    qtbot.waitUntil(lambda: window.workspace.pretrained == run, timeout=LONG)
    assert window.workspace.folder == said.folder
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)
