"""What a fine-tuning starts from stays as a person chose it."""

import shutil
from pathlib import Path

from pytestqt.qtbot import QtBot

from sslstudio.ui.main_window import MainWindow
from sslstudio.ui.pages.finetune import FinetunePage
from sslstudio.ui.widgets.finetune_settings import SCRATCH, FinetuneSettings
from tests.ui.test_drops import pictures, trained
from tests.ui.test_projects import open_folder

LONG = 60_000
__all__ = ["pictures"]


def test_other_labels_leave_what_a_person_chose_to_start_from(
    window: MainWindow, pictures: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    study = window.study
    window.go("finetune")
    page = window.pages["finetune"]
    assert isinstance(page, FinetunePage)

    def listed() -> FinetuneSettings:
        qtbot.waitUntil(lambda: page.own is not None and not page._listing, timeout=LONG)
        assert page.own is not None
        return page.own

    first = trained(pictures, study.runs_folder / "first")
    second = shutil.copytree(first, study.runs_folder / "second")
    study.finished("pretrain", second, "finished")
    assert listed().start_from() == str(second)
    listed().source.setCurrentIndex(listed().source.findData(str(first)))
    table = tmp_path / "labels.csv"
    files = sorted(file.relative_to(pictures).as_posix() for file in pictures.rglob("*.png"))
    table.write_text("file,label\n" + "".join(f"{file},{number % 2}\n" for number, file in enumerate(files)))
    with qtbot.waitSignal(study.pictures_changed, timeout=LONG):
        study.use_labels(str(table))
    assert listed().start_from() == str(first)
    with qtbot.waitSignal(study.pictures_changed, timeout=LONG):
        study.open_folder(pictures)  # which looks for the newest on the disk
    assert listed().start_from() == str(first)
    listed().source.setCurrentIndex(listed().source.findData(SCRATCH))
    study.runs_changed.emit()
    assert listed().start_from() == SCRATCH
    third = shutil.copytree(second, study.runs_folder / "third")
    study.finished("pretrain", third, "finished")  # the newest word of the person
    assert listed().start_from() == str(third)
    listed().source.setCurrentIndex(listed().source.findData(str(first)))
    first.rename(study.runs_folder.parent / "away")
    study.runs_changed.emit()
    assert listed().start_from() == str(third)
    qtbot.waitUntil(lambda: study.readable is not None, timeout=LONG)
