"""The surroundings in the pictures of the built-in sample: a landscape with light from above, and a camera.

Fields are float32 (h, w), colours float32 (3, 1, 1) or (3, h, w) in [0, 1], y grows downwards.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Field = NDArray[np.floating[Any]]
Where = NDArray[np.bool_]
Colour = NDArray[np.float32]

SKIES = ((0.52, 0.72, 0.92), (0.75, 0.83, 0.90), (0.95, 0.74, 0.56), (0.66, 0.68, 0.74), (0.44, 0.60, 0.82))
GROUNDS = (
    (0.36, 0.46, 0.20), (0.47, 0.38, 0.26), (0.76, 0.67, 0.48), (0.42, 0.42, 0.38), (0.28, 0.36, 0.22),
    (0.60, 0.46, 0.30),
)  # fmt: skip


class Noise:
    """Smooth random fields, cut at random places from periodic ones that are made once for each side."""

    def __init__(self, side: int, rng: np.random.Generator) -> None:
        self.side = side
        size = 4 * side
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]) * size
        self._fields = {steepness: _periodic(frequency, steepness, rng) for steepness in (1.0, 1.6, 2.4)}

    def field(self, shape: tuple[int, ...], rng: np.random.Generator, steepness: float) -> Field:
        """Mean about 0, deviation about 1; steepness 1.0 is grainy, 2.4 is cloudy."""
        whole = self._fields[steepness]
        top, left = rng.integers(0, len(whole) - self.side, 2)
        return whole[top : top + shape[0], left : left + shape[1]]


def _periodic(frequency: NDArray[np.float64], steepness: float, rng: np.random.Generator) -> Field:
    amplitude = np.where(frequency >= 2, np.maximum(frequency, 1.0) ** -steepness, 0)
    white = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
    values = np.fft.irfft2(white * amplitude, s=(len(frequency), len(frequency)))
    field: Field = (values / values.std()).astype(np.float32)
    return field


@dataclass
class Canvas:
    """A picture in the making, or a window of it: what is painted in the window is painted in the picture.

    rgb (3, h, w) colour; height (h, w) for the light; owner (h, w) the number of the object on top, 0 for none;
    x, y (h, w) places: 0 at the left and top edge of the whole picture, 1 at the right and bottom edge.
    """

    rgb: NDArray[np.float32]
    height: Field
    owner: NDArray[np.uint8]
    x: Field
    y: Field
    rng: np.random.Generator
    noise: Noise

    def window(self, x: tuple[float, float], y: tuple[float, float]) -> "Canvas":
        """The part between two places from left to right and two from top to bottom; they may lie outside."""
        side = self.noise.side
        left, right, top, bottom = (min(max(round(place * side), 0), side) for place in (*x, *y))
        cut = (slice(top, bottom), slice(left, right))
        return Canvas(
            self.rgb[:, *cut], self.height[cut], self.owner[cut], self.x[cut], self.y[cut], self.rng, self.noise
        )

    def field(self, steepness: float) -> Field:
        """A new smooth random field of the size of the window."""
        return self.noise.field(self.owner.shape, self.rng, steepness)

    def paint(self, where: Where, colour: Colour, owner: int | None = None) -> None:
        """Cover `where` with a colour (3, 1, 1) or a field of colours (3, h, w)."""
        np.copyto(self.rgb, colour, where=where)
        if owner is not None:
            np.copyto(self.owner, np.uint8(owner), where=where)


def _blank(side: int, rng: np.random.Generator, noise: Noise) -> Canvas:
    steps = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    x, y = np.meshgrid(steps, steps)
    flat = np.zeros((side, side), np.float32)
    return Canvas(np.zeros((3, side, side), np.float32), flat, np.zeros((side, side), np.uint8), x, y, rng, noise)


def landscape(side: int, rng: np.random.Generator, noise: Noise) -> Canvas:
    """Sky with clouds, hills, and ground whose grain grows towards the viewer."""
    canvas = _blank(side, rng, noise)
    horizon = rng.uniform(-0.05, 0.62)
    ground = _jitter(GROUNDS[rng.integers(len(GROUNDS))], 0.035, rng) * np.float32(rng.uniform(0.75, 1.2))
    _sky(canvas, horizon)
    _hills(canvas, horizon, ground)
    _ground(canvas, horizon, ground)
    for _ in range(rng.integers(0, 7)):
        pebble(canvas, horizon)
    for _ in range(rng.integers(0, 3) * 9):
        blade(canvas, ground, rng.uniform(max(horizon, 0.1), 1.05))
    return canvas


def _jitter(colour: tuple[float, float, float], width: float, rng: np.random.Generator) -> Colour:
    return rgb(*np.clip(np.asarray(colour) + rng.normal(0, width, 3), 0.02, 0.98))


def rgb(red: float, green: float, blue: float) -> Colour:
    """(3, 1, 1)"""
    return np.asarray([red, green, blue], np.float32)[:, None, None]


def _sky(canvas: Canvas, horizon: float) -> None:
    rng = canvas.rng
    top = _jitter(SKIES[rng.integers(len(SKIES))], 0.05, rng)
    low = np.clip(top * 0.6 + rgb(0.42, 0.40, 0.36), 0, 1).astype(np.float32)
    share = np.clip(canvas.y / max(horizon, 0.1), 0, 1)
    clouds = np.clip(canvas.field(2.4) - rng.uniform(0.2, 1.6), 0, 1) * 0.8
    sky = top * (1 - share) + low * share
    canvas.rgb[:] = sky * (1 - clouds) + clouds * np.float32(0.96)


def _hills(canvas: Canvas, horizon: float, ground: Colour) -> None:
    rng = canvas.rng
    for distance in (0.75, 0.45):
        ridge = horizon - 0.12 * distance * (1 + canvas.field(2.4)[0])
        haze = rgb(0.62, 0.68, 0.74)
        colour = (ground * (1 - distance) + haze * distance) * np.float32(rng.uniform(0.8, 1.05))
        canvas.paint(canvas.y > ridge, colour)


def _ground(canvas: Canvas, horizon: float, ground: Colour) -> None:
    rng = canvas.rng
    edge = horizon + 0.015 * canvas.field(1.6)[0]
    depth = np.clip((canvas.y - horizon) / (1 - horizon), 0, 1)
    grain = canvas.field(1.0) * (0.3 + 0.7 * depth) * rng.uniform(0.03, 0.13)
    patches = canvas.field(1.6) * rng.uniform(0.03, 0.12)
    other = rgb(*GROUNDS[rng.integers(len(GROUNDS))])
    tint = (other - ground) * np.clip(canvas.field(2.4) * 0.4 + rng.uniform(-0.4, 0.5), 0, 1)
    light = 0.78 + 0.3 * depth + grain + patches
    canvas.paint(canvas.y > edge, (ground + tint) * light)


def pebble(canvas: Canvas, horizon: float) -> None:
    """A stone that is lit from above, larger the nearer it lies."""
    rng = canvas.rng
    x0, y0 = rng.uniform(0, 1), rng.uniform(max(horizon, 0.0) + 0.05, 1.02)
    size = (0.2 + 0.8 * (y0 - horizon)) * rng.uniform(0.03, 0.1)
    part = canvas.window((x0 - 1.4 * size, x0 + 1.4 * size), (y0 - 1.4 * size, y0 + 1.6 * size))
    u, v = (part.x - x0) / size, (part.y - y0) / (size * rng.uniform(0.5, 0.9))
    part.rgb *= np.where((u * u * 0.8 + (v - 0.5) ** 2 * 1.6) < 1, np.float32(0.72), np.float32(1))
    grey = _jitter((0.5, 0.46, 0.42), 0.05, rng)
    light = 0.85 - 0.4 * v - 0.15 * u + 0.08 * part.field(1.0)
    part.paint(u * u + v * v + 0.2 * part.field(2.4) < 1, np.clip(grey * light, 0, 1))


def blade(canvas: Canvas, ground: Colour, foot: float, owner: int | None = None) -> None:
    """A blade of grass that bends to one side, wide at its foot."""
    rng = canvas.rng
    tall, lean, root = rng.uniform(0.1, 0.35), rng.normal(0, 0.12), rng.uniform(-0.05, 1.05)
    reach = 0.02 + abs(lean)
    part = canvas.window((root - reach, root + reach), (foot - tall, foot))
    share = np.clip((foot - part.y) / tall, 0, 1)
    middle = root + lean * share * share
    where = np.abs(part.x - middle) < rng.uniform(0.006, 0.016) * (1 - share)
    green = np.clip(ground * rng.uniform(0.6, 1.3) + rgb(0.0, 0.10, -0.03), 0, 1).astype(np.float32)
    part.paint(where, (green * (0.75 + 0.5 * share)).astype(np.float32), owner)


def occlude(canvas: Canvas) -> None:
    """Now and then grass or a stone stands before the object; what it hides is background in the mask."""
    rng = canvas.rng
    if rng.random() < 0.35:
        green = _jitter(GROUNDS[0], 0.08, rng)
        for _ in range(rng.integers(3, 14)):
            blade(canvas, green, rng.uniform(0.75, 1.15), owner=0)


def shine(canvas: Canvas) -> None:
    """Light from above on the height of the object: slopes that face it are brighter."""
    rng = canvas.rng
    slope_y, slope_x = np.gradient(canvas.height * (len(canvas.owner) / 24))
    angle = rng.uniform(-0.9, 0.9)
    light = 1 + 0.42 * np.clip(slope_y * np.cos(angle) + slope_x * np.sin(angle), -1, 1)
    canvas.rgb *= np.where(canvas.owner > 0, light, 1).astype(np.float32)


def photograph(canvas: Canvas, side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """((side, side, 3) picture, (side, side) mask): smaller, with uneven light, exposure, blur and noise."""
    rng = canvas.rng
    angle = rng.uniform(0, 2 * np.pi)
    uneven = (canvas.x - 0.5) * np.cos(angle) + (canvas.y - 0.5) * np.sin(angle)
    canvas.rgb *= (1 + rng.uniform(0, 0.5) * uneven).astype(np.float32)
    factor = len(canvas.owner) // side
    small = np.moveaxis(_means(canvas.rgb, factor), 0, -1)
    white = rng.normal(1, 0.03, 3).astype(np.float32)  # white balance
    small = (np.clip(small, 0, 1) ** rng.uniform(0.8, 1.3) - 0.5) * rng.uniform(0.75, 1.1) + rng.normal(0.5, 0.04)
    small = small * white
    image = Image.fromarray((np.clip(small, 0, 1) * 255).astype(np.uint8))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(max(0.0, rng.normal(0.25, 0.35)))), np.float32)
    noisy = soft + rng.standard_normal(soft.shape, np.float32) * np.float32(rng.uniform(1, 7))
    mask = canvas.owner.reshape(side, factor, side, factor)[:, factor // 2, :, factor // 2]
    return np.clip(noisy, 0, 255).astype(np.uint8), np.ascontiguousarray(mask)


def _means(rgb: Colour, factor: int) -> Colour:
    """(3, h, w) -> (3, h / factor, w / factor)"""
    small = np.zeros_like(rgb[:, ::factor, ::factor])
    for dy in range(factor):
        for dx in range(factor):
            small += rgb[:, dy::factor, dx::factor]
    return small / np.float32(factor * factor)


def shadow(canvas: Canvas) -> None:
    """The object darkens the scenery below and beside it."""
    rng = canvas.rng
    side = len(canvas.owner)
    inside = Image.fromarray((canvas.owner > 0).view(np.uint8) * np.uint8(255))
    soft = np.asarray(inside.filter(ImageFilter.BoxBlur(side * rng.uniform(0.015, 0.04))), np.float32)
    moved = np.roll(soft, (int(side * rng.uniform(0.02, 0.05)), int(side * rng.normal(0, 0.03))), (0, 1))
    light = 1 - moved * np.float32(rng.uniform(0.2, 0.6) / 255)
    canvas.rgb *= np.where(canvas.owner == 0, light, np.float32(1))
