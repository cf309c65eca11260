"""Tasks that do not suit are unchecked with the reason, and may be checked all the same."""

from pytestqt.qtbot import QtBot

from sslstudio.engine.clinic.clinic import Clinic
from sslstudio.engine.clinic.signs.looked import Finding
from sslstudio.engine.core.config import BaseConfig
from sslstudio.ui.operations.engine import TaskFacts
from sslstudio.ui.pages.compare.task_checks import TaskChecks

TASKS = {
    name: TaskFacts(
        name=name, title=name.title(), summary="", paper="", label_from="", helps="", fails="", config=BaseConfig
    )
    for name in ("colorization", "jigsaw", "rotation")
}
GREY = "These pictures are grey: there is no colour to guess."


def test_what_does_not_suit_is_unchecked_once(qtbot: QtBot) -> None:
    checks = TaskChecks(TASKS, ["colorization", "jigsaw"])
    qtbot.addWidget(checks)
    clinic = Clinic((), {"colorization": GREY}, {name: BaseConfig() for name in TASKS})
    checks.show_clinic(clinic)
    assert checks.chosen() == ["jigsaw"]
    assert checks.reasons["colorization"].text() == GREY
    assert checks.reasons["jigsaw"].isHidden()
    with qtbot.waitSignal(checks.changed):
        checks.boxes["colorization"].setChecked(True)
    checks.show_clinic(clinic)
    assert checks.chosen() == ["colorization", "jigsaw"]
    checks.show_clinic(None)
    assert checks.reasons["colorization"].isHidden()
    checks.choose(["rotation"])
    assert checks.chosen() == ["rotation"]


def test_what_speaks_against_every_task_is_said_once_and_unchecks_none(qtbot: QtBot) -> None:
    checks = TaskChecks(TASKS, list(TASKS))
    qtbot.addWidget(checks)
    few = Finding(name="few", title="Few pictures", text="Only 42 pictures.", severity="unsuitable", tasks=tuple(TASKS))
    clinic = Clinic((few,), {"colorization": GREY}, {name: BaseConfig() for name in TASKS})
    checks.show_clinic(clinic)
    assert checks.told.text() == "Only 42 pictures."
    assert checks.chosen() == ["jigsaw", "rotation"]
    assert checks.reasons["colorization"].text() == GREY
    assert checks.reasons["jigsaw"].isHidden()
