"""What a run needs before its first step."""

from pathlib import Path

import pytest
from PIL import Image

from sslstudio.engine import device as devices
from sslstudio.engine.control import RunControl
from sslstudio.engine.data.index import scan
from sslstudio.engine.errors import DataError
from sslstudio.engine.train.session import SIDE_CPU, open_session, suitable_side
from sslstudio.engine.train.settings import DataConfig

CPU = devices.choose("cpu")


def pictures(folder: Path, size: tuple[int, int], count: int = 6) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        Image.effect_noise(size, 50 + number).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(("size", "side"), [((32, 32), 32), ((20, 20), 32), ((70, 50), 48), ((640, 480), SIDE_CPU)])
def test_the_side_follows_the_pictures_and_the_device(size: tuple[int, int], side: int, tmp_path: Path) -> None:
    assert suitable_side(scan(pictures(tmp_path / "in", size)), CPU) == side


def test_too_few_pictures_are_refused_in_words(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", (40, 40), count=2)
    (folder / "broken.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match="Only 2 pictures"):
        list(open_session(DataConfig(folder=str(folder)), CPU, RunControl()))


def test_without_a_folder_the_message_says_so() -> None:
    with pytest.raises(DataError, match="No folder was given"):
        list(open_session(DataConfig(), CPU, RunControl()))
