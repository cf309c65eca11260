"""From the finished runs of a comparison to its tables: table.json, table.md and curve.png."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.messages import NOTHING, Message, from_stored, to_stored
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.evaluate.arms import BASELINES, BESIDE, GENERAL, PRETRAINED
from sslstudio.engine.evaluate.scores import HEADLINE, Array, belong, pooled
from sslstudio.engine.experiments.caveats import machines, notes_on, notes_on_longer, notes_on_suggested
from sslstudio.engine.experiments.compare_config import (
    SCRATCH,
    CompareConfig,
    begun_from,
    cell_run,
    cell_runs,
    labels_of,
    longer_runs,
    part_of,
    pretrained_sources,
    pretraining_runs,
    read_count,
    run_source,
    seed_of,
    source_title,
    sources_of,
    suggested_sources,
)
from sslstudio.engine.experiments.curve import curve_png
from sslstudio.engine.experiments.experiment_run import DONE, ExperimentRun
from sslstudio.engine.experiments.label_efficiency import (
    Luck,
    Spread,
    draw_scores,
    estimate,
    hold_together,
    picture_variance,
    resampled_scores,
    resampling,
    spread,
    worth,
)
from sslstudio.engine.experiments.report import markdown
from sslstudio.engine.experiments.tables import (
    Agreement,
    BesideRandom,
    Cell,
    EarlyProbe,
    EfficiencyTable,
    Longer,
    Made,
    Overall,
    Pretraining,
    Row,
    Score,
    Tuning,
    Worth,
    verdict_of,
)
from sslstudio.engine.finetuning.costs import read_costs
from sslstudio.engine.finetuning.labelled import encoder_of
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.picture_choices import together_of
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import finetune_from_dict, pretrain_from_dict
from sslstudio.engine.training.recognised_record import recall

T = TypeVar("T")


@dataclass(frozen=True)
class Scored:
    """The test pictures of a cell and their confusions (n, C, C)."""

    paths: tuple[str, ...]
    confusions: Array


def scored_pictures(cell: ExperimentRun, source: str) -> Scored:
    """The test pictures of a row's finished cell. Raises RunError when they cannot be read."""
    return Scored(*read_confusions(confusions_file(cell.path, part_of(source))))


@dataclass(frozen=True)
class Column:
    """A row of the table at one number of labels: its draws, their scores (S,) and the resampled scores (R, S).

    right: (S, n) which test pictures each draw has right, where a variance by class can be taken from it. used: how
    many labels a class the draws really had on average (for masks: in all); a small class gives what it has.
    pretrainings: which one each draw rests on; empty where the row has one or none.
    """

    draws: tuple[int, ...]
    scores: Array
    resampled: Array
    right: Array | None
    used: float
    pretrainings: tuple[int, ...] = ()

    def at(self, draws: Sequence[int]) -> list[int]:
        """The places of draws."""
        return [self.draws.index(draw) for draw in draws]

    def pretrainings_at(self, draws: Sequence[int]) -> list[int]:
        """Which pretrainings draws rest on."""
        return [self.pretrainings[place] for place in self.at(draws)] if self.pretrainings else []


@dataclass(frozen=True)
class Tested:
    """The test pictures of all columns: the groups that they belong to, their classes where these are independent of
    each other, and how they are resampled."""

    groups: list[str] | None
    classes: npt.NDArray[np.int_] | None
    luck: Luck

    def score(self, column: Column) -> Spread:
        """How the score of a column would vary."""
        known = None
        if column.right is not None and self.classes is not None:
            known = picture_variance(column.right, self.classes)
        return spread(column.scores, column.resampled, self.luck, column.draws, known, column.pretrainings)

    def gap(self, pairs: Sequence[tuple[Column, Column]]) -> tuple[Array, Spread] | None:
        """The first minus the second of each pair on the draws that all have, averaged over the pairs: of each draw
        (S,), and how their mean would vary: the first ones, which are all of one row, may rest on several pretrainings.
        None where there is no such draw."""
        columns = [column for pair in pairs for column in pair]
        draws = [draw for draw in columns[0].draws if all(draw in one.draws for one in columns)] if columns else []
        if not draws:
            return None
        sides = [[(one.scores[one.at(draws)], one.resampled[:, one.at(draws)], _picked(one, draws)) for one in pair]
                 for pair in pairs]  # fmt: skip
        scores = np.mean([ours[0] - theirs[0] for ours, theirs in sides], axis=0)
        drawn = np.mean([ours[1] - theirs[1] for ours, theirs in sides], axis=0)
        known = None
        if self.classes is not None:
            known = picture_variance(np.mean([ours[2] - theirs[2] for ours, theirs in sides], axis=0), self.classes,
                                     gap=True)  # fmt: skip
        rest = next((found for one in columns if (found := one.pretrainings_at(draws))), [])
        return scores, spread(scores, drawn, self.luck, draws, known, rest)


def _picked(column: Column, draws: Sequence[int]) -> Array:
    return np.zeros(()) if column.right is None else column.right[column.at(draws)]


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
    tested = _tested(config, paths) if paths else None
    columns = _columns(config, tested, notes) if tested else {}
    rows = [_row(config, source, columns, tested, notes.get(source, "")) for source in sources_of(config)]
    together = _judge(rows, columns, tested) if tested else 0
    suggested = _beside_random(config, columns, tested) if tested else []
    longer = _longer(config, columns, tested, notes) if tested else []
    for row in rows:
        if row["source"] in pretrained_sources(config):
            row["probe"] = _probe(pretraining_runs(config, row["source"])[0], row["overall"])
    groups = tested.groups if tested else None
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
        "n_groups": len(set(groups)) if groups else None,
        "baseline": _baseline(config),
        "rows": rows,
        "suggested": suggested,
        "read_at": read_count(config),
        "longer": longer,
        "together": together,
        "agreement": _agreement(rows),
        "notes": [
            *notes_on(config, rows, len(paths), together),
            *notes_on_longer(longer),
            *notes_on_suggested(suggested),
        ],
        "machine": machines(config),
    }


def _chosen_groups(config: CompareConfig) -> Mapping[str, str]:
    """The groups that a person gave by folders or a column, as the first run noted them when it began."""
    if roles.GROUP not in config.data.roles.values():
        return {}
    for source in sources_of(config):
        for labels in labels_of(config, source):
            for draw in _done(config, source, labels):
                run = RunFolder(cell_run(config, source, labels, draw).path)
                began = recall(run, config.data.folder, str(run.config().get("data", {}).get("labels", "")))
                return began.groups if began else {}
    return {}


def _tested(config: CompareConfig, paths: list[str]) -> Tested:
    groups = groups_of(paths, config.data.groups, _chosen_groups(config), together_of(config.data.roles))
    named = [groups[path] for path in paths] if groups else None
    first = next(
        scored_pictures(cell_run(config, source, labels, draw), source)
        for source in sources_of(config) for labels in labels_of(config, source)
        for draw in _done(config, source, labels)
    )  # fmt: skip
    classes = None
    if config.kind == "classification" and not belong(named):
        named, classes = None, first.confusions.sum(2).argmax(1)
    units = len(set(named)) if named else len(paths)
    return Tested(named, classes, resampling(config.seeds, units, classes=classes))


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


def _columns(config: CompareConfig, tested: Tested, left_out: Mapping[str, str]) -> Columns:
    columns: Columns = {}
    for source in sources_of(config):
        for labels in labels_of(config, source) if source not in left_out else []:
            draws = _done(config, source, labels)
            if draws:
                columns[source, labels] = _column(config, source, labels, draws, tested)
    return columns


def _column(config: CompareConfig, source: str, labels: int, draws: list[int], tested: Tested) -> Column:
    return _column_of(config, source, [cell_run(config, source, labels, draw) for draw in draws], tested)


def _column_of(config: CompareConfig, source: str, cells: Sequence[ExperimentRun], tested: Tested) -> Column:
    draws = [cell.draw for cell in cells]
    stacked = np.stack([pooled(scored_pictures(cell, source).confusions, tested.groups) for cell in cells])
    return Column(
        tuple(draws),
        draw_scores(config.kind, stacked),
        resampled_scores(config.kind, stacked, tested.luck),
        np.einsum("sncc->sn", stacked) if tested.classes is not None else None,
        float(np.mean([_labels_used(cell, cell.labels) for cell in cells])),
        _seeds(config, source, draws),
    )


def _seeds(config: CompareConfig, source: str, draws: Sequence[int]) -> tuple[int, ...]:
    """The pretraining of each draw; empty where the row has one or none."""
    several = len(pretraining_runs(config, begun_from(run_source(source)))) > 1
    return tuple(seed_of(config, source, draw) for draw in draws) if several else ()


def _labels_used(cell: ExperimentRun, labels: int) -> float:
    """How many labels a class a cell was trained on (of masks: in all)."""
    metrics = cell.folder.finetune_metrics()
    if metrics is None:
        return labels
    return metrics["n_train"] / (len(metrics["classes"]) if metrics["kind"] == "classification" else 1)


def _row(config: CompareConfig, source: str, columns: Columns, tested: Tested | None, note: str) -> Row:
    cells = [
        _cell(config, source, labels, columns, tested)
        for labels in labels_of(config, source)
        if tested and (source, labels) in columns
    ]
    row: Row = {"source": source, "title": source_title(config, source), "note": note, "cells": cells, "overall": None}
    if begun_from(run_source(source)) in pretrained_sources(config):  # beside general weights it is the same one
        runs = pretraining_runs(config, begun_from(run_source(source)))
        row["pretraining"] = _pretrainings(runs)
        row["note"] = row["note"] or next((trouble for run in runs if (trouble := _trouble(run))), NOTHING)
    row["note"] = row["note"] or _failures(config, source)
    row["tuning"] = [one for labels in labels_of(config, source) if (one := _tuning(config, source, labels))]
    row["made"] = _made(config, source)
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


def _cell(config: CompareConfig, source: str, labels: int, columns: Columns, tested: Tested) -> Cell:
    column = columns[source, labels]
    found = tested.score(column)
    metrics = cell_run(config, source, labels, column.draws[0]).folder.finetune_metrics()
    return {
        "labels": labels,
        "used": column.used,
        "n_train": metrics["n_train"] if metrics else None,
        "score": cast(Score, asdict(estimate(column.scores, found))),
        "draws": column.scores.tolist(),
        "difference": None,
        "verdict": None,
        "worth": _worth(config, column, found, columns, tested) if source not in BASELINES else None,
    }


def _tuning(config: CompareConfig, source: str, labels: int) -> Tuning | None:
    """What a fine-tuning of the row takes on average; None where earlier versions have not kept it."""
    return _tuning_of(source, [cell_run(config, source, labels, draw) for draw in _done(config, source, labels)])


def _tuning_of(source: str, cells: Sequence[ExperimentRun]) -> Tuning | None:
    spent = [found for cell in cells if (found := read_costs(cell.folder).get(part_of(source)))]
    if not spent:
        return None
    minutes = float(np.mean([one["seconds"] for one in spent])) / 60
    return {
        "labels": cells[0].labels,
        "minutes": minutes,
        "steps": round(float(np.mean([one["steps"] for one in spent]))),
    }


def _made(config: CompareConfig, source: str) -> Made | None:
    """Encoder and side of the row's networks, as its first fine-tuning that is done has settled them."""
    runs = [cell_run(config, source, labels, draw) for labels in labels_of(config, source)
            for draw in _done(config, source, labels)[:1]]  # fmt: skip
    if not runs:
        return None
    settled, part = finetune_from_dict(runs[0].folder.config()), part_of(source)
    names = [encoder_of(one, settled).name for one in ((PRETRAINED, GENERAL) if part == BESIDE else (part,))]
    return {"encoder": " + ".join(names), "side": settled.data.side}


def _worth(config: CompareConfig, column: Column, found: Spread, columns: Columns, tested: Tested) -> Worth | None:
    curve = [best for count in labels_of(config, SCRATCH) if (best := _without(columns, count)) is not None]
    grid = [one.used for one in curve]
    if len(grid) < 2 or grid != sorted(set(grid)):
        return None
    steps = [tested.gap([(after, before)]) for before, after in pairwise(curve)]
    rising = [step is not None and step[1].value > step[1].reach() for step in steps]
    return cast(Worth, asdict(worth(column.used, found, grid, [tested.score(one) for one in curve], rising)))


def _without(columns: Columns, labels: int) -> Column | None:
    """The better of the rows without a pretraining at this number of labels: what a pretraining has to beat. Which it
    is these same test pictures say, so luck speaks for them and never for a pretraining."""
    found = [columns[source, labels] for source in BASELINES if (source, labels) in columns]
    return max(found, key=lambda column: float(column.scores.mean()), default=None)


def _judge(rows: Sequence[Row], columns: Columns, tested: Tested) -> int:
    """Fill in the differences to the better of the rows without a pretraining, and the verdicts: the intervals of all
    cells hold together, and those of the means of all rows do. Gives the number of cells."""
    pairs = {
        (row["source"], cell["labels"]): (columns[row["source"], cell["labels"]], best)
        for row in rows if row["source"] not in BASELINES
        for cell in row["cells"] if (best := _without(columns, cell["labels"])) is not None
    }  # fmt: skip
    cells = {key: gap for key, pair in pairs.items() if (gap := tested.gap([pair])) is not None}
    counts = {row["source"]: [labels for source, labels in pairs if source == row["source"]] for row in rows}
    means = {
        source: gap for source, labels in counts.items()
        if (gap := tested.gap([pairs[source, count] for count in labels])) is not None
    }  # fmt: skip
    told, overall = _together(cells), _together(means)
    for row in rows:
        for cell in row["cells"]:
            cell["difference"] = told.get((row["source"], cell["labels"]))
            cell["verdict"] = verdict_of(cell["difference"])
        if row["source"] in overall:
            row["overall"] = {**overall[row["source"]], "labels": counts[row["source"]]}
    return len(cells)


def _beside_random(config: CompareConfig, columns: Columns, tested: Tested) -> list[BesideRandom]:
    """Each row of suggested labels against the same row with random ones; the intervals of all cells hold together."""
    keys = [(source, labels) for source in suggested_sources(config) for labels in labels_of(config, source)
            if (source, labels) in columns and (begun_from(source), labels) in columns]  # fmt: skip
    pairs = {key: (columns[key], columns[begun_from(key[0]), key[1]]) for key in keys}
    told = _together({key: gap for key, pair in pairs.items() if (gap := tested.gap([pair])) is not None})
    return [
        {"source": key[0], "title": source_title(config, key[0]), "labels": key[1], "difference": difference,
         "score": float(pairs[key][0].scores.mean()), "random": float(pairs[key][1].scores.mean())}
        for key, difference in told.items()
    ]  # fmt: skip


def _longer(
    config: CompareConfig, columns: Columns, tested: Tested, left_out: Mapping[str, str]
) -> list[Longer]:  # fmt: skip
    """The rows that were trained longer, against their usual steps; the intervals of all of them hold together."""
    first = next(iter(columns), None)
    if first is None:
        return []
    paths = scored_pictures(cell_run(config, *first, columns[first].draws[0]), first[0]).paths
    found: dict[str, Column] = {}
    rows: list[Longer] = []
    for source in sources_of(config):
        runs = longer_runs(config, source) if source not in left_out else []
        done = [run for run in runs if run.outcome() == DONE and scored_pictures(run, source).paths == paths]
        if not done:
            continue
        column = found[source] = _column_of(config, source, done, tested)
        tuning = _tuning_of(source, done)
        rows.append(
            {"source": source, "title": source_title(config, source), "times": config.longer, "labels": done[0].labels,
             "score": cast(Score, asdict(estimate(column.scores, tested.score(column)))),
             "draws": column.scores.tolist(), "difference": None,
             "minutes": tuning["minutes"] if tuning else None, "steps": tuning["steps"] if tuning else None,
             "note": next((trouble for run in runs if (trouble := _trouble(run))), NOTHING)}
        )  # fmt: skip
    pairs = {row["source"]: (found[row["source"]], columns[row["source"], row["labels"]]) for row in rows
             if (row["source"], row["labels"]) in columns}  # fmt: skip
    told = _together({source: gap for source, pair in pairs.items() if (gap := tested.gap([pair])) is not None})
    for row in rows:
        row["difference"] = told.get(row["source"])
    return rows


def _together(found: Mapping[T, tuple[Array, Spread]]) -> dict[T, Score]:
    reaches = hold_together([one for _, one in found.values()])
    return {
        key: cast(Score, asdict(estimate(scores, one, reach)))
        for (key, (scores, one)), reach in zip(found.items(), reaches, strict=True)
    }


def _pretrainings(runs: Sequence[ExperimentRun]) -> Pretraining | None:
    """What those that are done took, and how well they do their own task: each on average."""
    found = [one for run in runs if (one := _pretraining(run)) is not None]
    if len(found) < 2:
        return found[0] if found else None
    values = [one["value"] for one in found if one["value"] is not None]
    return {
        **found[0],
        "minutes": float(np.mean([one["minutes"] for one in found])),
        "steps": round(np.mean([one["steps"] for one in found])),
        "pictures_per_second": float(np.mean([one["pictures_per_second"] for one in found])),
        "value": float(np.mean(values)) if values else None,
        "seeds": len(found),
    }


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
    """What the probe said after a quarter of the (first) pretraining, and whether fine-tuning came to the same over
    all."""
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
