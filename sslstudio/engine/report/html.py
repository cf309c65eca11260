"""HTML and SVG in small pieces, which become text at the end: there, and nowhere else, every text is said in the
language of the page and escaped."""

import base64
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from sslstudio.engine.core.messages import ENGLISH, Language, Message, join

INK, SOFT, LINE = "#1a232d", "#586472", "#dfe4ea"
# Okabe & Ito (2008): first pretrained or training, second scratch or held-out.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
DASHES = ("", "7 4", "2 3", "9 3 2 3")  # so that no colour has to be told apart
DASHES_SAID = (Message("line"), Message("dashes"), Message("dots"), Message("dash and dot"))
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 250, 62, 40, 14, 14
MOST_POINTS = 300
VOID = ("img",)  # elements that have no end


class Markup(str):
    """A text that is HTML already."""


@dataclass(frozen=True)
class Element:
    """What is marked, and what stands in it; without a name only that."""

    name: str
    content: "tuple[Piece, ...]"
    attributes: Mapping[str, str]


Piece = Element | Message | str  # a message is said in the language of the page, another text stays as it is


def mark(name: str, *content: Piece, **attributes: str) -> Element:
    """An element. A trailing underscore of an attribute is dropped (class_), others become hyphens."""
    return Element(name, content, {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()})


def group(*content: Piece) -> Element:
    """Pieces one after the other."""
    return Element("", content, {})


def written(piece: Piece, language: Language = ENGLISH) -> str:
    """The HTML of a piece in a language."""
    if isinstance(piece, Markup):
        return piece
    if not isinstance(piece, Element):
        return html.escape(_said(piece, language), quote=False)
    inside = "".join(written(one, language) for one in piece.content)
    if not piece.name:
        return inside
    given = "".join(f' {key}="{html.escape(_said(value, language))}"' for key, value in piece.attributes.items())
    return f"<{piece.name}{given}>" + ("" if piece.name in VOID else f"{inside}</{piece.name}>")


def _said(text: str, language: Language) -> str:
    return text.render(language) if isinstance(text, Message) else text


def inline(picture: Image.Image) -> str:
    """A picture as a data address."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def image(data: str, said: str) -> Element:
    """A picture that is in the page itself; `said` tells it to those who do not see it."""
    return mark("img", src=data, alt=said)


def table(head: Sequence[str], rows: Iterable[Sequence[Piece]]) -> Element:
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
    """Lines over steps, and what guessing reaches (None where nothing is guessed). `is_share`: its values are scores
    between 0 and 1."""

    title: str
    series: tuple[Series, ...]
    chance: float | None = None
    is_share: bool = False


def svg(chart: Chart) -> Piece:
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

    pieces: list[Piece] = []
    for value in _ticks(low, high):
        tick = Message("{value:tick}", value=value) if chart.is_share else Message("{value:.3g}", value=value)
        pieces.append(_line(*place(first, value), *place(last, value), LINE))
        pieces.append(_text(LEFT - 8, place(first, value)[1] + 4, tick, "end"))
    for step in (first, last):
        pieces.append(_text(place(step, low)[0], HEIGHT - 20, Message("{step:,.0f}", step=step), "middle"))
    pieces.append(_text((LEFT + WIDTH) / 2, HEIGHT - 5, Message("step"), "middle"))
    if chart.chance is not None:
        pieces.append(_line(*place(first, chart.chance), *place(last, chart.chance), SOFT, "4 4"))
    for number, one in enumerate(shown):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, one.x, one.y))
        colour, dash = SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
        pieces.append(Markup(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        ))  # fmt: skip
    legend = _legend(chart, shown)
    drawing = mark(
        "svg", *pieces, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
        aria_label=Message("{title}: {legend}", title=chart.title, legend=legend), xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip
    return mark("figure", drawing, mark("figcaption", mark("b", chart.title), " ", legend))


def _legend(chart: Chart, shown: Sequence[Series]) -> Message:
    lines = join(
        (
            Message("{name} ({style})", name=one.name, style=DASHES_SAID[number % len(DASHES_SAID)])
            for number, one in enumerate(shown)
        ),
        "",
    )
    return lines if chart.chance is None else Message("{lines}; thin dashes: what guessing reaches", lines=lines)


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


def _text(x: float, y: float, said: str, anchor: str) -> Element:
    return mark("text", said, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, font_size="12", fill=SOFT)


def interval(value: float, low: float, high: float, baseline: float | None, number: int) -> Element:
    """A score as a dot, its interval as a stroke, the baseline as a tick, on a scale from 0 to 1."""
    x1, x, x2 = (4 + 152 * min(1.0, max(0.0, share)) for share in (low, value, high))
    colour = SERIES[number % len(SERIES)]
    tick = "" if baseline is None else _line(4 + 152 * baseline, 2, 4 + 152 * baseline, 18, SOFT)
    pieces = [
        _line(4, 10, 156, 10, LINE), Markup(tick), _line(x1, 10, x2, 10, colour),
        Markup(f'<circle cx="{x:.1f}" cy="10" r="4" fill="{colour}"/>'),
    ]  # fmt: skip
    return mark("svg", *pieces, viewBox="0 0 160 20", class_="interval", aria_hidden="true")
