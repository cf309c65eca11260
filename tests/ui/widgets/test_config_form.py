from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.engine.config import BaseConfig, OptionField, option, options_of
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.train.settings import BudgetConfig, DataConfig, FinetuneConfig, HardwareConfig, OptimiserConfig
from sslstudio.ui.widgets.config_form import ConfigForm
from sslstudio.ui.widgets.fields import NumberEditor

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
    some: str = option("b,a", "Some", "Some of a few.", several=lambda: {"a": "First", "b": "Second", "c": "Third"})
    sort: str = option("one", "Sort", "One of some.", choices=("one", "two"))
    side: int | None = option(None, "Side", "May be left to the program.", low=16, high=512)
    deep: float = option(2.0, "Deep", "For experts.", low=0.0, high=3.0, advanced=True)


def texts() -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12)


def values(field: OptionField) -> st.SearchStrategy[Any]:
    """Values that an option takes, of those that a person would type."""
    about = field.about
    if about.several is not None:
        names = sorted(about.several())
        some: st.SearchStrategy[Any] = st.lists(st.sampled_from(names), min_size=2, unique=True).map(",".join)
    elif about.choices:
        some = st.sampled_from(about.choices)
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
