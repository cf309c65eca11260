"""The read-out: what is scored is what is kept, loaded and answered with; voices are averaged; each picture alone."""

import itertools
import json
from pathlib import Path

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import StepDone
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.linear_and_knn import linear_answers
from sslstudio.engine.finetuning.read_out.read_out import MOST_IN_POOL, pool_of, put_around
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.models.finetuned import Classifier
from sslstudio.engine.models.read_out import ReadOut
from sslstudio.engine.training.config import DataConfig, RecipeConfig
from sslstudio.engine.training.session import Session, open_session
from tests.support.small_runs import finetune_config, of, run_finetune


@pytest.fixture(scope="module")
def session(sample_folder: Path) -> Session:
    return to_end(open_session(DataConfig(folder=str(sample_folder), side=32), devices.choose("cpu"), RunControl()))


@pytest.fixture
def images(session: Session) -> torch.Tensor:
    pictures = Pictures(session.cache, session.split.test, devices.choose("cpu"))
    return pictures.take(torch.arange(len(pictures))) / 255.0


def read_out(run: Path, part: str = "") -> ReadOut:
    network = load_trained(run, "cpu", part).predictor.network
    assert isinstance(network, ReadOut)
    return network


@torch.no_grad()
def test_the_answer_is_the_average_of_three_voices(classified: Path, images: torch.Tensor) -> None:
    read = read_out(classified)
    assert read.network is not None
    assert read.propagation is not None
    features = read.frozen(images)
    network = (read.network(images).softmax(1) + read.network(images.flip(-1)).softmax(1)) / 2
    mean = (network + read.ridge(features) + read.propagation(features)) / 3
    torch.testing.assert_close(read(images).softmax(1), mean, rtol=1e-4, atol=1e-6)
    shares = [network, read.ridge(features), read.propagation(features)]
    assert all(not torch.allclose(one, other, atol=0.02) for one, other in itertools.pairwise(shares))


@torch.no_grad()
def test_the_ridge_answers_as_the_probe_of_the_same_features_does(
    classified: Path, sample_folder: Path, session: Session, images: torch.Tensor
) -> None:
    read = read_out(classified)
    taught = json.loads((classified / "plan.json").read_text())["labelled"]
    pictures = Pictures(session.cache, taught, devices.choose("cpu"))
    assert session.recognised.classes is not None
    classes = torch.tensor([session.recognised.classes.of[path] for path in pictures.paths])
    known = read.frozen(pictures.take(torch.arange(len(pictures))) / 255.0)
    asked = read.frozen(images)
    answers = linear_answers(known.double(), classes, asked.double(), 5)
    assert torch.equal(read.ridge(asked).argmax(1), answers)


@torch.no_grad()
def test_a_picture_is_answered_alone(classified: Path, images: torch.Tensor) -> None:
    read = read_out(classified)
    whole = read(images)
    torch.testing.assert_close(torch.cat([read(one[None]) for one in images]), whole, rtol=1e-4, atol=1e-5)


def test_no_test_picture_is_in_the_pool(classified: Path, session: Session) -> None:
    split = json.loads((classified / "split.json").read_text())
    unlabelled = Pictures(session.cache, split["train"], devices.choose("cpu"))
    labelled = json.loads((classified / "plan.json").read_text())["labelled"]
    pool = pool_of(unlabelled, labelled, 1152)
    assert not set(pool.paths) & {*split["test"], *split["validation"]}
    assert set(labelled) <= set(pool.paths)
    propagation = read_out(classified).propagation
    assert propagation is not None
    assert len(propagation.pool) == len(pool) == len(split["train"])


def test_a_large_pool_is_a_mixed_part_of_it_and_holds_all_labels(session: Session) -> None:
    unlabelled = Pictures(session.cache, session.split.train, devices.choose("cpu"))
    labelled = unlabelled.paths[:7]
    wide = 8_000_000 // 12
    assert wide > MOST_IN_POOL
    pool = pool_of(unlabelled, labelled, wide)
    assert len(pool) == 12
    assert pool.paths[:7] == labelled
    assert list(pool.paths[7:]) != list(unlabelled.paths[7:12])


def test_a_linear_probe_trains_nothing_and_untrained_features_stand_beside_it(
    pretrained: Path, sample_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "probe"
    events = run_finetune(finetune_config(sample_folder, out, str(pretrained)).replace(mode="probe"))
    assert not of(StepDone, events)
    assert not list(out.glob("*last.safetensors"))
    metrics = json.loads((out / "metrics.json").read_text())
    assert list(metrics["parts"]) == ["pretrained", "scratch", "untrained"]
    assert metrics["parts"]["scratch"] == metrics["parts"]["untrained"]
    assert read_out(out).network is None


def test_unlabelled_pictures_are_left_out_where_that_is_asked(
    pretrained: Path, sample_folder: Path, tmp_path: Path
) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", str(pretrained)).replace(mode="probe", twin=False)
    run_finetune(config.replace(recipe=RecipeConfig(propagate=False)))
    assert read_out(tmp_path / "run").propagation is None


def test_a_run_without_a_read_out_answers_by_its_network(pretrained: Path, sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", str(pretrained)).replace(twin=False)
    run_finetune(config.replace(recipe=RecipeConfig(read_out="network")))
    assert isinstance(load_trained(tmp_path / "run", "cpu").predictor.network, Classifier)
    assert not (tmp_path / "run" / "readout.safetensors").exists()


def test_a_read_out_of_another_network_is_refused(classified: Path) -> None:
    trained = load_trained(classified, "cpu")
    with pytest.raises(RunError, match="another network"):
        put_around(None, classified / "readout.safetensors", "pretrained", trained.config, 7)
