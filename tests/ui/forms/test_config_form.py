from dataclasses import dataclass
from typing import Any

import pytest
import shiboken6
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.config import BaseConfig, OptionField, Overrides, Table, option, options_of, section
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, DataConfig, FinetuneConfig, HardwareConfig, OptimiserConfig
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.editors import ListEditor, NumberBox, NumberEditor, number_in, whole_in
from sslstudio.ui.pages.train.finetune_settings import SOME_LABELS, FinetuneSettings

TASKS = [load_tasks()[name].Config for name in load_tasks()]
CONFIGS: list[type[BaseConfig]] = [*TASKS, DataConfig, OptimiserConfig, BudgetConfig, HardwareConfig, FinetuneConfig]


@dataclass(frozen=True, kw_only=True)
class Everything(BaseConfig):
    """One option of every sort."""

    count: int = option(3, "Count", "How many.", low=1, high=9)
    share: float = option(0.25, "Share", "What part.", low=0.0, high=1.0)
    tiny: float = option(1e-5, "Tiny", "A small number.", low=1e-9, high=1.0)
    on: bool = option(True, "On", "Whether.")
    name: str = option("x", "Name", "A text.")
    some: tuple[str, ...] = option(
        ("b", "a"), "Some", "Some of a few.", several=lambda: {"a": "First", "b": "Second", "c": "Third"}
    )
    counts: tuple[int, ...] = option((5, 10), "Counts", "Some numbers.", low=1)
    places: Table[str] = option(Table(), "Places", "Places by name.")
    later: Overrides = option(
        Overrides(), "Later", "Options of others.", sections=lambda: {"optimiser": OptimiserConfig}
    )
    budget: BudgetConfig = section(BudgetConfig, "Budget", "How long.")
    sort: str = option("one", "Sort", "One of some.", choices=("one", "two"))
    side: int | None = option(None, "Side", "May be left to the program.", low=16, high=512)
    deep: float = option(2.0, "Deep", "For experts.", low=0.0, high=3.0, advanced=True)


def texts() -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12)


NAMES = st.text(
    st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="="), min_size=1, max_size=9
).filter(lambda text: text == text.strip())


def values(field: OptionField) -> st.SearchStrategy[Any]:
    """Values that an option takes, of those that a person would type."""
    about = field.about
    if about.several is not None:
        names = sorted(about.several())
        some: st.SearchStrategy[Any] = st.lists(st.sampled_from(names), min_size=2, unique=True).map(tuple)
    elif about.choices:
        some = st.sampled_from(about.choices)
    elif field.type is tuple:
        some = st.lists(st.integers(1, 10**6)).map(tuple)
    elif field.type is Table:
        some = st.dictionaries(NAMES, NAMES).map(Table)
    elif field.type is Overrides:
        some = st.sampled_from([Overrides(), Overrides({"optimiser": {"batch_size": 8, "clip": 0.5}})])
    elif field.type is bool:
        some = st.booleans()
    elif field.type is int:
        some = st.integers(int(about.low or 0), int(about.high or 2**31 - 1))
    elif field.type is float:
        some = st.floats(about.low or 0.0, about.high or 1e6).map(lambda number: float(f"{number:.4g}"))
        some = some.filter(
            lambda number: (about.low or 0.0) <= number <= (about.high or 1e6) and round(number, 10) == number
        )
    else:
        some = texts()
    return st.none() | some if field.optional else some


@pytest.mark.parametrize("config", CONFIGS)
def test_what_goes_in_comes_out(config: type[BaseConfig], qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(config())
    assert form.config() == config()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_allowed_values_come_out_as_they_went_in(data: st.DataObject, qapp: QApplication) -> None:
    given_values = {field.name: data.draw(values(field)) for field in options_of(Everything)}
    form = ConfigForm()
    form.show_config(Everything())
    for name, value in given_values.items():
        form.editor(name).set_value(value)
    assert form.config() == Everything(**given_values)
    shiboken6.delete(form)


def test_titles_limits_and_help_are_those_of_the_declaration(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything())
    count = form.editor("count")
    assert isinstance(count, NumberEditor)
    assert (count.box.minimum(), count.box.maximum()) == (1, 9)
    assert count.toolTip() == "How many."
    assert count.box.accessibleName() == "Count"


def test_advanced_options_are_folded_away(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything())
    form.show()
    assert form.editor("count").isVisible()
    assert not form.editor("deep").isVisible()


def test_reset_brings_the_defaults_back_and_says_so_once(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything(count=7, on=False, side=64))
    said: list[int] = []
    form.changed.connect(lambda: said.append(1))
    form.reset()
    assert form.config() == Everything()
    assert said == [1]


def test_options_that_are_not_shown_keep_their_values(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything(name="kept"), only=("count",))
    form.editor("count").set_value(5)
    assert form.config() == Everything(name="kept", count=5)
    assert list(form.values()) == ["count"]


@pytest.mark.parametrize(("typed", "value"), [("1e-5", 1e-5), ("0,25", 0.25), ("0.5", 0.5)])
def test_numbers_may_be_typed_as_people_write_them(typed: str, value: float, qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything())
    editor = form.editor("tiny")
    assert isinstance(editor, NumberEditor)
    editor.box.lineEdit().selectAll()
    QTest.keyClicks(editor.box.lineEdit(), typed)
    editor.box.interpretText()
    assert editor.value() == value


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("0,001", 0.001), ("0.001", 0.001), ("1,5", 1.5), ("1.500", 1.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5),
        ("1,234,567", 1_234_567), ("1.234.567", 1_234_567), ("1 234,5", 1234.5), ("1e-5", 1e-5), ("-2,5", -2.5),
    ],
)  # fmt: skip
def test_numbers_of_any_language_are_understood(typed: str, value: float) -> None:
    assert number_in(typed) == value


@pytest.mark.parametrize("typed", ["", "1,2,3", "1.2.3", "1,23.456,7", "a", "1..2"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="float"):
        number_in(typed)
    with pytest.raises(ValueError, match="int"):
        whole_in(typed)


@given(st.floats(-1e9, 1e9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_a_field_shows_it_reads_back(spoken: str, value: float) -> None:
    """The law, in both languages: what is shown means the same number."""
    box = NumberBox()
    box.setRange(-1e9, 1e9)
    shown = box.textFromValue(value)
    assert ("," in shown) <= (spoken == "de")
    assert box.valueFromText(shown) == float(f"{value:.10g}")


def test_whole_numbers_have_the_marks_of_the_language(spoken: str, qtbot: QtBot) -> None:
    field = next(one for one in options_of(BudgetConfig) if one.type is int)
    editor = NumberEditor(field)
    qtbot.addWidget(editor)
    editor.set_value(12_345)
    assert editor.box.text() == ("12.345" if spoken == "de" else "12,345")
    for typed in ("54321", "54.321", "54,321", "54 321"):
        editor.set_value(7)
        line = editor.box.lineEdit()
        line.selectAll()
        QTest.keyClicks(line, typed)
        QTest.keyClick(line, Qt.Key.Key_Return)
        assert editor.value() == 54_321
    editor.set_value(7)
    line.selectAll()
    QTest.keyClicks(line, "1.5")  # never taken for 15
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert editor.value() == 7


def test_what_is_no_list_is_refused_by_the_config_in_words(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything())
    editor = form.editor("counts")
    assert isinstance(editor, ListEditor)
    assert editor.box.text() == "5, 10"
    editor.box.setText("5, x")
    with pytest.raises(ConfigError, match="counts = 'x' is not a whole number"):
        form.config()
    form.reset()
    assert form.config() == Everything()
    form.editor("later").set_value("optimiser.batch_sise=8")
    with pytest.raises(ConfigError, match="Did you mean 'batch_size'"):
        form.config()


def test_a_section_with_a_title_is_a_group_of_the_form(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(Everything())
    form.group("budget").editor("epochs").set_value(7)
    assert form.config() == Everything(budget=BudgetConfig(epochs=7))
    form.reset()
    assert form.config() == Everything()


def test_a_number_that_is_no_longer_automatic_begins_with_a_sensible_one(qtbot: QtBot) -> None:
    made = FinetuneSettings(QWidget())
    qtbot.addWidget(made)
    editor = made.form.editor("labels_per_class")
    assert isinstance(editor, NumberEditor)
    assert editor.value() is None
    editor.automatic.setChecked(False)
    assert editor.value() == SOME_LABELS
    editor.box.setValue(3)
    editor.automatic.setChecked(True)
    editor.automatic.setChecked(False)
    assert editor.value() == 3  # what a person chose stays
