"""The only place that opens a dialog, so that a test replaces one thing."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.mishaps import explain, keep_trace
from sslstudio.ui.base import error_log
from sslstudio.ui.text.formatting import render, tr
from sslstudio.ui.widgets.buttons import press_focused
from sslstudio.ui.widgets.layout import make_scrollable, text
from sslstudio.ui.widgets.tables import fill, table, wrap

SHEET_WIDTH = 640


class Sheet(QDialog):
    """A dialog in which Enter presses the button that has the focus, and none that has not."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt would press the first button, whatever has the focus. Where nothing has it but the foot, Enter closes."""
        if press_focused(event, self):
            return
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif self.focusWidget() is None or isinstance(self.focusWidget(), QDialogButtonBox):
            self.reject()

    def showEvent(self, event: QShowEvent) -> None:
        """Take from Qt the choice of a button."""
        for one in self.findChildren(QPushButton):
            one.setAutoDefault(False)
            one.setDefault(False)
        super().showEvent(event)


def error_text(error: BaseException) -> str:
    """The sentence of an error that is meant for people; for any other, that it is a bug and what it said."""
    if isinstance(error, StudioError):
        return render(error.message)
    if (said := explain(error)) is not None:  # of the system, or of the memory
        return render(said.message)
    return tr("Something went wrong inside the program: {0}").format(f"{type(error).__name__}: {error}")


def error_details(error: BaseException) -> str:
    """The traceback of a bug, '' for an error that is meant for people."""
    return "" if explain(error) is not None else "".join(traceback.format_exception(error))


def tell_error(parent: QWidget | None, error: BaseException) -> None:
    """Show an error; a bug comes with a traceback that can be copied into a report."""
    keep_trace(error)
    _tell(parent, QMessageBox.Icon.Warning, tr("SSL Studio"), error_text(error), error_details(error))


def tell_error_soon(parent: QWidget, error: BaseException) -> None:
    """The same once all have heard that the run has ended: a dialog that nobody closes must not hold up a queue."""
    QTimer.singleShot(0, parent, lambda: tell_error(parent, error))


def tell(parent: QWidget | None, title: str, said: str) -> None:
    """Show a text."""
    _tell(parent, QMessageBox.Icon.Information, title, said)


def _tell(parent: QWidget | None, icon: QMessageBox.Icon, title: str, said: str, details: str = "") -> None:
    """In a box, or on a sheet that scrolls where the screen is too small for the box and its button."""
    box = _box(icon, title, said, parent)
    if details:
        box.setDetailedText(details)
    fits = _box_height(box, said) <= _room(box).height()
    if fits:
        box.exec()
    box.deleteLater()
    if not fits:
        label = text(said)
        label.setContentsMargins(14, 10, 14, 10)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        show_sheet(parent, title, label)


def _box(icon: QMessageBox.Icon, title: str, said: str, parent: QWidget | None) -> QMessageBox:
    """A box whose text is shown letter by letter: a file may be called <img src=...>."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)  # before the text: Qt would open the file at once
    box.setIcon(icon)
    box.setWindowTitle(title)
    box.setText(said)
    return box


def _box_height(box: QMessageBox, said: str) -> int:
    """What Qt makes of it when it is shown and not before: it is half as wide as the screen, 500 pixels at most."""
    width = min(box.screen().availableSize().width() // 2, 500) - 90  # without the icon and the rims
    lines = box.fontMetrics().boundingRect(QRect(0, 0, width, 0), Qt.TextFlag.TextWordWrap, said)
    return lines.height() + 90


def _room(dialog: QDialog) -> QSize:
    """What a dialog may take of the screen."""
    return dialog.screen().availableSize() * 0.9


def show_table(parent: QWidget | None, title: str, told: str, heads: list[str], rows: Sequence[Sequence[str]]) -> None:
    """Show rows to read through, below a text if there is one."""
    dialog = Sheet(parent)
    dialog.setWindowTitle(title)
    dialog.resize(QSize(SHEET_WIDTH, 560).boundedTo(_room(dialog)))
    longest = [max((len(row[at]) for row in rows), default=0) for at in range(len(heads))]
    view = table(heads, stretch=longest.index(max(longest)))  # else it would push the others out of sight
    wrap(view)
    fill(view, rows)
    closing = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    closing.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    if told:
        layout.addWidget(text(told))
    layout.addWidget(view, 1)
    layout.addWidget(closing)
    dialog.exec()
    dialog.deleteLater()


def show_sheet(parent: QWidget | None, title: str, sheet: QWidget, place: str = "") -> None:
    """Show a widget, which scrolls where the screen is small, until it is closed. place: of the manual, for F1."""
    dialog = Sheet(parent)
    dialog.setProperty("manual", place)
    dialog.setWindowTitle(title)
    closing = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    closing.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(22, 18, 22, 16)
    layout.setSpacing(14)
    layout.addWidget(make_scrollable(sheet), 1)
    layout.addWidget(closing)
    most = _room(dialog)
    width = min(SHEET_WIDTH, most.width())
    dialog.resize(width, min(sheet.heightForWidth(width - 64) + 100, most.height()))
    first = (one for one in sheet.findChildren(QWidget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus)
    next(first, closing).setFocus()  # else it would be on the sheet itself, framed as if something were wrong with it
    dialog.exec()
    dialog.deleteLater()


def ask(parent: QWidget | None, question: str, yes: str, no: str) -> bool:
    """A question with two answers in words; the safe one is the default."""
    box = _box(QMessageBox.Icon.Question, tr("SSL Studio"), question, parent)
    agree = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    stay = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.exec()
    agreed = box.clickedButton() is agree
    box.deleteLater()
    return agreed


def choose(parent: QWidget | None, question: str, answers: Mapping[str, str], stay: str) -> str:
    """A question with several answers in words: the name of the chosen one, '' for `stay`, which is the default."""
    box = _box(QMessageBox.Icon.Question, tr("SSL Studio"), question, parent)
    buttons = {name: box.addButton(words, QMessageBox.ButtonRole.ActionRole) for name, words in answers.items()}
    default = box.addButton(stay, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(default)
    box.exec()
    clicked = box.clickedButton()
    chosen = next((name for name, button in buttons.items() if button is clicked), "")
    box.deleteLater()
    return chosen


def ask_text(parent: QWidget | None, title: str, question: str, text: str) -> str:
    """A line of text, '' when it is not given."""
    dialog = QInputDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setLabelText("?")
    for label in dialog.findChildren(QLabel):
        label.setTextFormat(Qt.TextFormat.PlainText)
    dialog.setLabelText(question)
    dialog.setTextValue(text)
    dialog.resize(460, dialog.sizeHint().height())
    answer = dialog.textValue() if dialog.exec() else ""
    dialog.deleteLater()
    return answer.strip()


def ask_long_text(parent: QWidget | None, title: str, said: str, hint: str, yes: str) -> str | None:
    """Several lines, None when they are not wanted any more. hint: what the empty field says; yes: the button."""
    dialog = Sheet(parent)
    dialog.setWindowTitle(title)
    field = QPlainTextEdit()
    field.setPlaceholderText(hint)
    field.setTabChangesFocus(True)
    field.setAccessibleName(hint)
    buttons = QDialogButtonBox()
    buttons.addButton(yes, QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(22, 18, 22, 16)
    layout.setSpacing(12)
    layout.addWidget(text(said))
    layout.addWidget(field, 1)
    layout.addWidget(buttons)
    dialog.resize(QSize(SHEET_WIDTH, 380).boundedTo(_room(dialog)))
    field.setFocus()
    answer = field.toPlainText().strip() if dialog.exec() else None
    dialog.deleteLater()
    return answer


def choose_folder(parent: QWidget | None, title: str, start: Path | None = None) -> Path | None:
    """A folder, or None."""
    chosen = QFileDialog.getExistingDirectory(parent, title, str(start or Path.home()))
    return _note_choice(chosen)


def choose_file(parent: QWidget | None, title: str, kinds: str, start: Path | None = None) -> Path | None:
    """A file, or None. `kinds` as Qt writes them: 'CSV files (*.csv)'."""
    chosen, _ = QFileDialog.getOpenFileName(parent, title, str(start or Path.home()), kinds)
    return _note_choice(chosen)


def choose_new_file(parent: QWidget | None, title: str, kinds: str, start: Path) -> Path | None:
    """Where to write a file, or None; the dialog asks before a file that exists is replaced."""
    start.parent.mkdir(parents=True, exist_ok=True)
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    return _note_choice(chosen)


def _note_choice(chosen: str) -> Path | None:
    if not chosen:
        return None
    error_log.note_place(Path(chosen))
    return Path(chosen)
