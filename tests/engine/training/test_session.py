"""What a run needs before its first step."""

import shutil
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Evaluated, RunStarted, StepDone
from sslstudio.engine.images.index import scan
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.jigsaw import Jigsaw, JigsawConfig
from sslstudio.engine.tasks.rotation import Rotation
from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from sslstudio.engine.training.session import SIDE_CPU, open_session, suitable_side

CPU = devices.choose("cpu")


def pretrain_config(folder: Path, out: Path) -> PretrainConfig:
    return PretrainConfig(
        out=str(out), task="rotation", data=DataConfig(folder=str(folder), side=32),
        optimiser=OptimiserConfig(batch_size=14), budget=BudgetConfig(steps=4), hardware=HardwareConfig(device="cpu"),
    )  # fmt: skip


def pictures(folder: Path, size: tuple[int, int], count: int = 6) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        Image.effect_noise(size, 50 + number).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(("size", "side"), [((32, 32), 32), ((20, 20), 32), ((70, 50), 48), ((640, 480), SIDE_CPU)])
def test_the_side_follows_the_pictures_and_the_device(size: tuple[int, int], side: int, tmp_path: Path) -> None:
    assert suitable_side(scan(pictures(tmp_path / "in", size)), CPU) == side


@pytest.mark.parametrize(
    ("size", "crop", "side"),
    [
        ((640, 480), 0.75, 96),
        ((640, 480), 0.5, 96),
        ((640, 480), 0.3, 160),
        ((130, 130), 0.3, 128),
        ((50, 50), 0.3, 48),
    ],
)
def test_pictures_are_read_larger_where_tiles_would_have_few_pixels(
    size: tuple[int, int], crop: float, side: int, tmp_path: Path
) -> None:
    index = scan(pictures(tmp_path / "in", size))
    assert suitable_side(index, CPU, partial(Jigsaw.side_needed, JigsawConfig(min_crop_side=crop))) == side


def test_no_more_than_twice_the_usual_side_is_read() -> None:
    config = JigsawConfig(min_crop_side=0.3, gap=0.5)
    assert Jigsaw.side_needed(config, 96) == 192
    assert Rotation.side_needed(Rotation.Config(), 96) == 96  # which asks about no tiles


def test_a_run_reads_larger_pictures_unless_a_side_is_given(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", (200, 200), 14)
    for side, given in ((160, None), (96, 96)):
        config = pretrain_config(folder, tmp_path / f"run{side}").replace(
            task="jigsaw", options=JigsawConfig(min_crop_side=0.3), data=DataConfig(folder=str(folder), side=given)
        )
        events = list(pretrain(config.replace(budget=BudgetConfig(steps=1)), RunControl()))
        started = next(event for event in events if isinstance(event, RunStarted))
        assert started.facts["Read at"] == f"{side} x {side} pixels"
        assert started.facts["Smallest tile"] == f"{0.075 * side:.0f} pixels of the picture a side"
        assert RunFolder.open(tmp_path / f"run{side}").config()["data"]["side"] == side


def test_too_few_pictures_are_refused_in_words(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", (40, 40), count=2)
    (folder / "broken.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match="Only 2 pictures"):
        list(open_session(DataConfig(folder=str(folder)), CPU, RunControl()))


def test_without_a_folder_the_message_says_so() -> None:
    with pytest.raises(DataError, match="No folder was given"):
        list(open_session(DataConfig(), CPU, RunControl()))


def test_a_training_sees_the_same_whether_or_not_its_pictures_are_read(sample_folder: Path, tmp_path: Path) -> None:
    """The first run reads while it trains, the second finds everything read; one picture is broken."""
    folder = tmp_path / "pictures"
    shutil.copytree(sample_folder / "images", folder)
    broken = sorted(folder.rglob("*.png"))[7]
    broken.write_bytes(b"words")
    runs = []
    for name in ("cold", "warm"):
        config = pretrain_config(folder, tmp_path / name)
        runs.append([event for event in pretrain(config, RunControl()) if isinstance(event, StepDone | Evaluated)])
    losses = [[event.loss for event in run if isinstance(event, StepDone)] for run in runs]
    scores = [[(event.n, event.metrics) for event in run if isinstance(event, Evaluated)] for run in runs]
    assert losses[0][:4] == losses[1][:4]
    assert scores[0][-1] == scores[1][-1]
    assert RunFolder.open(tmp_path / "cold").read_json("split.json") == RunFolder.open(tmp_path / "warm").read_json(
        "split.json"
    )


def test_the_split_does_not_depend_on_what_can_be_read(sample_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(sample_folder / "images", folder)
    config = DataConfig(folder=str(folder), side=16)
    whole = to_end(open_session(config, CPU, RunControl())).split
    broken = whole.test[0]
    (folder / broken).write_bytes(b"words")
    late = to_end(open_session(config, CPU, RunControl())).split
    assert late == whole.within({*whole.train, *whole.validation, *whole.test} - {broken})
    session = to_end(open_session(config, CPU, RunControl(), early=True))
    with closing(session.cache):
        assert session.split == whole
        assert session.readable([broken, whole.train[0]]) == (whole.train[0],)


def test_an_early_session_of_unreadable_files_is_refused_in_words(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.png").write_bytes(b"words")
    with pytest.raises(DataError, match="Not one of the 9 pictures"):
        for _ in pretrain(pretrain_config(tmp_path, tmp_path / "run"), RunControl()):
            pass
    assert not (tmp_path / "run").exists()
