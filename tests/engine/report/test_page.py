"""The page of a report: whole, escaped, and in need of nothing from outside."""

from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.report.html import MOST_POINTS, Chart, Series, _ticks, inline, mark, svg, thinned, written
from sslstudio.engine.report.page import Report, Shown, page
from sslstudio.engine.runs.metrics import FinetuneMetrics
from tests.support.results import finetune_result, score

EMPTY = {"meta", "img", "line", "circle", "polyline"}
EVIL = "<script>alert('1')</script>&\"x"


class Reader(HTMLParser):
    """Notes elements and texts, and fails when they are not nested well."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(text: str) -> Reader:
    """A page that is whole."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def asks_nobody(reader: Reader) -> bool:
    """Whether nothing is fetched or run."""
    addresses = [value for _, attributes in reader.found for key, value in attributes.items() if key in ("src", "href")]
    return all(str(one).startswith("data:image/") for one in addresses) and not any(
        tag in ("script", "link", "iframe", "object") for tag, _ in reader.found
    )


def metrics() -> FinetuneMetrics:
    row = {"name": EVIL, "n": 2, "precision": None, "recall": 0.5, "f1": 0.5}
    return finetune_result(
        classes=[EVIL, "b"], headline="accuracy", baseline={"accuracy": 0.5, "macro_f1": None}, parts={"scratch": {
            "scores": {"macro_f1": score(None), "accuracy": score(0.5, 0.25, 4)},
            "confusion": [[1, 1], [1, 1]], "per_class": [row, row],
        }},
    )  # fmt: skip


def test_names_are_escaped_everywhere() -> None:
    picture = Shown(inline(Image.new("RGB", (4, 4))), EVIL, EVIL)
    pairs = [(EVIL, EVIL)]
    report = Report(
        title=EVIL, about=EVIL, metrics=metrics(), verdict=EVIL, notes=[EVIL], errors=[picture], errors_said=EVIL,
        charts=[Chart(EVIL, (Series(EVIL, [1, 2], [0.5, 0.1]),), 0.2)], puzzles=[picture], data=pairs,
        settings={EVIL: pairs}, environment=pairs, methods=[EVIL], references=[EVIL], commands=[EVIL],
    )  # fmt: skip
    reader = read(page(report))
    assert asks_nobody(reader)
    assert sum(EVIL in text for text in reader.texts) >= 20
    images = [attributes for tag, attributes in reader.found if tag == "img"]
    assert [one["alt"] for one in images] == [EVIL, EVIL]


@pytest.mark.parametrize(
    ("parts", "said"), [(["pretrained"], True), (["scratch"], False), (["pretrained", "scratch"], False)]
)
def test_a_result_without_a_twin_says_so(parts: list[str], said: bool) -> None:
    found = metrics()
    found["parts"] = dict.fromkeys(parts, found["parts"]["scratch"])
    reader = read(page(Report(title="A run", about="", metrics=found, verdict="")))
    assert any("Not compared with not pretraining" in text for text in reader.texts) == said


def test_what_is_not_there_has_no_heading() -> None:
    reader = read(page(Report(title="A run", about="", metrics=None, verdict="Nothing yet.")))
    assert not [tag for tag, _ in reader.found if tag in ("h2", "svg", "img", "table")]


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_text_comes_back_as_it_was(inside: str, said: str) -> None:
    reader = read(written(mark("p", inside, title=said)))
    assert "".join(reader.texts) == inside
    assert reader.found[0][1]["title"] == said


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), max_size=900))
def test_lines_are_thinned_without_losing_their_mean(values: list[float]) -> None:
    line = thinned(Series("a", list(range(len(values))), values))
    known = [value for value in values if value == value]
    assert len(line.x) == len(line.y) <= MOST_POINTS
    assert bool(line.x) == bool(known)
    if known:
        slack = 1e-6 * max(1.0, max(map(abs, known)))
        assert min(known) - slack <= min(line.y)
        assert max(line.y) <= max(known) + slack


def test_a_chart_draws_its_lines_inside_its_frame() -> None:
    rng = np.random.default_rng(0)
    lines = tuple(Series(name, list(range(1, 50)), rng.random(49).tolist()) for name in ("a", "b"))
    reader = read(written(svg(Chart("Loss", lines, 0.5))))
    drawn = [attributes["points"] for tag, attributes in reader.found if tag == "polyline"]
    assert len(drawn) == 2
    for points in drawn:
        places = np.array([place.split(",") for place in str(points).split()], float)
        assert (places > 0).all()
        assert (places < [560, 250]).all()
    assert svg(Chart("Loss", (Series("a", [1], [float("nan")]),))) == ""


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_inside(spans: float, span: float) -> None:
    low = spans * span
    ticks = _ticks(low, low + span)
    assert 3 <= len(ticks) <= 9  # rounding may let one more in
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def test_ticks_are_what_one_would_write() -> None:
    assert _ticks(-0.02, 0.32) == [0.0, 0.1, 0.2, 0.30000000000000004]
    assert _ticks(0.0, 100.0) == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], [3.0, 3.0, 3.0]])
def test_flat_lines_are_drawn_too(values: list[float]) -> None:
    assert "polyline" in written(svg(Chart("Loss", (Series("a", list(range(len(values))), values),))))
