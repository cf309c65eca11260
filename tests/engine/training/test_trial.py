"""A GPU is taken only if a real step of the task works there; else the CPU, in words."""

from unittest.mock import patch

import pytest
import torch

from sslstudio.engine.compute import resampling
from sslstudio.engine.compute.device import choose
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.training.trial import choose_tried, try_task
from tests.support.pretend_gpu import pretend_gpu


def test_a_step_of_a_task_works_here_and_has_a_speed() -> None:
    tried = try_task("rotation", None, choose("cpu"), side=32, seconds=0.01)
    assert not tried.trouble
    assert tried.pictures_per_second > 0


def border(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """As every device but Apple's does it."""
    return torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def test_a_gpu_on_which_the_task_does_not_work_is_left_to_others() -> None:
    with pretend_gpu("mps"):
        assert choose_tried("rotation", None, "auto", "auto").handle.type == "mps"
        with patch.object(resampling, "sample_within", border):
            device = choose_tried("rotation", None, "auto", "auto")
            assert device.handle.type == "cpu"
            assert "a step of Rotation does not work there (grid_sample: border padding)" in device.note
            with pytest.raises(ConfigError, match=r"Rotation does not work on mps.*border padding.*--device cpu"):
                choose_tried("rotation", None, "mps", "auto")
