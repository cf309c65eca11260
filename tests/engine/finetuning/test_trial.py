"""A fine-tuning takes a GPU only if a real step of its network works there; else the CPU, in words."""

from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from sslstudio.engine.compute import resampling
from sslstudio.engine.compute.device import choose
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.events import Note
from sslstudio.engine.finetuning.trial import choose_finetuning_device, try_finetuning
from sslstudio.engine.training.config import BudgetConfig, HardwareConfig
from tests.support.pretend_gpu import pretend_gpu
from tests.support.small_runs import finetune_config, finished, of, run_finetune


def border(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """As every device but Apple's does it."""
    return torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_a_step_works_here(kind: str) -> None:
    assert not try_finetuning(kind, None, choose("cpu"), side=32).trouble


def test_a_fine_tuning_goes_on_on_the_cpu_where_the_gpu_cannot_do_it(sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch").replace(
        hardware=HardwareConfig(autotune="off"), budget=BudgetConfig(steps=2), watch=False
    )
    with pretend_gpu("mps"):
        assert choose_finetuning_device(config).handle.type == "mps"
        with patch.object(resampling, "sample_within", border):
            events = run_finetune(config)
            asked = config.replace(hardware=config.hardware.replace(device="mps"))
            with pytest.raises(ConfigError, match=r"Classification does not work on mps.*border padding"):
                choose_finetuning_device(asked)
    assert finished(events).outcome == "finished"
    said = [str(note.text) for note in of(Note, events) if note.level == "warning"]
    assert any("a step of Classification does not work there (grid_sample: border padding)" in one for one in said)
