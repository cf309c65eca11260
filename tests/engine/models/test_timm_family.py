"""Encoders of the library timm: its files fit, its numbers come out, and without it a sentence says what to do."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.export import use_it
from sslstudio.engine.export.run import encoder_facts
from sslstudio.engine.models.encoders import ENCODERS, EncoderConfig, build_encoder
from sslstudio.engine.models.sparse_encoder import visible_stages
from sslstudio.engine.training.checkpoint import load_encoder

timm: Any = pytest.importorskip("timm")
NAME, ARCHITECTURE = "timm_convnext_atto", "convnext_atto"
TIMM = [name for name in ENCODERS if name.startswith("timm_")]


def images(side: int = 64) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=generator(0, "images"))


def test_a_file_of_the_library_gives_the_maps_of_the_library(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        theirs = timm.create_model(ARCHITECTURE, pretrained=False).eval()
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = build_encoder(EncoderConfig(name=NAME, stem="large"), 0).eval()
    said = load_encoder(ours, tmp_path / "theirs.safetensors")
    assert "all of its weights" in str(said)
    with torch.no_grad():
        wanted = theirs.forward_intermediates(images(), intermediates_only=True, output_fmt="NCHW")[-4:]
        for mine, other in zip(ours.stages(images()), wanted, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_earlier_stages_can_be_had_alone() -> None:
    encoder = build_encoder(EncoderConfig(name=NAME, stem="large"), 0).eval()
    with torch.no_grad():
        some, every = encoder.stages(images(), 2), encoder.stages(images())
    assert len(some) == 2
    assert all(torch.equal(one, other) for one, other in zip(some, every[:2], strict=True))


@pytest.mark.parametrize("name", TIMM)
def test_parameters_belong_to_stages_in_their_order(name: str) -> None:
    with torch.device("meta"):
        encoder = ENCODERS[name].build(name, "large")
    stages = [encoder.stage_of(one) for one, _ in encoder.named_parameters()]
    assert stages == sorted(stages)
    assert set(stages) == {1, 2, 3, 4}


def test_a_file_for_another_encoder_says_which(tmp_path: Path) -> None:
    theirs = timm.create_model("efficientnet_b0", pretrained=False)
    save_file(theirs.state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(Exception, match="--encoder timm_efficientnet_b0"):
        load_encoder(build_encoder(EncoderConfig(name="small", stem="large"), 0), tmp_path / "other.safetensors")


def test_masked_autoencoding_is_refused_in_words() -> None:
    encoder = build_encoder(EncoderConfig(name=NAME, stem="large"), 0)
    with pytest.raises(ConfigError, match="another pretext task"):
        visible_stages(encoder, images(), torch.ones(2, 1, 2, 2))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"sslstudio\[timm\]"):
        build_encoder(EncoderConfig(name=NAME, stem="large"), 0)


@pytest.mark.parametrize("name", TIMM)
@pytest.mark.parametrize("stem", ["small", "large"])
def test_the_snippet_of_an_export_builds_the_same_network(name: str, stem: str) -> None:
    if "tiny" in name:
        pytest.skip("as ConvNeXt-Atto, only larger")
    encoder = build_encoder(EncoderConfig(name=name, stem=stem), 0).eval()
    rebuilt = use_it.build_encoder(encoder_facts(EncoderConfig(name=name, stem=stem)))
    rebuilt.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(images()), encoder(images()), atol=1e-4, rtol=1e-4)
