"""Any mode and bit depth -> 8 bits a person would recognise: mode L or RGB.

Pictures of 8 bits are left as they are. Deeper ones are stretched: the darkest and the brightest half per cent of the
values become black and white, so that 12-bit data in a 16-bit file, temperatures or Hounsfield units are all visible.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Values = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

LOW, HIGH = 0.5, 99.5  # per cent
_SAMPLE = 1_000_000  # values that are enough to find the percentiles


def stretch(values: Values, *, ignore: float | None = None) -> Bytes:
    """Percentile stretch to 0..255, same shape, over all values at once (colours keep their hue).

    Larger values never become darker. What is not finite counts as the darkest, `ignore` (padding) has no say in the
    range. If the percentiles meet (few bright points on black), the whole range counts; one value everywhere is black.
    """
    values = np.abs(values) if np.iscomplexobj(values) else values
    low, high = _range(values, ignore)
    work = np.float32 if values.dtype.itemsize <= 2 else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.nan_to_num(values.astype(work), nan=low, posinf=high, neginf=low)
    np.clip(scaled, low, high, out=scaled)
    if high - low > np.finfo(np.float64).max:  # the span of a 64-bit picture can be beyond what a float holds
        scaled, low, high = scaled / 4, low / 4, high / 4
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    share = (scaled - work(low)) / work(high - low)
    return np.asarray(np.rint(share * 255), dtype=np.uint8)


def _range(values: Values, ignore: float | None) -> tuple[float, float]:
    step = max(1, int(np.sqrt(values.shape[0] * values.shape[1] / _SAMPLE))) if values.ndim >= 2 else 1
    sample = values[::step, ::step] if values.ndim >= 2 else values
    for chosen in (sample, values):
        finite = _finite(chosen, ignore)
        if not finite.size:
            continue
        low, high = np.percentile(finite, (LOW, HIGH), method="nearest")
        if low < high:
            return float(low), float(high)
        low, high = finite.min(), finite.max()
        if low < high:
            return float(low), float(high)
    return 0.0, 0.0


def _finite(values: Values, ignore: float | None) -> Values:
    keep = np.isfinite(values)
    if ignore is not None and (values != ignore).any():
        keep &= values != ignore
    return values[keep]


def eight_bits(values: Values) -> Bytes:
    """uint8 as it is, true/false as white/black, anything else stretched."""
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    return values if values.dtype == np.uint8 else stretch(values)


def from_values(values: Values, *, colour: bool, alpha: int | None = None) -> Image.Image:
    """(h, w) or (h, w, channels) of any type -> L or RGB.

    Of two channels the first is shown, of more the first three: stretched together if they are a `colour`, each on
    its own if they are independent measurements. `alpha` is the channel that holds opacity.
    """
    if values.ndim == 2:
        values = values[..., None]
    kept = 3 if values.shape[2] >= 3 and alpha != 1 else 1
    shown = values[..., :kept]
    if colour or kept == 1:
        pixels = eight_bits(shown)
    else:
        pixels = np.stack([eight_bits(shown[..., channel]) for channel in range(kept)], axis=-1)
    if alpha is not None:
        pixels = _over_white(pixels, values[..., alpha])
    return Image.fromarray(np.ascontiguousarray(pixels if kept == 3 else pixels[..., 0]))


def _over_white(pixels: Bytes, opacity: Values) -> Bytes:
    """Lay the picture on white. An opacity of zero everywhere is an unused channel, not an invisible picture."""
    if not opacity.any():
        return pixels
    top = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "ui" else 1.0
    share = np.clip(np.nan_to_num(opacity.astype(np.float32)) / top, 0, 1)[..., None]
    return np.asarray(np.rint(pixels * share + 255 * (1 - share)), dtype=np.uint8)


def flatten(image: Image.Image) -> Image.Image:
    """A loaded Pillow picture of any mode -> L or RGB, transparent places white."""
    mode = image.mode
    if mode.startswith(("I", "F")):
        return from_values(np.asarray(image), colour=False)
    if mode in ("La", "RGBa"):
        return flatten(image.convert("LA" if mode == "La" else "RGBA"))
    if mode in ("PA", "LA", "RGBA") or "transparency" in image.info:
        return _on_white(image.convert("RGBA"))
    if mode in ("L", "RGB"):
        return image
    if mode == "1":
        return image.convert("L")
    return image.getchannel(0) if mode == "LAB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    alpha = image.getchannel("A")
    colours = image.convert("RGB")
    if alpha.getextrema() == (0, 0):
        return colours
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(colours, mask=alpha)
    return white
