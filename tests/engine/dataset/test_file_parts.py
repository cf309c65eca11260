"""Pages and channels of files: what is chosen is what is read, what is left out is said, and no split tears a stack."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.engine.compute.device import choose
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.dataset.file_parts import choose_parts, left_over, squeeze_words
from sslstudio.engine.dataset.groups import group_paths
from sslstudio.engine.dataset.overview import look_at as overview
from sslstudio.engine.images.cache.pixel_cache import build_cache, stream_cache
from sslstudio.engine.images.formats.wanted import file_of, page_path, split_name
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import draw_split, look_at, open_session

SIDE = 16


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes with six stacks of eight pages each, and six single pictures."""
    monkeypatch.setenv("SSLSTUDIO_CACHE", str(tmp_path / "cache"))
    draw = np.random.default_rng(0)
    for kind in ("ill", "well"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for number in range(6):
            pages = draw.integers(0, 255, (8, 24, 32), np.uint8)
            tifffile.imwrite(tmp_path / "data" / kind / f"{kind[0]}{number}.tif", pages, photometric="minisblack")
        for number in range(6):
            single = Image.fromarray(draw.integers(0, 255, (24, 32), np.uint8))
            single.save(tmp_path / "data" / kind / f"{kind[0]}{number}.png")
    return tmp_path / "data"


def test_what_is_left_out_is_said_and_counted(stacks: Path) -> None:
    found = to_end(overview(stacks, "", SIDE, RunControl()))
    said = "\n".join(found.lines())
    assert "12 files have up to 8 pages: only the first is used, 84 in all are not" in said
    assert f"The network sees {SIDE} x {SIDE} of 32 x 24 pixels" in said
    assert found.to_json()["left_out"] == [{"kind": "pages", "files": 12, "most": 8, "left": 84}]
    again = to_end(overview(stacks, "", SIDE, RunControl()))  # nothing is decoded, all is known
    assert again.to_json()["left_out"] == found.to_json()["left_out"]


def test_every_page_is_a_picture_with_the_label_of_its_file(stacks: Path) -> None:
    found = to_end(overview(stacks, "", SIDE, RunControl(), pages="all"))
    assert len(found.cache) == 12 * 8 + 12
    assert found.classes == {"ill": 54, "well": 54}
    assert found.to_json()["left_out"] == []
    cache, index = found.cache, found.cache.index
    for page in (1, 5, 8):
        path = page_path("ill/i3.tif", page)
        wanted = Image.fromarray(tifffile.imread(stacks / "ill" / "i3.tif", key=page - 1))
        square = np.asarray(wanted.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0))
        assert (cache.pixels([index.places[path]])[0, 0].numpy() == square).all()


def test_one_page_is_chosen_and_single_pictures_stay(stacks: Path) -> None:
    recognised = choose_parts(recognise(scan(stacks)), "", "3")
    paths = recognised.pictures.paths
    assert "ill/i0.png" in paths
    assert page_path("ill/i0.tif", 3) in paths
    assert len(paths) == 24


@pytest.mark.parametrize("rule", ["", r"name:^(.)\d"])
def test_no_split_tears_a_stack(stacks: Path, rule: str) -> None:
    config = DataConfig(folder=str(stacks), pages="all", groups=rule)
    for seed in range(5):
        split = draw_split(to_end(look_at(config)), config.replace(split_seed=seed))
        files = [
            {file_of(path) for path in part if "#" in path} for part in (split.train, split.validation, split.test)
        ]
        assert files[0]
        assert not files[0] & files[1]
        assert not files[0] & files[2]
        assert not files[1] & files[2]


def test_groups_of_pages_are_those_of_their_files() -> None:
    paths = [page_path("a/p1_x.tif", 1, 2), page_path("a/p1_x.tif", 12, 2), page_path("a/p1_y.tif", 1), "a/p2.png"]
    alone = group_paths(paths, "")
    assert len(set(alone.values())) == 3
    assert alone[paths[0]] == alone[paths[1]]
    together = group_paths(paths, r"name:(p\d)")
    assert together[paths[0]] == together[paths[2]] == "p1"
    assert together[paths[3]] == "p2"


def test_pages_are_told_from_names() -> None:
    assert split_name("a/b.tif#page=007")[0] == "a/b.tif"
    assert split_name("a/b.tif#page=007")[1].page == 7
    for path in ("a/b#1.tif", "a#page=1/b.tif", "b.tif#page=0", "b.tif#page="):
        assert file_of(path) == path


def test_a_changed_stack_is_read_again(stacks: Path) -> None:
    recognised = choose_parts(recognise(scan(stacks)), "", "all")
    first = to_end(build_cache(recognised.pictures, SIDE)).pixels().numpy().copy()
    pages = np.zeros((8, 24, 32), np.uint8)
    tifffile.imwrite(stacks / "ill" / "i0.tif", pages, photometric="minisblack", compression="zlib")
    second = to_end(build_cache(recognised.pictures, SIDE))
    changed = {second.index.paths[n] for n in range(len(first)) if (second.pixels([n])[0].numpy() != first[n]).any()}
    assert {file_of(path) for path in changed} == {"ill/i0.tif"}
    assert len(changed) == 8


def test_chosen_channels_have_a_cache_of_their_own(stacks: Path) -> None:
    many = np.zeros((24, 32, 5), np.uint8)
    many[..., 4] = 200
    tifffile.imwrite(stacks / "five.tif", many, photometric="minisblack", planarconfig="contig")
    usual = scan(stacks).subset(["five.tif"])
    third = choose_parts(recognise(scan(stacks)), "5", "first").pictures.subset(["five.tif"])
    assert to_end(build_cache(usual, SIDE)).pixels().max() == 0
    assert to_end(build_cache(third, SIDE)).pixels().min() == 200
    assert to_end(build_cache(third, SIDE)).index.left == {}
    streaming = to_end(stream_cache(usual, SIDE, control=RunControl()))
    assert streaming.readable([0]).all()
    assert dict(streaming.left) == {"five.tif": "channels:5:3"}
    streaming.close()


def test_wrong_choices_are_answered() -> None:
    recognised = recognise(scan(Path(__file__).parents[3] / "resources"))
    for channels, pages in (("0", "first"), ("1,2,3,4", "first"), ("red", "first"), ("", "every"), ("", "0")):
        with pytest.raises(ConfigError, match="is not a choice"):
            choose_parts(recognised, channels, pages)


def test_the_squeeze_is_said_where_there_is_one() -> None:
    assert squeeze_words([(96, 96), (0, 0)], 96) is None
    assert "96 x 96 of 4,000 x 3,000" in str(squeeze_words([(3000, 4000)], 96))
    assert left_over({"a": "channels:5:1 pages:3:1", "b": "pages:7:1"})[1].left == 8


def test_a_run_says_what_it_does_not_use(stacks: Path) -> None:
    config = DataConfig(folder=str(stacks), side=SIDE)
    session = to_end(open_session(config, choose("cpu"), RunControl()))
    facts = {str(name): str(value) for name, value in session.facts().items()}
    assert "84 in all are not" in facts["Not used"]
