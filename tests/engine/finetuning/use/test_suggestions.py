"""What is asked for: suggested pictures that teach, among them random ones that test; and what is scored after that."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.finetuning.cross_validation import deal
from sslstudio.engine.finetuning.use.similarity import GENERAL, LookAlike, look_alike
from sslstudio.engine.finetuning.use.suggestions import KnownLabels, order_at_random, suggest_mixed
from sslstudio.engine.images.index import ImageIndex, scan
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.editing.edits import Kind
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import open_session, propose_drawn
from tests.support.small_runs import finetune_config, run_finetune

KIND: Kind = "classification"


@pytest.fixture(scope="module")
def recognised(sample_folder: Path) -> Recognised:
    return recognise(scan(sample_folder))


@pytest.fixture(scope="module")
def draw(recognised: Recognised) -> DrawnTest:
    return propose_drawn(recognised, DataConfig())


def seen(index: ImageIndex, rng: np.random.Generator) -> LookAlike:
    features = rng.normal(size=(len(index), 8)).astype(np.float32)
    return LookAlike(tuple(index.paths), features, np.zeros((len(index), 2)), GENERAL, len(index))


@pytest.mark.parametrize("seed", range(3))
def test_what_teaches_is_never_held_and_what_tests_does_not_depend_on_features(
    recognised: Recognised, draw: DrawnTest, seed: int
) -> None:
    index, rng = recognised.pictures, np.random.default_rng(seed)
    known = KnownLabels(KIND, frozenset(draw.next_ones(index.paths, (), 2)), {})
    found = suggest_mixed(seen(index, rng), index, known, draw, 12)
    assert len(set(found.paths)) == 12
    assert list(filter(found.test.__contains__, found.paths)) == draw.next_ones(index.paths, known.labelled, 2)
    assert all(draw.is_held(path) == (path in found.test) for path in found.paths)
    assert "typical pictures" in str(found.why)
    assert "One of 5 is drawn at random" in str(found.why)


def test_at_random_comes_everything_without_a_label(recognised: Recognised, draw: DrawnTest) -> None:
    index = recognised.pictures
    known = KnownLabels(KIND, frozenset(index.paths[:7]), {})
    found = order_at_random(index, known, draw)
    assert sorted(found.paths) == index.paths[7:]
    assert found.test == {path for path in index.paths[7:] if draw.is_held(path)}


def test_what_the_labels_leave_uncertain_comes_once_they_teach_something(recognised: Recognised) -> None:
    index = recognised.pictures
    assert recognised.classes is not None
    of = recognised.classes.of
    rng = np.random.default_rng(0)
    features = np.array([of[path] for path in index.paths])[:, None] == np.arange(5)
    told = (features * 3 + 0.3 * rng.normal(size=features.shape)).astype(np.float32)
    alike = LookAlike(tuple(index.paths), told, np.zeros((len(index), 2)), GENERAL, len(index))
    draw = DrawnTest.draw(index.paths, (), {})
    labelled = index.paths[::2]
    known = KnownLabels(KIND, frozenset(labelled), {path: of[path] for path in labelled})
    assert "most uncertain" in str(suggest_mixed(alike, index, known, draw, 6).why)
    noise = replace(alike, features=rng.normal(size=told.shape).astype(np.float32))
    assert "typical" in str(suggest_mixed(noise, index, known, draw, 6).why)  # its doubts would be noise
    assert set(suggest_mixed(alike, index, known, draw, 99).paths) == set(index.paths) - set(labelled)


@pytest.fixture
def labels(sample_folder: Path, recognised: Recognised, draw: DrawnTest, tmp_path: Path) -> Path:
    """Thirty labels given as they were asked for, six of them drawn at random."""
    assert recognised.classes is not None
    folder, of = tmp_path / "labels", recognised.classes.of
    to_end(begin(folder, replace(recognised, classes=None, masks=None)))
    asked = [*[path for path in recognised.pictures.paths if not draw.is_held(path)][::2][:24],
             *draw.next_ones(recognised.pictures.paths, (), 6)]  # fmt: skip
    with Labelling(folder) as store:
        for name in recognised.classes.names:
            store.apply(store.adding(KIND, name))
        for path in asked:
            edit = store.labelling([path], of[path] + 1)
            assert edit is not None
            store.apply(edit)
            store.note_asked(draw, KIND, [path])
    return folder


def test_a_fine_tuning_tests_on_what_was_drawn_and_says_so(
    sample_folder: Path, labels: Path, draw: DrawnTest, tmp_path: Path
) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch")
    run_finetune(config.replace(data=config.data.replace(labels=str(labels)), twin=False))
    run = RunFolder.open(tmp_path / "run")
    metrics = run.finetune_metrics()
    assert metrics is not None
    paths = recognise(scan(sample_folder)).pictures.paths
    split = run.read_json("split.json")
    with Labelling(labels) as store:
        tested = [path for path in split["test"] if path in store.of]
    assert sorted(tested) == sorted(draw.next_ones(paths, (), 6))
    said = " ".join(map(str, metrics["notes"]))
    assert "6 of the 6 test pictures were drawn at random" in said
    assert "6 pictures drawn at random have a label: too few" in said


def test_folds_are_dealt_of_what_was_drawn_alone(sample_folder: Path, labels: Path, draw: DrawnTest) -> None:
    config = finetune_config(sample_folder, Path("none"), "scratch")
    config = config.replace(data=config.data.replace(labels=str(labels)), labels_per_class=None)
    session = to_end(open_session(config.data, devices.choose("cpu"), RunControl()))
    with pytest.raises(DataError, match="the smallest class has"):  # six pictures of five classes
        deal(session, config, 5)
    drawn = session.recognised.drawn
    assert drawn is not None
    assert session.recognised.classes is not None
    everything = drawn.with_asked(session.recognised.pictures.paths, KIND)
    two = {path: number % 2 for number, path in enumerate(session.recognised.classes.of)}
    classes = replace(session.recognised.classes, of=two)
    session = replace(session, recognised=replace(session.recognised, drawn=everything, classes=classes))
    splits = deal(session, config, 2)
    tested = [path for split in splits for path in split.test]
    assert sorted(tested) == sorted(path for path in two if draw.is_held(path))
    for split in splits:
        assert {path for path in two if not draw.is_held(path)} <= set(split.train)


def test_with_nothing_drawn_there_is_no_test_and_that_is_said(
    sample_folder: Path, labels: Path, draw: DrawnTest, tmp_path: Path
) -> None:
    with Labelling(labels) as store:
        edit = store.labelling([path for path in store.of if draw.is_held(path)], None)
        assert edit is not None
        store.apply(edit)
    config = finetune_config(sample_folder, tmp_path / "run", "scratch")
    with pytest.raises(DataError, match="None of the 24 labelled pictures was drawn at random"):
        run_finetune(config.replace(data=config.data.replace(labels=str(labels))))


@pytest.mark.slow
def test_replayed_on_made_pictures_suggested_labels_teach_no_less_than_random_ones(tmp_path: Path) -> None:
    """As many labels in all, of kinds that are not equally frequent; scored on a random third."""
    for _ in make_sample(tmp_path / "sample", count=900, side=64, seed=5):
        pass
    recognised = recognise(scan(tmp_path / "sample"))
    assert recognised.classes is not None
    alike = to_end(look_alike(recognised.pictures, None, RunControl(), "cpu"))
    scaled = StandardScaler().fit_transform(alike.features) / np.sqrt(alike.features.shape[1])
    of = np.array([recognised.classes.of[path] for path in alike.paths])
    gains: dict[int, list[float]] = {20: [], 40: [], 80: []}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        kept = np.concatenate([
            rng.permutation(np.flatnonzero(of == kind))[: int(180 * share)]
            for kind, share in enumerate(rng.permutation([1, 1, 0.6, 0.3, 0.2]))
        ])  # fmt: skip
        kept = rng.permutation(kept)
        pool, test = kept[len(kept) // 3 :], kept[: len(kept) // 3]
        paths = tuple(alike.paths[number] for number in pool)
        few = replace(alike, paths=paths, features=alike.features[pool])
        index, draw = recognised.pictures.subset(paths), DrawnTest.draw(paths, (), {})

        def score(chosen: list[int], pool: np.ndarray = pool, test: np.ndarray = test) -> float:
            known = pool[chosen]
            told = RidgeClassifier(0.3 / len(known), class_weight="balanced").fit(scaled[known], of[known])
            return float(balanced_accuracy_score(of[test], told.predict(scaled[test])))

        chosen: list[int] = []
        for count in gains:
            while len(chosen) < count:
                classes = {paths[number]: int(of[pool[number]]) for number in chosen}
                asked = suggest_mixed(few, index, KnownLabels(KIND, frozenset(classes), classes), draw, 10)
                chosen += [paths.index(path) for path in asked.paths]
            at_random = np.mean([score(rng.permutation(len(pool))[:count].tolist()) for _ in range(10)])
            gains[count].append(score(chosen) - float(at_random))
    assert all(np.mean(found) >= 0 for found in gains.values())
    assert np.mean([found for found in gains.values()]) > 0.02
