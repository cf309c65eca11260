"""Several workers on one comparison or tournament: real processes, as a job array of Slurm starts them."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Note, Preparing, StepDone, from_json
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.experiments.compare_config import cell_run
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.writer_lock import SILENT, WRITER
from tests.support.array_job import array_job
from tests.support.small_comparisons import compare_config, content, run_compare, table_of

OPTIONS = ["--side", "32", "--device", "cpu", "--json", "--set", "optimiser.batch_size=8"]
COMPARISON = [
    "--tasks", "rotation", "--labels", "2,4", "--seeds", "2", "--steps", "2", "--no-general",
    "--set", "budget.steps=2", "--set", "probe.enabled=false", *OPTIONS,
]  # fmt: skip


def records(out: Path) -> dict[str, str]:
    """The outcome of each run that was settled."""
    found = [*out.glob("pretrained/*.json"), *out.glob("cells/*/*.json"), *out.glob("round-*/*.json")]
    return {str(file.relative_to(out)): json.loads(file.read_text())["outcome"] for file in found}


def settled_by(lines: list[str]) -> list[str]:
    """The runs that a worker says it has settled: '3 of 9: From scratch, 2 labels, draw 2: ...'."""
    events = [from_json(line) for line in lines]
    told = [event.text for event in events if isinstance(event, Note) and " of 9: " in event.text]
    return [text.partition(": ")[2].partition(": ")[0] for text in told]


@pytest.mark.slow
def test_the_run_of_a_killed_worker_is_taken_over(sample_folder: Path, tmp_path: Path) -> None:
    alone, out = tmp_path / "alone", tmp_path / "shared"
    run_compare(compare_config(sample_folder, alone))
    workers = array_job("compare", sample_folder, out, COMPARISON, 3)
    first = workers[0]
    assert first.stdout is not None
    heard: list[str] = []
    for line in first.stdout:
        heard.append(line)
        if isinstance(from_json(line), StepDone):  # in the middle of a run
            first.send_signal(signal.SIGKILL)
            break
    said = [worker.communicate(timeout=240) for worker in workers[1:]]
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    assert [worker.returncode for worker in workers[1:]] == [0, 0], said
    made = settled_by(heard) + [run for out_text, _ in said for run in settled_by(out_text.splitlines())]
    assert len(made) == len(set(made)) == 9, "each run is made, and none twice"
    assert set(records(out).values()) == {"done"}
    rows, expected = (content(folder / "table.json")["rows"] for folder in (out, alone))
    assert [row["cells"] for row in rows] == [row["cells"] for row in expected]


@pytest.mark.slow
def test_workers_share_a_tournament(sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    options = ["--tasks", "rotation,jigsaw,simclr", "--minutes", "0.2", "--set", "probe.draws=4", *OPTIONS]
    workers = array_job("tournament", sample_folder, out, options, 2)
    said = [worker.communicate(timeout=240) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    events = [[from_json(line) for line in text.splitlines()] for text, _ in said]
    assert all(any(isinstance(event, StepDone) for event in one) for one in events), "both have worked"
    tables = [table_of(one) for one in events]
    assert tables[0] == tables[1] == content(out / "tournament.json")
    assert records(out) == {f"round-1/{task}.json": "done" for task in ("rotation", "jigsaw", "simclr")}
    assert {row["task"] for row in tables[0]["rounds"][0]} == {"rotation", "jigsaw", "simclr"}
    assert tables[0]["winner"]["task"] == tables[0]["rounds"][0][0]["task"]
    for run in (*out.glob("round-1/*/"), out / "winner"):
        steps = [event.step for event in RunFolder(run).events() if isinstance(event, StepDone)]
        assert steps == sorted(set(steps)), "no run was made by both"


def test_the_run_of_a_machine_that_crashed_is_taken_over_when_its_name_is_old(
    sample_folder: Path, tmp_path: Path
) -> None:
    config = compare_config(sample_folder, tmp_path / "out", tasks="", labels="2", seeds=1)
    cell = cell_run(config, "scratch", 2, 0)
    cell.path.mkdir(parents=True)
    held = cell.path / WRITER
    held.write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    waited = False
    for event in compare(config, RunControl()):
        if isinstance(event, Preparing) and event.stage.startswith("Waiting"):
            waited = True
            assert cell.outcome() is None, "it is no failure that another machine still writes there"
            os.utime(held, (time.time() - SILENT - 1,) * 2)
    assert waited
    assert cell.outcome() == "done"
