"""The window closes when the run is saved, and by force only when that is wanted."""

from collections.abc import Iterator
from threading import Event as Flag

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.ui.shell.closing import Closing
from sslstudio.ui.workspace.workspace import Workspace
from tests.ui.conftest import Said


def test_a_run_that_does_not_answer_is_waited_for_until_it_is_to_be_ended(said: Said, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    workspace = Workspace(window)
    begun, free = Flag(), Flag()

    def deaf(control: RunControl) -> Iterator[Event]:
        begun.set()
        free.wait()
        return iter(())

    closing = Closing(workspace, window)
    workspace.runner.ended.connect(closing.close_after_run)
    closing._deadline.setInterval(20)
    workspace.runner.start("pretrain", deaf)
    qtbot.waitUntil(begun.is_set)
    said.agrees = True
    assert not closing.may()
    said.agrees = False  # asked whether it is to be ended by force: no, each time
    qtbot.waitUntil(lambda: len(said.questions) >= 3)
    assert "does not answer" in said.questions[1]
    assert said.questions[1] == said.questions[2]
    assert not closing.may()  # nobody is asked twice whether to close
    assert said.questions.count(said.questions[0]) == 1
    with qtbot.waitSignal(workspace.runner.ended):
        free.set()
    assert closing.may()
    assert not window.isVisible()
    assert not closing._deadline.isActive()
