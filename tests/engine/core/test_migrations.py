"""What earlier versions have stored is read in the format of today."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslstudio.cli.config_args import current_settings
from sslstudio.engine.core import migrations
from sslstudio.engine.core.config import (
    BaseConfig,
    Overrides,
    Value,
    from_dict,
    options_of,
    sections_of,
    to_dict,
    to_toml,
    value_text,
    with_settings,
    with_texts,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.files.checked_files import from_toml
from sslstudio.engine.core.migrations import (
    COMPARE,
    FORMAT,
    KEY,
    PROJECT,
    RENAMED,
    RUN,
    TOURNAMENT,
    migrate,
    unstamp,
)
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.experiments.config import stored_config
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.projects.project import open_project
from sslstudio.engine.runs.queue import RunQueue
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.context_prediction import ContextConfig
from sslstudio.engine.tasks.multitask import MultitaskConfig
from sslstudio.engine.training.config import (
    FinetuneConfig,
    HardwareConfig,
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
    values = migrate(COMPARE, from_toml(OLD_COMPARE), "compare.toml")
    assert values[KEY] == FORMAT
    config = from_dict(CompareConfig, unstamp(values))
    assert (config.tasks, config.labels, config.scratch_labels) == (("jigsaw", "rotation"), (10, 5), ())
    assert config.weights == {"imagenet": "/w/resnet18.pth", "other": "/runs/a=b"}
    assert config.pretrain_settings == {
        "jigsaw": {"permutations": 24}, "optimiser": {"batch_size": 8}, "budget": {"minutes": None},
        "probe": {"enabled": False},
    }  # fmt: skip
    assert config.finetune_settings == {"recipe": {"read_out": "network", "balance_classes": False}}
    assert migrate(COMPARE, values, "compare.toml") == values


def test_a_tournament_of_the_first_format_too() -> None:
    old = {"tasks": "", "minutes": 5.0, "pretrain_settings": "multitask.tasks=jigsaw,byol"}
    config = from_dict(TournamentConfig, unstamp(migrate(TOURNAMENT, old, "tournament.toml")))
    assert config.tasks == ()
    assert config.pretrain_settings == {"multitask": {"tasks": ("jigsaw", "byol")}}


def test_several_tasks_of_a_run_and_of_a_project_are_a_list() -> None:
    old = {"job": "pretrain", "task": "multitask", "options": {"tasks": " jigsaw , byol", "pictures": 0.5}}
    options = pretrain_from_dict(old).options
    assert to_dict(options) == {"tasks": ["jigsaw", "byol"], "settings": {}, "pictures": 0.5, "whole": False}
    project = migrate(PROJECT, {KEY: 1, "options": {"multitask": {"tasks": "jigsaw,byol"}, "jigsaw": {}}}, "p")
    assert project["options"] == {"multitask": {"tasks": ["jigsaw", "byol"]}, "jigsaw": {}}


def test_what_was_no_list_is_refused_in_words_and_not_changed() -> None:
    for old, says in (({"labels": "5,many"}, "labels = '5'"), ({"weights": "/w.pth"}, "weights: '' is empty")):
        before = dict(old)
        with pytest.raises(ConfigError, match=says):
            from_dict(CompareConfig, unstamp(migrate(COMPARE, old, "compare.toml")))
        assert old == before


@pytest.mark.parametrize("document", [RUN, COMPARE, TOURNAMENT, PROJECT])
def test_a_newer_format_is_refused(document: str) -> None:
    with pytest.raises(ConfigError, match=rf"some\.toml was written by a newer version .*format {FORMAT + 1}"):
        migrate(document, {KEY: FORMAT + 1}, "some.toml")


@pytest.mark.parametrize("written", ["1", 0, -1, True, 1.0, None, [1]])
def test_a_format_is_a_number(written: object) -> None:
    with pytest.raises(ConfigError, match=r"some\.toml is damaged: format = "):
        migrate(RUN, {KEY: written}, "some.toml")


ONE: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab=,;.", max_size=6)
PLAIN = (
    ONE | st.lists(ONE, max_size=2) | st.dictionaries(st.sampled_from(["options", "tasks", "byol"]), ONE, max_size=2)
)
NAMES = st.sampled_from(["task", "tasks", "labels", "weights", "pretrain_settings", "options", "hardware", "recipe"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([RUN, COMPARE, TOURNAMENT, PROJECT]), st.dictionaries(NAMES, PLAIN, max_size=5))
def test_no_file_breaks_a_migration(document: str, values: dict[str, Any]) -> None:
    before = repr(values)
    assert migrate(document, values, "some.toml")[KEY] == FORMAT
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
    moved = migrate(RUN, {name: one for name, one in holder.items() if one != {before: None}}, "config.toml")
    assert before not in moved.get("options" if task else section, {})
    assert migrate(PROJECT, {KEY: 1, "options": {section: {before: 1}}}, "p")["options"] == {section: {after: 1}}
    assert migrations.current_key(old) == new


def other_value(section: str, name: str) -> Any:
    """One that the option is not by itself, so that it must have been read."""
    field = next(one for one in options_of(sections()[section]) if one.name == name)
    if field.type is bool:
        return not field.default
    if field.about.choices:
        return next(one for one in field.about.choices if one != field.default)
    value = field.about.high if field.default == field.about.low else field.about.low
    assert value is not None
    return field.type(value)


def as_written(values: dict[str, Any], section: str, **options: Value) -> dict[str, Any]:
    """The values of a config as version 0.2 has written them: no format, all options by their old names; `options` are
    those of one section that a person has set."""
    values = {name: dict(one) if isinstance(one, dict) else one for name, one in values.items()}
    for old, new in OLD_NAMES:
        owner = "options" if old.partition(".")[0] == values.get("task") else old.partition(".")[0]
        if new.partition(".")[2] in values.get(owner, {}):
            values[owner][old.partition(".")[2]] = values[owner].pop(new.partition(".")[2])
    values[section] = {**values.get(section, {}), **options}
    return values


@pytest.mark.parametrize(("old", "new"), OLD_NAMES)
def test_the_value_in_an_old_run_and_in_the_queue_arrives(old: str, new: str, tmp_path: Path) -> None:
    (section, before), after = old.split("."), new.partition(".")[2]
    value, is_task = other_value(section, after), section in load_tasks()
    where = "options" if is_task else section
    wanted: list[tuple[str, Any]] = [("finetune", FinetuneConfig())] if section in ("recipe", "hardware") else []
    wanted += [] if section == "recipe" else [("pretrain", PretrainConfig(task=section if is_task else "jigsaw"))]
    read = {"finetune": finetune_from_dict, "pretrain": pretrain_from_dict}
    for job, config in wanted:
        values = {"job": job, **as_written(to_dict(config), where, **{before: value})}
        expected = config.replace(**{where: getattr(config, where).replace(**{after: value})})
        run = RunFolder.create(tmp_path / job, config_dict(job, config))
        (run.path / CONFIG).write_text(to_toml(values))
        assert read[job](RunFolder.open(run.path).config()) == expected
        queue = tmp_path / f"{job}.json"
        queue.write_text(json.dumps([{"job": job, "title": "", "config": values}]))
        assert read[job](RunQueue(queue).runs[0].config) == expected


@pytest.mark.parametrize(("old", "new"), [pair for pair in OLD_NAMES if pair[0].partition(".")[0] in load_tasks()])
def test_the_value_in_an_old_project_arrives(old: str, new: str, tmp_path: Path) -> None:
    (section, before), after = old.split("."), new.partition(".")[2]
    value = other_value(section, after)
    kept = {KEY: 1, "pictures": str(tmp_path), "task": section, "options": {section: {before: value}}}
    (tmp_path / "sslstudio.toml").write_text(to_toml(kept))
    opened = open_project(tmp_path)
    assert opened.told == ""
    assert from_dict(load_tasks()[section].Config, opened.project.options[section]) == load_tasks()[section].Config(
        **{after: value}
    )


@pytest.mark.parametrize(("old", "new"), OLD_NAMES)
def test_the_value_in_an_old_experiment_arrives(old: str, new: str, tmp_path: Path) -> None:
    section, after = new.split(".")
    value, task = other_value(section, after), section if section in load_tasks() else "jigsaw"
    name = "finetune_settings" if section == "recipe" else "pretrain_settings"
    text = f"optimiser.batch_size=8; {old}={value_text(value)}"
    (tmp_path / "compare.toml").write_text(f'tasks = "{task}"\n{name} = "{text}"\n')
    (tmp_path / "tournament.toml").write_text(f'tasks = "{task}"\npretrain_settings = "{text}"\n')
    found = stored_config(CompareConfig, tmp_path)
    assert found is not None
    given = {part: dict(values) for part, values in getattr(found, name).items()}
    assert given["optimiser"] == {"batch_size": 8}
    assert given[section][after] == value
    if section != "recipe":
        cup = stored_config(TournamentConfig, tmp_path)
        assert cup is not None
        assert cup.pretrain_settings["optimiser"] == {"batch_size": 8}
        assert cup.pretrain_settings[section][after] == value
    if section == "hardware":
        (tmp_path / "tournament.toml").write_text(to_toml(as_written({}, section, **{old.partition(".")[2]: value})))
        cup = stored_config(TournamentConfig, tmp_path)
        assert cup is not None
        assert cup.hardware == HardwareConfig(**{after: value})


@pytest.mark.parametrize(("old", "new"), OLD_NAMES)
def test_an_old_name_that_is_typed_is_understood(old: str, new: str) -> None:
    (section, before), after = old.split("."), new.partition(".")[2]
    value = other_value(section, after)
    is_task = section in load_tasks()
    task = section if is_task else "jigsaw"
    config: BaseConfig = FinetuneConfig() if section == "recipe" else PretrainConfig(task=task)
    keys = [old, f"options.{before}", f"task.{before}"] if is_task else [old]
    for key in keys:
        changed = with_settings(config, [f"{key}={value_text(value)}"], str(getattr(config, "task", "")))
        assert getattr(getattr(changed, "options" if is_task else section), after) == value
    name = "finetune_settings" if section == "recipe" else "pretrain_settings"
    studied = with_texts(CompareConfig(tasks=(task,)), {name: f"{old}={value_text(value)}"})
    assert getattr(studied, name) == {section: {after: value}}


def test_what_is_typed_by_an_old_name_is_told_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["hardware.tune=off", "options.hidden=0.5", "optimiser.batch_size=8"]
    assert current_settings(typed, "masked_autoencoding") == [
        "hardware.autotune=off", "options.mask_ratio=0.5", "optimiser.batch_size=8",
    ]  # fmt: skip
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "sslstudio: hardware.tune is called hardware.autotune now.",
        "sslstudio: options.hidden is called options.mask_ratio now.",
    ]


def test_what_was_begun_before_the_read_out_stays_without_it() -> None:
    old = {"format": 2, "job": "finetune", "recipe": {"freeze": 0.4}}
    recipe = finetune_from_dict(old).recipe
    assert (recipe.read_out, recipe.balance_classes, recipe.freeze) == ("network", False, 0.4)
    assert finetune_from_dict(config_dict("finetune", FinetuneConfig())).recipe.read_out == "averaged"
    study = unstamp(migrate(COMPARE, {"format": 2, "data": {"folder": "/x"}}, "compare.toml"))
    settings = from_dict(CompareConfig, study).finetune_settings
    assert dict(settings["recipe"]) == {"read_out": "network", "balance_classes": False}
    assert "recipe" not in migrate(RUN, {"format": 2, "job": "pretrain"}, "config.toml")


def test_a_pretraining_that_was_begun_asks_what_it_asked() -> None:
    old = {"format": 2, "job": "pretrain", "task": "context_prediction", "options": {"gap": 0.3}}
    before = ContextConfig(pairs="centre")
    assert pretrain_from_dict(old).options == before.replace(gap=0.3)
    assert pretrain_from_dict({"format": 2, "job": "pretrain", "task": "context_prediction"}).options == before
    today = config_dict("pretrain", PretrainConfig(task="context_prediction"))
    assert pretrain_from_dict(today).options == ContextConfig()
    assert "options" not in migrate(RUN, {"format": 2, "job": "finetune"}, "config.toml")


def test_several_tasks_that_were_begun_ask_what_they_asked() -> None:
    centre = Overrides({"context_prediction": {"pairs": "centre"}})
    old = {"format": 2, "job": "pretrain", "task": "multitask"}
    assert pretrain_from_dict(old).options == MultitaskConfig(whole=False, settings=centre)
    tasks = ("jigsaw", "rotation")
    options = pretrain_from_dict({**old, "options": {"tasks": list(tasks)}}).options
    assert options == MultitaskConfig(tasks=tasks, whole=False)


@pytest.mark.parametrize(("document", "kind"), [(COMPARE, CompareConfig), (TOURNAMENT, TournamentConfig)])
def test_an_experiment_that_was_begun_trains_its_tasks_as_it_did(document: str, kind: type[BaseConfig]) -> None:
    old = {"format": 2, "tasks": ["context_prediction", "multitask", "jigsaw"], "data": {"folder": "/x"}}
    settings = from_dict(kind, unstamp(migrate(document, old, "file"))).pretrain_settings  # type: ignore[attr-defined]
    assert settings["context_prediction"] == {"pairs": "centre"}
    assert settings["multitask"]["whole"] is False
    assert settings["multitask"]["settings"] == {"context_prediction": {"pairs": "centre"}}
    assert "jigsaw" not in settings


@pytest.mark.parametrize(
    ("document", "values"),
    [
        (RUN, {"job": "finetune", "recipe": 3}),
        (RUN, {"job": "pretrain", "task": "multitask", "options": 3}),
        (COMPARE, {"finetune_settings": 3}),
        (COMPARE, {"finetune_settings": {"recipe": 3}}),
        (COMPARE, {"tasks": ["multitask"], "pretrain_settings": {"multitask": 3}}),
    ],
)
def test_what_is_no_table_is_left_to_its_reader(document: str, values: dict[str, Any]) -> None:
    found = migrate(document, {"format": 2, **values}, "file")
    assert {name: found[name] for name in values} == values


@pytest.mark.parametrize(("kind", "read"), [("segmentation", "network"), ("classification", "averaged")])
def test_masks_of_before_are_read_by_their_network_alone(kind: str, read: str) -> None:
    """Format 3 wrote the default of an option that masks did not have yet."""
    run = migrate(RUN, {KEY: 3, "job": "finetune", "kind": kind, "recipe": {"read_out": "averaged"}}, "config.toml")
    assert run["recipe"]["read_out"] == read
    settings = {"recipe": {"read_out": "averaged"}}
    compare = migrate(COMPARE, {KEY: 3, "kind": kind, "finetune_settings": settings}, "compare.toml")
    assert compare["finetune_settings"]["recipe"]["read_out"] == read
