"""The read-out of masks: it solves what is linear, and what is scored is what is kept, predicted and taken away."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Note
from sslstudio.engine.export.run import export_run
from sslstudio.engine.finetuning.costs import read_costs
from sslstudio.engine.finetuning.read_out.mask_read_out import PENALTY, _Sums, class_shares, pixel_weights
from sslstudio.engine.finetuning.read_out.read_out import put_around
from sslstudio.engine.finetuning.use.load import evaluate_run, load_trained
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import PixelScale, Segmenter
from sslstudio.engine.models.mask_read_out import DenseFeatures, MaskReadOut, PixelRidge, Turning
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.transforms.finetune_views import IGNORE, turn_at_random, turn_pictures
from tests.support.small_runs import finetune_config, of, run_finetune

PARTS = ["pretrained", "scratch", "untrained", "general", "beside"]


@pytest.fixture(scope="module")
def masked(pretrained: Path, sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Masks with all arms."""
    out = tmp_path_factory.mktemp("masks") / "run"
    config = finetune_config(sample_folder, out, str(pretrained), "segmentation")
    run_finetune(config.replace(general=True, budget=config.budget.replace(epochs=1)))
    return out


def read_out(run: Path, part: str) -> MaskReadOut:
    network = load_trained(run, "cpu", part).predictor.network
    assert isinstance(network, MaskReadOut)
    return network


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_what_a_linear_layer_can_tell_is_told_right(seed: int, classes: int) -> None:
    """Pixels whose class is the largest of some features, among features of other scales and levels."""
    rng = torch.Generator().manual_seed(seed)
    features = torch.randn(4000, classes + 3, generator=rng)
    targets = features[:, :classes].argmax(dim=1)
    scale = 10 ** torch.randn(classes + 3, generator=rng).clamp(-2, 2)  # what varies less is taken for noise
    level = 5 * torch.randn(classes + 3, generator=rng)
    masks = targets.to(torch.uint8)
    sums = _Sums(classes + 3, classes, pixel_weights(masks, classes))
    for part in torch.split(torch.arange(4000), 1500):
        sums.add(features[part] * scale + level, torch.nn.functional.one_hot(targets[part], classes))
    weight, bias = sums.solve()
    scores = (features * scale + level).double() @ weight.double().T + bias
    assert (scores.argmax(dim=1) == targets).double().mean() > 0.95
    assert weight[:, classes:].mul(scale[classes:]).abs().max() < 0.05  # what says nothing weighs nothing


def test_the_sums_give_the_closed_form_of_the_rows() -> None:
    rows, shares = torch.randn(300, 5).double(), torch.rand(300, 3).double().softmax(dim=1)
    weights = torch.tensor([1.0, 2.0, 3.0]).double()
    sums = _Sums(5, 3, weights)
    sums.add(rows, shares)
    row_weight = shares @ weights / (shares @ weights).sum()
    middle, level = row_weight @ rows, row_weight @ shares
    centred = rows - middle
    deviation = (row_weight @ centred**2).sqrt()
    z = centred / deviation
    gram = z.T @ (z * row_weight[:, None]) + PENALTY * torch.eye(5).double()
    expected = torch.linalg.solve(gram, z.T @ ((shares - level) * row_weight[:, None])) / deviation[:, None]
    weight, bias = sums.solve()
    torch.testing.assert_close(weight, expected.T.float(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(bias, (level - middle @ expected).float(), rtol=1e-4, atol=1e-6)


def test_pixels_that_say_nothing_count_nothing_and_a_class_without_pixels_is_never_answered() -> None:
    masks = torch.tensor([[[0, 0, IGNORE, IGNORE], [0, 2, IGNORE, IGNORE]]], dtype=torch.uint8)
    shares = class_shares(masks, 3, (1, 2))
    assert shares[0, :, 0, 0].tolist() == [0.75, 0.0, 0.25]
    assert shares[0, :, 0, 1].tolist() == [0.0, 0.0, 0.0]
    weights = pixel_weights(masks, 3)
    assert weights[1] == 0
    assert weights[2] > weights[0]
    sums = _Sums(2, 3, weights)
    sums.add(torch.randn(2, 2), shares[0].flatten(1).T)
    assert sums.solve()[1][1] == -100


@torch.no_grad()
def test_scores_of_each_stage_enlarged_are_the_scores_of_all_features_enlarged() -> None:
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), 0)
    frozen = DenseFeatures(PixelScale(torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)), encoder)
    ridge = PixelRidge(frozen.dims, 3)
    ridge.weight.normal_()
    images = torch.rand(2, 3, 32, 32)
    expected = torch.einsum("bdhw,cd->bchw", frozen.together(images), ridge.weight)
    torch.testing.assert_close(ridge(frozen(images)), expected, rtol=1e-3, atol=1e-3)


def test_all_five_arms_are_scored_on_the_same_pictures(masked: Path) -> None:
    metrics = json.loads((masked / "metrics.json").read_text())
    assert list(metrics["parts"]) == PARTS
    assert {part["scores"]["mean_iou"]["n"] for part in metrics["parts"].values()} == {metrics["n_test"]}


@torch.no_grad()
def test_beside_is_the_average_of_the_own_network_and_general_weights(masked: Path) -> None:
    beside, general = read_out(masked, "beside"), read_out(masked, "general")
    own = load_trained(masked, "cpu", "pretrained").predictor.network
    assert isinstance(own, Segmenter)
    images = torch.rand(3, 3, 32, 32)
    mean = (own(images).softmax(dim=1) + general(images).softmax(dim=1)) / 2
    torch.testing.assert_close(beside(images).softmax(dim=1), mean, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(torch.cat([beside(one[None]) for one in images]), beside(images), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("part", PARTS)
def test_what_is_scored_is_what_is_predicted_later(
    masked: Path, sample_folder: Path, tmp_path: Path, part: str
) -> None:
    trained = load_trained(masked, "cpu", part)
    to_end(evaluate_run(trained, sample_folder, tmp_path / "again.csv", RunControl()))
    kept = masked / f"predictions-{part}"
    for file in sorted(kept.rglob("*.png")):
        again = tmp_path / "again" / file.relative_to(kept)
        assert np.array_equal(np.asarray(Image.open(file)), np.asarray(Image.open(again)))
    assert any(kept.rglob("*.png"))


def test_general_weights_are_not_copied_and_a_run_without_its_read_out_says_so(masked: Path, tmp_path: Path) -> None:
    assert (masked / "general-readout.safetensors").stat().st_size < 2_000_000
    config = load_trained(masked, "cpu", "general").config
    with pytest.raises(RunError, match="belongs to another network"):
        put_around(None, masked / "scratch-readout.safetensors", "general", config, 6)


@pytest.mark.parametrize(("part", "form"), [("general", "safetensors"), ("beside", "onnx")])
def test_what_is_scored_can_be_taken_away(masked: Path, tmp_path: Path, part: str, form: str) -> None:
    """An export is read back and asked: the ONNX file holds both readers."""
    done = to_end(export_run(masked, tmp_path / "out", form, RunControl(), part=part))
    assert [one.format for one in done.files if one.file.startswith("model.")] == [form]
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["answers_by"][-1].startswith("ridge regression of the classes of pixels")
    assert ("network" in card["answers_by"]) == (part == "beside")


def test_a_run_of_before_is_answered_by_its_network_alone(
    sample_folder: Path, pretrained: Path, masked: Path, tmp_path: Path
) -> None:
    config = finetune_config(sample_folder, tmp_path / "old", str(pretrained), "segmentation")
    config = config.replace(budget=config.budget.replace(epochs=1), recipe=config.recipe.replace(read_out="network"))
    run_finetune(config)
    metrics = json.loads((tmp_path / "old" / "metrics.json").read_text())
    assert list(metrics["parts"]) == ["pretrained", "scratch"]
    for part in ("pretrained", "scratch"):
        old = read_confusions(confusions_file(tmp_path / "old", part))
        new = read_confusions(confusions_file(masked, part))
        assert str(old) == str(new)  # the networks of the arms are trained as before
    stored = (tmp_path / "old" / "config.toml").read_text()
    before = stored.replace("format = 4", "format = 3").replace('read_out = "network"', 'read_out = "averaged"')
    assert before != stored
    (tmp_path / "old" / "config.toml").write_text(before)
    assert isinstance(load_trained(tmp_path / "old", "cpu").predictor.network, Segmenter)
    with pytest.raises(DataError, match="no part 'untrained'"):
        load_trained(tmp_path / "old", "cpu", "untrained")


@torch.no_grad()
def check_turns(network: Turning) -> None:
    images = torch.rand(2, 3, 32, 32)
    plain = network(images).softmax(dim=1)
    torch.testing.assert_close(plain.sum(dim=1), torch.ones(2, 32, 32), rtol=1e-4, atol=1e-4)
    for turn in range(4):
        for mirror in (False, True):
            turned = turn_pictures(images.flip(-1) if mirror else images, turn)
            expected = turn_pictures(plain.flip(-1) if mirror else plain, turn)
            torch.testing.assert_close(network(turned).softmax(dim=1), expected, rtol=1e-3, atol=1e-4)


def test_where_nothing_is_up_a_turned_picture_gets_the_turned_answer(
    sample_folder: Path, pretrained: Path, tmp_path: Path
) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", str(pretrained), "segmentation")
    run_finetune(config.replace(turn=True, general=True, twin=False, budget=config.budget.replace(epochs=1)))
    for part in ("pretrained", "beside"):
        network = load_trained(tmp_path / "run", "cpu", part).predictor.network
        assert isinstance(network, Turning)
        check_turns(network)
    done = to_end(export_run(tmp_path / "run", tmp_path / "out", "onnx", RunControl(), part="pretrained"))
    assert "model.onnx" in [one.file for one in done.files]
    answers = json.loads((tmp_path / "out" / "card.json").read_text())["answers_by"]
    assert answers == ["network, mean over 8 turns of a picture"]


def test_a_mask_turns_with_its_picture_and_all_turns_occur() -> None:
    images = torch.arange(64 * 9).view(64, 1, 3, 3).float().expand(-1, 3, -1, -1)
    masks = (images[:, 0] % 9).to(torch.uint8)
    turned, moved = turn_at_random(images, masks, torch.Generator().manual_seed(0))
    assert torch.equal((turned[:, 0] % 9).to(torch.uint8), moved)
    corners = {tuple(mask[0, ::2].tolist()) for mask in moved}
    assert corners == {(0, 2), (2, 8), (8, 6), (6, 0)}
    assert torch.equal(turn_pictures(images, 1), torch.rot90(images, 1, (-2, -1)))
    assert torch.equal(turn_pictures(images, -1), torch.rot90(images, -1, (-2, -1)))


def test_classes_say_that_they_are_not_turned(sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch").replace(turn=True, twin=False)
    events = run_finetune(config.replace(budget=config.budget.replace(epochs=1)))
    assert any("Turn is for masks only" in str(note.text) for note in of(Note, events))


def test_beside_costs_the_training_of_its_network_and_its_reading(masked: Path) -> None:
    costs = read_costs(RunFolder.open(masked))
    assert costs["beside"]["steps"] == costs["pretrained"]["steps"] > 0
    assert costs["beside"]["seconds"] > costs["pretrained"]["seconds"]
    assert costs["untrained"]["seconds"] > 0
    assert costs["untrained"]["steps"] == costs["general"]["steps"] == 0
