"""What a comparison is made of, and what may be added to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.config import Table, from_dict, to_dict, to_toml, with_texts
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.files.checked_files import from_toml
from sslstudio.engine.core.migrations import COMPARE, migrate, unstamp
from sslstudio.engine.experiments.compare_config import (
    CompareConfig,
    cell_runs,
    finetune_config,
    follow_settings,
    join,
    labels_of,
    longer_runs,
    pretrain_config,
    pretraining_runs,
    read_count,
    source_title,
    sources_of,
    trained_sources,
)
from sslstudio.engine.experiments.config import follow
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.tasks.jigsaw import JigsawConfig
from sslstudio.engine.training.config import DataConfig

BASE = CompareConfig(out="out", tasks=("jigsaw", "rotation"), labels=(5, 10), scratch_labels=(50,), seeds=3)


@settings(deadline=None)  # the first one loads the tasks
@given(st.lists(st.integers(1, 10_000), max_size=6))
def test_counts_are_read_sorted_and_once(counts: list[int]) -> None:
    config = with_texts(CompareConfig(), {"labels": " , ".join(map(str, counts))})
    assert labels_of(config, "vicreg") == sorted(set(counts))


@pytest.mark.parametrize(
    ("text", "says"),
    [("5,zero", "'zero' is not a whole number"), ("0", "below its lowest value 1"), ("-3", "below"), ("2.5", "whole")],
)
def test_what_is_no_number_of_labels(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"labels = .*{says}"):
        with_texts(CompareConfig(), {"labels": text})


def test_scratch_is_the_first_row_and_has_the_labels_of_all() -> None:
    config = with_texts(BASE, {"weights": "imagenet=/w/resnet18.pth; other = /runs/a=b"})
    assert sources_of(config) == [
        "scratch", "untrained", "general", "jigsaw", "jigsaw+general", "rotation", "rotation+general",
        "after-general-jigsaw", "imagenet", "imagenet+general", "other", "other+general",
    ]  # fmt: skip
    assert sources_of(config.replace(general=False)) == [
        "scratch", "untrained", "jigsaw", "rotation", "imagenet", "other"
    ]  # fmt: skip
    assert config.weights == {"imagenet": "/w/resnet18.pth", "other": "/runs/a=b"}
    assert labels_of(config, "scratch") == [5, 10, 50]
    assert labels_of(config, "jigsaw") == [5, 10]
    assert finetune_config(config, "imagenet", 5, 2).source == "/w/resnet18.pth"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tasks": "jigsw"}, "jigsaw"),
        ({"weights": "jigsaw=/w.pth"}, "two rows called 'jigsaw'"),
        ({"weights": "untrained=/w.pth"}, "two rows called 'untrained'"),
        ({"weights": "/w.pth"}, "NAME=VALUE"),
        ({"weights": "a/b=/w.pth"}, "not a name that a folder can have"),
        ({"weights": "..=/w.pth"}, "not a name that a folder can have"),
        ({"tasks": "../jigsaw"}, "jigsaw"),
        ({"pretrain_settings": "colorization.skips=1"}, "colorization is not compared"),
        ({"pretrain_settings": "jigsaw.permutation=3"}, "permutations"),
        ({"finetune_settings": "optimiser.learning_rate=fast"}, "is not a number"),
    ],
)
def test_what_cannot_be_compared_is_said_at_once(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        with_texts(BASE, changes)


def test_a_tournament_takes_no_option_of_a_task_that_does_not_play() -> None:
    options = {"pretrain_settings": "colorization.skips=1"}
    assert with_texts(TournamentConfig(), options).pretrain_settings  # all tasks play
    with pytest.raises(ConfigError, match="colorization is not compared"):
        with_texts(TournamentConfig(tasks=("jigsaw", "rotation")), options)


def test_options_reach_the_runs_that_they_are_for() -> None:
    settings = "jigsaw.permutations=24;optimiser.batch_size=32"
    config = with_texts(BASE, {"pretrain_settings": settings, "finetune_settings": "optimiser.batch_size=8"})
    jigsaw, rotation = (pretrain_config(config, task) for task in ("jigsaw", "rotation"))
    assert isinstance(jigsaw.options, JigsawConfig)
    assert jigsaw.options.permutations == 24
    assert (jigsaw.optimiser.batch_size, rotation.optimiser.batch_size) == (32, 32)
    assert finetune_config(config, "jigsaw", 5, 0).optimiser.batch_size == 8


def test_all_cells_of_a_draw_differ_in_the_source_alone() -> None:
    ours, scratch = (finetune_config(BASE, source, 10, 2) for source in ("jigsaw", "scratch"))
    assert ours.replace(source="", out="") == scratch.replace(source="", out="")
    assert (ours.seed, ours.labels_per_class, ours.twin, ours.budget.steps) == (2, 10, False, None)


def test_draws_are_spread_over_the_pretrainings() -> None:
    config = with_texts(BASE.replace(pretrain_seeds=2, seeds=5), {"weights": "imagenet=/w/resnet18.pth"})
    runs = pretraining_runs(config, "jigsaw")
    assert [run.path.name for run in runs] == ["jigsaw", "jigsaw-2"]
    assert [pretrain_config(config, "jigsaw", run.seed).seed for run in runs] == [0, 1]
    assert len({pretrain_config(config, "jigsaw", run.seed).data for run in runs}) == 1
    sources = [finetune_config(config, "jigsaw", 5, draw).source for draw in range(5)]
    assert sources == [str(runs[draw % 2].path) for draw in range(5)]
    assert [cell.seed for cell in cell_runs(config, "jigsaw+general")][:5] == [0, 1, 0, 1, 0]
    assert {finetune_config(config, "imagenet", 5, draw).source for draw in range(5)} == {"/w/resnet18.pth"}
    assert pretraining_runs(config, "scratch") == pretraining_runs(config, "imagenet") == []
    assert len(pretraining_runs(config.replace(seeds=1), "jigsaw")) == 1  # nothing would measure the second


def test_a_comparison_of_before_rests_on_one_pretraining() -> None:
    stored = {name: value for name, value in to_dict(BASE).items() if name != "pretrain_seeds"}
    assert from_dict(CompareConfig, stored) == BASE
    assert [run.path.name for run in pretraining_runs(BASE, "jigsaw")] == ["jigsaw"]


@pytest.mark.parametrize(
    ("labels", "read_at", "kind", "count"),
    [
        ((5, 10, 25), None, "classification", 10),
        ((5, 25), None, "classification", 5),
        ((25, 50), None, "classification", 25),  # there is no lower one
        ((5, 10, 25), 30, "classification", 25),
        ((5, 20, 50), None, "segmentation", 20),
    ],
)
def test_where_worth_is_read(labels: tuple[int, ...], read_at: int | None, kind: str, count: int) -> None:
    assert read_count(BASE.replace(labels=labels, read_at=read_at, kind=kind)) == count


def test_where_worth_is_read_is_named_beforehand() -> None:
    assert join(follow_settings(BASE.replace(read_at=10), BASE), BASE).read_at == 10  # what it was anyway
    with pytest.raises(ConfigError, match="read_at was 10 and now is 5"):
        join(follow_settings(BASE.replace(read_at=5), BASE), BASE)
    stored = BASE.replace(read_at=5)
    assert join(follow_settings(BASE, stored), stored) == stored


def test_longer_runs_have_times_the_steps_of_their_row_and_can_be_added() -> None:
    config = with_texts(BASE, {"longer": "4", "finetune_settings": "recipe.steps_factor=2"})
    assert [run.path.name for run in longer_runs(config, "jigsaw")] == ["10-0-x4", "10-1-x4", "10-2-x4"]
    assert (
        longer_runs(config, "untrained") == longer_runs(config, "jigsaw+general") == longer_runs(BASE, "jigsaw") == []
    )
    usual, longer = (finetune_config(config, "jigsaw", 10, 2, times) for times in (1, 4))
    assert (usual.recipe.steps_factor, longer.recipe.steps_factor) == (2, 8)
    same = longer.replace(out=usual.out, general=usual.general, recipe=usual.recipe)
    assert same == usual
    assert join(BASE.replace(longer=4), BASE).longer == 4
    assert join(BASE, BASE.replace(longer=4)).longer == 4
    assert longer_runs(BASE.replace(longer=1), "jigsaw") == []  # what is done anyway


def test_the_number_of_pretrainings_stays() -> None:
    three = BASE.replace(pretrain_seeds=3)
    assert join(follow_settings(BASE, three), three) == three  # not said again
    with pytest.raises(ConfigError, match="pretrainings of a task were 1 and now are 3"):
        join(follow_settings(three, BASE), BASE)


def test_joined_has_the_rows_labels_and_draws_of_both() -> None:
    other = BASE.replace(tasks=("context_prediction", "jigsaw"), labels=(25,), scratch_labels=(), seeds=5)
    whole = join(other, BASE)
    assert trained_sources(whole) == ["jigsaw", "rotation", "context_prediction", "after-general-jigsaw"]
    assert labels_of(whole, "scratch") == [5, 10, 25, 50]
    assert whole.seeds == 5
    assert join(whole, BASE) == whole


def test_another_machine_and_another_place_are_no_other_settings() -> None:
    moved = BASE.replace(out="elsewhere", hardware=BASE.hardware.replace(device="cuda"), keep_weights=True)
    assert join(moved, BASE).out == "elsewhere"


def test_other_options_are_named() -> None:
    with pytest.raises(ConfigError, match=r"jigsaw: options.permutations was \d+ and now is 24"):
        join(with_texts(BASE, {"pretrain_settings": "jigsaw.permutations=24"}), BASE)
    with pytest.raises(ConfigError, match="the weights w"):
        join(BASE.replace(weights=Table({"w": "/b"})), BASE.replace(weights=Table({"w": "/a"})))


def test_auto_follows_what_is_there() -> None:
    stored = BASE.replace(data=DataConfig(side=64), encoder=BASE.encoder.replace(name="small", stem="small"))
    config = follow(BASE, stored)
    assert (config.data.side, config.encoder.name, config.encoder.stem) == (64, "small", "small")
    asked = follow(BASE.replace(data=DataConfig(side=32)), stored)
    assert asked.data.side == 32


def test_it_survives_its_file() -> None:
    assert from_dict(CompareConfig, from_toml(to_toml(to_dict(BASE)))) == BASE


def test_an_old_comparison_is_gone_on_with_as_it_was_begun() -> None:
    old = {
        "format": 2,
        "tasks": ["context_prediction", "jigsaw"],
        "steps": 120,
        "labels": [5],
    }
    stored = from_dict(CompareConfig, unstamp(migrate(COMPARE, old, "compare.toml")))
    typed = CompareConfig(tasks=("context_prediction",), labels=(5,))
    again = follow_settings(typed, stored)
    assert join(again, stored) == stored
    assert (again.steps, again.general) == (120, False)
    assert pretrain_config(again, "context_prediction") == pretrain_config(stored, "context_prediction")
    new = CompareConfig(tasks=("context_prediction",))
    assert follow_settings(new, new) == new


def test_the_first_task_is_pretrained_from_general_weights_too() -> None:
    row = "after-general-jigsaw"
    assert trained_sources(BASE) == ["jigsaw", "rotation", row]
    assert str(source_title(BASE, row)) == "General weights, then Jigsaw puzzle"
    made = pretrain_config(BASE, row)
    assert (made.task, made.encoder.weights) == ("jigsaw", "general")
    assert made.encoder.resolve(False, 96).name == "efficientnet_lite0"
    assert made.replace(out="", encoder=BASE.encoder) == pretrain_config(BASE, "jigsaw").replace(out="")
    cell = finetune_config(BASE, row, 5, 1)
    assert cell.source == made.out
    assert not cell.general  # it is read by itself, not beside what it came from
    assert len(pretraining_runs(BASE.replace(pretrain_seeds=2), row)) == 2
    for without in (BASE.replace(after_general=False), BASE.replace(general=False)):
        assert row not in sources_of(without)


def test_the_first_task_stays_the_one_that_starts_from_general_weights() -> None:
    for asked, rows in [
        (("rotation", "jigsaw"), ["jigsaw", "rotation", "after-general-jigsaw"]),
        (("inpainting",), ["inpainting"]),  # of what is there, nothing is done again
    ]:
        followed = follow_settings(BASE.replace(tasks=asked), BASE)
        assert trained_sources(followed) == rows
        whole = join(followed, BASE)
        assert trained_sources(whole)[-1] == "after-general-jigsaw"
    first = follow_settings(BASE, BASE.replace(tasks=()))
    assert trained_sources(join(first, BASE.replace(tasks=())))[-1] == "after-general-jigsaw"


def test_tasks_that_all_start_from_general_weights_are_not_pretrained_twice() -> None:
    config = BASE.replace(encoder=EncoderConfig(weights="general"))
    assert trained_sources(config) == ["jigsaw", "rotation"]


def test_weights_cannot_be_called_like_the_row_after_general_weights() -> None:
    with pytest.raises(ConfigError, match="two rows"):
        with_texts(BASE, {"weights": "after-general-jigsaw=/w/a.pth"})
