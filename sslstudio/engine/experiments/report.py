"""The tables of a comparison as Markdown, and its curves as a picture."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

Table = Mapping[str, Any]

# Okabe & Ito (2008): told apart by people with any kind of colour blindness. Scratch is the dark grey one.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B2A400")
SCRATCH_COLOUR = "#3C3C3C"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLES = ("-", "--", "-.", ":")
TITLES = {"balanced_accuracy": "balanced accuracy", "mean_iou": "mean IoU"}
NOTHING = "–"


def markdown(table: Table) -> str:
    """table.md: scores, differences to scratch, what the labels are worth, and what is to be known of them."""
    name = TITLES[table["headline"]]
    unit = "labels a class" if table["kind"] == "classification" else "labelled pictures"
    blocks = [
        f"# Label efficiency: {name} on {table['folder']}",
        _basis(table),
        f"## {name[0].upper() + name[1:]} by {unit}, mean over draws (95 % interval)\n\n" + _scores(table),
        *_against_scratch(table),
        _agreement(table),
        "\n".join(f"- {note}" for note in [*table["notes"], *_machine(table)]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _against_scratch(table: Table) -> list[str]:
    if len(table["rows"]) < 2:
        return []
    return [
        "## Difference to scratch on the same labels (95 % interval)\n\n" + _differences(table),
        "## Labels are worth: scratch needs so many times as many (95 % interval)\n\n" + _worths(table),
    ]


def _basis(table: Table) -> str:
    groups = f" in {table['n_groups']:,} groups" if table["n_groups"] else ""
    guess = NOTHING if table["baseline"] is None else f"{table['baseline']:.3f}"
    return (
        f"{table['draws']} draws of labels, the same for all rows; {table['n_test']:,} test pictures{groups}, the same "
        f"for all rows; always guessing the most frequent class gives {guess}. Encoder {table['encoder']}, pictures "
        f"of {table['side']} px, {table['steps']} fine-tuning steps each."
    )


def _scores(table: Table) -> str:
    counts = table["scratch_labels"]
    head = ["Row", "Pretraining", "Puzzle, held out (chance)", *(str(count) for count in counts), "Note"]
    rows = [
        [row["title"], _effort(row), _puzzle(row), *_by_labels(row, counts, lambda cell: _score(cell["score"])),
         row["note"] or ""]
        for row in table["rows"]
    ]  # fmt: skip
    return grid(head, rows)


def _differences(table: Table) -> str:
    counts = table["labels"]
    rows = [
        [row["title"], *_by_labels(row, counts, lambda cell: signed(cell["difference"])), signed(row.get("overall"))]
        for row in table["rows"][1:]
    ]
    return grid(["Row", *(str(count) for count in counts), "Mean of these"], rows)


def _worths(table: Table) -> str:
    counts = table["labels"]
    rows = [[row["title"], *_by_labels(row, counts, lambda cell: _worth(cell["worth"]))] for row in table["rows"][1:]]
    return grid(["Row", *(str(count) for count in counts)], rows)


def _by_labels(row: Table, counts: Sequence[int], words: Any) -> list[str]:
    cells = {cell["labels"]: cell for cell in row["cells"]}
    return [words(cells[count]) if count in cells else NOTHING for count in counts]


def _effort(row: Table) -> str:
    done = row.get("pretraining")
    if not done:
        return NOTHING
    return f"{done['minutes']:.1f} min, {done['pictures_per_second']:.0f} pictures/s"


def _puzzle(row: Table) -> str:
    done = row.get("pretraining")
    if not done or done["value"] is None:
        return NOTHING
    return f"{done['metric'].replace('_', ' ')} {done['value']:.3f} ({done['chance']:.3f})"


def _score(score: Table) -> str:
    return f"{score['value']:.3f} ({_to(score['low'], score['high'], '.3f')})"


def signed(difference: Table | None) -> str:
    """A difference with its sign (a real minus) and interval."""
    if difference is None:
        return NOTHING
    words = f"{difference['value']:+.3f} ({_to(difference['low'], difference['high'], '+.3f')})"
    return words.replace("-", "−")


def _to(low: float | None, high: float | None, form: str) -> str:
    return "no interval" if low is None or high is None else f"{low:{form}} to {high:{form}}"


def _worth(worth: Table | None) -> str:
    if worth is None or worth["low"] is None:
        return NOTHING
    low, high = (_times(worth[end], worth[f"{end}_bound"]) for end in ("low", "high"))
    return f"{_times(worth['value'], worth['bound'])}× ({low} to {high})"


def _times(value: float, bound: int) -> str:
    """'>' where scratch was not given enough labels to know: at least so many times; '<': at most."""
    return {1: ">", 0: "", -1: "<"}[bound] + f"{value:.1f}"


def _agreement(table: Table) -> str:
    rows = [
        [row["title"], row["probe"]["quarter"], row["probe"]["final"] or NOTHING,
         {True: "yes", False: "no", None: NOTHING}[row["probe"]["agrees"]]]
        for row in table["rows"] if row.get("probe")
    ]  # fmt: skip
    if not rows:
        return ""
    count = table["agreement"]
    head = ["Row", "Probe after a quarter", "Fine-tuning in the end", "Agrees"]
    return f"## The early probe agrees in {count['agrees']} of {count['of']}\n\n" + grid(head, rows)


def _machine(table: Table) -> list[str]:
    machine = table["machine"]
    if not machine["devices"]:
        return []
    pretraining, finetuning = (machine[f"{part}_seconds"] / 60 for part in ("pretraining", "finetuning"))
    return [
        f"Ran on {'; '.join(machine['devices'])}: {pretraining:.1f} min of pretraining and {finetuning:.1f} min of "
        "fine-tuning in all."
    ]


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that is also straight as plain text."""
    lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in (head, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    texts = [_line(line, widths) for line in lines]
    return "\n".join([texts[0], rule, *texts[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def curve_png(table: Table) -> bytes:
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


def _draw_row(axes: Any, row: Table, number: int) -> None:
    cells = row["cells"]
    if not cells:
        return
    labels = [cell["labels"] for cell in cells]
    values = [cell["score"]["value"] for cell in cells]
    colour = SCRATCH_COLOUR if number == 0 else COLOURS[(number - 1) % len(COLOURS)]
    style = STYLES[0 if number == 0 else (number - 1) // len(COLOURS) % len(STYLES)]
    lows, highs = ([cell["score"][end] for cell in cells] for end in ("low", "high"))
    if None not in (*lows, *highs):
        axes.fill_between(labels, lows, highs, color=colour, alpha=0.12, linewidth=0)
    axes.plot(
        labels, values, style, color=colour, marker=MARKERS[number % len(MARKERS)], markersize=6,
        linewidth=2.6 if number == 0 else 1.8, label=row["title"],
    )  # fmt: skip


def _dress(axes: Any, table: Table) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(table["scratch_labels"]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([str(count) for count in table["scratch_labels"]])
    axes.set_xlabel("Labels a class" if table["kind"] == "classification" else "Labelled pictures", fontsize=12)
    axes.set_ylabel(TITLES[table["headline"]].capitalize().replace("iou", "IoU"), fontsize=12)
    axes.set_title(f"Mean of {table['draws']} draws of labels, bands are 95 % intervals", fontsize=11)
    axes.tick_params(labelsize=11)
    axes.grid(True, color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles[::-1], names[::-1], fontsize=10, frameon=False, loc="best")
