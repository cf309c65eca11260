"""The surroundings in the pictures of the built-in sample: a landscape with light from above, and a camera.

Fields are float32 (n, n), colours float32 in [0, 1], y grows downwards; n is the side of the supersampled canvas.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Field = NDArray[np.float32]
Where = NDArray[np.bool_]

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

    def field(self, rng: np.random.Generator, steepness: float) -> Field:
        """(n, n) with mean about 0 and deviation about 1; steepness 1.0 is grainy, 2.4 is cloudy."""
        whole = self._fields[steepness]
        top, left = rng.integers(0, len(whole) - self.side, 2)
        cut = whole[top : top + self.side, left : left + self.side]
        return cut[:, ::-1] if rng.random() < 0.5 else cut


def _periodic(frequency: NDArray[np.float64], steepness: float, rng: np.random.Generator) -> Field:
    amplitude = np.where(frequency >= 2, np.maximum(frequency, 1.0) ** -steepness, 0)
    white = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
    values = np.fft.irfft2(white * amplitude, s=(len(frequency), len(frequency)))
    return (values / values.std()).astype(np.float32)


@dataclass
class Canvas:
    """A picture in the making: colour (n, n, 3), height for the light, and the number of what lies on top."""

    rgb: NDArray[np.float32]
    height: Field
    owner: NDArray[np.uint8]
    rng: np.random.Generator
    noise: Noise
    x: Field = field(init=False)  # 0 at the left edge, 1 at the right one
    y: Field = field(init=False)  # 0 at the top edge, 1 at the bottom

    def __post_init__(self) -> None:
        steps = (np.arange(len(self.rgb), dtype=np.float32) + 0.5) / len(self.rgb)
        self.x, self.y = np.meshgrid(steps, steps)

    def paint(self, where: Where, colour: NDArray[np.float32], owner: int | None = None) -> None:
        """Cover `where` with a colour (3,) or a field of colours (n, n, 3)."""
        self.rgb[where] = colour[where] if colour.ndim == 3 else colour
        if owner is not None:
            self.owner[where] = owner


def landscape(side: int, rng: np.random.Generator, noise: Noise) -> Canvas:
    """Sky with clouds, hills, and ground whose grain grows towards the viewer."""
    black = np.zeros((side, side, 3), np.float32)
    canvas = Canvas(black, np.zeros((side, side), np.float32), np.zeros((side, side), np.uint8), rng, noise)
    horizon = rng.uniform(-0.05, 0.62)
    ground = _jitter(GROUNDS[rng.integers(len(GROUNDS))], 0.07, rng)
    _sky(canvas, horizon)
    _hills(canvas, horizon, ground)
    _ground(canvas, horizon, ground)
    for _ in range(rng.integers(0, 7)):
        pebble(canvas, horizon)
    for _ in range(rng.integers(0, 3) * 9):
        blade(canvas, ground, rng.uniform(max(horizon, 0.1), 1.05))
    return canvas


def _jitter(colour: tuple[float, float, float], width: float, rng: np.random.Generator) -> NDArray[np.float32]:
    return np.clip(np.asarray(colour) + rng.normal(0, width, 3), 0.02, 0.98).astype(np.float32)


def _sky(canvas: Canvas, horizon: float) -> None:
    rng = canvas.rng
    top = _jitter(SKIES[rng.integers(len(SKIES))], 0.05, rng)
    low = np.clip(top * 0.6 + np.asarray([0.42, 0.40, 0.36]), 0, 1).astype(np.float32)
    share = np.clip(canvas.y / max(horizon, 0.1), 0, 1)[..., None]
    clouds = np.clip(canvas.noise.field(rng, 2.4) - rng.uniform(0.2, 1.6), 0, 1)[..., None] * 0.8
    sky = top * (1 - share) + low * share
    canvas.rgb[:] = sky * (1 - clouds) + clouds * np.float32(0.96)


def _hills(canvas: Canvas, horizon: float, ground: NDArray[np.float32]) -> None:
    rng = canvas.rng
    for distance in (0.75, 0.45):
        ridge = horizon - 0.12 * distance * (1 + canvas.noise.field(rng, 2.4)[0])
        haze = np.asarray([0.62, 0.68, 0.74], np.float32)
        colour = (ground * (1 - distance) + haze * distance) * np.float32(rng.uniform(0.8, 1.05))
        canvas.paint(canvas.y > ridge[None], colour)


def _ground(canvas: Canvas, horizon: float, ground: NDArray[np.float32]) -> None:
    rng = canvas.rng
    edge = horizon + 0.015 * canvas.noise.field(rng, 1.6)[0]
    depth = np.clip((canvas.y - horizon) / (1 - horizon), 0, 1)
    grain = canvas.noise.field(rng, 1.0) * (0.3 + 0.7 * depth) * rng.uniform(0.03, 0.13)
    patches = canvas.noise.field(rng, 1.6) * rng.uniform(0.03, 0.12)
    tint = _jitter((0.0, 0.0, 0.0), 0.6, rng) * canvas.noise.field(rng, 2.4)[..., None] * 0.08
    light = (0.78 + 0.3 * depth + grain + patches)[..., None]
    canvas.paint(canvas.y > edge[None], (ground + tint) * light)


def pebble(canvas: Canvas, horizon: float) -> None:
    """A stone that is lit from above, larger the nearer it lies."""
    rng = canvas.rng
    y0 = rng.uniform(max(horizon, 0.0) + 0.05, 1.02)
    size = (0.2 + 0.8 * (y0 - horizon)) * rng.uniform(0.03, 0.1)
    u, v = (canvas.x - rng.uniform(0, 1)) / size, (canvas.y - y0) / (size * rng.uniform(0.5, 0.9))
    r2 = u * u + v * v + 0.2 * canvas.noise.field(rng, 2.4)
    canvas.rgb[(u * u * 0.8 + (v - 0.5) ** 2 * 1.6) < 1] *= 0.72
    grey = _jitter((0.5, 0.46, 0.42), 0.08, rng)
    light = (0.85 - 0.4 * v - 0.15 * u + 0.08 * canvas.noise.field(rng, 1.0))[..., None]
    canvas.paint(r2 < 1, np.clip(grey * light, 0, 1))


def blade(canvas: Canvas, ground: NDArray[np.float32], foot: float, owner: int | None = None) -> None:
    """A blade of grass that bends to one side, wide at its foot."""
    rng = canvas.rng
    tall, lean = rng.uniform(0.1, 0.35), rng.normal(0, 0.12)
    share = np.clip((foot - canvas.y) / tall, 0, 1)
    middle = rng.uniform(-0.05, 1.05) + lean * share * share
    where = (np.abs(canvas.x - middle) < rng.uniform(0.006, 0.016) * (1 - share)) & (canvas.y < foot)
    green = np.clip(ground * rng.uniform(0.6, 1.3) + np.asarray([0.0, 0.10, -0.03]), 0, 1).astype(np.float32)
    canvas.paint(where, (green * (0.75 + 0.5 * share)[..., None]).astype(np.float32), owner)


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
    slope_y, slope_x = np.gradient(canvas.height * (len(canvas.rgb) / 24))
    angle = rng.uniform(-0.9, 0.9)
    light = 1 + 0.42 * np.clip(slope_y * np.cos(angle) + slope_x * np.sin(angle), -1, 1)
    inside = canvas.owner > 0
    canvas.rgb[inside] *= light[inside, None].astype(np.float32)


def photograph(canvas: Canvas, side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """((side, side, 3) picture, (side, side) mask): smaller, with uneven light, exposure, blur and noise."""
    rng = canvas.rng
    angle = rng.uniform(0, 2 * np.pi)
    uneven = (canvas.x - 0.5) * np.cos(angle) + (canvas.y - 0.5) * np.sin(angle)
    canvas.rgb *= (1 + rng.uniform(0, 0.5) * uneven)[..., None].astype(np.float32)
    factor = len(canvas.rgb) // side
    small = canvas.rgb.reshape(side, factor, side, factor, 3).mean((1, 3))
    small = (np.clip(small, 0, 1) ** rng.uniform(0.8, 1.3) - 0.5) * rng.uniform(0.75, 1.1) + 0.5 + rng.normal(0, 0.04)
    small *= 1 + rng.normal(0, 0.03, 3)  # white balance
    image = Image.fromarray((np.clip(small, 0, 1) * 255).astype(np.uint8))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(max(0.0, rng.normal(0.25, 0.35)))), np.float32)
    noisy = soft + rng.standard_normal(soft.shape, np.float32) * np.float32(rng.uniform(1, 7))
    mask = canvas.owner.reshape(side, factor, side, factor)[:, factor // 2, :, factor // 2]
    return np.clip(noisy, 0, 255).astype(np.uint8), np.ascontiguousarray(mask)


def shadow(canvas: Canvas, scenery: NDArray[np.float32]) -> None:
    """The object darkens the scenery below and beside it."""
    rng = canvas.rng
    side = len(canvas.rgb)
    inside = Image.fromarray(((canvas.owner > 0) * 255).astype(np.uint8))
    soft = np.asarray(inside.filter(ImageFilter.BoxBlur(side * rng.uniform(0.015, 0.04))), np.float32) / 255
    moved = np.roll(soft, (int(side * rng.uniform(0.02, 0.05)), int(side * rng.normal(0, 0.03))), (0, 1))
    outside = canvas.owner == 0
    canvas.rgb[outside] = (scenery * (1 - rng.uniform(0.2, 0.6) * moved)[..., None])[outside]
