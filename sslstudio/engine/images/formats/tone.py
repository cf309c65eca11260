"""Any mode and bit depth -> 8 bits a person would recognise: mode L or RGB.

Pictures of 8 bits are left as they are. Deeper ones are stretched: the darkest and the brightest half per cent of the
values become black and white, so that 12-bit data in a 16-bit file, temperatures or Hounsfield units are all visible.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sslstudio.engine.core.errors import DataError

Values = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

LOW, HIGH = 0.5, 99.5  # per cent
_PADDING_LEAST, _DATA_LEAST = 0.005, 0.1  # share of the pixels that are no data, and that are some
_FAR, _LEVELS = 4, 16  # times the range of the data; different values of it
STRIP = 4_000_000  # values that are converted at once
_MANY = 50_000_000  # values that are not all sorted
_SAMPLE = 1_000_000  # values that are enough to find the percentiles


def stretch(values: Values, *, padding: npt.NDArray[np.bool_] | None = None) -> Bytes:
    """Percentile stretch to 0..255, same shape, over all values at once (colours keep their hue).

    Larger values never become darker. What is not finite counts as the darkest; so does `padding` (true where there is
    no data; same shape, or without the channels), which has no say in the range. If the percentiles meet (few bright
    points on black), the whole range counts; one value everywhere is black.
    """
    values = np.abs(values) if np.iscomplexobj(values) else values
    if padding is not None and padding.ndim < values.ndim:
        padding = np.broadcast_to(padding[..., None], values.shape)
    if padding is not None and (padding.all() or not padding.any()):
        padding = None
    low, high = _range(values, padding)
    made = np.empty(values.shape, np.uint8)
    for rows in strips(values):
        made[rows] = _stretched(values[rows], None if padding is None else padding[rows], low, high)
    return made


def strips(values: Values) -> Iterator[slice]:
    """The rows of an array in parts of a few megabytes: what is made on the way need not be in memory for all."""
    rows = max(1, STRIP // max(1, values[:1].size)) if values.ndim else 1
    return (slice(start, start + rows) for start in range(0, len(values), rows))


def in_strips(work: Callable[[Values], Values], values: Values) -> Values:
    """What `work` makes of all values, done for some rows at a time: only for what looks at each pixel by itself."""
    parts = [slice(0, 0), *strips(values)]
    first = work(values[parts[1]]) if len(parts) > 1 else work(values)
    if len(parts) <= 2:
        return first
    made = np.empty((len(values), *first.shape[1:]), first.dtype)
    made[parts[1]] = first
    for rows in parts[2:]:
        made[rows] = work(values[rows])
    return made


def _stretched(values: Values, padding: npt.NDArray[np.bool_] | None, low: float, high: float) -> Bytes:
    work = np.float32 if values.dtype.itemsize <= 2 else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.nan_to_num(values.astype(work), nan=low, posinf=high, neginf=low)
    if padding is not None:
        scaled[padding] = low
    np.clip(scaled, low, high, out=scaled)
    if high - low > np.finfo(np.float64).max:  # the span of a 64-bit picture can be beyond what a float holds
        scaled, low, high = scaled / 4, low / 4, high / 4
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    share = (scaled - work(low)) / work(high - low)
    return np.asarray(np.rint(share * 255), dtype=np.uint8)


def find_padding(values: Values) -> npt.NDArray[np.bool_] | None:
    """Where whole numbers of 16 bits and more hold the least or the largest value of their type far from all others: no
    data, as scanners and mosaics write it. (h, w); None where nothing is so.

    Far is several times the range of all that is left: neither saturated nor dark pixels of a picture are meant.
    """
    if values.dtype.kind not in "ui" or values.dtype.itemsize < 2 or values.ndim < 2:
        return None
    about = np.iinfo(values.dtype)
    for extreme in (about.max, about.min):
        found = values == extreme
        found = found.all(-1) if values.ndim > 2 else found
        if not _PADDING_LEAST <= found.mean() <= 1 - _DATA_LEAST:
            continue
        rest = values[~found]
        low, high = int(rest.min()), int(rest.max())
        if min(abs(extreme - low), abs(extreme - high)) >= _FAR * max(high - low, 1) and len(np.unique(rest)) > _LEVELS:
            return np.asarray(found)
    return None


def _range(values: Values, padding: npt.NDArray[np.bool_] | None) -> tuple[float, float]:
    step = max(1, int(np.sqrt(values.shape[0] * values.shape[1] / _SAMPLE))) if values.ndim >= 2 else 1
    for every in dict.fromkeys((step, 1)):
        if every == 1 and step > 1 and values.size > _MANY:  # a sample of one value: seldom others are few points
            return _extremes(values, padding)
        part = (slice(None, None, every),) * min(values.ndim, 2)
        finite = _finite(values[part], None if padding is None else padding[part])
        if not finite.size:
            continue
        low, high = np.percentile(finite, (LOW, HIGH), method="nearest")
        if low < high:
            return float(low), float(high)
        low, high = finite.min(), finite.max()
        if low < high:
            return float(low), float(high)
    return 0.0, 0.0


def _extremes(values: Values, padding: npt.NDArray[np.bool_] | None) -> tuple[float, float]:
    found = [_finite(values[rows], None if padding is None else padding[rows]) for rows in strips(values)]
    ends = [(float(one.min()), float(one.max())) for one in found if one.size]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 0.0)


def range_of(values: Values) -> tuple[float, float]:
    """The values that become black and white where values are stretched to 8 bits; (0, 0) if all are one value."""
    return _range(values, find_padding(values))


def _finite(values: Values, padding: npt.NDArray[np.bool_] | None) -> Values:
    keep = np.isfinite(values)
    if padding is not None:
        keep &= ~padding
    return values[keep]


def eight_bits(values: Values, padding: npt.NDArray[np.bool_] | None = None) -> Bytes:
    """uint8 as it is, true/false as white/black, anything else stretched (`padding` as there)."""
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint8:
        return values
    return stretch(values, padding=find_padding(values) if padding is None else padding)


def shown_channels(count: int) -> int:
    """How many of so many channels (without opacity) are shown where none were chosen: of two the first."""
    return 3 if count >= 3 else 1


def choose(values: Values, channels: Sequence[int]) -> Values:
    """(h, w[, c]) -> the channels of these numbers (from 1): (h, w, 1 or 3), a third that was not asked for is zero.

    Raises DataError for a channel that is not there.
    """
    values = values[..., None] if values.ndim == 2 else values
    count = values.shape[2]
    if max(channels) > count:
        raise DataError(
            "channel {asked} was chosen, and it has {n} {n:plural(channel|channels)}", asked=max(channels), n=count
        )
    if tuple(channels) == tuple(range(channels[0], channels[0] + len(channels))):
        chosen = values[..., channels[0] - 1 : channels[-1]]  # not copied
    else:
        chosen = values[..., [number - 1 for number in channels]]
    return np.concatenate([chosen, np.zeros_like(chosen[..., :1])], axis=-1) if len(channels) == 2 else chosen


def from_values(
    values: Values,
    *,
    colour: bool,
    alpha: int | None = None,
    channels: Sequence[int] = (),
    padding: npt.NDArray[np.bool_] | None = None,
) -> Image.Image:
    """(h, w) or (h, w, channels) of any type -> L or RGB.

    Of two channels the first is shown, of more the first three: stretched together if they are a `colour`, each on
    its own if they are independent measurements. `alpha` is the channel that holds opacity. `channels` chooses others
    (numbers from 1). `padding` is true, in the shape of the values or without channels, where there is no data.
    """
    if values.ndim == 2:
        values = values[..., None]
    if padding is not None and padding.ndim == 2:
        padding = np.broadcast_to(padding[..., None], values.shape)
    opacity = None if alpha is None else values[..., alpha]
    if opacity is not None and opacity.any() and not opacity.all():
        clear = np.broadcast_to((opacity == 0)[..., None], values.shape)
        padding = clear if padding is None else padding | clear
    numbers = tuple(channels) or tuple(range(1, 1 + (1 if alpha == 1 else shown_channels(values.shape[2]))))
    shown = choose(values, numbers)
    unused = None if padding is None else choose(padding, numbers)
    if colour or shown.shape[2] == 1:
        pixels = eight_bits(shown, unused)
    else:
        each = [None if unused is None else unused[..., number] for number in range(shown.shape[2])]
        pixels = np.empty(shown.shape, np.uint8)
        for number, one in enumerate(each):
            pixels[..., number] = eight_bits(shown[..., number], one)
    if opacity is not None:
        pixels = _over_white(pixels, opacity)
    return Image.fromarray(np.ascontiguousarray(pixels if pixels.shape[2] == 3 else pixels[..., 0]))


def unmultiplied(values: Values, alpha: int) -> Values:
    """Colours (h, w, c) that were stored multiplied by their opacity (associated alpha), as they were before."""
    return in_strips(partial(_unmultiplied, alpha=alpha), values)


def _unmultiplied(values: Values, alpha: int) -> Values:
    opacity = values[..., alpha].astype(np.float64)
    top = float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0
    factor = np.divide(top, opacity, out=np.ones_like(opacity), where=opacity > 0)[..., None]
    whole = np.clip(values * factor, 0, None if values.dtype.kind == "f" else top)
    whole[..., alpha] = opacity
    return np.asarray(np.rint(whole) if values.dtype.kind in "ui" else whole).astype(values.dtype)


# CIE Lab of the white of print (D50) -> linear sRGB: the inverse of the matrix of the standard, adapted by Bradford.
_D50 = np.array([0.96422, 1.0, 0.82521])
_TO_SRGB = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)


def lab_to_rgb(lab: npt.NDArray[np.float64]) -> Bytes:
    """CIE Lab (h, w, 3), L in 0..100, a and b about -128..127, white D50 -> sRGB uint8 (ICC.1 and IEC 61966-2-1)."""
    middle = (lab[..., 0] + 16) / 116
    roots = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], axis=-1)
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _D50
    linear = np.clip(xyz @ _TO_SRGB.T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(curved * 255), dtype=np.uint8)


def _over_white(pixels: Bytes, opacity: Values) -> Bytes:
    """Lay the picture on white. An opacity of zero everywhere is an unused channel, not an invisible picture."""
    if not opacity.any():
        return pixels
    top = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "ui" else 1.0
    made = np.empty(pixels.shape, np.uint8)
    for rows in strips(pixels):
        share = np.clip(np.nan_to_num(opacity[rows].astype(np.float32)) / top, 0, 1)[..., None]
        made[rows] = np.rint(pixels[rows] * share + 255 * (1 - share))
    return made


def flatten(image: Image.Image) -> Image.Image:
    """A loaded Pillow picture of any mode -> L or RGB, transparent places white."""
    mode = image.mode
    if mode.startswith(("I", "F")):
        return from_values(np.asarray(image), colour=False)
    if mode in ("La", "RGBa"):
        return flatten(image.convert("LA" if mode == "La" else "RGBA"))
    if mode in ("PA", "LA", "RGBA") or "transparency" in image.info:
        return _on_white(image)
    if mode in ("L", "RGB"):
        return image
    if mode == "1":
        return image.convert("L")
    return image.getchannel(0) if mode == "LAB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Lay a picture with opacity on white, some rows at a time."""
    rows = max(1, STRIP // max(1, image.width))
    boxes = [(0, top, image.width, min(image.height, top + rows)) for top in range(0, image.height, rows)]
    seen = any(image.crop(box).convert("RGBA").getchannel("A").getextrema() != (0, 0) for box in boxes)
    made = Image.new("RGB", image.size, (255, 255, 255))
    for box in boxes:
        part = image.crop(box).convert("RGBA")
        made.paste(part.convert("RGB"), box, part.getchannel("A") if seen else None)
    return made
