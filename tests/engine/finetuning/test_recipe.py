"""The recipe of fine-tuning: rates by stage, head first, statistics of whole pictures, the stage by probe."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.features import copy_with_own_statistics
from sslstudio.engine.finetuning.recipe import (
    Recipe,
    parameter_groups,
    recalibrate,
    recipe_of,
    stage_by_probe,
    standardise,
    steps_for,
)
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import ALL, LAST, Classifier, Network, PixelScale
from sslstudio.engine.training.config import DataConfig, FinetuneConfig, RecipeConfig
from sslstudio.engine.training.session import Session, open_session


@pytest.fixture
def session(sample_folder: Path) -> Session:
    return to_end(open_session(DataConfig(folder=str(sample_folder), side=32), devices.choose("cpu"), RunControl()))


def network(session: Session, classes: int = 5) -> tuple[Classifier, Pictures]:
    pictures = Pictures(session.cache, session.split.train, devices.choose("cpu"))
    encoder = build_encoder(EncoderConfig(name="small", stem="tiny"), 0)
    return Classifier(PixelScale(pictures.spread(32)), encoder, classes), pictures


def test_each_stage_learns_more_slowly_than_the_next_one(session: Session) -> None:
    model, _ = network(session)
    groups = parameter_groups(model, Recipe(layer_decay=0.5, head_lr_factor=3.0))
    assert [group["factor"] for group in groups] == [0.5**5, 0.5**4, 0.5**3, 0.5**2, 0.5, 3.0]
    grouped = [id(weight) for group in groups for weight in group["params"]]
    assert sorted(grouped) == sorted(id(weight) for weight in (*model.encoder.parameters(), *model.head.parameters()))
    assert [id(weight) for weight in groups[1]["params"]] == [
        id(w) for w in model.encoder.get_submodule("layer1").parameters()
    ]


def test_only_what_was_pretrained_is_spared() -> None:
    config = FinetuneConfig(
        recipe=RecipeConfig(freeze=0.4, layer_decay=0.3, head_lr_factor=2.0, freeze_norm_stats=True)
    )
    plain = Recipe(stage=LAST, freeze=0.0, layer_decay=1.0, head_lr_factor=1.0, freeze_norm_stats=False)
    assert recipe_of(config, "scratch", ALL) == plain, "the twin trains by the plain rules, whatever was asked"
    assert recipe_of(config, "pretrained", 3) == Recipe(3, 0.4, 0.3, 2.0, freeze_norm_stats=True)
    for part in ("scratch", "pretrained"):
        assert recipe_of(config.replace(mode="probe"), part).freeze == 1.0


def test_recalibrated_statistics_are_those_of_the_pictures(session: Session) -> None:
    model, pictures = network(session)
    encoder = model.encoder
    encoder.bn1.running_mean.fill_(7.0)  # type: ignore[union-attr]
    momentum = encoder.bn1.momentum
    recalibrate(model, pictures)
    images = pictures.take(torch.arange(len(pictures)))
    with torch.no_grad():
        seen = encoder.conv1(model.scale(images / 255.0))
    assert len(pictures) <= 64  # one batch: the plain mean
    torch.testing.assert_close(encoder.bn1.running_mean, seen.mean(dim=(0, 2, 3)), atol=1e-5, rtol=1e-4)
    assert encoder.bn1.momentum == momentum
    assert model.training


def test_features_of_all_stages_come_to_one_scale(session: Session) -> None:
    pictures = Pictures(session.cache, session.split.train, devices.choose("cpu"))
    encoder = build_encoder(EncoderConfig(name="small", stem="tiny"), 0)
    model = Classifier(PixelScale(pictures.spread(32)), encoder, 5, stage=ALL).eval()
    standardise(model, pictures)
    assert isinstance(model.head, torch.nn.Sequential)
    with torch.no_grad():
        features = model.head[0](model.features(pictures.take(torch.arange(len(pictures))) / 255.0))
    assert features.shape[1] == 4 * (32 + 64 + 128) + 256
    torch.testing.assert_close(features.mean(dim=0), torch.zeros(features.shape[1]), atol=1e-3, rtol=0)
    assert float(features.std(dim=0, correction=0).max()) < 1.001


def test_the_probe_finds_the_stage_that_knows_the_classes(session: Session) -> None:
    """Classes by brightness, an encoder whose last stage is dead: an earlier stage must be chosen."""
    model, pictures = network(session, 2)
    with torch.no_grad():
        for weight in model.encoder.get_submodule("layer4").parameters():
            weight.zero_()
    shades = pictures.take(torch.arange(len(pictures))).float().mean(dim=(1, 2, 3))
    targets = (shades > shades.median()).long()
    stage, right = stage_by_probe(model, pictures, targets, 0)
    assert stage < LAST
    assert right[stage - 1] == max(right) > 0.7
    assert right[-1] == pytest.approx(0.5, abs=0.1)


def test_a_network_keeps_its_mode_when_it_is_measured(session: Session) -> None:
    model, pictures = network(session, 2)
    model.eval()
    recalibrate(model, pictures)
    stage_by_probe(model, pictures, torch.arange(len(pictures)) % 2, 0)
    assert not any(part.training for part in Network.modules(model))


def test_statistics_of_a_folder_a_class_are_of_all_its_classes(tmp_path: Path) -> None:
    """800 dark pictures before 800 bright ones: the first 512 are all dark."""
    rng = np.random.default_rng(0)
    for name, count, level in (("a", 800, 40), ("b", 800, 200)):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels = np.clip(rng.normal(level, 10, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.bmp")
    session = to_end(open_session(DataConfig(folder=str(tmp_path), side=16), devices.choose("cpu"), RunControl()))
    model, pictures = network(session, 2)
    recalibrate(model, pictures)
    with torch.no_grad():
        everything = pictures.take(torch.arange(len(pictures))) / 255.0
        first = model.encoder.conv1(model.scale(everything)).mean(dim=(0, 2, 3))
        dark = model.encoder.conv1(model.scale(everything[: len(everything) // 3])).mean(dim=(0, 2, 3))
    far = float((dark - first).abs().max())
    assert float((model.encoder.bn1.running_mean - first).abs().max()) < 0.2 * far
    twin = copy_with_own_statistics(model.encoder, model.scale(everything))
    assert float((twin.bn1.running_mean - first).abs().max()) < 0.2 * far


def test_more_labels_get_more_steps_within_limits() -> None:
    counts = [steps_for(labelled) for labelled in (2, 25, 40, 100, 400, 10_000)]
    assert counts == [400, 400, 506, 800, 1600, 4000]
