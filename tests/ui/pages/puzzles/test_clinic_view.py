"""What the clinic says, on the screen: the verdict, the findings about this task, and the button that answers one."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.clinic.clinic import Clinic, Finding
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.ui.pages.puzzles.clinic_view import ClinicView

CENTRED = Finding(
    name="centred",
    title="The subject is always in the middle",
    text="The mean picture explains 71 % of these pictures.",
    severity="careful",
    tasks=("jigsaw",),
    changes=("jigsaw.min_crop_side=0.5",),
)
GREY = Finding(name="grey", title="Grey pictures", text="All are grey.", severity="unsuitable", tasks=("colorization",))


@pytest.fixture
def view(qtbot: QtBot) -> ClinicView:
    made = ClinicView()
    qtbot.addWidget(made)
    made.show()
    return made


def clinic(*findings: Finding) -> Clinic:
    registry = load_tasks()
    return Clinic(findings, {}, {name: registry[name].Config() for name in registry})


def test_only_what_concerns_the_task_is_shown(view: ClinicView) -> None:
    example = QImage(64, 32, QImage.Format.Format_RGB888)
    example.fill(Qt.GlobalColor.red)
    view.show_clinic(clinic(CENTRED, GREY), "jigsaw", {"centred": example})
    assert "may suit" in view.verdict.text()
    assert [finding.heading.text() for finding in view.shown] == [CENTRED.title]
    assert not view.about.isVisible()
    view.show_clinic(clinic(CENTRED, GREY), "colorization", {})
    assert "does not suit" in view.verdict.text()
    assert [finding.heading.text() for finding in view.shown] == [GREY.title]
    view.show_clinic(clinic(CENTRED, GREY), "inpainting", {})
    assert view.verdict.text() == "It suits your pictures"
    assert not view.shown


def test_the_button_asks_for_the_change(view: ClinicView, qtbot: QtBot) -> None:
    view.show_clinic(clinic(CENTRED), "jigsaw", {})
    answer = view.shown[0].answer
    assert answer.text() == "Set min crop side to 0.5"
    with qtbot.waitSignal(view.change_wanted) as asked:
        QTest.mouseClick(answer, Qt.MouseButton.LeftButton)
    assert asked.args == ["jigsaw.min_crop_side=0.5"]


def test_a_refusal_stands_in_words(view: ClinicView) -> None:
    refusing = Clinic((), {"jigsaw": "The pictures are too small."}, clinic().options)
    view.show_clinic(refusing, "jigsaw", {})
    assert "does not suit" in view.verdict.text()
    assert view.about.text() == "The pictures are too small."
    view.say_waiting()
    assert not view.shown
