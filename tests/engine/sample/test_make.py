"""The built-in sample: the same for a seed, with masks, and careful with other people's files."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.sample.make import BEGUN, MARKER, draw_picture, make_sample
from sslstudio.engine.sample.scene import Noise
from sslstudio.engine.sample.shapes import KINDS

COUNT = 30


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "sample"
    list(make_sample(folder, count=COUNT, side=48, seed=3))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}


def test_the_sample_is_recognised_with_classes_and_masks(sample: Path) -> None:
    found = recognise(scan(sample))
    assert len(found.pictures) == COUNT
    assert found.classes is not None
    assert found.masks is not None
    assert found.classes.names == tuple(sorted(KINDS))
    assert found.masks.names == ("background", *KINDS)
    assert len(found.masks.of) == COUNT
    sizes = np.bincount(list(found.classes.of.values()))
    assert sizes.min() < sizes.max()


def test_pictures_and_masks_have_the_size_asked_for(sample: Path) -> None:
    for number, kind in enumerate(KINDS, 1):
        picture = np.asarray(Image.open(sample / "images" / kind / "0001.png"))
        mask = np.asarray(Image.open(sample / "masks" / kind / "0001.png"))
        assert picture.shape == (48, 48, 3)
        assert mask.shape == (48, 48)
        assert set(np.unique(mask)) == {0, number}
        assert 0.02 < (mask > 0).mean() < 0.7


def test_the_same_seed_is_the_same_sample(sample: Path, tmp_path: Path) -> None:
    list(make_sample(tmp_path / "again", count=COUNT, side=48, seed=3))
    list(make_sample(tmp_path / "other", count=COUNT, side=48, seed=4))
    assert content(tmp_path / "again") == content(sample)
    assert content(tmp_path / "other").keys() == content(sample).keys()
    assert content(tmp_path / "other") != content(sample)


def test_progress_is_told(tmp_path: Path) -> None:
    events = list(make_sample(tmp_path / "new", count=COUNT, side=32))
    assert all(isinstance(event, Preparing) for event in events)
    assert [(event.done, event.total) for event in events] == [(0, 30), (25, 30), (30, 30)]


def test_a_finished_sample_is_used_again(sample: Path) -> None:
    before = content(sample)
    (sample / "images" / "leaf" / "0001.png").touch()
    assert list(make_sample(sample, count=COUNT, side=48, seed=3)) == []
    assert content(sample) == before


def test_an_interrupted_sample_is_completed(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    drawing = make_sample(folder, count=COUNT, side=48, seed=3)
    next(drawing)
    next(drawing)
    drawing.close()
    assert (folder / BEGUN).exists()
    assert not (folder / MARKER).exists()
    list(make_sample(folder, count=COUNT, side=48, seed=3))
    assert content(folder) == content(sample)
    assert json.loads((folder / MARKER).read_text())["count"] == COUNT
    assert not (folder / BEGUN).exists()


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    list(make_sample(tmp_path, count=5, side=32))
    assert len(content(tmp_path)) == 10


def test_other_files_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty and is not a sample"):
        list(make_sample(tmp_path, count=5))
    with pytest.raises(DataError, match="is a file"):
        list(make_sample(tmp_path / "holiday.txt", count=5))
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_sample_of_other_parameters_is_kept(sample: Path) -> None:
    with pytest.raises(DataError, match="another sample"):
        list(make_sample(sample, count=COUNT + 1, side=48, seed=3))


def test_there_is_an_up_and_a_down() -> None:
    noise = Noise(96, np.random.default_rng(0))
    kinds = list(KINDS) * 8
    drawn = [draw_picture(kind, 48, np.random.default_rng(n), noise)[0] for n, kind in enumerate(kinds)]
    brightness = np.stack(drawn).astype(float).mean((0, 2, 3))
    assert brightness[:8].mean() > brightness[-16:].mean() + 10


def test_colour_does_not_give_the_kind_away() -> None:
    noise = Noise(96, np.random.default_rng(0))
    means: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for kind in KINDS:
        for n in range(20):
            picture, mask = draw_picture(kind, 48, np.random.default_rng([7, n]), noise)
            means[kind].append(picture[mask > 0].mean(0).tolist())
    values = np.asarray(list(means.values()))  # (kinds, pictures, 3)
    between, within = values.mean(1).std(0), values.std(1).mean(0)
    assert (between < within).all()
