import numpy as np
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.tasks.base import Puzzle, load_tasks
from sslstudio.ui.operations.engine import load_engine
from sslstudio.ui.pages.puzzles.explanation import ExplanationView
from sslstudio.ui.widgets.picture import Picture


def shown(view: ExplanationView) -> list[str]:
    return [one.accessibleName() for one in view.findChildren(Picture) if one.isVisible()]


def test_each_task_is_explained_with_a_puzzle(qtbot: QtBot) -> None:
    view = ExplanationView()
    qtbot.addWidget(view)
    view.show()
    assert view.empty.isVisible()
    pictures = [np.full((24, 24, 3), shade, np.uint8) for shade in (10, 120, 240)]
    puzzle = Puzzle(pictures[0], pictures[1], pictures[2], None, "the left side")
    for name, facts in load_engine(RunControl()).tasks.items():
        view.explain(facts, puzzle)
        said = [label.text() for label in view.findChildren(QLabel) if label.isVisible()]
        task = load_tasks()[name]
        assert {task.summary, task.label_from, task.helps, task.fails, "In words: the left side"} <= set(said)
        assert any(task.paper in one for one in said)
        qtbot.waitUntil(lambda: shown(view) == ["Your picture", "What the network gets", "The answer it must find"])
    view.say_nothing()
    assert view.empty.isVisible()
    assert not view.sheet.isVisible()
