"""One editor for each type of option: every one has `value`, `set_value` and a `changed` signal."""

import math
import re

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from sslstudio.engine.core.config import (
    OptionField,
    Overrides,
    Table,
    Value,
    entries_of,
    entry_text,
    parse_value,
    value_text,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.ui.text.formatting import figures, render, tr
from sslstudio.ui.widgets.choice_box import RoomyBox

MOST = 2**31 - 1  # what a spin box holds
DECIMALS = 10


def number_in(text: str) -> float:
    """A number as it is typed or pasted, in any language: '0.001', '0,001', '1.234,5', '1,234,567', '1e-5'.

    A single mark is that of the decimals, point or comma. Raises ValueError for what is no number.
    """
    plain = re.sub(r"\s", "", text)
    grouped = re.fullmatch(r"([+-]?)(\d{1,3}(?:([.,])\d{3})(?:\3\d{3})*)(?:(?!\3)[.,](\d*))?", plain)
    if grouped and (grouped[4] is not None or grouped[2].count(grouped[3]) > 1):
        return float(f"{grouped[1]}{grouped[2].replace(grouped[3], '')}.{grouped[4] or 0}")
    return float(plain.replace(",", "."))


class NumberBox(QDoubleSpinBox):
    """A number without trailing zeros; 1e-5 may be typed and is shown so."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(DECIMALS)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        """Up to ten figures, with the decimal mark of the window's language and nothing between thousands."""
        return figures(f"{value:.10g}")

    def valueFromText(self, text: str) -> float:
        """The number, or the one before where it is none."""
        try:
            return number_in(text)
        except ValueError:
            return self.value()

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Acceptable within the limits; a number that is not finished may still become one."""
        try:
            value = number_in(text)
        except ValueError:
            unfinished = all(sign in "0123456789.,eE+-" for sign in text)
            return (QValidator.State.Intermediate if unfinished else QValidator.State.Invalid, text, position)
        inside = math.isfinite(value) and self.minimum() <= value <= self.maximum()
        return (QValidator.State.Acceptable if inside else QValidator.State.Intermediate, text, position)


def whole_in(text: str) -> int:
    """A whole number with or without marks between thousands. Raises ValueError for any other: Qt would drop the mark
    of '1.5' and read 15."""
    plain = re.sub(r"\s", "", text)
    if re.fullmatch(r"[+-]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*", plain):
        return int(re.sub(r"[.,]", "", plain))
    return int(plain)


class WholeBox(QSpinBox):
    """A whole number, its thousands set apart as the window's language does it."""

    def textFromValue(self, value: int) -> str:
        """'12,345'."""
        return figures(f"{value:,}")

    def valueFromText(self, text: str) -> int:
        """The number, or the one before where it is none."""
        try:
            return whole_in(text)
        except ValueError:
            return self.value()

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Acceptable within the limits; a number that is not finished may still become one."""
        try:
            inside = self.minimum() <= whole_in(text) <= self.maximum()
        except ValueError:
            unfinished = all(sign in "0123456789.,+- " for sign in text)
            return (QValidator.State.Intermediate if unfinished else QValidator.State.Invalid, text, position)
        return (QValidator.State.Acceptable if inside else QValidator.State.Intermediate, text, position)

    def fixup(self, text: str) -> str:
        """Nothing is mended: Qt would take the group marks of the language out of '1.5'."""
        return text


class _NoWheel(QObject):
    """Scrolling the page must not change a value under the pointer."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QWheelEvent) and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def roomy(box: QAbstractSpinBox) -> QAbstractSpinBox:
    """Room left of the number, which the style sheet cannot give."""
    box.lineEdit().setTextMargins(6, 0, 0, 0)
    return box


def steady(widget: QWidget) -> None:
    """Let a widget take the wheel only when it has the focus."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_NoWheel(widget))


class Editor(QWidget):
    """Edits one option."""

    changed = Signal()

    def __init__(self, field: OptionField) -> None:
        super().__init__()
        self.field = field
        self.setToolTip(render(field.about.help))
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(10)

    def value(self) -> Value:
        """What is set."""
        raise NotImplementedError

    def set_value(self, value: Value) -> None:
        """Set it."""
        raise NotImplementedError

    def _hold(self, widget: QWidget) -> None:
        widget.setAccessibleName(render(self.field.about.title))
        widget.setAccessibleDescription(render(self.field.about.help))
        steady(widget)
        self.line.addWidget(widget, 1)


class SwitchEditor(Editor):
    """true or false."""

    def __init__(self, field: OptionField) -> None:
        super().__init__(field)
        self.box = QCheckBox(render(field.about.title))
        self.box.toggled.connect(self.changed)
        self._hold(self.box)

    def value(self) -> bool:
        return self.box.isChecked()

    def set_value(self, value: Value) -> None:
        self.box.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of a few names."""

    def __init__(self, field: OptionField) -> None:
        super().__init__(field)
        self.box = RoomyBox()
        for choice in field.about.choices:
            self.box.addItem(choice_title(choice), choice)
        self.box.currentIndexChanged.connect(self.changed)
        self._hold(self.box)

    def value(self) -> str:
        return str(self.box.currentData())

    def set_value(self, value: Value) -> None:
        self.box.setCurrentIndex(self.box.findData(value))


class LineEditor(Editor):
    """What is typed on one line."""

    def __init__(self, field: OptionField) -> None:
        super().__init__(field)
        self.box = QLineEdit()
        self.box.setAcceptDrops(False)  # files that fall here are the window's, as anywhere
        self.box.textChanged.connect(self.changed)
        self._hold(self.box)


class TextEditor(LineEditor):
    """A text."""

    def value(self) -> str:
        return self.box.text()

    def set_value(self, value: Value) -> None:
        self.box.setText(str(value))


class ListEditor(LineEditor):
    """A list, typed with commas between its pieces."""

    def value(self) -> Value:
        """The list; what was typed where that is none, for the config to say what is wrong with it."""
        return _value_of(self.field, self.box.text())

    def set_value(self, value: Value) -> None:
        pieces = value if isinstance(value, (tuple, list)) else ()
        self.box.setText(value if isinstance(value, str) else ", ".join(value_text((piece,)) for piece in pieces))


class TableEditor(Editor):
    """A table, typed with a line for each entry."""

    LINES = 3

    def __init__(self, field: OptionField) -> None:
        super().__init__(field)
        self.box = QPlainTextEdit()
        self.box.setAcceptDrops(False)
        self.box.setTabChangesFocus(True)
        self.box.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.box.setPlaceholderText(tr("OPTION=VALUE") if field.type is Overrides else tr("NAME=VALUE"))
        margins = 2 * (self.box.frameWidth() + round(self.box.document().documentMargin()))
        self.box.setFixedHeight(self.LINES * self.box.fontMetrics().lineSpacing() + margins)
        self.box.textChanged.connect(self.changed)
        self._hold(self.box)

    def value(self) -> Value:
        """The table; what was typed where that is none, for the config to say what is wrong with it."""
        return _value_of(self.field, self.box.toPlainText())

    def set_value(self, value: Value) -> None:
        lines = map(entry_text, entries_of(value)) if isinstance(value, Table) else [str(value or "")]
        self.box.setPlainText("\n".join(lines))


def _value_of(field: OptionField, text: str) -> Value:
    try:
        return parse_value(field, text)
    except ConfigError:
        return text


class SeveralEditor(Editor):
    """Some of a few things: a check box each."""

    def __init__(self, field: OptionField, titles: dict[str, str]) -> None:
        super().__init__(field)
        self.boxes = {name: QCheckBox(render(title)) for name, title in titles.items()}
        self._order: list[str] = []
        pile = QVBoxLayout()
        pile.setSpacing(4)
        for box in self.boxes.values():
            box.toggled.connect(self.changed)
            steady(box)
            pile.addWidget(box)
        self.line.addLayout(pile, 1)

    def value(self) -> tuple[str, ...]:
        """Their names; those that were set, in their order, then those that were checked since."""
        checked = [name for name, box in self.boxes.items() if box.isChecked()]
        kept = [name for name in self._order if name in checked]
        return (*kept, *(name for name in checked if name not in kept))

    def set_value(self, value: Value) -> None:
        self._order = list(value) if isinstance(value, (tuple, list)) else []
        for name, box in self.boxes.items():
            box.setChecked(name in self._order)


class NumberEditor(Editor):
    """A whole number or any number; with a tick for 'automatic' where the choice may be left to the program."""

    def __init__(self, field: OptionField) -> None:
        super().__init__(field)
        self.whole = field.type is int
        self.box: WholeBox | NumberBox = WholeBox() if self.whole else NumberBox()
        low, high = field.about.low, field.about.high
        if isinstance(self.box, WholeBox):
            self.box.setRange(
                int(low if low is not None else -MOST), int(min(high if high is not None else MOST, MOST))
            )
        else:
            self.box.setRange(low if low is not None else -1e9, high if high is not None else 1e9)
        self.box.setKeyboardTracking(False)
        roomy(self.box)
        self.box.valueChanged.connect(self.changed)
        self._hold(self.box)
        self.automatic = QCheckBox(self.tr("automatic"))
        self.automatic.toggled.connect(self._toggle)
        self.sensible: int | None = None  # what to begin with when it is not left to the program any more
        self.line.addWidget(self.automatic, 1)
        self.automatic.setVisible(field.optional)  # held by now: alone it would be a window for a moment

    def _toggle(self, automatic: bool) -> None:
        if not automatic and self.sensible is not None and self.box.value() == self.box.minimum():
            self.box.setValue(self.sensible)
        self.box.setVisible(not automatic)
        self.changed.emit()

    def value(self) -> int | float | None:
        if self.field.optional and self.automatic.isChecked():
            return None
        return self.box.value()

    def set_value(self, value: Value) -> None:
        self.automatic.setChecked(value is None)
        if isinstance(value, (int, float)):
            (self.box.setValue(int(value)) if isinstance(self.box, WholeBox) else self.box.setValue(float(value)))


def choice_title(choice: str) -> str:
    """'max_hamming' -> 'Max hamming', 'resnet18' -> 'ResNet-18'."""
    if choice == "auto":
        return tr("Automatic")
    if choice.startswith("resnet"):
        return choice.replace("resnet", "ResNet-")
    return render(choice[:1].upper() + choice[1:].replace("_", " "))


def editor_for(field: OptionField) -> Editor:
    """The editor of an option, by its type."""
    about = field.about
    if field.type is tuple and (about.several or about.choices):
        titles = about.several() if about.several else {name: choice_title(name) for name in about.choices}
        return SeveralEditor(field, titles)
    if field.type is tuple:
        return ListEditor(field)
    if field.type in (Table, Overrides):
        return TableEditor(field)
    if about.choices:
        return ChoiceEditor(field)
    if field.type is bool:
        return SwitchEditor(field)
    return NumberEditor(field) if field.type in (int, float) else TextEditor(field)
