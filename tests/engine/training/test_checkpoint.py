"""Weights on disk: a training that goes on from them is the same, and a file never runs code."""

import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.general import find_general
from sslstudio.engine.training.checkpoint import (
    lay_like_weights,
    load_encoder,
    load_tensors,
    read_weights,
    restore_training,
    save_tensors,
    training_state,
)
from tests.support.full_disk import full_disk


def encoder(seed: int = 0, stem: str = "tiny", name: str = "small") -> Encoder:
    return build_encoder(EncoderConfig(name=name, stem=stem), seed)


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


class Learner:
    """An encoder and a head that learn to tell two fields of noise apart."""

    def __init__(self, seed: int = 0) -> None:
        with seed_init(seed, "head"):
            self.modules = nn.ModuleDict({"encoder": encoder(seed), "head": nn.Linear(256, 2)})
        self.optimiser = torch.optim.AdamW(self.modules.parameters(), lr=1e-2, weight_decay=0.1)

    def train(self, first: int, last: int) -> None:
        for step in range(first, last):
            rng = generator(0, "step", step)
            images = torch.randn(6, 3, 16, 16, generator=rng)
            targets = torch.randint(0, 2, (6,), generator=rng)
            logits = self.modules["head"](self.modules["encoder"](images))
            self.optimiser.zero_grad()
            nn.functional.cross_entropy(logits, targets).backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def save(self, path: Path, meta: dict[str, Any] | None = None) -> None:
        save_tensors(path, training_state(self.modules, self.optimiser), meta or {})

    def restore(self, path: Path) -> None:
        restore_training(load_tensors(path)[0], self.modules, self.optimiser)


def test_going_on_from_a_file_equals_not_stopping_bit_for_bit(tmp_path: Path) -> None:
    straight, first, second = Learner(), Learner(), Learner(seed=9)
    straight.train(0, 6)
    first.train(0, 3)
    first.save(tmp_path / "last.safetensors")
    second.restore(tmp_path / "last.safetensors")
    second.train(3, 6)
    assert equal(training_state(second.modules, second.optimiser), training_state(straight.modules, straight.optimiser))
    # What makes this a test: neither the weights alone nor the last step alone would do.
    second.optimiser = torch.optim.AdamW(second.modules.parameters(), lr=1e-2, weight_decay=0.1)
    restore_training(training_state(first.modules, second.optimiser), second.modules, second.optimiser)
    second.train(3, 6)
    assert not equal(second.modules.state_dict(), straight.modules.state_dict())


def test_restored_weights_keep_the_layout_that_is_fast(tmp_path: Path) -> None:
    learner = Learner()
    learner.train(0, 1)
    learner.save(tmp_path / "last.safetensors")
    learner.restore(tmp_path / "last.safetensors")
    weight = learner.modules.get_submodule("encoder.conv1").weight
    assert isinstance(weight, Tensor)
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_moments_lie_like_their_weights_before_a_fused_step() -> None:
    weight = nn.Parameter(torch.rand(4, 3, 3, 3).contiguous(memory_format=torch.channels_last))
    optimiser = torch.optim.AdamW([weight], fused=True)
    moment = torch.rand(4, 3, 3, 3)
    optimiser.state[weight] = {"step": torch.tensor(1.0), "exp_avg": moment.clone(), "exp_avg_sq": moment.clone()}
    lay_like_weights(optimiser)
    for name in ("exp_avg", "exp_avg_sq"):
        assert optimiser.state[weight][name].stride() == weight.stride()
        assert torch.equal(optimiser.state[weight][name], moment)


def test_facts_travel_with_the_tensors(tmp_path: Path) -> None:
    meta = {"step": 3, "best": None, "elapsed": 1.5, "title": "Zürich"}
    tensors = {
        "a": torch.arange(6).view(2, 3),
        "flat": torch.rand(4, 4, generator=generator(0, "t")).T,
        "one": torch.tensor(2.5),
    }
    save_tensors(tmp_path / "a.safetensors", tensors, meta)
    again, facts = load_tensors(tmp_path / "a.safetensors")
    assert facts == meta
    assert equal(again, tensors)


def test_a_file_of_another_program_has_no_facts(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    assert load_tensors(tmp_path / "a.safetensors")[1] == {}


@pytest.mark.parametrize("content", [None, b"", b"no weights", bytes(64)])
def test_a_missing_or_damaged_checkpoint_is_said(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "last.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RunError, match=r"last\.safetensors cannot be read"):
        load_tensors(file)


def test_a_checkpoint_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "last.safetensors"
    save_tensors(file, {"a": torch.ones(100)}, {})
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(RunError, match="cannot be read"):
        load_tensors(file)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    learner = Learner()
    learner.save(tmp_path / "last.safetensors")
    learner.modules["head"] = nn.Linear(256, 5)
    with pytest.raises(RunError, match="belongs to another network"):
        learner.restore(tmp_path / "last.safetensors")


def test_a_checkpoint_without_a_moment_of_the_optimiser_is_refused() -> None:
    learner = Learner()
    learner.train(0, 1)
    state = training_state(learner.modules, learner.optimiser)
    del state["optimiser.0.exp_avg"]
    with pytest.raises(RunError, match=r"moments of the optimiser are missing\. Put it back from a copy"):
        restore_training(state, learner.modules, learner.optimiser)


@pytest.mark.parametrize("name", ["optimiser.x.exp_avg", "optimiser.9999.exp_avg", "optimiser.0.exp_avg"])
def test_a_moment_that_fits_no_weight_is_refused(name: str) -> None:
    learner = Learner()
    learner.train(0, 1)
    state = {**training_state(learner.modules, learner.optimiser), name: torch.ones(3, 7)}
    with pytest.raises(RunError, match=f"damaged: {name} does not fit its network"):
        restore_training(state, learner.modules, learner.optimiser)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_and_nothing_is_changed(value: float) -> None:
    learner = Learner()
    before = {name: one.clone() for name, one in learner.modules.state_dict().items()}
    state = training_state(learner.modules, learner.optimiser)
    broken = {**state, "model.head.bias": torch.tensor([0.0, value])}
    with pytest.raises(RunError, match=r"The checkpoint is damaged: head\.bias is not finite"):
        restore_training(broken, learner.modules, learner.optimiser)
    assert equal(learner.modules.state_dict(), before)


def test_an_encoder_whose_numbers_are_not_finite_is_refused(tmp_path: Path) -> None:
    weights = encoder(1).state_dict()
    weights["conv1.weight"] = torch.full_like(weights["conv1.weight"], torch.nan)
    save_tensors(tmp_path / "w.safetensors", weights, {})
    with pytest.raises(DataError, match=r"numbers of conv1\.weight are not all finite\. Take another copy"):
        load_encoder(encoder(0), tmp_path / "w.safetensors")


def test_weights_in_an_archive_that_is_packed_are_refused(tmp_path: Path) -> None:
    """torch packs nothing: what is packed may become any size."""
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(8 << 20))
    with pytest.raises(DataError, match="is packed, which weights are not"):
        read_weights(tmp_path / "w.pth")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
NUMBERS = st.sampled_from([torch.float32, torch.float16, torch.float64, torch.int64, torch.uint8, torch.bool])
FACTS = st.dictionaries(NAMES, st.none() | st.booleans() | st.integers(-(2**62), 2**62) | NAMES, max_size=4)


@given(st.dictionaries(NAMES, st.tuples(NUMBERS, st.lists(st.integers(0, 3), max_size=3)), max_size=5), FACTS)
@settings(max_examples=50, deadline=None)
def test_whatever_is_saved_is_loaded_equal_and_torn_nowhere(
    tmp_path_factory: pytest.TempPathFactory, kinds: dict[str, tuple[torch.dtype, list[int]]], facts: dict[str, Any]
) -> None:
    kinds.pop("__metadata__", None)  # the format's own
    tensors = {name: (torch.arange(math.prod(shape)) % 5).reshape(shape).to(kind)
               for name, (kind, shape) in kinds.items()}  # fmt: skip
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_tensors(file, tensors, facts)
    again, told = load_tensors(file)
    assert told == facts
    assert equal(again, tensors)
    assert {name: one.dtype for name, one in again.items()} == {name: one.dtype for name, one in tensors.items()}
    content = file.read_bytes()
    for size in {0, 7, 8, len(content) // 2, len(content) - 1}:
        file.write_bytes(content[:size])
        with pytest.raises(RunError, match="cannot be read"):
            load_tensors(file)


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "last.safetensors"
    save_tensors(file, {"a": torch.ones(10)}, {"step": 1})
    with full_disk(4096), pytest.raises(RunError, match=r"last\.safetensors could not be written"):
        save_tensors(file, {"a": torch.zeros(10_000)}, {"step": 2})
    tensors, meta = load_tensors(file)
    assert meta == {"step": 1}
    assert torch.equal(tensors["a"], torch.ones(10))
    assert len(list(tmp_path.iterdir())) == 1


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "exploded"
    content = {"state_dict": {**encoder().state_dict(), "bomb": Bomb(folder)}}
    torch.save(content, tmp_path / "zip.pth")
    torch.save(content, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Bomb(folder)))
    for name in ("zip.pth", "old.pth", "plain.pth"):
        with pytest.raises(DataError, match=r"cannot be|not a weights file that can be read safely"):
            load_encoder(encoder(), tmp_path / name)
        assert not folder.exists(), name
    torch.load(tmp_path / "zip.pth", weights_only=False)
    assert folder.exists()  # it would have gone off


def test_a_whole_model_saved_by_pickle_is_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(encoder(), tmp_path / "model.pth")
    with pytest.raises(DataError, match=r"torch\.save\(model\.state_dict\(\)\)"):
        read_weights(tmp_path / "model.pth")


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_any_bytes_give_an_error_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("wrap", [None, "state_dict", "model", "teacher"])
def test_a_pth_file_is_read_bare_or_wrapped(tmp_path: Path, wrap: str | None) -> None:
    weights = encoder(1).state_dict()
    torch.save({wrap: weights, "epoch": 3} if wrap else weights, tmp_path / "w.pth")
    assert equal(read_weights(tmp_path / "w.pth"), dict(weights))


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    with pytest.raises(DataError, match="holds no named weights"):
        read_weights(tmp_path / "w.pth")
    torch.save([torch.ones(2)], tmp_path / "w.pth")
    with pytest.raises(DataError, match="holds no named weights"):
        read_weights(tmp_path / "w.pth")
    with pytest.raises(DataError, match="There is no weights file"):
        read_weights(tmp_path / "none.pth")


@pytest.mark.parametrize("prefix", ["", "encoder.", "module.backbone.", "model.network.encoder."])
def test_weights_are_found_under_any_prefix(tmp_path: Path, prefix: str) -> None:
    weights = {prefix + name: value for name, value in encoder(1).state_dict().items()}
    weights["fc.weight"] = torch.ones(3, 3)
    save_tensors(tmp_path / "w.safetensors", weights, {})
    target = encoder(0)
    said = load_encoder(target, tmp_path / "w.safetensors")
    assert equal(target.state_dict(), encoder(1).state_dict())
    assert said == "The encoder starts from all of its weights in w.safetensors"


def test_the_prefix_under_which_most_fits_is_taken(tmp_path: Path) -> None:
    """A second network in the file, of which only some tensors have the right shape, is not mixed in."""
    ours, other = encoder(1).state_dict(), encoder(2, stem="large").state_dict()
    weights = {f"a.{name}": value for name, value in other.items()} | {f"b.{name}": v for name, v in ours.items()}
    save_tensors(tmp_path / "w.safetensors", weights, {})
    target = encoder(0)
    load_encoder(target, tmp_path / "w.safetensors")
    assert equal(target.state_dict(), dict(ours))


def test_a_run_folder_is_a_source(tmp_path: Path) -> None:
    learner = Learner(seed=4)
    learner.train(0, 1)
    learner.save(tmp_path / "last.safetensors", {"step": 1})
    target = encoder(0)
    said = load_encoder(target, tmp_path)
    assert equal(target.state_dict(), learner.modules["encoder"].state_dict())
    assert "last.safetensors" in said


def test_a_run_folder_without_weights_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no weights file .*last\.safetensors"):
        load_encoder(encoder(), tmp_path)


def test_a_stem_that_differs_still_fits_and_is_counted(tmp_path: Path) -> None:
    """All but the first convolution: said, so that a person can see it."""
    save_tensors(tmp_path / "w.safetensors", encoder(1, stem="large").state_dict(), {})
    target = encoder(0)
    before = target.conv1.weight
    assert isinstance(before, Tensor)
    before = before.detach().clone()
    count = len(target.state_dict())
    assert load_encoder(target, tmp_path / "w.safetensors").startswith(f"{count - 1} of {count} parts")
    assert torch.equal(target.state_dict()["conv1.weight"], before)
    assert torch.equal(target.state_dict()["bn1.weight"], encoder(1).state_dict()["bn1.weight"])
    assert torch.equal(
        target.state_dict()["layer4.0.conv2.weight"], encoder(1, stem="large").state_dict()["layer4.0.conv2.weight"]
    )


def test_weights_of_another_network_are_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    weights = {name: value for name, value in encoder(1).state_dict().items() if name.startswith("layer1")}
    save_tensors(tmp_path / "w.safetensors", weights, {})
    target = encoder(0)
    with pytest.raises(DataError, match=r"Only \d+ of the encoder's \d+ tensors .* Choose the encoder and stem"):
        load_encoder(target, tmp_path / "w.safetensors")
    assert equal(target.state_dict(), encoder(0).state_dict())


def test_half_precision_weights_are_taken(tmp_path: Path) -> None:
    weights = {name: v.half() if v.is_floating_point() else v for name, v in encoder(1).state_dict().items()}
    save_tensors(tmp_path / "w.safetensors", weights, {})
    target = encoder(0)
    load_encoder(target, tmp_path / "w.safetensors")
    assert target.state_dict()["conv1.weight"].dtype == torch.float32
    torch.testing.assert_close(target.state_dict(), encoder(1).state_dict(), atol=1e-3, rtol=1e-3)


def test_for_which_encoder_a_file_is_can_be_read_in_the_refusal(tmp_path: Path) -> None:
    save_tensors(tmp_path / "w.safetensors", encoder(1, name="resnet18", stem="small").state_dict(), {})
    with pytest.raises(DataError, match=r"They are for the encoder resnet18 \(--encoder resnet18\)"):
        load_encoder(encoder(0), tmp_path / "w.safetensors")


def test_what_can_be_read_is_said_of_an_unknown_network(tmp_path: Path) -> None:
    save_tensors(tmp_path / "w.safetensors", {"blocks.0.attn.qkv.weight": torch.ones(3, 3)}, {})
    with pytest.raises(DataError, match=r"some encoders of timm can be read; this file begins with blocks\.0\.attn"):
        load_encoder(encoder(0), tmp_path / "w.safetensors")


def test_general_weights_are_a_source(tmp_path: Path) -> None:
    target = encoder(0, name="efficientnet_lite0")
    assert load_encoder(target, "general") == "The encoder starts from general weights: EfficientNet-Lite0, ImageNet-1k"
    assert equal(target.state_dict(), find_general("general").read())
    with pytest.raises(DataError, match="for the encoder efficientnet_lite0, not for small"):
        load_encoder(encoder(0), "general")
