"""From the finished runs of a comparison to its tables: table.json, table.md and curve.png."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from sslstudio.engine.core.atomic_files import write_atomic
from sslstudio.engine.core.messages import NOTHING, Message, from_stored, plain, to_stored
from sslstudio.engine.dataset.groups import group_paths
from sslstudio.engine.evaluate.scores import HEADLINE, Array, pooled
from sslstudio.engine.experiments.caveats import machines, notes_on
from sslstudio.engine.experiments.compare_cells import DONE, Place, cell_place, scored_pictures
from sslstudio.engine.experiments.compare_config import (
    SCRATCH,
    CompareConfig,
    labels_of,
    pretraining_folder,
    sources_of,
    tasks_of,
)
from sslstudio.engine.experiments.label_efficiency import (
    Luck,
    draw_scores,
    estimate,
    mean_over_draws,
    resampled_scores,
    resampling,
    worth,
)
from sslstudio.engine.experiments.report import curve_png, markdown
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import pretrain_from_dict


@dataclass(frozen=True)
class Column:
    """A row of the table at one number of labels: its draws, their scores (S,) and the resampled scores (R, S)."""

    draws: tuple[int, ...]
    scores: Array
    resampled: Array

    def of(self, draws: Sequence[int]) -> tuple[Array, Array]:
        """The same for some of the draws."""
        chosen = [self.draws.index(draw) for draw in draws]
        return self.scores[chosen], self.resampled[:, chosen]


Columns = dict[tuple[str, int], Column]


def write_tables(config: CompareConfig) -> dict[str, Any]:
    """Write what is there so far, and give back the content of table.json."""
    out = Path(config.out)
    with FileLock(out / "table.lock", thread_local=False):
        table: dict[str, Any] = from_stored(to_stored(build_table(config)))
        write_atomic(out / "table.json", (json.dumps(to_stored(table), indent=1) + "\n").encode())
        write_atomic(out / "table.md", markdown(table).encode(errors="backslashreplace"))
        write_atomic(out / "curve.png", curve_png(table))
    return table


def build_table(config: CompareConfig) -> dict[str, Any]:
    """The content of table.json."""
    paths, notes = _test_pictures(config)
    groups = group_paths(paths, config.data.groups)
    named = [groups[path] for path in paths] if groups else None
    luck = resampling(config.seeds, len(set(named)) if named else len(paths)) if paths else None
    columns = _columns(config, paths, named, luck, notes) if luck else {}
    rows = [_row(config, source, columns, luck, notes.get(source, "")) for source in sources_of(config)]
    return {
        "folder": config.data.folder,
        "kind": config.kind,
        "headline": HEADLINE[config.kind],
        "labels": sorted({*config.labels}),
        "scratch_labels": labels_of(config, SCRATCH),
        "draws": config.seeds,
        "steps": config.steps,
        "side": config.data.side,
        "encoder": config.encoder.name,
        "n_test": len(paths),
        "n_groups": len(set(named)) if named else None,
        "baseline": _baseline(config),
        "rows": rows,
        "agreement": _agreement(rows),
        "notes": notes_on(config, rows, len(paths)),
        "machine": machines(config),
    }


def _done(config: CompareConfig, source: str, labels: int) -> list[int]:
    """The draws of a cell that are done."""
    return [draw for draw in range(config.seeds) if cell_place(config, source, labels, draw).outcome() == DONE]


def _test_pictures(config: CompareConfig) -> tuple[list[str], dict[str, str]]:
    """The test pictures of the first row that has some, and a word on each row that was tested on others."""
    first: tuple[str, ...] = ()
    notes: dict[str, str] = {}
    for source in sources_of(config):
        for labels in labels_of(config, source):
            for draw in _done(config, source, labels):
                paths = scored_pictures(cell_place(config, source, labels, draw)).paths
                first = first or paths
                if paths != first:
                    notes[source] = Message("left out: it was tested on other pictures, so that it cannot be compared")
    return list(first), notes


def _columns(
    config: CompareConfig, paths: list[str], groups: list[str] | None, luck: Luck, left_out: Mapping[str, str]
) -> Columns:
    columns: Columns = {}
    for source in sources_of(config):
        for labels in labels_of(config, source) if source not in left_out else []:
            draws = _done(config, source, labels)
            if draws:
                matrices = [scored_pictures(cell_place(config, source, labels, draw)).confusions for draw in draws]
                stacked = np.stack([pooled(one, groups) for one in matrices])
                columns[source, labels] = Column(
                    tuple(draws), draw_scores(config.kind, stacked), resampled_scores(config.kind, stacked, luck)
                )
    return columns


def _row(config: CompareConfig, source: str, columns: Columns, luck: Luck | None, note: str) -> dict[str, Any]:
    tasks = tasks_of(config)
    cells = [
        _cell(config, source, labels, columns, luck)
        for labels in labels_of(config, source)
        if luck is not None and (source, labels) in columns
    ]
    row: dict[str, Any] = {"source": source, "title": _title(config, source), "note": note, "cells": cells}
    row["overall"] = _overall(config, source, columns, luck) if luck and source != SCRATCH else None
    if source in tasks:
        place = Place(pretraining_folder(config, source))
        row["pretraining"] = _pretraining(place)
        row["note"] = row["note"] or _trouble(place)
        row["probe"] = _probe(place, row["overall"])
    row["note"] = row["note"] or _failures(config, source)
    return row


def _title(config: CompareConfig, source: str) -> Message:
    if source == SCRATCH:
        return Message("From scratch")
    return load_tasks()[source].title if source in tasks_of(config) else plain(source)


def _trouble(place: Place) -> Message:
    facts = place.facts()
    return (
        Message("{outcome}: {words}", outcome=facts["outcome"], words=facts["words"])
        if facts and facts["outcome"] != DONE
        else NOTHING
    )


def _failures(config: CompareConfig, source: str) -> Message:
    places = [cell_place(config, source, labels, draw) for labels in labels_of(config, source)
              for draw in range(config.seeds)]  # fmt: skip
    words = [trouble for place in places if (trouble := _trouble(place))]
    return (
        Message("{words} of {places} cells {words2}", words=len(words), places=len(places), words2=words[0])
        if words
        else NOTHING
    )


def _cell(config: CompareConfig, source: str, labels: int, columns: Columns, luck: Luck | None) -> dict[str, Any]:
    assert luck is not None
    column = columns[source, labels]
    mean = mean_over_draws(column.resampled, luck, column.draws)
    score = estimate(column.scores, mean)
    cell: dict[str, Any] = {
        "labels": labels,
        "n_train": cell_place(config, source, labels, column.draws[0]).metrics().get("n_train"),
        "score": asdict(score),
        "draws": column.scores.tolist(),
        "difference": None,
        "verdict": None,
        "worth": None,
    }
    scratch = columns.get((SCRATCH, labels))
    if source != SCRATCH and scratch is not None:
        cell["difference"] = _difference(column, scratch, luck)
        cell["verdict"] = outcome_words(cell["difference"])
    grid = [count for count in labels_of(config, SCRATCH) if (SCRATCH, count) in columns]
    if source != SCRATCH and len(grid) > 1:
        curves = [columns[SCRATCH, count] for count in grid]
        curve = np.array([one.scores.mean() for one in curves])
        drawn = np.stack([mean_over_draws(one.resampled, luck, one.draws) for one in curves], -1)
        cell["worth"] = asdict(worth(labels, score.value, grid, curve, mean, drawn))
    return cell


def _difference(ours: Column, scratch: Column, luck: Luck) -> dict[str, Any] | None:
    common = [draw for draw in ours.draws if draw in scratch.draws]
    return asdict(estimate(*_gap(ours, scratch, luck, common))) if common else None


def _gap(ours: Column, scratch: Column, luck: Luck, draws: Sequence[int]) -> tuple[Array, Array]:
    """Ours minus scratch on the same draws: of each draw (S,), and of their mean on each resample (R,)."""
    (a, drawn_a), (b, drawn_b) = ours.of(draws), scratch.of(draws)
    return a - b, mean_over_draws(drawn_a - drawn_b, luck, draws)


def _overall(config: CompareConfig, source: str, columns: Columns, luck: Luck) -> dict[str, Any] | None:
    """The mean difference to scratch over all numbers of labels: what the row's pretraining bought, in one figure."""
    counts = [count for count in labels_of(config, source) if {(source, count), (SCRATCH, count)} <= set(columns)]
    pairs = [(columns[source, count], columns[SCRATCH, count]) for count in counts]
    draws = [draw for draw in range(config.seeds) if all(draw in one.draws for pair in pairs for one in pair)]
    if not pairs or not draws:
        return None
    each, drawn = zip(*(_gap(ours, scratch, luck, draws) for ours, scratch in pairs), strict=True)
    return {**asdict(estimate(np.mean(each, axis=0), np.mean(drawn, axis=0))), "labels": counts}


def _pretraining(place: Place) -> dict[str, Any] | None:
    """What a pretraining took and how well it does its own task on held-out pictures."""
    metrics = place.metrics()
    if not metrics:
        return None
    batch = min(pretrain_from_dict(RunFolder(place.path).config()).optimiser.batch_size, metrics["pictures"])
    chance = metrics.get("chance") or {}
    name = next((name for name in chance if name in metrics["validation"]), None)
    return {
        "minutes": metrics["seconds"] / 60,
        "steps": metrics["steps"],
        "pictures_per_second": metrics["steps"] * batch / max(1e-9, metrics["seconds"]),
        "pictures": metrics["pictures"],
        "metric": name,
        "value": metrics["validation"].get(name) if name else None,
        "chance": chance.get(name) if name else None,
        "validation": metrics["validation"],
        "machine": place.facts().get("machine"),
    }


def outcome_words(difference: Mapping[str, Any] | None) -> str | None:
    """helps, harms or no difference, by the interval; None while it is not known."""
    if difference is None or difference["low"] != difference["low"]:
        return None
    return "helps" if difference["low"] > 0 else "harms" if difference["high"] < 0 else "no difference"


def _probe(place: Place, overall: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the probe said after a quarter of the pretraining, and whether fine-tuning came to the same over all."""
    quarter = place.metrics().get("probe_quarter")
    if not quarter or not quarter.get("verdict"):
        return None
    final = outcome_words(overall)
    said = str(quarter["verdict"])
    agrees = None if final is None else said.removesuffix(" yet") == final
    return {"quarter": said, "share": quarter.get("share"), "final": final, "agrees": agrees}


def _agreement(rows: list[dict[str, Any]]) -> dict[str, int]:
    known = [row["probe"]["agrees"] for row in rows if row.get("probe") and row["probe"]["agrees"] is not None]
    return {"agrees": sum(known), "of": len(known)}


def _baseline(config: CompareConfig) -> float | None:
    """The score of always guessing the class that is most frequent among the labels, averaged over scratch."""
    found = [
        cell_place(config, SCRATCH, labels, draw).metrics()["baseline"][HEADLINE[config.kind]]
        for labels in labels_of(config, SCRATCH)
        for draw in _done(config, SCRATCH, labels)
    ]
    return sum(found) / len(found) if found else None
