"""What a comparison or a tournament says, in words and short figures."""

import math
from typing import TYPE_CHECKING

from sslstudio.engine.experiments.tables import effort_of, factor_of, gain_of
from sslstudio.ui.text import formatting
from sslstudio.ui.text.formatting import tr

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.experiments.compare import Ahead
    from sslstudio.engine.experiments.tables import Cell, Longer, Row, Score, Worth
    from sslstudio.engine.runs.metrics import ProbeResult

NOTHING = "–"
NO_BREAK = "\u00a0"
SAME = 0.05  # labels: a smaller difference is none


def ahead_words(left: "Ahead") -> str:
    """How much is to be done, and how long that takes, before it begins."""
    if not left.pretrainings and not left.cells:
        return tr("Everything that is set here is done already.")
    trained = formatting.count(left.pretrainings, tr("pretraining"), tr("pretrainings"))
    tuned = formatting.count(left.cells, tr("fine-tuning"), tr("fine-tunings"))
    parts = [_lasting(trained, left.pretraining_seconds)] if left.pretrainings else []
    if left.cells:
        each = formatting.duration(left.cell_seconds)
        parts.append(tr("{0} of about {1} each").format(tuned, each) if each else tuned)
    said = tr(" and ").join(parts)
    whole = formatting.duration(left.seconds)
    whole = tr("About {0} in all: {1}.").format(whole, said) if whole else tr("To do: {0}.").format(said)
    if left.done:
        whole += " " + tr("{0} runs are done already and are not done again.").format(formatting.count(left.done))
    return whole


def _lasting(what: str, seconds: float) -> str:
    took = formatting.duration(seconds)
    return tr("{0} ({1})").format(what, took) if took else what


def schedule_words(planned: list[tuple[int, float]]) -> str:
    """How a tournament spends its time."""
    rounds = [
        tr("round {0}: {1} tasks, {2} each").format(number, runs, formatting.duration(60 * minutes))
        for number, (runs, minutes) in enumerate(planned[:-1], start=1)
    ]
    last = tr("then the winner goes on for {0}").format(formatting.duration(60 * planned[-1][1]))
    whole = formatting.duration(60 * sum(runs * minutes for runs, minutes in planned))
    return tr("About {0} in all: {1}.").format(whole, "; ".join([*rounds, last]))


def task_title(name: str) -> str:
    """What a task is called; the name of one that is not known stays."""
    from sslstudio.engine.tasks.base import load_tasks

    tasks = load_tasks()
    return formatting.render(tasks[name].title) if name in tasks.names() else name


def score_words(score: "Score") -> str:
    """71.2 % (68.0 to 74.1 %)."""
    return f"{formatting.percent(score['value'])}{_between(score, 1)}"


def points_words(difference: "Score | None") -> str:
    """+4.1 points (+1.0 to +7.2)."""
    if difference is None or difference["value"] is None:
        return NOTHING
    said: str = tr("{0} points").format(_write_signed(difference["value"]))
    if difference["low"] is None or difference["high"] is None:
        return said
    return said + " " + _interval(_write_signed(difference["low"]), _write_signed(difference["high"]))


def _write_signed(share: float) -> str:
    return formatting.figures(f"{100 * share:+.1f}".replace("-", "\u2212"))


def _between(score: "Score", digits: int) -> str:
    low, high = score["low"], score["high"]
    if low is None or high is None:
        return ""
    return " " + _interval(formatting.figures(f"{100 * low:.{digits}f}"), formatting.percent(high, digits))


def _interval(low: str, high: str) -> str:
    """On one line, whatever the width of a cell."""
    return tr("({0} to {1})").format(low, high).replace(" ", NO_BREAK)


def worth_words(worth: "Worth | None") -> str:
    """worth 2.6 times the labels (1.4 to 5.0); at least 1.4 times where scratch never got there; nothing where labels
    do not help scratch."""
    said = factor_of(worth)
    if said is None:
        return ""
    times = formatting.figures(f"{said.value:.1f}")
    if said.how == "flat":
        return tr("no factor: without pretraining it is flat there")
    if said.how == "at least":
        return tr("worth at least {0} times the labels").format(times)
    if said.how == "at most":
        return tr("worth at most {0} times the labels").format(times)
    return tr("worth {0} times the labels").format(times) + _ends(said.low, said.high)


def _ends(low: float | None, high: float | None) -> str:
    """The interval of a factor, which may be open."""
    below, above = ("" if end is None else formatting.figures(f"{end:.1f}") for end in (low, high))
    if below and above:
        return " " + _interval(below, above)
    said = tr("({0} or more)").format(below) if below else tr("({0} or less)").format(above) if above else ""
    return (" " + said.replace(" ", NO_BREAK)) if said else ""


def labels_words(count: float) -> str:
    """A number of labels, which need not be whole where a class is small."""
    whole = round(count)
    return formatting.count(whole) if abs(count - whole) < SAME else formatting.figures(f"{count:.1f}")


def count_words(asked: int, used: float) -> str:
    """25, or 25 (had 21.3) where a small class had fewer."""
    if abs(used - asked) < SAME:
        return formatting.count(asked)
    return tr("{0} (had {1})").format(formatting.count(asked), labels_words(used))


def verdict_title(verdict: str | None) -> str:
    """What the engine says of a difference, for people."""
    known = {
        "helps": tr("Helps"),
        "harms": tr("Harms"),
        "no difference": tr("No clear difference"),
        "no difference yet": tr("No difference yet"),
    }
    return known.get(verdict or "", verdict or "")


def cell_words(cell: "Cell") -> str:
    """A cell of the table: score, paired difference, verdict, worth; a line each."""
    lines = [score_words(cell["score"])]
    if cell["difference"] is not None:
        lines += [points_words(cell["difference"]), verdict_title(cell.get("verdict")), worth_words(cell["worth"])]
    return "\n".join(line for line in lines if line)


def longer_words(one: "Longer") -> str:
    """The score of a longer row, and what it gains over its usual steps; a line each."""
    lines = [score_words(one["score"])]
    if one["difference"] is not None:
        lines.append(tr("{0} against its usual steps").format(points_words(one["difference"])))
    if one["minutes"] is not None and one["steps"] is not None:
        took, steps = formatting.duration(60 * one["minutes"]), formatting.count(one["steps"])
        lines.append(tr("each fine-tuning {0}, {1} steps").format(took, steps))
    return "\n".join(lines)


def cost_words(row: "Row") -> str:
    """What a row cost: pretraining, each fine-tuning, encoder and side, a line each; '' where nothing was kept."""
    done, effort, made = row.get("pretraining"), effort_of(row), row.get("made")
    said = []
    if done:
        took = formatting.duration(60 * done["minutes"])
        seeds = done.get("seeds", 1)
        said.append(
            tr("{0} pretrainings of {1} each").format(formatting.count(seeds), took)
            if seeds > 1 else tr("pretraining {0}").format(took)
        )  # fmt: skip
    if effort is not None:
        took = _range(*(formatting.duration(60 * minutes) for minutes in effort.minutes))
        steps = _range(*map(formatting.count, effort.steps))
        read = tr("read in {0}").format(took)
        said.append(read if not effort.steps[1] else tr("each fine-tuning {0}, {1} steps").format(took, steps))
    if made:
        said.append(tr("{0}, {1} px").format(made["encoder"], formatting.count(made["side"] or 0)))
    return "\n".join(said)


def _range(low: str, high: str) -> str:
    return low if low == high else tr("{0} to {1}").format(low, high)


def probe_words(probe: "ProbeResult | None") -> str:
    """What the probe of a tournament's run says."""
    if not probe:
        return NOTHING
    if probe["difference"]:
        return points_words(gain_of(probe))
    rank, before = probe["rank"], probe["untrained_rank"]
    if rank is None or before is None:
        return NOTHING
    return tr("{0} directions used (untrained {1})").format(formatting.number(rank), formatting.number(before))


def write_time_to_go(after: float, current: float) -> str:
    """Say how long a whole still takes: what comes after the run that goes on, and the rest of that one."""
    whole = after + (current if math.isfinite(current) else 0.0)
    return formatting.duration(whole) or NOTHING
