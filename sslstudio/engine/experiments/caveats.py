"""What a reader of a comparison must know: near copies across its split, what belongs together, where it ran."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TypedDict

from filelock import FileLock

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import Message, as_message, to_stored
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.near_duplicates import MOST, across, near_duplicates
from sslstudio.engine.dataset.split import suggest_groups
from sslstudio.engine.experiments.compare_config import CompareConfig, all_cells, pretrained_sources, pretraining_runs
from sslstudio.engine.experiments.tables import BesideRandom, Cell, Longer, Machines, Row, labels_used
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.session import Session, reopen_session

FACTS = "facts.json"
CHUNK = 512
FLAT = 0.01  # of the score: a gain below this is none


class SplitFacts(TypedDict):
    """facts.json. `near_copies`: a test picture, and one trained or watched with that looks almost like it."""

    near_copies: list[list[str]]
    notes: Sequence[str]


def look_at_split(config: CompareConfig, control: RunControl) -> Generator[Preparing, None, None]:
    """Write facts.json, unless it is there: once for a comparison, on the split that its cells were given."""
    file = Path(config.out) / FACTS
    runs = sorted(Path(config.out).glob("cells/*/*/split.json"))
    if file.exists() or not runs:
        return
    with FileLock(file.with_suffix(".lock"), thread_local=False):
        device = devices.choose("cpu")
        session = yield from reopen_session(RunFolder(runs[0].parent), config.data, device, control)
        yield Preparing(stage=Message("Looking for near copies across the split"), done=0, total=0)
        pictures = Pictures(session.cache, session.cache.index.paths, device)
        groups = near_duplicates(pictures.take(chunk) for chunk in pictures.chunks(CHUNK))
        tested = set(session.split.test)
        pairs = [pair for pair in across(groups, pictures.paths, session.split) if pair[0] in tested]
        content: SplitFacts = {
            "near_copies": [list(pair) for pair in pairs],
            "notes": _notes(config, session, pairs),
        }
        write_atomic(file, (json.dumps(to_stored(content), indent=1) + "\n").encode())


def split_notes(config: CompareConfig) -> list[Message]:
    """The sentences of facts.json; none while it is not there."""
    try:
        content: SplitFacts = read_json(Path(config.out) / FACTS, SplitFacts)
    except FileNotFoundError:
        return []
    return [as_message(note, {}) for note in content["notes"]]


def _notes(config: CompareConfig, session: Session, pairs: list[tuple[str, str]]) -> list[str]:
    total = len(session.cache.index)
    compared = (
        ""
        if total <= MOST
        else Message(" (the first {most:,} of the {total:,} pictures were compared)", most=MOST, total=total)
    )
    copies = Message(
        "No test picture has a near copy among the pictures trained or watched with{compared}.", compared=compared
    )
    if pairs:
        copies = Message(
            "{pairs:,} of the {test:,} test pictures have a near copy among the pictures trained or "
            "watched with{compared}, for example {one} and {other}: every row is too good by what "
            "they give away.",
            pairs=len(pairs),
            test=len(session.split.test),
            compared=compared,
            one=pairs[0][0],
            other=pairs[0][1],
        )
    return [copies, _together(config, session)]


def _together(config: CompareConfig, session: Session) -> Message:
    if config.data.groups:
        return Message(
            "Pictures that belong together ({groups}) were kept on one side of the split.", groups=config.data.groups
        )
    rule = suggest_groups(session.cache.index.paths)
    if rule:
        return Message(
            "Names look as if several pictures belong together: think of --groups '{rule}' in another comparison.",
            rule=rule,
        )
    return Message(
        "Which pictures come from one patient, slide or video is not known: if some do, every row is too good."
    )


def notes_on(config: CompareConfig, rows: Sequence[Row], n_test: int, together: int = 0) -> list[Message]:
    """What is to be known of the table, in sentences."""
    notes = split_notes(config)
    if n_test < 50:
        notes.append(Message("Only {n_test} test pictures: the numbers can be far off.", n_test=n_test))
    if config.seeds == 1:
        notes.append(
            Message("One draw of labels cannot say whether a pretraining helps: there is no verdict. Try five or more.")
        )
    elif config.seeds < 5:
        notes.append(
            Message(
                "{seeds} draws of labels are few: what they lack of their own spread is taken from a usual one of four "
                "points. Where draws differ by much more, the intervals are too narrow. Try five or more.",
                seeds=config.seeds,
            )
        )
    notes += _small_classes(rows)
    notes += _flatness(rows[0]["cells"])
    if together > 1:
        notes.append(
            Message(
                "The intervals of the {together} differences hold together: in 95 of 100 comparisons all of them hold "
                "what is true, that of the best row too, though it was chosen for being the best.",
                together=together,
            )
        )
    notes += _pretrainings(config)
    if config.weights:
        notes.append(
            Message("What the weights from elsewhere have seen is not known here: it may include the test pictures.")
        )
    return notes


def notes_on_suggested(found: Sequence[BesideRandom]) -> list[Message]:
    """What suggested labels gave beside random ones, a sentence a row."""
    if not found:
        return []
    notes = []
    for source in dict.fromkeys(one["source"] for one in found):
        cells = [
            Message(
                "{score:score} instead of {random:score} with {labels} ({value:signed}, {low:signed} to {high:signed})",
                score=one["score"],
                random=one["random"],
                labels=one["labels"],
                value=one["difference"]["value"],
                low=one["difference"]["low"],
                high=one["difference"]["high"],
            )
            for one in found
            if one["source"] == source
        ]
        title = next(one["title"] for one in found if one["source"] == source)
        notes.append(Message("{title}, beside random ones: {cells:semicolons}.", title=title, cells=cells))
    notes.append(
        Message(
            "Suggested labels are as many in all as random ones, not as many a class: a person who labels does not "
            "know the classes before. Each draw chooses among a random 80 % of the training pictures. The test "
            "pictures are the same."
        )
    )
    return notes


def _pretrainings(config: CompareConfig) -> list[Message]:
    """Whether the luck of a pretraining is in the intervals."""
    many = max((len(pretraining_runs(config, task)) for task in pretrained_sources(config)), default=1)
    if many < 2:
        return [
            Message(
                "Each row rests on one pretraining: the luck of its own seed is not in the intervals, and another seed "
                "can differ by about 3.5 points."
            )
        ]
    notes = [
        Message(
            "Each task was pretrained {many} times, with other seeds, and the draws of labels are spread over these: "
            "the luck of a pretraining is in the intervals.",
            many=many,
        )
    ]
    if many == 2:
        notes.append(
            Message(
                "Two pretrainings say little of how much pretrainings differ: part of it is taken from a usual spread "
                "of two points. Three or more are the better question."
            )
        )
    if config.pretrain_seeds > config.seeds:
        notes.append(
            Message(
                "Of {wanted} pretrainings of each task {many} were made: each needs a draw of labels of its own.",
                wanted=config.pretrain_seeds,
                many=many,
            )
        )
    if config.weights:
        notes.append(Message("Weights from elsewhere are one pretraining: its luck is not in the intervals."))
    return notes


def notes_on_longer(rows: Sequence[Longer]) -> list[Message]:
    """Whether some row was stopped before it had learnt."""
    gains = [(row, gap) for row in rows if (gap := row["difference"]) is not None]
    if not gains:
        return []
    times, labels = gains[0][0]["times"], gains[0][0]["labels"]
    short = [row["title"] for row, gap in gains if gap["value"] > FLAT]
    if not short:
        return [
            Message(
                "By {times} times the steps with {labels} labels {rows:and} {n:plural(gains|gain)} no more than one "
                "point: nothing hints at having stopped too early. The intervals say how sure that is.",
                rows=[row["title"] for row, _ in gains],
                n=len(gains),
                times=times,
                labels=labels,
            )
        ]
    return [
        Message(
            "By {times} times the steps with {labels} labels {rows:and} {n:plural(gains|gain)} more than one point, "
            "luck included: the usual steps may be too few there. The intervals say how sure that is.",
            rows=short,
            n=len(short),
            times=times,
            labels=labels,
        )
    ]


def _small_classes(rows: Sequence[Row]) -> list[Message]:
    """A word where a class has fewer labels than were asked for."""
    cells = [cell for row in rows for cell in row["cells"] if cell["labels"] - labels_used(cell) >= 0.05]
    if not cells:
        return []
    worst = max(cells, key=lambda cell: cell["labels"] - labels_used(cell))
    return [
        Message(
            "A small class gives the labels that it has: of {labels} a class there were {used:.1f} on average. Curves "
            "and worths use the real numbers.",
            labels=worst["labels"],
            used=labels_used(worst),
        )
    ]


def _flatness(cells: Sequence[Cell]) -> list[Message]:
    """A word when more labels no longer help scratch: what labels are worth is then a matter of the steps."""
    if len(cells) < 2 or cells[-1]["score"]["value"] - cells[-2]["score"]["value"] > FLAT:
        return []
    return [
        Message(
            "From scratch {more} labels are hardly better than {fewer}: the steps may be too few for "
            "them, and what labels are worth is too high then. Try more steps in another comparison.",
            more=cells[-1]["labels"],
            fewer=cells[-2]["labels"],
        )
    ]


def machines(config: CompareConfig) -> Machines:
    """Which devices did how much: seconds of pretraining and of fine-tuning in all."""
    cells = [cell.facts() for cell in all_cells(config)]
    runs = [run.facts() for source in pretrained_sources(config) for run in pretraining_runs(config, source)]
    known = [facts["machine"] for facts in (*cells, *runs) if "machine" in facts]
    return {
        "devices": sorted({", ".join(f"{name} {value}" for name, value in one.items()) for one in known}),
        "pretraining_seconds": sum(facts.get("seconds", 0.0) for facts in runs),
        "finetuning_seconds": sum(facts.get("seconds", 0.0) for facts in cells),
    }
