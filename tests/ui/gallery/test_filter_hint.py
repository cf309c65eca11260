"""The hint of the search field is never cut."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.gallery.filter_bar import FilterBar
from sslstudio.ui.gallery.model import GalleryModel
from sslstudio.ui.gallery.view import GalleryView


@pytest.mark.parametrize("width", [90, 110, 130, 150, 200, 400])
def test_the_hint_is_as_long_as_there_is_room(width: int, spoken: str, qtbot: QtBot) -> None:
    view = GalleryView(GalleryModel())
    bar = FilterBar(view)
    qtbot.addWidget(view)
    qtbot.addWidget(bar)
    bar.resize(width, 60)
    bar.show()
    QApplication.processEvents()
    hint = bar.search.placeholderText()
    assert bar.search.fontMetrics().horizontalAdvance(hint) <= bar.search.width() - 2 * 8 - 2
    assert hint in {"en": ("Search by name", "Search", ""), "de": ("Nach Namen suchen", "Suchen", "")}[spoken]
    assert bar.search.accessibleName() in ("Search by name", "Nach Namen suchen"), "the name does not shrink"
    if width == 400:
        assert hint == bar.search.accessibleName()
