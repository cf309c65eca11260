"""HTML and SVG in small pieces. Every text is escaped here and nowhere else."""

import base64
import html
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image

INK, SOFT, LINE = "#1a232d", "#586472", "#dfe4ea"
# Okabe & Ito (2008): first pretrained or training, second scratch or held-out.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
DASHES = ("", "7 4", "2 3", "9 3 2 3")  # so that no colour has to be told apart
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 250, 62, 40, 14, 14
MOST_POINTS = 300


class Markup(str):
    """A text that is HTML already."""


def mark(name: str, *content: str | Markup, **attributes: str) -> Markup:
    """An element. A trailing underscore of an attribute is dropped (class_), others become hyphens."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


def joined(pieces: Iterable[str | Markup]) -> Markup:
    """Pieces one after the other, plain texts escaped."""
    return Markup("".join(piece if isinstance(piece, Markup) else html.escape(piece, quote=False) for piece in pieces))


def inline(picture: Image.Image) -> str:
    """A picture as a data address."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def image(data: str, said: str) -> Markup:
    """A picture that is in the page itself; `said` tells it to those who do not see it."""
    return Markup(f'<img src="{html.escape(data)}" alt="{html.escape(said)}">')


def table(head: Sequence[str], rows: Iterable[Sequence[str | Markup]]) -> Markup:
    """A table whose first column names its rows."""
    top = mark("tr", *(mark("th", cell, scope="col") for cell in head))
    lines = [mark("tr", mark("th", row[0], scope="row"), *(mark("td", cell) for cell in row[1:])) for row in rows]
    return mark("table", mark("thead", top), mark("tbody", *lines))


@dataclass(frozen=True)
class Series:
    """A line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """Lines over steps, and what guessing reaches (None where nothing is guessed)."""

    title: str
    series: tuple[Series, ...]
    chance: float | None = None


def svg(chart: Chart) -> Markup:
    """A chart as inline SVG with axes, dashes and a legend."""
    shown = [thinned(one) for one in chart.series if any(value == value for value in one.y)]
    values = [value for one in shown for value in one.y] + ([chart.chance] if chart.chance is not None else [])
    steps = [step for one in shown for step in one.x]
    if not values or not steps:
        return Markup("")
    low, high = _limits(values)
    first, last = min(steps), max(max(steps), min(steps) + 1)

    def place(step: float, value: float) -> tuple[float, float]:
        x = LEFT + (step - first) / (last - first) * (WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

    pieces = [_line(*place(first, value), *place(last, value), LINE) for value in _ticks(low, high)]
    pieces += [_text(LEFT - 8, place(first, value)[1] + 4, f"{value:.3g}", "end") for value in _ticks(low, high)]
    pieces += [_text(place(step, low)[0], HEIGHT - 20, f"{step:,.0f}", "middle") for step in (first, last)]
    pieces.append(_text((LEFT + WIDTH) / 2, HEIGHT - 5, "step", "middle"))
    if chart.chance is not None:
        pieces.append(_line(*place(first, chart.chance), *place(last, chart.chance), SOFT, "4 4"))
    for number, one in enumerate(shown):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, one.x, one.y))
        colour, dash = SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
        pieces.append(Markup(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        ))  # fmt: skip
    legend = ", ".join(f"{one.name} ({('line', 'dashes', 'dots', 'dash and dot')[number % 4]})"
                       for number, one in enumerate(shown))  # fmt: skip
    legend += "; thin dashes: what guessing reaches" if chart.chance is not None else ""
    drawing = mark(
        "svg", *pieces, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"{chart.title}: {legend}",
        xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip
    return mark("figure", drawing, mark("figcaption", mark("b", chart.title), f" {legend}"))


def thinned(series: Series) -> Series:
    """The same line in at most 300 points, each the mean of its neighbours; points that are no numbers left out."""
    points = [(x, y) for x, y in zip(series.x, series.y, strict=True) if y == y]
    size = max(1, -(-len(points) // MOST_POINTS))
    bins = [points[start : start + size] for start in range(0, len(points), size)]
    x, y = ([sum(point[axis] for point in one) / len(one) for one in bins] for axis in (0, 1))
    return Series(series.name, x, y)


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or max(abs(high) * 0.1, 0.05)
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the limits, three or more."""
    most = (high - low) / 3
    tens = 10.0 ** math.floor(math.log10(most))
    step = max(factor * tens for factor in (1, 2, 5) if factor * tens <= most * (1 + 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> Markup:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return Markup(f'<line {ends} stroke="{colour}" stroke-dasharray="{dash}"/>')


def _text(x: float, y: float, said: str, anchor: str) -> Markup:
    inside = html.escape(said, quote=False)
    return Markup(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" fill="{SOFT}">{inside}</text>')


def interval(value: float, low: float, high: float, baseline: float | None, number: int) -> Markup:
    """A score as a dot, its interval as a stroke, the baseline as a tick, on a scale from 0 to 1."""
    x1, x, x2 = (4 + 152 * min(1.0, max(0.0, share)) for share in (low, value, high))
    colour = SERIES[number % len(SERIES)]
    tick = "" if baseline is None else _line(4 + 152 * baseline, 2, 4 + 152 * baseline, 18, SOFT)
    pieces = [
        _line(4, 10, 156, 10, LINE), Markup(tick), _line(x1, 10, x2, 10, colour),
        Markup(f'<circle cx="{x:.1f}" cy="10" r="4" fill="{colour}"/>'),
    ]  # fmt: skip
    return mark("svg", *pieces, viewBox="0 0 160 20", class_="interval", aria_hidden="true")
