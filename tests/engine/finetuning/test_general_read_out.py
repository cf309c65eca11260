"""General weights as arms of a fine-tuning: read by themselves, and beside the own pretraining."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.export.run import export_run
from sslstudio.engine.finetuning.labelled import choose_labelled, encoder_of
from sslstudio.engine.finetuning.networks import keep_read_outs
from sslstudio.engine.finetuning.read_out import read_out
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.models.encoders.general import list_general
from sslstudio.engine.models.read_out import Beside, FrozenFeatures, ReadOut
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import DataConfig, FinetuneConfig, finetune_from_dict
from sslstudio.engine.training.session import reopen_session
from tests.support.small_runs import finetune_config, run_finetune


@pytest.fixture(scope="module")
def both(pretrained: Path, sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A linear probe with all arms."""
    out = tmp_path_factory.mktemp("general") / "run"
    run_finetune(finetune_config(sample_folder, out, str(pretrained)).replace(mode="probe", general=True))
    return out


def test_all_five_arms_are_scored_on_the_same_pictures(both: Path) -> None:
    metrics = json.loads((both / "metrics.json").read_text())
    assert list(metrics["parts"]) == ["pretrained", "scratch", "untrained", "general", "beside"]
    assert {part["scores"]["balanced_accuracy"]["n"] for part in metrics["parts"].values()} == {metrics["n_test"]}
    assert "from your own beside general ones" in metrics["verdict"]["text"]


@torch.no_grad()
def test_beside_reads_both_encoders_and_each_is_as_long(both: Path) -> None:
    networks = [load_trained(both, "cpu", part).predictor.network for part in ("pretrained", "general", "beside")]
    own, general, beside = (network.frozen for network in networks if isinstance(network, ReadOut))
    assert isinstance(beside, Beside)
    images = torch.rand(3, 3, 32, 32)
    expected = torch.cat([own(images), general(images)], dim=1) / 2**0.5
    torch.testing.assert_close(beside(images), expected, rtol=1e-2, atol=2e-3)  # features that hardly vary are rounded
    assert beside.width == own.width + general.width


def test_general_weights_are_not_copied_into_every_run_and_come_back_with_their_hash(
    both: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (both / "general-readout.safetensors").stat().st_size < 2_000_000
    another = dataclasses.replace(list_general()["efficientnet_lite0"], sha256="another")
    monkeypatch.setattr(read_out, "find_general", lambda source: another)
    with pytest.raises(RunError, match="another version of the program"):
        load_trained(both, "cpu", "general")
    load_trained(both, "cpu", "pretrained")


def test_what_is_read_beside_can_be_taken_away(both: Path, tmp_path: Path) -> None:
    done = to_end(export_run(both, tmp_path / "out", "safetensors", RunControl(), part="beside"))
    assert [one.file for one in done.files] == ["encoder.safetensors", "model.safetensors"]
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["answers_by"][0].startswith("ridge regression")


def test_the_general_encoder_looks_at_each_picture_once(
    both: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is read by itself and beside the own one, and measured once to set its scale."""
    seen, raw = {"small": 0, "efficientnet_lite0": 0}, FrozenFeatures.raw

    def counted(self: FrozenFeatures, images: torch.Tensor) -> torch.Tensor:
        seen[self.encoder.spec.name] += len(images)
        return raw(self, images)

    run = RunFolder(shutil.copytree(both, tmp_path / "again"))
    before = {part: load_tensors(run.path / f"{part}-readout.safetensors")[0] for part in ("general", "beside")}
    for part in before:
        (run.path / f"{part}-readout.safetensors").unlink()
    config, device = finetune_from_dict(run.config()), devices.choose("cpu")
    session = to_end(reopen_session(run, config.data, device, RunControl()))
    monkeypatch.setattr(FrozenFeatures, "raw", counted)
    labelled = choose_labelled(session, config)
    to_end(keep_read_outs(config, labelled, session, device, run, RunControl()))
    train = len(session.split.train)
    assert seen == {"small": 2 * train, "efficientnet_lite0": 2 * train}
    for part, tensors in before.items():
        again, _ = load_tensors(run.path / f"{part}-readout.safetensors")
        for name, value in tensors.items():
            torch.testing.assert_close(again[name], value)
    assert set(json.loads((run.path / "spent.json").read_text())["reading"]) >= {"general", "beside"}


def test_the_twin_of_general_weights_has_an_encoder_that_can_be_learnt() -> None:
    config = FinetuneConfig(
        source="general", data=DataConfig(side=96), encoder=EncoderConfig(name="efficientnet_lite0", stem="large")
    )
    assert encoder_of("pretrained", config) == config.encoder
    assert encoder_of("scratch", config) == EncoderConfig(name="small", stem="small")
    assert encoder_of("scratch", config.replace(source="scratch")) == config.encoder
