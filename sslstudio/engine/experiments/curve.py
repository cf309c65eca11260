"""The curves of a comparison as a picture: score against labels."""

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from sslstudio.engine.experiments.report import TITLES
from sslstudio.engine.experiments.tables import EfficiencyTable, Row, labels_used, used_counts

# Okabe & Ito (2008): told apart by people with any kind of colour blindness. Scratch is the dark grey one.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B2A400")
SCRATCH_COLOUR = "#3C3C3C"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLES = ("-", "--", "-.", ":")


def curve_png(table: EfficiencyTable) -> bytes:
    """Score against labels with its intervals, as the bytes of a PNG."""
    figure = Figure(figsize=(8.0, 5.2), dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for number, row in enumerate(reversed(table["rows"])):
        _draw_row(axes, row, len(table["rows"]) - 1 - number)
    if table["baseline"] is not None:
        axes.axhline(table["baseline"], color="#8A8A8A", linewidth=1, linestyle=":", label="Most frequent class")
    _dress(axes, table)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw_row(axes: Any, row: Row, number: int) -> None:
    cells = row["cells"]
    if not cells:
        return
    labels = [labels_used(cell) for cell in cells]
    values = [cell["score"]["value"] for cell in cells]
    colour = SCRATCH_COLOUR if number == 0 else COLOURS[(number - 1) % len(COLOURS)]
    style = STYLES[0 if number == 0 else (number - 1) // len(COLOURS) % len(STYLES)]
    lows, highs = [cell["score"]["low"] for cell in cells], [cell["score"]["high"] for cell in cells]
    if None not in (*lows, *highs):
        axes.fill_between(labels, lows, highs, color=colour, alpha=0.12, linewidth=0)
    axes.plot(
        labels, values, style, color=colour, marker=MARKERS[number % len(MARKERS)], markersize=6,
        linewidth=2.6 if number == 0 else 1.8, label=row["title"],
    )  # fmt: skip


def _dress(axes: Any, table: EfficiencyTable) -> None:
    axes.set_xscale("log")
    places = list(used_counts(table).values())  # a small class gives what it has
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{place:.1f}".removesuffix(".0") for place in places])
    axes.set_xlabel(
        "Labels a class, on average" if table["kind"] == "classification" else "Labelled pictures", fontsize=12
    )
    axes.set_ylabel(TITLES[table["headline"]].capitalize().replace("iou", "IoU"), fontsize=12)
    axes.set_title(f"Mean of {table['draws']} repeats with other labels, bands are 95 % intervals", fontsize=11)
    axes.tick_params(labelsize=11)
    axes.grid(True, color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles[::-1], names[::-1], fontsize=10, frameon=False, loc="best")
