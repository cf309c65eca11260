"""Levels of a picture, and from values to shades."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from sslstudio.engine.images.formats.decode import Measured
from sslstudio.ui.viewer.canvas import drag_window
from sslstudio.ui.viewer.pyramid import SMALLEST, Pyramid, Shader, Window, build_pyramid


def pyramid_of(values: np.ndarray, low: float = 0.0, high: float = 255.0) -> Pyramid:
    return build_pyramid(Measured(values, low, high, False, 1, 1))


def test_each_level_is_the_mean_of_the_one_before() -> None:
    values = np.arange(1200 * 700, dtype=np.uint16).reshape(1200, 700) % 5000
    made = pyramid_of(values, 0, 5000)
    assert [level.shape for level in made.levels] == [(1200, 700), (600, 350), (300, 175)]
    assert made.levels[1][0, 0] == int(values[:2, :2].astype(int).sum()) // 4
    assert made.size == (700, 1200)
    assert max(made.levels[-1].shape) <= SMALLEST
    assert made.deep
    assert made.bits == 16


@pytest.mark.parametrize(("scale", "level"), [(8.0, 0), (1.0, 0), (0.5, 1), (0.25, 2), (0.01, 2)])
def test_the_level_fits_the_zoom(scale: float, level: int) -> None:
    assert pyramid_of(np.zeros((2000, 1000, 3), np.uint8)).level_for(scale) == level


@given(st.integers(-2000, 2000), st.integers(1, 4000), st.sampled_from([np.int16, np.uint16, np.float32, np.int32]))
def test_shades_rise_with_the_values_and_keep_to_the_window(low: int, width: int, kind: type) -> None:
    values: npt.NDArray[Any] = np.linspace(0 if kind is np.uint16 else -3000, 6000, 64).astype(kind).reshape(8, 8)
    image = Shader().shade(values, Window(low, low + width))
    shades = np.frombuffer(image.constBits(), np.uint8).reshape(8, image.bytesPerLine())[:, :8].ravel().astype(int)
    assert (np.diff(shades) >= 0).all()
    assert all(shades[values.ravel() <= low] == 0)
    assert all(shades[values.ravel() >= low + width] == 255)
    dark = Shader().shade(values, Window(low, low + width, True))
    turned = np.frombuffer(dark.constBits(), np.uint8).reshape(8, dark.bytesPerLine())[:, :8].ravel()
    assert (shades + turned == 255).all()


def test_dragging_to_the_right_gives_contrast_and_upwards_light() -> None:
    made = pyramid_of(np.full((20, 20), 7, np.uint8))
    window = drag_window(Window(0, 255), QPointF(100, -80), made)
    assert window.high - window.low < 255
    assert (window.low + window.high) / 2 < 127.5


def test_what_is_in_sight_of_a_large_scan_is_shaded_at_once() -> None:
    part = np.random.default_rng(0).integers(0, 4000, (1000, 1600), dtype=np.uint16)
    shader = Shader()
    shader.shade(part, Window(0, 4000))
    began = time.perf_counter()
    for step in range(5):
        shader.shade(part, Window(step, 3000 + step))
    assert (time.perf_counter() - began) / 5 < 0.1
