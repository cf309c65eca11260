"""From the finished runs of a comparison to its tables: table.json, table.md and curve.png."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
from filelock import FileLock

from sslstudio.engine.core.atomic_files import write_atomic
from sslstudio.engine.core.messages import NOTHING, Message, from_stored, to_stored
from sslstudio.engine.dataset.groups import group_paths
from sslstudio.engine.evaluate.arms import UNTRAINED
from sslstudio.engine.evaluate.scores import HEADLINE, Array, pooled
from sslstudio.engine.experiments.caveats import machines, notes_on
from sslstudio.engine.experiments.compare_config import (
    SCRATCH,
    CompareConfig,
    cell_run,
    cell_runs,
    labels_of,
    pretraining_run,
    source_title,
    sources_of,
)
from sslstudio.engine.experiments.curve import curve_png
from sslstudio.engine.experiments.experiment_run import DONE, ExperimentRun
from sslstudio.engine.experiments.label_efficiency import (
    Estimate,
    Luck,
    draw_scores,
    estimate,
    mean_over_draws,
    resampled_scores,
    resampling,
    worth,
)
from sslstudio.engine.experiments.report import markdown
from sslstudio.engine.experiments.tables import (
    Agreement,
    Cell,
    EarlyProbe,
    EfficiencyTable,
    Overall,
    Pretraining,
    Row,
    Score,
    Worth,
    verdict_of,
)
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.training.config import pretrain_from_dict


@dataclass(frozen=True)
class Scored:
    """The test pictures of a cell and their confusions (n, C, C)."""

    paths: tuple[str, ...]
    confusions: Array


def scored_pictures(cell: ExperimentRun, source: str) -> Scored:
    """The test pictures of a row's finished cell. Raises RunError when they cannot be read."""
    metrics = cell.folder.finetune_metrics()
    part = source if source == UNTRAINED else next(iter(metrics["parts"] if metrics else ()), SCRATCH)
    return Scored(*read_confusions(confusions_file(cell.path, part)))


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


def write_tables(config: CompareConfig) -> EfficiencyTable:
    """Write what is there so far, and give back the content of table.json."""
    out = Path(config.out)
    with FileLock(out / "table.lock", thread_local=False):
        table: EfficiencyTable = from_stored(to_stored(build_table(config)))
        write_atomic(out / "table.json", (json.dumps(to_stored(table), indent=1) + "\n").encode())
        write_atomic(out / "table.md", markdown(table).encode(errors="backslashreplace"))
        write_atomic(out / "curve.png", curve_png(table))
    return table


def build_table(config: CompareConfig) -> EfficiencyTable:
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
    return [draw for draw in range(config.seeds) if cell_run(config, source, labels, draw).outcome() == DONE]


def _test_pictures(config: CompareConfig) -> tuple[list[str], dict[str, str]]:
    """The test pictures of the first row that has some, and a word on each row that was tested on others."""
    first: tuple[str, ...] = ()
    notes: dict[str, str] = {}
    for source in sources_of(config):
        for labels in labels_of(config, source):
            for draw in _done(config, source, labels):
                paths = scored_pictures(cell_run(config, source, labels, draw), source).paths
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
                matrices = [
                    scored_pictures(cell_run(config, source, labels, draw), source).confusions for draw in draws
                ]
                stacked = np.stack([pooled(one, groups) for one in matrices])
                columns[source, labels] = Column(
                    tuple(draws), draw_scores(config.kind, stacked), resampled_scores(config.kind, stacked, luck)
                )
    return columns


def _row(config: CompareConfig, source: str, columns: Columns, luck: Luck | None, note: str) -> Row:
    cells = [
        _cell(config, source, labels, columns, luck)
        for labels in labels_of(config, source)
        if luck and (source, labels) in columns
    ]
    row: Row = {
        "source": source,
        "title": source_title(config, source),
        "note": note,
        "cells": cells,
        "overall": _overall(config, source, columns, luck) if luck and source != SCRATCH else None,
    }
    if source in config.task_names():
        run = pretraining_run(config, source)
        row["pretraining"] = _pretraining(run)
        row["note"] = row["note"] or _trouble(run)
        row["probe"] = _probe(run, row["overall"])
    row["note"] = row["note"] or _failures(config, source)
    return row


def _trouble(run: ExperimentRun) -> Message:
    facts = run.facts()
    return (
        Message("{outcome}: {words}", outcome=facts["outcome"], words=facts["words"])
        if facts and facts["outcome"] != DONE
        else NOTHING
    )


def _failures(config: CompareConfig, source: str) -> Message:
    cells = cell_runs(config, source)
    words = [trouble for cell in cells if (trouble := _trouble(cell))]
    return (
        Message("{words} of {places} cells {words2}", words=len(words), places=len(cells), words2=words[0])
        if words
        else NOTHING
    )


def _cell(config: CompareConfig, source: str, labels: int, columns: Columns, luck: Luck) -> Cell:
    column = columns[source, labels]
    mean = mean_over_draws(column.resampled, luck, column.draws)
    score = estimate(column.scores, mean)
    metrics = cell_run(config, source, labels, column.draws[0]).folder.finetune_metrics()
    cell: Cell = {
        "labels": labels,
        "n_train": metrics["n_train"] if metrics else None,
        "score": _score(score),
        "draws": column.scores.tolist(),
        "difference": None,
        "verdict": None,
        "worth": None,
    }
    scratch = columns.get((SCRATCH, labels))
    if source != SCRATCH and scratch is not None:
        cell["difference"] = _difference(column, scratch, luck)
        cell["verdict"] = verdict_of(cell["difference"])
    grid = [count for count in labels_of(config, SCRATCH) if (SCRATCH, count) in columns]
    if source != SCRATCH and len(grid) > 1:
        curves = [columns[SCRATCH, count] for count in grid]
        curve = np.array([one.scores.mean() for one in curves])
        drawn = np.stack([mean_over_draws(one.resampled, luck, one.draws) for one in curves], -1)
        cell["worth"] = cast(Worth, asdict(worth(labels, score.value, grid, curve, mean, drawn)))
    return cell


def _score(found: Estimate) -> Score:
    return cast(Score, asdict(found))


def _difference(ours: Column, scratch: Column, luck: Luck) -> Score | None:
    common = [draw for draw in ours.draws if draw in scratch.draws]
    return _score(estimate(*_gap(ours, scratch, luck, common))) if common else None


def _gap(ours: Column, scratch: Column, luck: Luck, draws: Sequence[int]) -> tuple[Array, Array]:
    """Ours minus scratch on the same draws: of each draw (S,), and of their mean on each resample (R,)."""
    (a, drawn_a), (b, drawn_b) = ours.of(draws), scratch.of(draws)
    return a - b, mean_over_draws(drawn_a - drawn_b, luck, draws)


def _overall(config: CompareConfig, source: str, columns: Columns, luck: Luck) -> Overall | None:
    """The mean difference to scratch over all numbers of labels: what the row's pretraining bought, in one figure."""
    counts = [count for count in labels_of(config, source) if {(source, count), (SCRATCH, count)} <= set(columns)]
    pairs = [(columns[source, count], columns[SCRATCH, count]) for count in counts]
    draws = [draw for draw in range(config.seeds) if all(draw in one.draws for pair in pairs for one in pair)]
    if not pairs or not draws:
        return None
    each, drawn = zip(*(_gap(ours, scratch, luck, draws) for ours, scratch in pairs), strict=True)
    return {**_score(estimate(np.mean(each, axis=0), np.mean(drawn, axis=0))), "labels": counts}


def _pretraining(run: ExperimentRun) -> Pretraining | None:
    """What a pretraining took and how well it does its own task on held-out pictures."""
    metrics = run.folder.pretrain_metrics()
    if metrics is None:
        return None
    batch = min(pretrain_from_dict(run.folder.config()).optimiser.batch_size, metrics["pictures"])
    chance = metrics["chance"]
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
        "machine": run.facts().get("machine"),
    }


def _probe(run: ExperimentRun, overall: Overall | None) -> EarlyProbe | None:
    """What the probe said after a quarter of the pretraining, and whether fine-tuning came to the same over all."""
    metrics = run.folder.pretrain_metrics()
    quarter = metrics.get("probe_quarter") if metrics else None
    if not quarter or not quarter["verdict"]:
        return None
    final = verdict_of(overall)
    said = quarter["verdict"]
    agrees = None if final is None else said.removesuffix(" yet") == final
    return {"quarter": said, "share": quarter["share"], "final": final, "agrees": agrees}


def _agreement(rows: list[Row]) -> Agreement:
    known = [probe["agrees"] for row in rows if (probe := row.get("probe"))]
    return {"agrees": known.count(True), "of": len(known) - known.count(None)}


def _baseline(config: CompareConfig) -> float | None:
    """The score of always guessing the class that is most frequent among the labels, averaged over scratch."""
    results = [
        cell_run(config, SCRATCH, labels, draw).folder.finetune_metrics()
        for labels in labels_of(config, SCRATCH)
        for draw in _done(config, SCRATCH, labels)
    ]
    scores = [metrics["baseline"][HEADLINE[config.kind]] for metrics in results if metrics is not None]
    found = [score for score in scores if score is not None]
    return sum(found) / len(found) if found else None
