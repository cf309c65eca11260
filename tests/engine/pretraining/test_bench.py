"""What is timed is what a run does: in parts too."""

from pathlib import Path

import torch

from sslstudio.engine.pretraining.bench import _ReadyJob, make_puzzles
from sslstudio.engine.training.micro_batches import WHOLE_BATCH, cut_batch
from tests.engine.training.test_autotune import job_on


def test_a_ready_step_in_parts_is_asked_each_part_once_and_no_more(sample_folder: Path, tmp_path: Path) -> None:
    job = job_on(sample_folder, tmp_path / "run")
    ready = _ReadyJob(job)
    parts = [part for part, _ in cut_batch(job.batch_size, 2)]
    for _ in range(2):
        for part in parts:
            assert torch.isfinite(ready.forward(0, part).loss)
    assert len(ready._batches) == 2
    whole = make_puzzles(job, 0, WHOLE_BATCH)
    for name, rows in whole.inputs.items():
        assert sum(len(batch.inputs[name]) for batch in ready._batches.values()) == len(rows)
