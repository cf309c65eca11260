"""Which earlier tests another split would spoil: against sets written out here."""

import json
from pathlib import Path

import pytest

from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.finetuning.split_change import Leak, leak_of
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import draw_split


@pytest.fixture(scope="module")
def recognised(sample_folder: Path) -> Recognised:
    return recognise(scan(sample_folder))


def test_the_split_of_the_runs_spoils_nothing(
    recognised: Recognised, sample_folder: Path, pretrained: Path, classified: Path
) -> None:
    assert leak_of(recognised, DataConfig(folder=str(sample_folder)), [pretrained, classified]) == Leak()


def test_pictures_and_runs_are_counted(
    recognised: Recognised, sample_folder: Path, pretrained: Path, classified: Path, tmp_path: Path
) -> None:
    config = DataConfig(folder=str(sample_folder), split_seed=7)
    tested = set(json.loads((pretrained / "split.json").read_text())["test"])
    expected = len(tested & set(draw_split(recognised, config).train))
    assert expected > 3
    assert leak_of(recognised, config, [pretrained, classified, tmp_path]) == Leak(expected, 2)


def test_runs_on_other_pictures_do_not_count(recognised: Recognised, pretrained: Path, tmp_path: Path) -> None:
    assert leak_of(recognised, DataConfig(folder=str(tmp_path), split_seed=7), [pretrained]) == Leak()


def test_a_split_that_cannot_be_drawn_is_said(recognised: Recognised, sample_folder: Path, pretrained: Path) -> None:
    with pytest.raises(ConfigError):
        leak_of(recognised, DataConfig(folder=str(sample_folder), groups="name:("), [pretrained])
