"""The five kinds of things in the built-in sample, told apart by their outline and their inner structure.

Each draws itself in its own frame: u to the right and v to the head, about 1 long from the centre to the tip.
Colour is left to chance, with some habits (leaves are often green), so that it does not give the kind away.
"""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sslstudio.engine.sample.scene import Canvas, Colour, Field, Where, rgb


@dataclass
class Frame:
    """Where the object lies on the canvas: its own coordinates, its number in the mask, and its colours."""

    canvas: Canvas
    number: int
    u: Field
    v: Field
    main: Colour
    second: Colour
    dark: Colour

    @property
    def rng(self) -> np.random.Generator:
        """The generator of this picture."""
        return self.canvas.rng

    def paint(self, where: Where, colour: Colour, height: Field | None = None) -> None:
        """Add a part on top of what is there."""
        self.canvas.paint(where, colour, self.number)
        if height is not None:
            np.copyto(self.canvas.height, height, where=where, casting="same_kind")

    def add_grain(self, colour: Colour, strength: float) -> Colour:
        """Turn a colour into a field with fine irregularities."""
        grain = 1 + strength * self.canvas.field(1.6)
        return np.clip(colour * grain, 0, 1).astype(np.float32)

    def mix(self, share: Field | Where, colour: Colour, under: Colour) -> Colour:
        """`colour` where share is 1, `under` where it is 0."""
        weight = np.asarray(share, np.float32)
        return (colour * weight + under * (1 - weight)).astype(np.float32)


def make_frame(canvas: Canvas, number: int, habits: tuple[float, ...]) -> Frame:
    """A frame at a random place, size, turn and tilt, with a random bend; `habits` are the usual hues of the kind."""
    rng = canvas.rng
    size, turn, tilt = rng.uniform(0.27, 0.45), rng.normal(0, 0.5), rng.uniform(0.75, 1.0)
    x0, y0 = rng.uniform(0.36, 0.64), rng.uniform(0.42, 0.66)
    reach = 1.3 * size  # a stalk and feelers go beyond the tip
    canvas = canvas.window((x0 - reach, x0 + reach), (y0 - reach, y0 + reach))
    dx = (canvas.x - np.float32(x0)) / np.float32(size) + 0.05 * canvas.field(2.4)
    dy = (np.float32(y0) - canvas.y) / np.float32(size * tilt) + 0.05 * canvas.field(2.4)
    u = (dx * np.cos(turn) + dy * np.sin(turn)).astype(np.float32)
    v = (dy * np.cos(turn) - dx * np.sin(turn)).astype(np.float32)
    hue = rng.choice(habits) if rng.random() < 0.75 else rng.random()
    main = _colour(hue + rng.normal(0, 0.03), rng.uniform(0.15, 0.75), rng.uniform(0.35, 0.9))
    second = _colour(hue + rng.choice([0.0, 0.08, -0.08, 0.5]), rng.uniform(0.15, 0.75), rng.uniform(0.5, 1.0))
    if abs(float(main.mean() - second.mean())) < 0.15:
        second = second * np.float32(0.45)
    return Frame(canvas, number, u, v, main, second, main * np.float32(rng.uniform(0.2, 0.45)))


def _colour(hue: float, saturation: float, value: float) -> Colour:
    return rgb(*colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


def _ellipse(frame: Frame, u0: float, v0: float, a: float, b: float) -> Field:
    """Below 1 inside."""
    u, v = (frame.u - u0) * (1 / a), (frame.v - v0) * (1 / b)
    return u * u + v * v


def _dome(r2: Field) -> Field:
    return np.sqrt(np.clip(1 - r2, 0, 1))


def _line(frame: Frame, start: tuple[float, float], end: tuple[float, float]) -> Field:
    """Distance to a straight piece."""
    du, dv = end[0] - start[0], end[1] - start[1]
    u, v = frame.u - start[0], frame.v - start[1]
    along = np.clip((u * du + v * dv) * (1 / (du * du + dv * dv)), 0, 1)
    u -= along * du
    v -= along * dv
    distance: Field = np.sqrt(u * u + v * v)
    return distance


def _spots(frame: Frame, count: int, radius: float, mirrored: bool) -> Where:
    spots = np.zeros(frame.u.shape, bool)
    u = np.abs(frame.u) if mirrored else frame.u
    for _ in range(count):
        at = frame.rng.uniform(0.08 if mirrored else -0.6, 0.6), frame.rng.uniform(-0.75, 0.6)
        spots |= np.square(u - at[0]) + np.square(frame.v - at[1]) < (radius * frame.rng.uniform(0.6, 1.3)) ** 2
    return spots


def beetle(frame: Frame) -> None:
    """Six legs and two feelers, head, neck shield, and wing cases with a seam; spotted, striped, banded or plain."""
    rng = frame.rng
    limbs = np.zeros(frame.u.shape, bool)
    for side in (-1, 1):
        for foot, knee in ((0.75, 0.62), (0.0, 0.08), (-0.72, -0.5)):
            knee_at, foot_at = (
                (side * 0.62, knee * 0.8 + 0.1),
                (side * rng.uniform(0.72, 0.9), foot + rng.normal(0, 0.08)),
            )
            limbs |= _line(frame, (side * 0.25, 0.3 * knee), knee_at) < 0.05
            limbs |= _line(frame, knee_at, foot_at) < 0.035
        limbs |= _line(frame, (side * 0.08, 0.8), (side * 0.35, 1.08)) < 0.025
    frame.paint(limbs, frame.dark)
    wide = rng.uniform(0.42, 0.6)
    for v0, a, b in ((0.78, wide * 0.42, 0.17), (0.55, wide * 0.72, 0.2)):
        part = _ellipse(frame, 0, v0, a, b)
        frame.paint(
            part < 1, frame.add_grain(frame.dark if rng.random() < 0.6 else frame.second, 0.1), _dome(part) * 0.4
        )
    case = _ellipse(frame, 0, -0.15, wide, 0.66)
    frame.paint(
        case < 1, frame.mix(_case_pattern(frame, wide), frame.second, frame.add_grain(frame.main, 0.06)), _dome(case)
    )
    frame.paint((case < 1) & (np.abs(frame.u) < 0.022), frame.dark)


def _case_pattern(frame: Frame, wide: float) -> Where:
    rng = frame.rng
    kind = rng.integers(4)
    if kind == 0:
        return _spots(frame, int(rng.integers(2, 6)), 0.11, mirrored=True)
    if kind == 1:
        return np.asarray(np.cos(frame.u / wide * rng.uniform(10, 16)) > 0.3)
    if kind == 2:
        return np.asarray(np.sin(frame.v * rng.uniform(7, 12) + rng.uniform(0, 6)) > 0.35)
    return np.zeros(frame.u.shape, bool)


def butterfly(frame: Frame) -> None:
    """Two pairs of wings with dark rims, veins and eye spots, a thin body and feelers with clubs."""
    rng = frame.rng
    across = np.abs(frame.u)
    radius, angle = np.hypot(across, frame.v), np.arctan2(frame.v, across)
    upper_at, lower_at = rng.uniform(0.55, 0.8), rng.uniform(-0.75, -0.5)
    for centre, long, broad in ((lower_at, rng.uniform(0.65, 0.85), 0.55), (upper_at, rng.uniform(0.95, 1.1), 0.5)):
        edge = long * np.clip(np.cos(np.clip((angle - centre) / broad, -1.57, 1.57)), 0, 1) ** 0.45
        edge = edge * (1 + 0.03 * np.cos(angle * rng.integers(14, 26)))
        share = radius / np.maximum(edge, 1e-3)
        wing = frame.mix(share > rng.uniform(0.8, 0.9), frame.dark, _wing_colours(frame, angle, share))
        frame.paint(
            (share < 1) & (edge > 0.05), wing, 0.25 * np.clip(1 - np.abs(angle - centre), 0, 1).astype(np.float32)
        )
        spot_u, spot_v = 0.62 * long * np.cos(centre), 0.62 * long * np.sin(centre)
        spot = np.hypot(across - spot_u, frame.v - spot_v) / rng.uniform(0.08, 0.16)
        if rng.random() < 0.7:
            frame.paint(spot < 1, frame.dark)
            frame.paint(spot < 0.55, frame.second)
    _butterfly_body(frame)


def _wing_colours(frame: Frame, angle: Field, share: Field) -> Colour:
    rng = frame.rng
    under = frame.add_grain(frame.main, 0.08)
    if rng.random() < 0.5:
        under = frame.mix((share > 0.4) & (share < rng.uniform(0.5, 0.7)), frame.second, under)
    return frame.mix(np.abs(np.sin(angle * rng.uniform(7, 10))) < 0.1, frame.dark, under)


def _butterfly_body(frame: Frame) -> None:
    body = _ellipse(frame, 0, -0.05, 0.08, 0.55)
    for side in (-1, 1):
        tip = (side * frame.rng.uniform(0.2, 0.35), 0.92)
        frame.paint(_line(frame, (0, 0.45), tip) < 0.022, frame.dark)
        frame.paint(_ellipse(frame, *tip, 0.045, 0.045) < 1, frame.dark)
    frame.paint(body < 1, frame.add_grain(frame.dark, 0.2), _dome(body) * 0.4)


def leaf(frame: Frame) -> None:
    """A blade with a midrib and side veins that run forward; smooth, toothed or lobed, with a stalk."""
    rng = frame.rng
    bend = rng.normal(0, 0.22)
    u = frame.u - bend * np.square(frame.v)
    along = np.clip(frame.v, -1, 1)
    width = rng.uniform(0.35, 0.62) * np.clip(1 - along * along, 0, 1) ** rng.uniform(0.55, 0.9) * (1 - 0.35 * along)
    kind = rng.integers(3)
    if kind == 1:
        width = width * (0.9 + 0.1 * _saw(along * rng.uniform(5, 9)))
    elif kind == 2:
        width = width * (0.72 + 0.28 * np.cos(along * rng.uniform(9, 14)))
    stalk = (np.abs(u) < 0.04) & (frame.v < -0.9) & (frame.v > -rng.uniform(1.1, 1.25))
    frame.paint(stalk, frame.dark)
    blade = (np.abs(u) < width) & (np.abs(frame.v) < 1)
    veins = np.abs(_saw((along - rng.uniform(0.5, 0.9) * np.abs(u)) * rng.uniform(3.5, 6)) - 0.5) > 0.42
    vein_colour = frame.main * np.float32(rng.choice([0.6, 1.45]))
    blotches = np.clip(frame.canvas.field(1.6) - rng.uniform(0.3, 2.0), 0, 1)
    colour = frame.mix(blotches, frame.second, frame.add_grain(frame.main, 0.07))
    colour = np.clip(frame.mix((veins | (np.abs(u) < 0.035)), vein_colour, colour), 0, 1).astype(np.float32)
    fold = np.clip(np.abs(u) / np.maximum(width, 0.05), 0, 1)
    frame.paint(blade, colour, (0.35 * np.sin(fold * 2.2)).astype(np.float32))


def _saw(phase: Field) -> Field:
    return (phase - np.floor(phase)).astype(np.float32)


def shell(frame: Frame) -> None:
    """A snail's spiral: whorls that widen outwards, seams, ribs across or bands along, and an opening."""
    rng = frame.rng
    hand = rng.choice([-1, 1])
    u, v = frame.u * hand, frame.v
    radius = np.maximum(np.hypot(u, v), 1e-3)
    angle = np.arctan2(v, u)  # -pi..pi
    widening = rng.uniform(0.17, 0.26)  # growth of the radius: exp(widening * angle)
    outer = 0.98 * np.exp(widening * (angle - np.pi))
    whorl = np.log(outer / radius) / (widening * 2 * np.pi)  # 0 at the outer rim, 1 a turn further in
    turn = angle - 2 * np.pi * np.floor(whorl)  # unrolled along the spiral
    across = _saw(whorl.astype(np.float32))
    colour = frame.add_grain(frame.main, 0.08)
    if rng.random() < 0.5:
        colour = frame.mix(np.cos(turn * rng.uniform(7, 12)) > 0.45, frame.second, colour)
    else:
        colour = frame.mix(np.abs(across - rng.uniform(0.3, 0.7)) < rng.uniform(0.08, 0.16), frame.second, colour)
    colour = frame.mix((across < 0.07) | (across > 0.95), frame.dark, colour)
    frame.paint(radius < outer, colour, (0.5 * np.sin(np.pi * across)).astype(np.float32))
    middle = 0.5 * (0.98 + 0.98 * np.exp(-widening * 2 * np.pi))
    half = 0.98 - middle
    mouth = np.square((u + middle) / half) + np.square((v + 0.02) / (half * 0.75))
    frame.paint(mouth < 1, frame.add_grain(frame.dark, 0.15))
    frame.paint((mouth < 1) & (mouth > 0.62), frame.second)


def starfish(frame: Frame) -> None:
    """Five arms, now and then six, a little bent, with a row of knobs along each."""
    rng = frame.rng
    arms = 5 if rng.random() < 0.85 else 6
    radius = np.hypot(frame.u, frame.v)
    angle = np.arctan2(frame.v, frame.u) + rng.normal(0, 0.25) * radius + rng.uniform(0, 6)
    off = (_saw((angle * arms / (2 * np.pi)).astype(np.float32)) - 0.5) * (2 * np.pi / arms)  # from the arm's middle
    across, along = radius * np.sin(off), radius * np.cos(off)
    half = rng.uniform(0.22, 0.34) * np.clip(1 - along, 0, 1) ** rng.uniform(0.5, 0.9)
    share = np.abs(across) / np.maximum(half, 1e-3)
    knobs = np.hypot(_saw((along * rng.uniform(6, 9)).astype(np.float32)) - 0.5, across * 8) < 0.32
    if rng.random() < 0.6:
        knobs |= np.hypot(_saw((along * 8).astype(np.float32)) - 0.5, (np.abs(across) - 0.11) * 9) < 0.3
    colour = frame.mix(np.clip(share, 0, 1) ** 3, frame.dark, frame.add_grain(frame.main, 0.12))
    colour = frame.mix(knobs & (share < 0.85), frame.second, colour)
    frame.paint((share < 1) & (along < 1), colour, 0.45 * _dome(np.square(share)) * np.clip(1.1 - along, 0, 1))


KINDS: dict[str, tuple[Callable[[Frame], None], tuple[float, ...]]] = {
    "beetle": (beetle, (0.02, 0.08, 0.33, 0.6)),
    "butterfly": (butterfly, (0.08, 0.14, 0.58, 0.75)),
    "leaf": (leaf, (0.08, 0.13, 0.25, 0.33)),
    "shell": (shell, (0.06, 0.1, 0.13, 0.95)),
    "starfish": (starfish, (0.02, 0.07, 0.75, 0.6)),
}
"""Name -> how it is drawn and its usual hues (0 red, 0.33 green, 0.67 blue)."""
