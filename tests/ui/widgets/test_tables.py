from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import theme
from sslstudio.ui.widgets.tables import PADDING, fill, make_room, table, wrap

LONG = "20.5 % (17.3 to 24.3 %)\n+0.3 points (-2.9 to +3.9)\nNo clear difference\nworth 2.9 times the labels"


def test_rows_are_as_high_as_their_texts_when_columns_change(qtbot: QtBot) -> None:
    made = table(["What", "Score"], stretch=1)
    wrap(made)
    qtbot.addWidget(made)
    made.resize(900, 300)
    fill(made, [["one", LONG], ["two", "short"]])
    with qtbot.waitExposed(made):
        made.show()
    line = made.fontMetrics().height()
    qtbot.waitUntil(lambda: made.rowHeight(0) >= 4 * line)
    wide = made.rowHeight(0)
    made.resize(150, 300)
    qtbot.waitUntil(lambda: made.rowHeight(0) > wide)
    assert made.rowHeight(0) >= made.sizeHintForRow(0)
    assert made.rowHeight(1) < wide


def test_no_line_of_a_text_is_left_out_at_any_width(qtbot: QtBot) -> None:
    theme()  # the padding is in its style sheet
    made = table(["What", "Key"], stretch=0)
    wrap(made)
    qtbot.addWidget(made)
    said = "From stretch to stretch, and back"
    fill(made, [[said, "Left"]])
    made.setFixedHeight(200)
    with qtbot.waitExposed(made):
        made.show()
    for width in range(150, 420, 3):
        made.setFixedWidth(width)
        for _ in range(3):
            QApplication.processEvents()
        room = QRect(0, 0, made.columnWidth(0) - PADDING - 6, 1000)  # Qt leaves 3 pixels left and right of a text
        lines = made.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, said)
        if lines.width() <= room.width():  # else a word alone is too long
            assert made.rowHeight(0) >= lines.height() + 8, width


def test_a_filled_table_has_room_for_the_column_that_stretches(qtbot: QtBot) -> None:
    made = table(["Class", "Pictures", "Precision"], stretch=0)
    qtbot.addWidget(made)
    fill(made, [["a class with a long name", "12", "50 %"]])
    made.show()
    make_room(made, 900)
    made.resize(made.minimumWidth(), 200)
    assert made.columnWidth(0) >= made.sizeHintForColumn(0)
    make_room(made, 100)
    assert made.minimumWidth() == 100
