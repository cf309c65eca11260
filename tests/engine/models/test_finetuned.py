"""The fine-tuned networks: the pixel scale, the shapes of the answers, and what probing leaves alone."""

import copy

import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import Classifier, Network, PixelScale, Segmenter, pool_stages

SIDE = 32


def pictures(count: int = 12) -> Tensor:
    """uint8 with another mean and another spread in each channel."""
    noise = torch.randn(count, 3, SIDE, SIDE, generator=generator(0, "pictures"))
    spread, middle = torch.tensor([10.0, 30.0, 50.0]), torch.tensor([60.0, 120.0, 180.0])
    return (noise * spread.view(3, 1, 1) + middle.view(3, 1, 1)).clamp(0, 255).to(torch.uint8)


def network(
    kind: type[Classifier] | type[Segmenter], *, probing: bool = False, freeze_norm_stats: bool = False
) -> Network:
    encoder = build_encoder(EncoderConfig(name="small", stem="tiny"), 0)
    with seed_init(0, "head"):
        made = kind(PixelScale(pictures()), encoder, 4, freeze_norm_stats=freeze_norm_stats)
    made.freeze(probing)
    return made


def test_the_pixel_scale_gives_mean_0_and_deviation_1_a_channel() -> None:
    images = pictures()
    scaled = PixelScale(images)(images / 255.0)
    torch.testing.assert_close(scaled.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_a_blank_channel_stays_finite() -> None:
    images = pictures()
    images[:, 1] = 7
    scaled = PixelScale(images)(images / 255.0)
    assert scaled.isfinite().all()
    assert float(scaled[:, 1].abs().max()) < 1e-3


def test_the_figures_travel_with_the_weights() -> None:
    scale, other = PixelScale(pictures()), PixelScale(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))
    other.load_state_dict(scale.state_dict())
    assert torch.equal(other.mean, scale.mean)
    assert torch.equal(other.deviation, scale.deviation)
    assert not list(scale.parameters())


def test_a_classifier_answers_for_each_picture_and_a_segmenter_for_each_pixel() -> None:
    images = pictures(2) / 255.0
    assert network(Classifier)(images).shape == (2, 4)
    assert network(Segmenter)(images).shape == (2, 4, SIDE, SIDE)
    odd = torch.rand(2, 3, 37, 51, generator=generator(0, "odd"))
    assert network(Segmenter)(odd).shape == (2, 4, 37, 51)


def one_step(model: Network) -> None:
    model.train()
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.1)
    logits = model(pictures() / 255.0)
    loss: Tensor = logits.flatten(2).mean(2).sum() if logits.ndim == 4 else logits.square().sum()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def changed(before: Network, after: Network, part: str) -> set[str]:
    """Names below `part` that are not what they were: weights and batch statistics."""
    old, new = before.state_dict(), after.state_dict()
    return {name for name in old if name.startswith(part) and not torch.equal(old[name], new[name])}


@pytest.mark.parametrize("kind", [Classifier, Segmenter])
def test_probing_leaves_weights_and_batch_statistics_of_the_encoder(kind: type[Classifier] | type[Segmenter]) -> None:
    model = network(kind, probing=True)
    before = copy.deepcopy(model)
    one_step(model)
    assert not changed(before, model, "encoder")
    assert changed(before, model, "head")


@pytest.mark.parametrize("kind", [Classifier, Segmenter])
def test_training_the_whole_changes_both(kind: type[Classifier] | type[Segmenter]) -> None:
    model = network(kind)
    before = copy.deepcopy(model)
    one_step(model)
    assert {"encoder.conv1.weight", "encoder.bn1.running_mean"} <= changed(before, model, "encoder")
    assert changed(before, model, "head")
    assert not changed(before, model, "scale")


def test_a_probed_encoder_stays_in_evaluation_also_inside_another_module() -> None:
    model = network(Segmenter, probing=True)
    outer = torch.nn.ModuleDict({"network": model}).train()
    assert outer.training
    assert model.head.training
    assert not any(part.training for part in model.encoder.modules())
    outer.eval()
    assert not model.head.training
    assert all(part.training for part in network(Segmenter).train().encoder.modules())


def test_a_steady_encoder_learns_but_keeps_its_batch_statistics() -> None:
    model = network(Classifier, freeze_norm_stats=True)
    before = copy.deepcopy(model)
    one_step(model)
    names = changed(before, model, "encoder")
    assert "encoder.conv1.weight" in names
    assert not any("running" in name for name in names)


def test_what_was_frozen_can_learn_again() -> None:
    model = network(Classifier, probing=True)
    model.freeze(False)
    before = copy.deepcopy(model)
    one_step(model)
    assert {"encoder.conv1.weight", "encoder.bn1.running_mean"} <= changed(before, model, "encoder")


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_a_classifier_reads_the_stage_it_is_told_and_leaves_later_ones_out(stage: int) -> None:
    encoder = build_encoder(EncoderConfig(name="small", stem="tiny"), 0).eval()
    model = Classifier(PixelScale(pictures()), encoder, 4, stage=stage).eval()
    images = pictures(2) / 255.0
    maps = encoder.stages(model.scale(images))
    expected = model.head(pool_stages(maps)[stage - 1])
    torch.testing.assert_close(model(images), expected)
    model(images).sum().backward()
    reached = {name.split(".")[0] for name, weight in encoder.named_parameters() if weight.grad is not None}
    assert {name for name in reached if name.startswith("layer")} == {f"layer{n}" for n in range(1, stage + 1)}
