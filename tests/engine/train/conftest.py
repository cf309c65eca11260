"""Runs that several tests look at."""

from pathlib import Path

import pytest

from tests.engine.train.runs_for_tests import finetune_config, pretrain_config, run_finetune, run_pretrain


@pytest.fixture(scope="session")
def pretrained(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jigsaw run of two epochs."""
    out = tmp_path_factory.mktemp("runs") / "pretrained"
    run_pretrain(pretrain_config(sample_folder, out))
    return out


@pytest.fixture(scope="session")
def classified(sample_folder: Path, pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classification with its twin, from that run."""
    out = tmp_path_factory.mktemp("runs") / "classified"
    run_finetune(finetune_config(sample_folder, out, str(pretrained)))
    return out


@pytest.fixture(scope="session")
def segmented(sample_folder: Path, pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segmentation with its twin, from that run."""
    out = tmp_path_factory.mktemp("runs") / "segmented"
    run_finetune(finetune_config(sample_folder, out, str(pretrained), "segmentation").replace(labels_per_class=10))
    return out
