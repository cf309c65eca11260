"""Answers real dialogs as a person does: waits until one is on the screen, then clicks, types or presses a key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Qt, QTimerEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLineEdit

LOOKS_MS = 10
CALLS = 10  # looks after which a dialog is answered although the screen does not give it the keyboard
Act = Callable[[QDialog], None]


class Person(QObject):
    """Looks at the screen again and again, and does the next act on the dialog that is on top."""

    def __init__(self, acts: tuple[Act, ...]) -> None:
        super().__init__()
        self.waiting, self.titles, self.left_open = list(acts), list[str](), list[str]()
        self._called = 0
        self._timer = self.startTimer(LOOKS_MS)

    def timerEvent(self, event: QTimerEvent) -> None:
        """A new timer each time: an act may open a dialog of its own and wait for that one's answer."""
        self.killTimer(self._timer)
        self._timer = self.startTimer(LOOKS_MS)
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog) or not dialog.isVisible():
            return
        if not dialog.isActiveWindow():  # it is soon; a chooser of files writes into a line that the keyboard is not in
            dialog.activateWindow()
            self._called += 1
            if self._called % CALLS:
                return
        if not self.waiting:
            self.left_open.append(dialog.windowTitle())
            dialog.reject()
            return
        self.titles.append(dialog.windowTitle())
        act = self.waiting.pop(0)
        try:
            act(dialog)
        except Exception:
            dialog.reject()  # the failure is told by Qt's plugin; a dialog that stays open would hide it
            raise

    def leave(self) -> None:
        """Look no more."""
        self.killTimer(self._timer)


@contextmanager
def answering(*acts: Act) -> Iterator[list[str]]:
    """Do the acts in this order, each on the dialog that is on top then. Gives the titles of the dialogs, and fails if
    there were fewer than acts, or if one is still open after the last act: it would wait for ever."""
    person = Person(acts)
    try:
        yield person.titles
    finally:
        person.leave()
    assert not person.waiting, f"{len(person.waiting)} more should have been asked"
    assert not person.left_open, f"not closed by its answer: {person.left_open}"


def button(dialog: QDialog, words: str) -> QAbstractButton:
    """The button in sight that says so."""
    found = {one.text().replace("&", ""): one for one in dialog.findChildren(QAbstractButton) if one.isVisible()}
    return found[words]


def click(words: str) -> Act:
    """A click on the button that says so."""
    return lambda dialog: QTest.mouseClick(button(dialog, words), Qt.MouseButton.LeftButton)


def press(key: Qt.Key) -> Act:
    """A key, wherever the keyboard is in the dialog."""
    return lambda dialog: QTest.keyClick(dialog.focusWidget() or dialog, key)


def type_text(words: str, key: Qt.Key = Qt.Key.Key_Return) -> Act:
    """Words in place of what the line has, then a key."""

    def act(dialog: QDialog) -> None:
        line = dialog.focusWidget()
        assert isinstance(line, QLineEdit), f"the keyboard is in {line}"
        line.setCompleter(None)  # type: ignore[arg-type]  # suggestions need a screen that can grab the keyboard
        line.selectAll()
        QTest.keyClicks(line, words)
        QTest.keyClick(line, key)

    return act
