"""What a fine-tuning starts from stays as a person chose it."""

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.ui.forms.start_from import GENERAL
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.finetune_settings import SCRATCH, FinetuneSettings
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.shell.test_drop_target import pictures, trained
from tests.ui.shell.test_projects import open_folder

LONG = 60_000
__all__ = ["pictures"]


def test_other_labels_leave_what_a_person_chose_to_start_from(
    window: MainWindow, pictures: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    workspace = window.workspace
    window.go("finetune")
    page = window.pages["finetune"]
    assert isinstance(page, FinetunePage)

    def listed() -> FinetuneSettings:
        qtbot.waitUntil(lambda: page.own is not None and not page._listing, timeout=LONG)
        assert page.own is not None
        return page.own

    first = trained(pictures, workspace.runs_folder / "first")
    second = shutil.copytree(first, workspace.runs_folder / "second")
    workspace.take_outcome("pretrain", second, "finished")
    assert listed().start_from() == str(second)
    listed().source.setCurrentIndex(listed().source.findData(str(first)))
    table = tmp_path / "labels.csv"
    files = sorted(file.relative_to(pictures).as_posix() for file in pictures.rglob("*.png"))
    table.write_text("file,label\n" + "".join(f"{file},{number % 2}\n" for number, file in enumerate(files)))
    with changing(qtbot, workspace, Change.PICTURES, LONG):
        workspace.use_labels(str(table))
    assert listed().start_from() == str(first)
    with changing(qtbot, workspace, Change.PICTURES, LONG):
        workspace.open_folder(pictures)  # which looks for the newest on the disk
    assert listed().start_from() == str(first)
    listed().source.setCurrentIndex(listed().source.findData(SCRATCH))
    workspace.changed.emit(Change.RUNS)
    assert listed().start_from() == SCRATCH
    third = shutil.copytree(second, workspace.runs_folder / "third")
    workspace.take_outcome("pretrain", third, "finished")  # the newest word of the person
    assert listed().start_from() == str(third)
    listed().source.setCurrentIndex(listed().source.findData(str(first)))
    first.rename(workspace.runs_folder.parent / "away")
    workspace.changed.emit(Change.RUNS)
    assert listed().start_from() == str(third)
    qtbot.waitUntil(lambda: workspace.readable is not None, timeout=LONG)


def test_a_pretraining_that_set_apart_otherwise_says_so_and_is_followed_if_wanted(
    window: MainWindow, pictures: Path, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    workspace = window.workspace
    workspace.take_outcome("pretrain", trained(pictures, workspace.runs_folder / "first"), "finished")
    window.go("finetune")
    page = window.pages["finetune"]
    assert isinstance(page, FinetunePage)
    qtbot.waitUntil(lambda: page.own is not None and page.own.run() is not None, timeout=LONG)
    assert page.settings is not None
    assert page.own is not None
    data, network = page.settings.forms["data"], page.settings.forms["stem"]
    assert page.apart.isHidden()
    assert network.isHidden()  # it is the one that was pretrained
    data.editor("test").set_value(0.3)
    data.editor("groups").set_value("folder:1")
    assert page.apart.isVisible()
    assert "(Keep together, Test share)" in page.apart.told.text()
    assert (page.config().data.test, page.config().data.groups) == (0.3, "folder:1")
    page.own.source.setCurrentIndex(page.own.source.findData(SCRATCH))
    assert page.apart.isHidden()
    assert not network.isHidden()
    page.own.source.setCurrentIndex(0)
    QTest.mouseClick(page.apart.take, Qt.MouseButton.LeftButton)
    assert page.apart.isHidden()
    assert (page.config().data.test, page.config().data.groups) == (0.2, "")
    page.split.undo_stack.undo()
    assert page.apart.isVisible()
    qtbot.waitUntil(lambda: workspace.readable is not None, timeout=LONG)


def test_general_photographs_are_offered_and_bring_their_encoder(
    window: MainWindow, pictures: Path, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    window.go("finetune")
    page = window.pages["finetune"]
    assert isinstance(page, FinetunePage)
    qtbot.waitUntil(lambda: page.own is not None and not page._listing, timeout=LONG)
    assert page.settings is not None
    assert page.own is not None
    own, network = page.own, page.settings.forms["stem"].editor("name")
    assert own.general.isHidden()
    network.set_value("resnet18")
    own.source.setCurrentIndex(own.source.findData(GENERAL))
    assert own.general.isVisible()
    assert (own.run(), own.start_from()) == (None, "general")
    assert not network.isEnabled()
    config = page.config()
    assert (config.source, config.encoder.name) == ("general", "auto")
    own.source.setCurrentIndex(own.source.findData(SCRATCH))
    assert own.general.isHidden()
    assert network.isEnabled()
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)
