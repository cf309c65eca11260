"""A folder of pictures has a project: it is made and saved by itself, and brings everything back."""

import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.projects.project import FILE, open_project
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import pictures, trained
from tests.ui.shell.test_main_window import drop

LONG = 60_000
__all__ = ["pictures"]


def open_folder(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(folder)


def another(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place / folder.name)
    return place / folder.name


def test_two_folders_of_one_name_share_nothing(
    window: MainWindow, pictures: Path, tmp_path: Path, own_settings: Path, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    first = window.workspace.runs_folder
    open_folder(window, another(pictures, tmp_path / "elsewhere"), qtbot)
    assert first == own_settings / "Projects" / "pets" / "runs"
    assert window.workspace.runs_folder == own_settings / "Projects" / "pets 2" / "runs"
    open_folder(window, pictures, qtbot)
    assert window.workspace.runs_folder == first


def test_what_was_chosen_is_saved_by_itself_and_comes_back(
    window: MainWindow, pictures: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    workspace = window.workspace
    open_folder(window, pictures, qtbot)
    window.go("pretext")
    pretext, folder = window.pages["pretext"], workspace.runs_folder.parent
    assert isinstance(pretext, PretextPage)
    pretext.choose_task("jigsaw")
    pretext.form.editor("gap").set_value(0.3)
    pretext._take_options()
    window.go("pretrain")
    pretrain = window.pages["pretrain"]
    assert isinstance(pretrain, PretrainPage)
    assert pretrain.settings is not None
    pretrain.settings.set_data({"groups": "folder:1", "side": 32})
    qtbot.waitUntil(lambda: open_project(folder).project.data.get("groups") == "folder:1", timeout=LONG)
    saved = open_project(folder).project
    assert (saved.task, saved.options["jigsaw"]["gap"], saved.data["side"]) == ("jigsaw", 0.3, 32)

    open_folder(window, another(pictures, tmp_path / "elsewhere"), qtbot)
    assert workspace.data_values == {}  # a split is a matter of the pictures
    assert pretrain.settings.data_values()["groups"] == ""
    pretext.choose_task("rotation")
    open_folder(window, folder, qtbot)  # the folder of the project itself
    assert (workspace.folder, workspace.task, workspace.data_config().side) == (pictures, "jigsaw", 32)
    assert workspace.options["jigsaw"].gap == 0.3  # type: ignore[attr-defined]
    assert pretrain.settings.data_values()["groups"] == "folder:1"
    assert pretext.tasks.currentItem().text() == workspace.engine.tasks["jigsaw"].title  # type: ignore[union-attr]
    open_folder(window, tmp_path / "elsewhere" / "pets", qtbot)  # what was chosen last there was saved when it was left
    assert workspace.task == "rotation"
    qtbot.waitUntil(lambda: pretext._job is None and not pretext.clinic.under_way, timeout=LONG)


def test_what_was_changed_last_is_saved_when_the_window_closes(
    window: MainWindow, pictures: Path, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    folder = window.workspace.runs_folder.parent
    window.workspace.choose_task("rotation", window.workspace.options["rotation"])
    window.close()
    assert open_project(folder).project.task == "rotation"


def test_runs_and_labels_from_before_there_were_projects_are_still_there(
    window: MainWindow, pictures: Path, own_settings: Path, qtbot: QtBot
) -> None:
    old = trained(pictures, own_settings / "Runs" / "pets" / "2026-01-02 old")
    labels = own_settings / "Labels" / "pets"
    for _ in begin(labels, recognise(scan(pictures))):
        pass
    with Labelling(labels) as store:
        store.apply(store.adding("classification", "mouse"))
    open_folder(window, pictures, qtbot)
    assert window.workspace.pretrained == old
    assert window.workspace.labels_file == str(labels)
    window.go("label")
    label = window.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.labels.store is not None and label.labels.store.folder == labels, timeout=LONG)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, PretrainPage)
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 1, timeout=LONG)


def test_a_dropped_project_whose_pictures_moved_asks_where_they_are_and_is_mended_with_its_runs(
    window: MainWindow, pictures: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    folder = window.workspace.runs_folder.parent
    run = trained(pictures, window.workspace.new_run("vicreg"))
    open_folder(window, another(pictures, tmp_path / "elsewhere"), qtbot)
    said.folder = pictures.rename(tmp_path / "animals")
    window.go("pretext")
    drop(window, folder)
    qtbot.waitUntil(lambda: window.workspace.pretrained == run, timeout=LONG)
    assert window.workspace.folder == said.folder
    assert open_project(folder).project.pictures == said.folder
    assert str(said.folder) in (run / "config.toml").read_text()
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)


@pytest.mark.parametrize("damage", ["file", "split"])
def test_a_damaged_project_is_opened_as_far_as_it_goes_and_says_so(
    window: MainWindow, pictures: Path, said: Said, qtbot: QtBot, damage: str
) -> None:
    open_folder(window, pictures, qtbot)
    folder = window.workspace.runs_folder.parent
    window.workspace.choose_task("rotation", window.workspace.options["rotation"])
    window.workspace.set_data({"test": 0.3})
    qtbot.waitUntil(lambda: open_project(folder).project.data == {"test": 0.3}, timeout=LONG)
    text = (folder / FILE).read_text()
    (folder / FILE).write_text(text[:20] if damage == "file" else text.replace("test = 0.3", "test = 7.0"))
    window.autosave._saved = window.workspace.project_now()
    open_folder(window, pictures, qtbot)
    assert len(said.questions) == 1
    assert ("last good copy" if damage == "file" else "above its highest value") in said.questions[0]
    assert window.workspace.runs_folder.parent == folder


def test_options_that_somebody_has_edited_into_nonsense_are_said_and_the_others_come_back(
    window: MainWindow, pictures: Path, said: Said, qtbot: QtBot
) -> None:
    workspace = window.workspace
    open_folder(window, pictures, qtbot)
    folder = workspace.runs_folder.parent
    workspace.choose_task("jigsaw", workspace.options["jigsaw"].replace(gap=0.3))
    workspace.choose_task("inpainting", workspace.options["inpainting"])
    window.autosave.finish()
    text = (folder / FILE).read_text()
    assert "gap = 0.3" in text
    (folder / FILE).write_text(text.replace("gap = 0.3", "gap = 30.0").replace('task = "inpainting"', 'task = "new"'))
    open_folder(window, pictures, qtbot)
    assert "gap = 30.0 is above its highest value" in str(said.errors.pop())
    assert workspace.options["jigsaw"] == workspace.engine.tasks["jigsaw"].config()  # type: ignore[union-attr]
    assert workspace.task == "vicreg"  # a task that this program does not have gives way to what suits the pictures


def test_recent_projects_say_what_is_in_them_and_a_click_opens_one(
    window: MainWindow, pictures: Path, said: Said, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    (window.workspace.new_run("vicreg")).mkdir(parents=True)
    again = MainWindow()
    qtbot.addWidget(again)
    again.show()
    page = again.pages["images"]
    assert isinstance(page, ImagesPage)
    qtbot.waitUntil(page.recent.isVisible, timeout=LONG)
    shown = [label.text() for label in page.recent.findChildren(QLabel)]
    assert "1 run" in shown
    assert any(str(pictures).endswith(label.lstrip("…")) for label in shown if "pets" in label)
    (button,) = page.recent.findChildren(QPushButton)
    assert button.text().strip() == "pets"
    with changing(qtbot, again.workspace, Change.PICTURES, LONG):
        button.click()
    assert again.workspace.folder == pictures
    again.close()


def test_the_menu_opens_a_project_and_says_of_another_folder_that_it_is_none(
    window: MainWindow, pictures: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    folder = window.workspace.runs_folder.parent
    open_folder(window, another(pictures, tmp_path / "elsewhere"), qtbot)
    said.folder = pictures
    window._choose_project()
    qtbot.waitUntil(lambda: bool(said.errors), timeout=LONG)
    assert "is not a project" in str(said.errors.pop())
    said.folder = folder
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window._choose_project()
    assert window.workspace.folder == pictures


def test_time_network_and_settings_of_a_page_come_back_with_the_project(
    window: MainWindow, pictures: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    workspace = window.workspace
    open_folder(window, pictures, qtbot)
    folder = workspace.runs_folder.parent
    for name in ("pretrain", "finetune"):
        window.go(name)
    pretrain, finetune = window.pages["pretrain"], window.pages["finetune"]
    assert isinstance(pretrain, PretrainPage)
    assert isinstance(finetune, FinetunePage)
    assert pretrain.settings is not None
    assert finetune.settings is not None
    assert finetune.own is not None
    began = pretrain.config(), finetune.config()
    pretrain.settings.budget.set_epochs(7)
    pretrain.settings.encoder.editor("name").set_value("resnet34")
    pretrain.settings.forms["optimiser"].editor("learning_rate").set_value(0.004)
    finetune.settings.budget.amount.setValue(2.5)
    finetune.own.form.editor("labels_per_class").set_value(9)
    finetune.own.kind.setCurrentIndex(1)
    finetune.own.kind.activated.emit(1)
    chosen = pretrain.config(), finetune.config()
    qtbot.waitUntil(lambda: "kind" in open_project(folder).project.choices.get("finetune", {}), timeout=LONG)
    assert open_project(folder).project.choices == {
        "pretrain": {"name": "resnet34", "learning_rate": 0.004, "time": 7.0, "unit": "epochs"},
        "finetune": {"labels_per_class": 9, "time": 2.5, "kind": "segmentation"},
    }
    open_folder(window, another(pictures, tmp_path / "elsewhere"), qtbot)
    assert pretrain.config().budget == chosen[0].budget  # what a person has chosen before stays chosen
    assert finetune.config().kind == "classification"  # but this is a matter of the labels
    pretrain.settings.reset()
    pretrain.settings.budget.set_minutes(10)
    finetune.settings.budget.amount.setValue(5)
    for page, config in ((pretrain, began[0]), (finetune, began[1])):
        now = page.config()
        assert (now.budget, now.encoder, now.optimiser) == (config.budget, config.encoder, config.optimiser)
    open_folder(window, pictures, qtbot)
    for page, config in ((pretrain, chosen[0]), (finetune, chosen[1])):
        now = page.config()
        assert (now.budget, now.encoder, now.optimiser) == (config.budget, config.encoder, config.optimiser)
    assert (finetune.config().kind, finetune.config().labels_per_class) == ("segmentation", 9)
    window.autosave.finish()
    file = folder / FILE
    file.write_text(file.read_text().replace('"resnet34"', '"resnet1"').replace("0.004", "4000.0"))
    open_folder(window, pictures, qtbot)  # somebody has edited nonsense into it: that is as the page begins
    assert (pretrain.config().encoder, pretrain.config().budget) == (began[0].encoder, chosen[0].budget)
    assert pretrain.config().optimiser == began[0].optimiser
