"""In the smallest window there is room for some lines of what is what, not only for the pictures below them."""

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.operations.roles import SHOWN, Example
from sslstudio.ui.pages.images.roles_view import RolesView
from tests.support.clipped import clipped


@pytest.mark.parametrize(("height", "lines"), [(327, 3), (600, 8)])
def test_lines_have_their_room(height: int, lines: int, qtbot: QtBot) -> None:
    view = RolesView()
    qtbot.addWidget(view)
    view.resize(720, height)
    view.show()
    picture = np.zeros((256, 256, 3), np.uint8)
    view.show_examples([Example(picture, "meningioma_tumor", "003350221a.jpg") for _ in range(SHOWN)])
    QApplication.processEvents()
    assert view.tree.viewport().height() >= 30 * lines
    assert all(one.height() >= 72 for one in view.pictures)
    assert not clipped(view)
