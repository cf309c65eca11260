from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from sslstudio.engine.labels.masks.files import PALETTE
from sslstudio.ui.base.theme import DARK, LIGHT, MASKS, Colours, class_colour, ink_on, palette, style_sheet, theme, tint
from sslstudio.ui.pages.results.confusion_matrix import shade
from sslstudio.ui.pages.results.map_colours import STEP_MARKS
from sslstudio.ui.widgets.layout import Card
from tests.support.contrast import faint


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


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_hints_are_painted_as_they_are_meant(appearance: str, qtbot: QtBot) -> None:
    theme().follow(appearance)
    field = QLineEdit()
    field.setPlaceholderText("Search by name")
    qtbot.addWidget(field)
    field.show()
    assert faint(field) == [], "the style sheet must not make them half transparent"
    theme().follow("system")


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


# What people see who lack one of the three cones, in linear RGB: Machado, Oliveira & Fernandes 2009, "A
# physiologically-based model for simulation of color vision deficiency", at severity 1.0.
VISIONS = {
    "all three cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ.sum(axis=1)
APART = 14  # six times the difference that is just noticed side by side, 2.3 (Mahy, Van Eycken & Oosterlinck 1994)


def lab(name: str, vision: str) -> npt.NDArray[np.float64]:
    """CIE 1976 L*, a*, b* of a colour as it is seen with this vision."""
    colour = QColor(name)
    coded = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    relative = XYZ @ np.clip(VISIONS[vision] @ linear, 0, 1) / WHITE
    x, y, z = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours: Sequence[str], vision: str) -> tuple[float, str, str]:
    """The two that are hardest to tell apart, and how far apart they are (delta E 1976)."""
    seen = {name: lab(name, vision) for name in colours}
    assert len(seen) == len(colours)
    return min((float(np.linalg.norm(seen[a] - seen[b])), a, b) for a, b in combinations(colours, 2))


def test_the_simulation_knows_what_the_colour_blind_mix_up() -> None:
    red, green = "#d92b2b", "#7d7d00"  # of a traffic light, for whom they are one colour
    assert nearest((red, green), "all three cones")[0] > 60
    assert nearest((red, green), "deuteranopia")[0] < APART
    assert nearest(("#0000ff", "#ffff00"), "protanopia")[0] > 100
    assert nearest(("#00a0ff", "#00a89f"), "tritanopia")[0] < APART < nearest(("#00a0ff", "#00a89f"), "protanopia")[0]
    for vision in VISIONS:
        assert lab("#ffffff", vision) == pytest.approx([100, 0, 0], abs=0.1)  # greys stay as they are
        assert lab("#808080", vision) == pytest.approx([53.6, 0, 0], abs=0.1)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("where", "used"),
    [
        ("curves", lambda scheme: scheme.series),
        ("curves beside the line of guessing", lambda scheme: (*scheme.series[:3], scheme.chance)),
        ("for and against an answer", lambda scheme: scheme.series[:2]),
        ("pictures that both, one or no network got right",
         lambda scheme: (scheme.strong_border, *scheme.series[:2], scheme.sunken)),
        ("right and wrong", lambda scheme: (scheme.good, scheme.bad)),
        ("classes of masks and points", lambda _: MASKS[1:]),
        ("overlaps from bad to good", lambda _: [class_colour(mark) for mark in STEP_MARKS if mark]),
        ("the two ends of a matrix", lambda scheme: [shade(scheme, share).name() for share in (0, 1)]),
    ],
)  # fmt: skip
def test_colours_that_mean_something_are_told_apart_with_every_vision(
    where: str, used: Callable[[Colours], Sequence[str]], scheme: Colours, vision: str
) -> None:
    distance, one, other = nearest(used(scheme), vision)
    assert distance >= APART, f"{where}: {one} and {other}"


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_matrix_gets_steadily_darker_or_lighter_the_fuller_a_cell_is(scheme: Colours, vision: str) -> None:
    lightness = np.array([lab(shade(scheme, number / 20).name(), vision)[0] for number in range(21)])
    steps = np.diff(lightness) * np.sign(lightness[-1] - lightness[0])
    assert steps.min() > 1, "each twentieth is a step that is to be seen"


def test_masks_on_disk_have_the_colours_of_the_window() -> None:
    assert MASKS == PALETTE


def place_button() -> QToolButton:
    made = QToolButton()
    made.setProperty("role", "place")
    return made


FIELDS = (QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox, QComboBox, QCheckBox, QRadioButton, place_button)


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
