"""From general weights: straight to labels, or over a pretraining on own pictures, and out into files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.events import Note, Probed
from sslstudio.engine.export import use_it
from sslstudio.engine.export.run import export_run
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.models.encoders.general import find_general
from sslstudio.engine.models.read_out import ReadOut
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import BudgetConfig, PretrainConfig, finetune_from_dict, pretrain_from_dict
from tests.support.small_runs import finetune_config, of, pretrain_config, result_of, run_finetune, run_pretrain

SHORT = BudgetConfig(steps=2)
ENCODER = "frozen.encoder."  # in the read-out of a linear probe


@pytest.fixture(scope="module")
def probed(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A linear probe on the general weights as they are."""
    out = tmp_path_factory.mktemp("general") / "run"
    config = finetune_config(sample_folder, out, "general").replace(mode="probe", twin=False, budget=SHORT)
    metrics = result_of(run_finetune(config))
    assert any("learnt from photographs of ImageNet-1k" in note for note in metrics["notes"])
    return out


def test_the_encoder_follows_and_its_weights_are_the_general_ones(probed: Path) -> None:
    config = finetune_from_dict(RunFolder(probed).config())
    assert (config.source, config.encoder.name) == ("general:efficientnet_lite0", "efficientnet_lite0")
    network, given = load_trained(probed, "cpu").predictor.network, find_general("general").read()
    assert isinstance(network, ReadOut)
    kept = network.frozen.encoder.state_dict()
    assert kept.keys() == given.keys()
    for name, value in given.items():
        same = torch.equal(kept[name], value)
        measured_anew = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
        assert same is not measured_anew, name  # batch statistics are those of whole own pictures


def test_pictures_are_brought_to_the_scale_of_the_weights(probed: Path) -> None:
    scale = load_trained(probed, "cpu").predictor.network.scale
    assert (set(scale.mean.flatten().tolist()), set(scale.deviation.flatten().tolist())) == ({0.5}, {0.25})


def test_another_encoder_is_refused_before_anything_is_written(sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "general").replace(encoder=EncoderConfig(name="resnet18"))
    with pytest.raises(ConfigError, match="for the encoder efficientnet_lite0, not for resnet18"):
        run_finetune(config)
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def general_then_own(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jigsaw of two steps on top of the general weights."""
    out = tmp_path_factory.mktemp("own") / "run"
    config: PretrainConfig = pretrain_config(sample_folder, out).replace(
        encoder=EncoderConfig(weights="general"), budget=SHORT
    )
    events = run_pretrain(config)
    assert any("starts from general weights: EfficientNet-Lite0, ImageNet-1k" in one.text for one in of(Note, events))
    looks = of(Probed, events)
    assert all("from the general weights as they were before" in one.text for one in looks if one.labels)
    return out


def test_a_pretraining_from_general_weights_keeps_their_encoder(general_then_own: Path) -> None:
    config = pretrain_from_dict(RunFolder(general_then_own).config())
    assert (config.encoder.name, config.encoder.weights) == ("efficientnet_lite0", "general:efficientnet_lite0")
    after, given = load_tensors(general_then_own / "last.safetensors")[0], find_general("general").read()
    moved = (after["model.encoder.layer4.0.expand.weight"] - given["layer4.0.expand.weight"]).abs()
    assert 0 < float(moved.max()) < 0.01  # two small steps away


def test_statistics_of_tiles_are_measured_anew_on_whole_pictures(
    general_then_own: Path, sample_folder: Path, tmp_path: Path
) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", str(general_then_own))
    run_finetune(config.replace(mode="probe", twin=False, budget=SHORT))
    tiles = load_tensors(general_then_own / "last.safetensors")[0]
    whole = load_tensors(tmp_path / "run" / "readout.safetensors")[0]
    assert torch.equal(whole[f"{ENCODER}layer1.0.project.weight"], tiles["model.encoder.layer1.0.project.weight"])
    for name in ("bn1.running_mean", "layer4.0.project_norm.running_var"):
        assert not torch.allclose(whole[ENCODER + name], tiles["model.encoder." + name], rtol=1e-3)


def test_it_is_taken_away_in_every_format(probed: Path, tmp_path: Path) -> None:
    done = to_end(export_run(probed, tmp_path / "out", "all", RunControl()))
    assert len(done.files) == 6
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["normalisation"]["mean"] == [0.5] * 3
    assert card["encoder"]["family"] == "efficientnet_lite"
    pictures = np.random.default_rng(0).random((2, 3, card["input"]["side"], card["input"]["side"]), np.float32)
    embedding = use_it.embed(use_it.load_encoder(tmp_path / "out"), pictures, card)
    assert embedding.shape == (2, card["encoder"]["dim"])
    assert np.abs(embedding - use_it.ask_onnx(tmp_path / "out" / "encoder.onnx", pictures)).max() < 1e-3


def test_masks_are_learnt_from_general_weights(sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "general", "segmentation")
    metrics = result_of(run_finetune(config.replace(twin=False, budget=SHORT)))
    assert list(metrics["parts"]) == ["pretrained"]
