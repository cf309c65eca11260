"""What the clinic says, on the screen: the verdict, the findings about this task, and the button that answers one."""

from dataclasses import replace

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
    assert answer.text() == "Set “Smallest crop” to 0.5"
    with qtbot.waitSignal(view.changes_wanted) as asked:
        QTest.mouseClick(answer, Qt.MouseButton.LeftButton)
    assert asked.args == [("jigsaw.min_crop_side=0.5",)]


def test_changes_that_help_together_are_one_button(view: ClinicView, qtbot: QtBot) -> None:
    changes = ("jigsaw.min_crop_side=0.5", "jigsaw.turn=180.0", "context_prediction.turn=180.0")
    both = replace(CENTRED, tasks=("jigsaw", "context_prediction"), changes=changes)
    view.show_clinic(clinic(both), "jigsaw", {})
    answer = view.shown[0].answer
    assert answer.text() == "Set “Smallest crop” to 0.5,\nSet “Turn” to 180.0"
    with qtbot.waitSignal(view.changes_wanted) as asked:
        QTest.mouseClick(answer, Qt.MouseButton.LeftButton)
    assert asked.args == [changes[:2]]


def test_what_nothing_mends_has_no_button(view: ClinicView) -> None:
    hopeless = replace(CENTRED, ruled_out=("jigsaw",))
    view.show_clinic(clinic(hopeless), "jigsaw", {})
    assert not hasattr(view.shown[0], "answer")
    assert "does not suit" in view.verdict.text()


def test_a_refusal_stands_in_words(view: ClinicView) -> None:
    refusing = Clinic((), {"jigsaw": "The pictures are too small."}, clinic().options)
    view.show_clinic(refusing, "jigsaw", {})
    assert "does not suit" in view.verdict.text()
    assert view.about.text() == "The pictures are too small."
    view.say_waiting()
    assert not view.shown
