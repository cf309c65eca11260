from collections.abc import Callable
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from sslstudio.ui.theme import DARK, LIGHT, Colours, ink_on, palette, style_sheet, theme, tint
from sslstudio.ui.widgets.confusion_matrix import shade
from sslstudio.ui.widgets.layout import Card


def luminance(name: str) -> float:
    """Relative luminance of WCAG 2."""
    colour = QColor(name)
    parts = [colour.redF(), colour.greenF(), colour.blueF()]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("window", "surface", "side", "raised", "sunken", "field", "hover", "selection", "notice")


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "bad", "warn"])
def test_texts_can_be_read(scheme: Colours, ink: str) -> None:
    colours = asdict(scheme)
    found = {ground: contrast(colours[ink], colours[ground]) for ground in GROUNDS}
    assert min(found.values()) >= 4.5, found
    assert min(contrast(scheme.accent_text, ground) for ground in (scheme.accent, scheme.accent_hover)) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_hints_in_empty_fields_can_be_read(scheme: Colours) -> None:
    made = palette(scheme)
    hint, field = (made.color(role).name() for role in (QPalette.ColorRole.PlaceholderText, QPalette.ColorRole.Base))
    assert contrast(hint, field) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_numbers_can_be_read_on_every_shade_of_a_matrix(scheme: Colours) -> None:
    grounds = [shade(scheme, number / 100) for number in range(101)]
    assert min(contrast(ink_on(one).name(), one.name()) for one in grounds) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_curves_stand_out_from_their_ground(scheme: Colours) -> None:
    for colour in scheme.series[:3]:
        assert contrast(colour, scheme.surface) >= 3


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_every_name_in_the_style_is_filled_in(scheme: Colours) -> None:
    sheet = style_sheet(scheme, 10)
    assert "$" not in sheet
    assert scheme.accent in sheet


def test_the_scheme_changes_while_the_program_runs(qtbot: QtBot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    tint(button, "play")

    def shade() -> float:
        image = button.icon().pixmap(24).toImage()
        return max(image.pixelColor(x, y).lightnessF() for x in range(24) for y in range(24)
                   if image.pixelColor(x, y).alpha() > 200)  # fmt: skip

    theme().follow("light")
    light = shade()
    with qtbot.waitSignal(theme().changed):
        theme().follow("dark")
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    assert DARK.window in app.styleSheet()
    assert QApplication.palette().window().color().name() == DARK.window
    assert shade() > light + 0.5
    theme().follow("light")
    assert QApplication.palette().window().color().name() == LIGHT.window


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_borders_of_fields_stand_out_from_every_ground(scheme: Colours) -> None:
    colours = asdict(scheme)
    found = {ground: contrast(scheme.field_border, colours[ground]) for ground in GROUNDS}
    assert min(found.values()) >= 3, found  # WCAG 1.4.11


def place_button() -> QToolButton:
    made = QToolButton()
    made.setProperty("role", "place")
    return made


FIELDS = (QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QCheckBox, QRadioButton, place_button)


@pytest.mark.parametrize("appearance", ["light", "dark"])
@pytest.mark.parametrize("make", FIELDS)
def test_fields_are_seen_on_a_card_and_on_the_page(make: Callable[[], QWidget], appearance: str, qtbot: QtBot) -> None:
    theme().follow(appearance)
    scheme = theme().colours
    for holder in (Card(), QWidget()):
        qtbot.addWidget(holder)
        holder.setObjectName(holder.objectName() or "page")
        one = make()
        one.setParent(holder)
        holder.resize(240, 80)
        one.setGeometry(20, 20, 160, 40)
        image = holder.grab().toImage()
        line = [image.pixelColor(x, 40).name() for x in range(10, 60)]  # across its left border
        ground = scheme.surface if isinstance(holder, Card) else scheme.window
        assert line[0] == ground
        edge = next(colour for colour in line if colour != ground)
        assert contrast(edge, ground) >= 3, (edge, ground)
    theme().follow("system")
