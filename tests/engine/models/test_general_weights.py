"""Weights that come with the program: what the card says is true, damage is refused, and they tell pictures apart."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.core.files.resource_files import find_resource
from sslstudio.engine.models.encoders import ENCODERS, EncoderConfig, build_encoder, general
from sslstudio.engine.models.encoders.general import find_general, is_general, list_general
from sslstudio.engine.sample.make import draw_picture
from sslstudio.engine.sample.scene import Noise
from sslstudio.engine.sample.shapes import KINDS
from sslstudio.engine.transforms.geometry import to_float

CARDS = sorted(find_resource("weights").glob("*.json"))
every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)


@every_card
def test_the_card_says_what_the_file_is(card: Path) -> None:
    told = json.loads(card.read_text(encoding="utf-8"))
    content = (card.parent / told["file"]).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (told["bytes"], told["sha256"])
    assert told["name"] == card.stem
    assert told["licence"]
    assert told["file"] in (card.parent / "LICENSE.txt").read_text(encoding="utf-8")


@every_card
def test_every_tensor_of_the_encoder_is_in_it(card: Path) -> None:
    weights = list_general()[card.stem]
    encoder = build_encoder(EncoderConfig(name=weights.encoder, stem="large"), 0)
    encoder.load_state_dict(weights.read())
    assert all(bool(value.isfinite().all()) for value in encoder.state_dict().values())


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the default weights that may be spoilt."""
    shutil.copytree(find_resource("weights"), tmp_path / "weights")
    monkeypatch.setattr(general, "find_resource", lambda name: tmp_path / name)
    list_general.cache_clear()
    yield tmp_path / "weights" / find_general("general").file
    list_general.cache_clear()


def test_a_single_changed_byte_is_noticed(damaged: Path) -> None:
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        find_general("general").read()


def test_a_missing_file_is_said(damaged: Path) -> None:
    damaged.unlink()
    with pytest.raises(DataError, match="missing"):
        find_general("general").read()


def test_the_default_has_two_names() -> None:
    weights = find_general("general")
    assert find_general(weights.source_name) == weights
    assert weights.encoder in ENCODERS
    with pytest.raises(ConfigError, match=r"Known are|Did you mean"):
        find_general("general:resnet")


@pytest.mark.parametrize(
    ("source", "general"),
    [
        ("general", True),
        ("general:x", True),
        ("generals", False),
        ("./general", False),
        ("", False),
        ("scratch", False),
    ],
)
def test_what_counts_as_general(source: str, general: bool) -> None:
    assert is_general(source) == general


def test_they_are_said_in_a_sentence() -> None:
    about = find_general("general").about()
    assert all(
        part in about for part in ("EfficientNet-Lite0", "ImageNet-1k", "1,281,167", "1,000", "Apache-2.0", "MB")
    )


def test_the_encoder_follows_and_another_one_is_refused() -> None:
    resolved = EncoderConfig(weights="general").resolve(False, 96)
    assert (resolved.name, resolved.weights) == ("efficientnet_lite0", "general:efficientnet_lite0")
    assert resolved.resolve(True, 96) == resolved
    assert resolved.stem == "large"  # quick steps
    for read in (EncoderConfig(weights="general").resolve(False, 96, trained=False),
                 EncoderConfig(weights="general").resolve(True, 96)):  # fmt: skip
        assert read.stem == "small"  # it sees more
    with pytest.raises(ConfigError, match="are for the encoder efficientnet_lite0, not for resnet18"):
        EncoderConfig(name="resnet18", weights="general").resolve(False, 96)


@pytest.mark.slow
def test_they_tell_drawn_pictures_apart_that_an_untrained_network_does_not() -> None:
    """Tensors in wrong places would leave features that are worth no more than random ones."""
    side, each = 64, 16
    noise = Noise(2 * side, np.random.default_rng(0))
    drawn = [
        draw_picture(kind, side, np.random.default_rng([number, one]), noise)[0]
        for number, kind in enumerate(KINDS)
        for one in range(each)
    ]
    images = (to_float(torch.from_numpy(np.stack(drawn)).movedim(-1, 1)) - 0.5) / 0.25
    right = {}
    for weights in ("", "general"):
        encoder = build_encoder(EncoderConfig(name="efficientnet_lite0", stem="small"), 0)
        if weights:
            encoder.load_state_dict(find_general(weights).read())
        else:
            with torch.no_grad():
                encoder.train()(images)
        right[weights] = nearest_mean(encoder.eval(), images, each)
    assert right["general"] > right[""] + 0.15, right


@torch.no_grad()
def nearest_mean(encoder: torch.nn.Module, images: Tensor, each: int) -> float:
    """Share of the second half of each class whose features are nearest to the mean of the first half of it."""
    features = encoder(images)
    features = ((features - features.mean(0)) / features.std(0).clamp_min(1e-6)).view(-1, each, features.shape[1])
    means = features[:, : each // 2].mean(1)
    answers = torch.cdist(features[:, each // 2 :], means[None].expand(len(means), -1, -1)).argmin(-1)
    return float((answers == torch.arange(len(means))[:, None]).float().mean())
