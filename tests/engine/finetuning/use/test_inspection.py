"""A closer look at real runs."""

import csv
import json
import shutil
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.finetuning.use.inspection import Closer, look_closer

R = TypeVar("R")


def looked(run: Path) -> Closer:
    return to_end(look_closer(run, "", RunControl()))


def test_every_labelled_picture_is_asked_as_the_table_says(classified: Path) -> None:
    closer = looked(classified)
    split = json.loads((classified / "split.json").read_text())
    assert len(closer.paths) == sum(len(part) for part in split.values())
    with (classified / "predictions-pretrained.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines)}
    for path, row in rows.items():
        number = closer.paths.index(path)
        assert closer.label(path) == row["label"]
        assert closer.chances[number].max() == pytest.approx(float(row["confidence"]), abs=2e-4)
    near = closer.neighbours(closer.paths[0])
    assert len(near) == 6
    assert closer.paths[0] not in [path for path, _ in near]
    assert closer.neighbours("not/there.png") == []
    assert to_end(closer.positions()).shape == (len(closer.paths), 2)
    assert not {closer.paths[one.number] for one in closer.doubts()} & closer.taught
    heat = to_end(closer.heat(closer.paths[0], closer.names[0], RunControl()))
    assert heat.shape == (32, 32)
    assert np.isfinite(heat).all()


def test_masks_have_neighbours_and_uncertainty(segmented: Path) -> None:
    closer = looked(segmented)
    assert closer.doubts() == []
    assert closer.label(closer.paths[0]) == ""
    unsure = closer.uncertainty(closer.paths[0])
    assert unsure.shape == (32, 32)
    assert 0 <= unsure.min() <= unsure.max() <= 1


def test_it_can_be_stopped(classified: Path) -> None:
    control = RunControl()
    steps = look_closer(classified, "scratch", control)
    next(steps)
    control.stop()
    with pytest.raises(RunError):
        list(steps)


def test_labels_that_changed_since_have_the_numbers_of_the_network(classified: Path, tmp_path: Path) -> None:
    before = looked(classified)
    changed = {path: before.label(path) for path in before.paths}
    gone, moved, added = before.names[0], before.names[1], before.paths[0]
    changed = {path: moved if name == gone else name for path, name in changed.items()} | {added: "quite new"}
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n" + "".join(f"{path},{name}\n" for path, name in changed.items()), encoding="utf-8")
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    config = (run / "config.toml").read_text(encoding="utf-8")
    assert 'labels = ""' in config
    (run / "config.toml").write_text(
        config.replace('labels = ""', f"labels = {json.dumps(str(table))}"), encoding="utf-8"
    )
    closer = looked(run)
    assert closer.names == before.names
    assert added not in closer.paths  # the network knows no such class
    assert {path: closer.label(path) for path in closer.paths} == {p: n for p, n in changed.items() if p != added}
    assert all(one.label < len(closer.names) for one in closer.doubts())
