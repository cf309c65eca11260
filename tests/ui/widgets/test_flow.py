"""Pieces that go on on a further line: none over another, none outside, none lost."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.widgets.flow import Flow, Sides


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(1, 30)), max_size=8), st.integers(20, 400))
def test_each_piece_has_its_own_place_in_reading_order(qapp: object, sizes: list[tuple[int, int]], width: int) -> None:
    place = QWidget()
    flow = Flow(place, gap=5, between=3)
    pieces = [QWidget() for _ in sizes]
    for piece, size in zip(pieces, sizes, strict=True):
        piece.setFixedSize(*size)
        flow.addWidget(piece)
        piece.show()
    height = flow.heightForWidth(width)
    flow.setGeometry(QRect(7, 9, width, height))
    areas = [item.geometry() for number in range(flow.count()) if (item := flow.itemAt(number)) is not None]
    assert len(areas) == len(sizes)
    assert not any(one.intersects(other) for one, other in combinations(areas, 2))
    assert all(area.left() >= 7 and area.left() + min(area.width(), width) <= 7 + width for area in areas)
    assert max((area.bottom() + 1 for area in areas), default=9) == 9 + height
    assert areas == sorted(areas, key=lambda area: (area.top(), area.left()))
    place.deleteLater()


def test_what_fits_is_on_one_line_and_hidden_pieces_take_no_room(qtbot: QtBot) -> None:
    place = QWidget()
    qtbot.addWidget(place)
    flow = Flow(place, gap=5)
    pieces = [QWidget() for _ in range(3)]
    for piece in pieces:
        piece.setFixedSize(40, 10)
        flow.addWidget(piece)
        piece.show()
    assert flow.heightForWidth(130) == 10
    assert flow.heightForWidth(129) == 22
    pieces[1].hide()
    assert flow.heightForWidth(85) == 10
    assert flow.takeAt(7) is None
    assert flow.takeAt(0) is not None
    assert flow.count() == 2


def test_pieces_below_each_other_are_as_high_as_they_need_to_be(qtbot: QtBot) -> None:
    pieces = [QWidget(), QWidget()]
    for piece in pieces:
        piece.setMinimumHeight(40)
    sides = Sides((pieces[0], 3), (pieces[1], 2), least=500, gap=10)
    qtbot.addWidget(sides)
    sides.resize(300, 400)
    sides.show()
    QApplication.processEvents()
    assert [piece.height() for piece in pieces] == [40, 40], "a share of the height would be empty room"
    sides.resize(510, 400)
    QApplication.processEvents()
    assert [piece.width() for piece in pieces] == [300, 200]
    assert [piece.height() for piece in pieces] == [400, 400]
