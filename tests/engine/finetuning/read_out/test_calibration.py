"""Certainties: the temperature that makes shares probabilities, and that it moves no answer."""

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.finetuning import run as finetuning
from sslstudio.engine.finetuning.read_out.calibration import FEWEST, calibration_note, fit_temperature
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.models.read_out import ReadOut
from tests.support.small_runs import finetune_config, run_finetune


@pytest.mark.parametrize("sharpened", [0.5, 1.0, 3.0])
def test_the_temperature_takes_back_by_how_much_shares_are_too_sharp(sharpened: float) -> None:
    rng = generator(0, "calibration")
    honest = 2 * torch.randn(20_000, 4, generator=rng)
    targets = torch.multinomial(honest.softmax(1), 1, generator=rng)[:, 0]
    found = fit_temperature(sharpened * honest, targets)
    assert found["temperature"] == pytest.approx(sharpened, rel=0.05)
    assert found["n"] == 20_000


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 40), classes=st.integers(2, 6))
def test_it_never_makes_what_it_is_measured_on_less_likely(seed: int, count: int, classes: int) -> None:
    rng = generator(seed, "law")
    logits, targets = torch.randn(count, classes, generator=rng), torch.randint(classes, (count,), generator=rng)
    found = fit_temperature(logits, targets)
    assert found["after"] <= found["before"] + 1e-9
    assert found["after"] == pytest.approx(float(F.cross_entropy(logits.double() / found["temperature"], targets)))


def test_a_run_with_enough_validation_pictures_answers_by_it(
    pretrained: Path, sample_folder: Path, tmp_path: Path, classified: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetuning, "FEWEST", 3)
    out = tmp_path / "run"
    config = finetune_config(sample_folder, out, str(pretrained)).replace(mode="probe")
    run_finetune(config)
    found = json.loads((out / "calibration.json").read_text())
    assert list(found) == ["pretrained", "scratch", "untrained"]
    network = load_trained(out, "cpu").predictor.network
    assert isinstance(network, ReadOut)
    assert float(network.temperature) == pytest.approx(found["pretrained"]["temperature"])
    monkeypatch.setattr(finetuning, "FEWEST", 10_000)
    plain = tmp_path / "plain"
    run_finetune(config.replace(out=str(plain)))
    assert not (plain / "calibration.json").exists()
    ours, theirs = (json.loads((run / "metrics.json").read_text()) for run in (out, plain))
    assert ours["parts"] == theirs["parts"]


def test_what_certainties_are_is_said() -> None:
    assert "not calibrated" in calibration_note(FEWEST - 1)
    assert str(calibration_note(FEWEST)).startswith("Certainties are calibrated on 30 validation")
