"""The tables of comparisons and tournaments as Markdown, and how sure the ranking of a tournament is."""

from collections.abc import Callable, Sequence

from sslstudio.engine.core.messages import Message, plain_markdown
from sslstudio.engine.experiments.tables import (
    Cell,
    EfficiencyTable,
    Entry,
    Row,
    Score,
    TournamentTable,
    Worth,
    effort_of,
    factor_of,
    gain_of,
    pretrained_rows,
    used_counts,
)
from sslstudio.engine.runs.metrics import ProbeResult

TITLES = {"balanced_accuracy": "balanced accuracy", "mean_iou": "mean IoU"}
NOTHING = "–"


def markdown(table: EfficiencyTable) -> str:
    """table.md: scores, differences to not pretraining, what the labels are worth, and what is to be known of them."""
    name = TITLES[table["headline"]]
    unit = "labels a class" if table["kind"] == "classification" else "labelled pictures"
    blocks = [
        f"# Label efficiency: {name} on {plain_markdown(table['folder'])}",
        _basis(table),
        f"## {name[0].upper() + name[1:]} by {unit}, mean over draws (95 % interval)\n\n" + _scores(table),
        *_against_nothing(table),
        _longer(table),
        _agreement(table),
        "\n".join(f"- {note}" for note in [*table["notes"], *_machine(table)]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _against_nothing(table: EfficiencyTable) -> list[str]:
    if not pretrained_rows(table):
        return []
    many = len(table["rows"]) - len(pretrained_rows(table)) > 1
    nothing = "the better of scratch and untrained features" if many else "scratch"
    return [
        *([read] if (read := _reading(table)) else []),
        f"## Difference to {nothing} on the same labels ({_sure(table)})\n\n" + _differences(table),
        f"## Labels are worth: {nothing} needs so many times as many (95 % interval)\n\n" + _worths(table),
    ]


def _longer(table: EfficiencyTable) -> str:
    """Whether more steps would have taught more."""
    found = table.get("longer", [])
    if not found:
        return ""
    times, labels = found[0]["times"], found[0]["labels"]
    unit = "labels a class" if table["kind"] == "classification" else "labelled pictures"
    rows = [
        [f"{row['title']}, {row['times']} times the steps", _score(row["score"]), signed(row["difference"]),
         NOTHING if row["steps"] is None else f"{row['steps']:,}",
         NOTHING if row["minutes"] is None else f"{row['minutes']:.2f} min", row["note"] or ""]
        for row in found
    ]  # fmt: skip
    head = ["Row", "Score", "Difference to its usual steps", "Steps", "Each fine-tuning", "Note"]
    return f"## {times} times the steps, with {labels} {unit} (95 % intervals, which hold together)\n\n" + grid(
        head, rows
    )


def _reading(table: EfficiencyTable) -> str:
    """What each row is worth at the number of labels that was named beforehand."""
    count = table.get("read_at")
    found = [(row, cell) for row in pretrained_rows(table) for cell in row["cells"] if cell["labels"] == count]
    if not found:
        return ""
    unit = "labels a class" if table["kind"] == "classification" else "masks"
    rows = [[row["title"], _worth(cell["worth"]), signed(cell["difference"]), cell.get("verdict") or NOTHING]
            for row, cell in found]  # fmt: skip
    return f"## Read at {count} {unit}, as named beforehand\n\n" + grid(
        ["Row", "Labels are worth", "Difference", "Verdict"], rows
    )


def _sure(table: EfficiencyTable) -> str:
    return "95 % intervals, which hold together" if table.get("together", 0) > 1 else "95 % interval"


def _heads(table: EfficiencyTable, counts: Sequence[int]) -> list[str]:
    """The numbers of labels, with what a small class really had on average."""
    used = used_counts(table)
    return [str(count) if abs(used[count] - count) < 0.05 else f"{count} (had {used[count]:.1f})" for count in counts]


def _basis(table: EfficiencyTable) -> str:
    groups = f" in {table['n_groups']:,} groups" if table["n_groups"] else ""
    guess = NOTHING if table["baseline"] is None else f"{table['baseline']:.3f}"
    steps = table["steps"]
    trained = f"{steps} fine-tuning steps each" if steps else "fine-tuning steps by the number of labels"
    return (
        f"{table['draws']} draws of labels, the same for all rows; {table['n_test']:,} test pictures{groups}, the same "
        f"for all rows; always guessing the most frequent class gives {guess}. Encoder {table['encoder']}, pictures "
        f"of {table['side']} px, {trained}."
    )


def _scores(table: EfficiencyTable) -> str:
    counts = table["scratch_labels"]
    before, after = ["Row", "Pretraining", "Puzzle, held out (chance)"], ["Each fine-tuning", "Network", "Note"]
    head = [*before, *_heads(table, counts), *after]
    rows = [
        [row["title"], _effort(row), _puzzle(row), *_by_labels(row, counts, lambda cell: _score(cell["score"])),
         _tuning(row), _network(row), row["note"] or ""]
        for row in table["rows"]
    ]  # fmt: skip
    return grid(head, rows)


def _differences(table: EfficiencyTable) -> str:
    counts = table["labels"]
    rows = [
        [row["title"], *_by_labels(row, counts, lambda cell: signed(cell["difference"])), signed(row.get("overall"))]
        for row in pretrained_rows(table)
    ]
    return grid(["Row", *_heads(table, counts), "Mean of these"], rows)


def _worths(table: EfficiencyTable) -> str:
    counts = table["labels"]
    rows = [
        [row["title"], *_by_labels(row, counts, lambda cell: _worth(cell["worth"]))] for row in pretrained_rows(table)
    ]
    return grid(["Row", *_heads(table, counts)], rows)


def _by_labels(row: Row, counts: Sequence[int], words: Callable[[Cell], str]) -> list[str]:
    cells = {cell["labels"]: cell for cell in row["cells"]}
    return [words(cells[count]) if count in cells else NOTHING for count in counts]


def _effort(row: Row) -> str:
    done = row.get("pretraining")
    if not done:
        return NOTHING
    times = f"{done['seeds']} × " if done.get("seeds", 1) > 1 else ""
    return f"{times}{done['minutes']:.1f} min, {done['pictures_per_second']:.0f} pictures/s"


def _tuning(row: Row) -> str:
    effort = effort_of(row)
    if effort is None:
        return NOTHING
    minutes = _range(f"{effort.minutes[0]:.2f}", f"{effort.minutes[1]:.2f}")
    steps = _range(f"{effort.steps[0]:,}", f"{effort.steps[1]:,}")
    return f"{minutes} min, only read" if not effort.steps[1] else f"{minutes} min, {steps} steps"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _network(row: Row) -> str:
    made = row.get("made")
    return f"{made['encoder']}, {made['side']} px" if made else NOTHING


def _puzzle(row: Row) -> str:
    done = row.get("pretraining")
    if not done or done["metric"] is None or done["value"] is None:
        return NOTHING
    return f"{done['metric'].replace('_', ' ')} {done['value']:.3f} ({done['chance']:.3f})"


def _score(score: Score) -> str:
    return f"{score['value']:.3f} ({_to(score['low'], score['high'], '.3f')})"


def signed(difference: Score | None) -> str:
    """A difference with its sign (a real minus) and interval."""
    if difference is None:
        return NOTHING
    words = f"{difference['value']:+.3f} ({_to(difference['low'], difference['high'], '+.3f')})"
    return words.replace("-", "−")


def _to(low: float | None, high: float | None, form: str) -> str:
    return "no interval" if low is None or high is None else f"{low:{form}} to {high:{form}}"


def _worth(worth: Worth | None) -> str:
    said = factor_of(worth)
    if said is None:
        return NOTHING
    if said.how == "flat":
        return "flat without pretraining"
    if said.how != "is":
        return f"{said.how} {said.value:.1f}×"
    if said.low is None or said.high is None:
        ends = [f"{end:.1f} or {word}" for end, word in ((said.low, "more"), (said.high, "less")) if end is not None]
        return f"{said.value:.1f}× ({ends[0] if ends else 'no interval'})"
    return f"{said.value:.1f}× ({said.low:.1f} to {said.high:.1f})"


def _agreement(table: EfficiencyTable) -> str:
    rows = [
        [row["title"], probe["quarter"], probe["final"] or NOTHING,
         {True: "yes", False: "no", None: NOTHING}[probe["agrees"]]]
        for row in table["rows"] if (probe := row.get("probe"))
    ]  # fmt: skip
    if not rows:
        return ""
    count = table["agreement"]
    head = ["Row", "Probe after a quarter", "Fine-tuning in the end", "Agrees"]
    return f"## The early probe agrees in {count['agrees']} of {count['of']}\n\n" + grid(head, rows)


def _machine(table: EfficiencyTable) -> list[str]:
    machine = table["machine"]
    if not machine["devices"]:
        return []
    pretraining, finetuning = machine["pretraining_seconds"] / 60, machine["finetuning_seconds"] / 60
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


def tournament_markdown(table: TournamentTable) -> str:
    """tournament.md: the rounds, the winner, and how sure that is."""
    blocks = [f"# Tournament on {plain_markdown(table['folder'])}, {table['minutes']:g} minutes"]
    for number, entries in enumerate(table["rounds"], start=1):
        blocks.append(f"## Round {number}\n\n" + _round(entries))
    if table["winner"]:
        blocks.append("## The winner went on\n\n" + _round([table["winner"]]))
    if table["winner_run"]:
        blocks.append(f"Its run is {table['winner_run']}. Next, on a few labels: sslstudio finetune "
                      f"{table['folder']} --from {table['winner_run']} --out RUN")  # fmt: skip
    blocks.append("\n".join(f"- {note}" for note in tournament_notes(table)))
    return "\n\n".join(blocks) + "\n"


def _round(entries: Sequence[Entry]) -> str:
    head = ["", "Task", "Minutes", "Steps", "Probe against untrained (95 % interval)", "Verdict", "RankMe (untrained)"]
    return grid(head, [_entry_line(place, entry) for place, entry in enumerate(entries, start=1)])


def _entry_line(place: int, entry: Entry) -> list[str]:
    probe = entry["probe"]
    if entry["outcome"] != "done" or not probe:
        return [NOTHING, entry["title"], NOTHING, NOTHING, f"{entry['outcome']}: {entry['words']}", NOTHING, NOTHING]
    return [
        str(place),
        entry["title"],
        f"{entry['minutes']:.1f}",
        f"{entry['steps']:,}",
        signed(gain_of(probe)),
        probe["verdict"] or "no labels",
        f"{_rank(probe['rank'])} ({_rank(probe['untrained_rank'])})",
    ]


def _rank(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def tournament_notes(table: TournamentTable) -> list[Message]:
    """What is to be known of a tournament.json, in sentences."""
    notes = _measured(table.get("measured")) if table["winner"] else []
    notes.append(Message("All tasks of a round had the same time; who goes on does so from its weights."))
    if table["rounds"]:
        notes += _closeness(table["rounds"][-1])
    return notes


def _measured(probe: ProbeResult | None) -> list[Message]:
    """What the winner gains where nothing was chosen by it."""
    gain = gain_of(probe) if probe else None
    if probe is None or gain is None or gain["low"] is None or gain["high"] is None:
        return [Message("The winner is the luckiest of several: on other pictures it does less well than here.")]
    return [
        Message(
            "Measured again on {n} test pictures, by which nothing was chosen: the winner's features are "
            "{gap:points} better than untrained ones (95 % interval {low:signed} to {high:signed}). The rounds "
            "flatter the winner.",
            n=probe["n"],
            gap=gain["value"],
            low=gain["low"],
            high=gain["high"],
        )
    ]


def _closeness(entries: Sequence[Entry]) -> list[Message]:
    """Whether the last round tells its first from the others, in words."""
    told = [(entry["title"], probe) for entry in entries if (probe := entry["probe"])]
    if not told:
        return []
    first = told[0][1]
    if not first["difference"]:
        return [Message("Without labels the tasks are ranked by RankMe, which shows a collapse and little more.")]
    notes = []
    if first["verdict"] != "helps":
        notes.append(
            Message("Even the first one cannot be told from the untrained network yet: more time, or another task.")
        )
    best = first["difference"]["value"]
    near = [
        title for title, probe in told[1:]
        if best is not None and (high := probe["difference"].get("high")) is not None and high > best
    ]  # fmt: skip
    if near:
        notes.append(
            Message(
                "The {n:plural(interval|intervals)} of {near:and} {n:plural(reaches|reach)} past the first one's "
                "score: {n:plural(it|they)} may be as good.",
                near=near,
                n=len(near),
            )
        )
    return notes
