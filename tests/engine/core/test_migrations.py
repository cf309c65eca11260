"""What earlier versions have stored is read in the format of today."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslstudio.engine.core import migrations
from sslstudio.engine.core.config import (
    BaseConfig,
    from_dict,
    from_toml,
    options_of,
    sections_of,
    to_dict,
    to_toml,
    with_settings,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.migrations import (
    COMPARE,
    FORMAT,
    KEY,
    PROJECT,
    RENAMED,
    RUN,
    TOURNAMENT,
    migrated,
    unstamped,
)
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import (
    FinetuneConfig,
    PretrainConfig,
    config_dict,
    finetune_from_dict,
    pretrain_from_dict,
)

OLD_COMPARE = """
out = "/runs/study"
kind = "classification"
tasks = "jigsaw, rotation,"
weights = "imagenet=/w/resnet18.pth; other = /runs/a=b"
labels = "10,5"
scratch_labels = ""
seeds = 3
steps = 120
keep_weights = false
pretrain_settings = "jigsaw.permutations=24;optimiser.batch_size=8; budget.minutes=auto;probe.enabled=no"
finetune_settings = ""
[data]
folder = "/pets"
"""


def test_a_comparison_of_the_first_format_has_lists_and_tables() -> None:
    values = migrated(COMPARE, from_toml(OLD_COMPARE), "compare.toml")
    assert values[KEY] == FORMAT
    config = from_dict(CompareConfig, unstamped(values))
    assert (config.tasks, config.labels, config.scratch_labels) == (("jigsaw", "rotation"), (10, 5), ())
    assert config.weights == {"imagenet": "/w/resnet18.pth", "other": "/runs/a=b"}
    assert config.pretrain_settings == {
        "jigsaw": {"permutations": 24}, "optimiser": {"batch_size": 8}, "budget": {"minutes": None},
        "probe": {"enabled": False},
    }  # fmt: skip
    assert config.finetune_settings == {}
    assert migrated(COMPARE, values, "compare.toml") == values


def test_a_tournament_of_the_first_format_too() -> None:
    old = {"tasks": "", "minutes": 5.0, "pretrain_settings": "multitask.tasks=jigsaw,byol"}
    config = from_dict(TournamentConfig, unstamped(migrated(TOURNAMENT, old, "tournament.toml")))
    assert config.tasks == ()
    assert config.pretrain_settings == {"multitask": {"tasks": ("jigsaw", "byol")}}


def test_several_tasks_of_a_run_and_of_a_project_are_a_list() -> None:
    old = {"job": "pretrain", "task": "multitask", "options": {"tasks": " jigsaw , byol", "pictures": 0.5}}
    options = pretrain_from_dict(old).options
    assert to_dict(options) == {"tasks": ["jigsaw", "byol"], "pictures": 0.5}
    project = migrated(PROJECT, {KEY: 1, "options": {"multitask": {"tasks": "jigsaw,byol"}, "jigsaw": {}}}, "p")
    assert project["options"] == {"multitask": {"tasks": ["jigsaw", "byol"]}, "jigsaw": {}}


def test_what_was_no_list_is_refused_in_words_and_not_changed() -> None:
    for old, says in (({"labels": "5,many"}, "labels = '5'"), ({"weights": "/w.pth"}, "weights: '' is empty")):
        before = dict(old)
        with pytest.raises(ConfigError, match=says):
            from_dict(CompareConfig, unstamped(migrated(COMPARE, old, "compare.toml")))
        assert old == before


@pytest.mark.parametrize("document", [RUN, COMPARE, TOURNAMENT, PROJECT])
def test_a_newer_format_is_refused(document: str) -> None:
    with pytest.raises(ConfigError, match=rf"some\.toml was written by a newer version .*format {FORMAT + 1}"):
        migrated(document, {KEY: FORMAT + 1}, "some.toml")


@pytest.mark.parametrize("written", ["1", 0, -1, True, 1.0, None, [1]])
def test_a_format_is_a_number(written: object) -> None:
    with pytest.raises(ConfigError, match=r"some\.toml is damaged: format = "):
        migrated(RUN, {KEY: written}, "some.toml")


ONE: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab=,;.", max_size=6)
PLAIN = (
    ONE | st.lists(ONE, max_size=2) | st.dictionaries(st.sampled_from(["options", "tasks", "byol"]), ONE, max_size=2)
)
NAMES = st.sampled_from(["task", "tasks", "labels", "weights", "pretrain_settings", "options", "hardware", "recipe"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([RUN, COMPARE, TOURNAMENT, PROJECT]), st.dictionaries(NAMES, PLAIN, max_size=5))
def test_no_file_breaks_a_migration(document: str, values: dict[str, Any]) -> None:
    before = repr(values)
    assert migrated(document, values, "some.toml")[KEY] == FORMAT
    assert repr(values) == before


def test_a_step_leads_to_the_next_format_only() -> None:
    with pytest.raises(ValueError, match="next format"):
        migrations.migration(1, 3, RUN)


def test_files_of_today_carry_their_format(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", config_dict("pretrain", PretrainConfig(task="jigsaw")))
    assert run.config()[KEY] == FORMAT
    assert pretrain_from_dict(run.config()) == PretrainConfig(task="jigsaw")
    (run.path / CONFIG).write_text(to_toml({"job": "finetune", **to_dict(FinetuneConfig())}))  # as 0.2 wrote it
    assert finetune_from_dict(run.config()) == FinetuneConfig()


def sections() -> dict[str, type[BaseConfig]]:
    found = {name: load_tasks()[name].Config for name in load_tasks()}
    for config in (PretrainConfig, FinetuneConfig):
        found |= {one.name: one.config for one in sections_of(config) if one.name != "options"}
    return found


OLD_NAMES = [pair for names in RENAMED.values() for pair in names.items()]


@pytest.mark.parametrize(("old", "new"), OLD_NAMES)
def test_every_old_name_is_known(old: str, new: str) -> None:
    (section, before), (same, after) = old.split("."), new.split(".")
    assert section == same
    options = {one.name: one for one in options_of(sections()[section])}
    assert after in options
    assert before not in options
    task = section in load_tasks()
    value = options[after].default
    holder = {"job": "pretrain", "task": section, "options": {before: value}} if task else {section: {before: value}}
    moved = migrated(RUN, {name: one for name, one in holder.items() if one != {before: None}}, "config.toml")
    assert before not in moved.get("options" if task else section, {})
    assert migrated(PROJECT, {KEY: 1, "options": {section: {before: 1}}}, "p")["options"] == {section: {after: 1}}
    assert migrations.current_key(old) == new


def test_an_old_name_that_is_typed_is_understood() -> None:
    for old, new in OLD_NAMES:
        section = old.partition(".")[0]
        if section in load_tasks():
            config: BaseConfig = PretrainConfig(task=section)
            field = next(one for one in options_of(sections()[section]) if one.name == new.partition(".")[2])
        else:
            config = FinetuneConfig() if section == "recipe" else PretrainConfig()
            field = next(one for one in options_of(sections()[section]) if one.name == new.partition(".")[2])
        if field.type in (int, float) and not field.optional:
            changed = with_settings(config, [f"{old}={field.default}"], str(getattr(config, "task", "")))
            assert changed == config
