"""The real dialogs, answered as a person answers them: each button, Enter, Esc, the close box, typed text and paths."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QDialog, QLabel, QTableWidget, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.mishaps import log_tail
from sslstudio.ui.base import error_log
from sslstudio.ui.pages.train.run_controller import BEST, DISCARD, LAST
from sslstudio.ui.widgets import dialogs
from tests.support.answering import Act, answering, button, click, press, type_text

pytestmark = pytest.mark.usefixtures("real_dialogs")
ENTER, ESCAPE, SPACE, TAB = Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Space, Qt.Key.Key_Tab

WAYS = ("button", "Enter", "Esc", "close box")


def close_box(dialog: QDialog) -> None:
    """The cross of the window's frame."""
    dialog.close()


def both(*acts: Act) -> Act:
    """One after the other on the same dialog."""

    def act(dialog: QDialog) -> None:
        for one in acts:
            one(dialog)

    return act


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    """A window that the dialogs belong to."""
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.show()
    return made


@pytest.mark.parametrize(
    ("act", "agreed"),
    [
        (click("Discard"), True),
        (click("Keep it"), False),
        (press(ENTER), False),  # the safe one is the default
        (press(SPACE), False),
        (press(ESCAPE), False),
        (close_box, False),
        (both(press(TAB), press(SPACE)), True),
    ],
    ids=["yes", "no", "Enter", "space", "Esc", "close box", "tab and space"],
)
def test_a_question_is_agreed_to_only_by_its_own_button(act: Act, agreed: bool, parent: QWidget) -> None:
    with answering(act) as titles:
        assert dialogs.ask(parent, "Discard all?", "Discard", "Keep it") is agreed
    assert titles == ["SSL Studio"]


STOPS = {BEST: "Keep the best state", LAST: "Keep the last state", DISCARD: "Discard the run"}


@pytest.mark.parametrize(
    ("act", "chosen"),
    [
        (click("Keep the best state"), BEST),
        (click("Keep the last state"), LAST),
        (click("Discard the run"), DISCARD),
        (click("Go on training"), ""),
        (press(ENTER), ""),
        (press(ESCAPE), ""),
        (close_box, ""),
    ],
    ids=["best", "last", "discard", "go on", "Enter", "Esc", "close box"],
)
def test_each_answer_means_what_its_button_says(act: Act, chosen: str, parent: QWidget) -> None:
    with answering(act):
        assert dialogs.choose(parent, "What is to become of this run?", STOPS, "Go on training") == chosen


def test_the_answers_stand_in_the_order_that_was_given_and_the_keyboard_is_on_the_safe_one(parent: QWidget) -> None:
    seen: list[list[str]] = []

    def look(dialog: QDialog) -> None:
        places = {words: button(dialog, words).mapTo(dialog, button(dialog, words).rect().center()) for words in words_}
        seen.append(sorted(words_, key=lambda one: (places[one].y(), places[one].x())))
        assert dialog.focusWidget() is button(dialog, "Go on training")
        press(ESCAPE)(dialog)

    words_ = [*STOPS.values(), "Go on training"]
    with answering(look):
        dialogs.choose(parent, "What is to become of this run?", STOPS, "Go on training")
    assert seen == [words_]


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        (type_text("lesions"), "lesions"),
        (type_text("  two words "), "two words"),
        (type_text("lesions", ESCAPE), ""),
        (press(ENTER), "as it was"),  # what stands there is the answer
        (type_text(" "), ""),
        (click("OK"), "as it was"),
        (click("Cancel"), ""),
        (close_box, ""),
    ],
    ids=["typed", "with spaces", "Esc", "Enter", "only a space", "OK", "Cancel", "close box"],
)
def test_a_line_of_text_is_typed_or_not_given(act: Act, answer: str, parent: QWidget) -> None:
    with answering(act) as titles:
        assert dialogs.ask_text(parent, "New class", "Its name", "as it was") == answer
    assert titles == ["New class"]


def said_in(dialog: QDialog) -> str:
    return " ".join(one.text() for one in dialog.findChildren(QLabel) if one.isVisible())


@pytest.mark.parametrize("closes", [click("OK"), press(ENTER), press(ESCAPE), close_box], ids=WAYS)
def test_a_text_is_told_and_closed(closes: Act, parent: QWidget) -> None:
    seen: list[str] = []
    with answering(both(lambda dialog: seen.append(said_in(dialog)), closes)) as titles:
        dialogs.tell(parent, "Report", "It is in the folder.")
    assert titles == ["Report"]
    assert "It is in the folder." in seen[0]


@pytest.mark.parametrize("closes", [click("Close"), press(ENTER), press(ESCAPE), close_box], ids=WAYS)
def test_a_long_text_is_told_on_a_sheet_that_is_closed_in_every_way(closes: Act, parent: QWidget) -> None:
    seen: list[str] = []
    with answering(both(lambda dialog: seen.append(said_in(dialog)), closes)) as titles:
        dialogs.tell(parent, "Report", "There is more to say than a box can hold. " * 120)
    assert titles == ["Report"]
    assert seen[0].startswith("There is more to say")


@pytest.mark.parametrize("closes", [click("Close"), press(ESCAPE), close_box], ids=["button", "Esc", "close box"])
def test_a_table_is_read_and_closed(closes: Act, parent: QWidget) -> None:
    seen: list[str] = []

    def read(dialog: QDialog) -> None:
        table = dialog.findChild(QTableWidget)
        assert isinstance(table, QTableWidget)
        seen.extend(item.text() for at in range(2) if (item := table.item(1, at)) is not None)
        assert "Two could not be read." in said_in(dialog)

    with answering(both(read, closes)):
        dialogs.show_table(
            parent, "Left out", "Two could not be read.", ["file", "why"], [("a.png", "empty"), ("b.png", "torn")]
        )
    assert seen == ["b.png", "torn"]


def raised(error: Exception) -> Exception:
    """The error with a traceback."""
    try:
        raise error
    except Exception as caught:
        return caught


def test_an_error_for_people_is_its_sentence_and_no_more(parent: QWidget) -> None:
    def look(dialog: QDialog) -> None:
        assert "There is no folder /x." in said_in(dialog)
        assert not dialog.findChildren(QTextEdit)  # no traceback
        click("OK")(dialog)

    error = raised(DataError("There is no folder /x."))
    with answering(look):
        dialogs.tell_error(parent, error)
    assert "There is no folder /x." in log_tail()


def test_a_bug_shows_its_traceback_to_whoever_asks_for_it(parent: QWidget) -> None:
    seen: list[str] = []

    def look(dialog: QDialog) -> None:
        assert "Something went wrong inside the program: ZeroDivisionError: by nothing" in said_in(dialog)
        click("Show Details...")(dialog)
        seen.extend(one.toPlainText() for one in dialog.findChildren(QTextEdit) if one.isVisible())
        click("OK")(dialog)

    with answering(look):
        dialogs.tell_error(parent, raised(ZeroDivisionError("by nothing")))
    assert Path(__file__).name in seen[0]
    assert seen[0].rstrip().endswith("ZeroDivisionError: by nothing")


def test_an_error_that_may_wait_is_told_after_what_was_going_on(parent: QWidget, qtbot: QtBot) -> None:
    done: list[str] = []
    with answering(both(lambda _: done.append("told"), press(ENTER))):
        dialogs.tell_error_soon(parent, raised(DataError("The disk is full.")))
        done.append("gone on")
        qtbot.waitUntil(lambda: "told" in done)
    assert done == ["gone on", "told"]


@pytest.fixture
def own_chooser() -> Iterator[None]:
    """Qt's own chooser of files, which is the same on every system; the system's belongs to the system."""
    native = Qt.ApplicationAttribute.AA_DontUseNativeDialogs
    before = QCoreApplication.testAttribute(native)
    QCoreApplication.setAttribute(native, True)
    yield
    QCoreApplication.setAttribute(native, before)


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A folder with a folder and two files in it."""
    (tmp_path / "scans").mkdir()
    (tmp_path / "labels.csv").write_text("file,label\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("-", encoding="utf-8")
    return tmp_path


Chooser = Callable[[QWidget, Path], Path | None]
CHOOSERS: dict[str, tuple[Chooser, str]] = {
    "folder": (lambda parent, start: dialogs.choose_folder(parent, "Pictures", start), "scans"),
    "file": (lambda parent, start: dialogs.choose_file(parent, "Labels", "CSV (*.csv)", start), "labels.csv"),
    "new file": (
        lambda parent, start: dialogs.choose_new_file(parent, "Save", "PNG (*.png)", start / "new.png"),
        "plot.png",
    ),
}


@pytest.mark.parametrize("kind", CHOOSERS)
def test_a_path_is_typed_and_taken(kind: str, own_chooser: None, places: Path, parent: QWidget) -> None:
    opens, name = CHOOSERS[kind]
    with answering(type_text(str(places / name))):
        assert opens(parent, places) == places / name
    assert str(places / name) in error_log.places()  # so that a report can leave the name out


@pytest.mark.parametrize("kind", CHOOSERS)
@pytest.mark.parametrize("act", [press(ESCAPE), click("Cancel"), close_box], ids=["Esc", "Cancel", "close box"])
def test_no_path_is_none(act: Act, kind: str, own_chooser: None, places: Path, parent: QWidget) -> None:
    with answering(act):
        assert CHOOSERS[kind][0](parent, places) is None


def test_a_file_that_exists_is_replaced_only_if_that_is_wanted(
    own_chooser: None, places: Path, parent: QWidget
) -> None:
    old = places / "notes.txt"

    def save() -> Path | None:
        return dialogs.choose_new_file(parent, "Save", "Text (*.txt)", places / "new.txt")

    with answering(type_text(str(old)), press(ESCAPE), press(ESCAPE)) as titles:
        assert save() is None
    assert len(titles) == 3
    with answering(type_text(str(old)), click("Yes")):
        assert save() == old


def test_the_folder_for_a_new_file_is_made(own_chooser: None, places: Path, parent: QWidget) -> None:
    with answering(press(ENTER)):
        assert dialogs.choose_new_file(parent, "Save", "PNG (*.png)", places / "exports" / "plot.png") == (
            places / "exports" / "plot.png"
        )
    assert (places / "exports").is_dir()
