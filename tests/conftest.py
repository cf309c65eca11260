"""What all tests share: no screen, no spinning threads, a cache folder of their own."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has one core, and the tests' tensors are small
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pixels are cached in a folder of the test session, never in the user's."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("SSLSTUDIO_CACHE", str(folder))
    monkeypatch.setenv("SSLSTUDIO_LOG", str(folder / "log"))
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Nobody cuts the power in this process, so it does not wait until the disk has what was written, some 5 ms each
    time. What is written when a program dies is tested with programs of their own, which do wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures of the built-in sample at 32 px, with classes and masks."""
    from sslstudio.engine.sample.make import make_sample

    folder = tmp_path_factory.mktemp("sample")
    for _ in make_sample(folder, count=60, side=32, seed=1):
        pass
    return folder


@pytest.fixture(scope="session")
def pretrained(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jigsaw run of two epochs."""
    from tests.support.small_runs import pretrain_config, run_pretrain

    out = tmp_path_factory.mktemp("runs") / "pretrained"
    run_pretrain(pretrain_config(sample_folder, out))
    return out


@pytest.fixture(scope="session")
def classified(sample_folder: Path, pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classification with its twin, from that run."""
    from tests.support.small_runs import finetune_config, run_finetune

    out = tmp_path_factory.mktemp("runs") / "classified"
    run_finetune(finetune_config(sample_folder, out, str(pretrained)))
    return out


@pytest.fixture(scope="session")
def segmented(sample_folder: Path, pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segmentation with its twin, from that run."""
    from tests.support.small_runs import finetune_config, run_finetune

    out = tmp_path_factory.mktemp("runs") / "segmented"
    run_finetune(finetune_config(sample_folder, out, str(pretrained), "segmentation").replace(labels_per_class=10))
    return out


@pytest.fixture
def made_by_0_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What version 0.2 has written, as if it had been made at this place; with the network that it was made with."""
    import torch

    from tests.support import samples

    root = samples.unpack(tmp_path / "made by 0.2")
    monkeypatch.setenv("SSLSTUDIO_HOME", str(root / "home"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as when they were made: sums of several threads end in other bits
    with samples.smaller_encoder():
        yield root
    torch.set_num_threads(threads)
