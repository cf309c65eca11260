"""Where the allocator says no beside the training: what looks at pictures takes fewer at once and finds the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Note, StepDone
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.predict import Predictor
from sslstudio.engine.finetuning.recipe import recalibrate, standardise
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import ALL, Classifier, PixelScale
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.micro_batches import micro_batches_note
from sslstudio.engine.training.schedule import Plan
from sslstudio.engine.training.session import open_session
from tests.engine.training.test_loop import CPU, FAST
from tests.engine.training.test_micro_batches import Hungry
from tests.support.small_runs import of

NO = "CUDA out of memory. Tried to allocate 2.00 GiB"


@contextmanager
def room_for(network: Classifier, most: int) -> Iterator[list[int]]:
    """Within it the encoder holds `most` pictures at once; how many it was asked."""
    asked: list[int] = []

    def look(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        asked.append(len(inputs[0]))
        if len(inputs[0]) > most:
            raise torch.OutOfMemoryError(NO)

    hook = network.encoder.conv1.register_forward_pre_hook(look)
    try:
        yield asked
    finally:
        hook.remove()


@pytest.fixture(scope="module")
def pictures(sample_folder: Path) -> Pictures:
    device = devices.choose("cpu")
    session = to_end(open_session(DataConfig(folder=str(sample_folder), side=32), device, RunControl()))
    return Pictures(session.cache, session.split.train, device)


def network_for(pictures: Pictures) -> Classifier:
    encoder = build_encoder(EncoderConfig(name="small", stem="tiny"), 0)
    return Classifier(PixelScale(pictures.spread(32)), encoder, 5, stage=ALL)


def test_the_final_test_is_made_in_halves(pictures: Pictures) -> None:
    network = network_for(pictures)
    predictor = Predictor(network, "classification", tuple("abcde"), pictures.device)
    whole = torch.cat([found for _, found in predictor.chunks(pictures, RunControl())])
    with room_for(network, 5) as asked:
        chunks = list(predictor.chunks(pictures, RunControl()))
    assert max(asked) > 5, "it was too much at first"
    torch.testing.assert_close(torch.cat([found for _, found in chunks]), whole)
    assert [name for names, _ in chunks for name in names] == list(pictures.paths)


def test_statistics_are_measured_anew_with_fewer_pictures(pictures: Pictures) -> None:
    network, alike = network_for(pictures), network_for(pictures)
    with room_for(network, 16) as asked:
        recalibrate(network, pictures)
    assert max(asked) > 16
    recalibrate(alike, pictures)
    ours, theirs = (one.encoder.get_buffer("bn1.running_mean") for one in (network, alike))
    torch.testing.assert_close(ours, theirs, rtol=0.1, atol=0.05)  # the mean of parts, of which the last is smaller
    assert all(layer.momentum == 0.1 for layer in network.modules() if isinstance(layer, nn.BatchNorm2d))


def test_the_scale_of_features_is_measured_with_fewer_pictures(pictures: Pictures) -> None:
    network, alike = network_for(pictures), network_for(pictures)
    with room_for(network, 16) as asked:
        standardise(network, pictures)
    assert max(asked) > 16
    standardise(alike, pictures)
    assert isinstance(network.head, nn.Sequential)
    assert isinstance(alike.head, nn.Sequential)
    for ours, theirs in zip(network.head[0].buffers(), alike.head[0].buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_at_all_is_raised(pictures: Pictures) -> None:
    network = network_for(pictures)
    for measure in (recalibrate, standardise):
        with room_for(network, 1), pytest.raises(torch.OutOfMemoryError):
            measure(network, pictures)
    assert all(layer.momentum == 0.1 for layer in network.modules() if isinstance(layer, nn.BatchNorm2d))


@pytest.mark.parametrize("times", [1, 9])
def test_moments_that_do_not_fit_are_no_step(times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimiser takes its memory at its first step: no weight has moved then, and the step is done in parts."""
    whole, job = Hungry(8), Hungry(8)
    folders = (RunFolder.create(tmp_path / name, {"job": "pretrain"}) for name in ("whole", "short"))
    pairs = zip((whole, job), folders, strict=True)
    alone, short = (Training(one, Plan(steps=4), FAST, CPU, run) for one, run in pairs)
    expected = of(StepDone, alone.go(RunControl()))
    left, move = [times], short.optimiser.step

    def step(*given: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise torch.OutOfMemoryError(NO)
        return move(*given, **options)

    monkeypatch.setattr(short.optimiser, "step", step)
    if times > 3:  # 8 pictures, 4, 2: there is no smaller part
        with pytest.raises(RunError, match="does not suffice"):
            list(short.go(RunControl()))
        return
    events = list(short.go(RunControl()))
    assert [note.text for note in of(Note, events)] == [micro_batches_note(8, 2, False)]
    assert [event.loss for event in of(StepDone, events)] == pytest.approx([event.loss for event in expected], rel=1e-5)
