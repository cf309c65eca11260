"""What an earlier version has stored, read by this one: files carry the number of their format, and a chain of small
steps leads from any number to that of today.

Steps work on the plain tables of a file, know nothing of the config classes of today, and are never changed once a
version with them is out. A file without a number is of version 0.1 or 0.2: format 1. Of a newer format than this
version knows nothing is read, so that nothing of it can be lost.

An option that gets another name is one line in `RENAMED`: stored files follow, and so does what is typed with `--set`.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from sslstudio.engine.core.errors import ConfigError

Values = dict[str, Any]
Step = Callable[[Values], None]

FORMAT = 4  # of the files that this version writes
KEY = "format"
RUN, COMPARE, TOURNAMENT, PROJECT = "run", "compare", "tournament", "project"

# By the format that brought the new name: section.option, or task.option. Options of a task that is trained alone lie
# in the section `options`.
RENAMED: dict[int, dict[str, str]] = {
    2: {
        "hardware.at_once": "hardware.micro_batch_size",
        "hardware.layout": "hardware.memory_format",
        "hardware.tune": "hardware.autotune",
        "recipe.decay": "recipe.layer_decay",
        "recipe.head": "recipe.head_lr_factor",
        "recipe.steady": "recipe.freeze_norm_stats",
        "byol.smallest": "byol.min_crop_area",
        "byol.colour": "byol.colour_jitter",
        "byol.hidden": "byol.hidden_dim",
        "byol.outputs": "byol.output_dim",
        "colorization.field": "colorization.min_crop_side",
        "colorization_gan.field": "colorization_gan.min_crop_side",
        "context_prediction.field": "context_prediction.min_crop_side",
        "inpainting.field": "inpainting.min_crop_side",
        "inpainting.share": "inpainting.mask_ratio",
        "inpainting.rim": "inpainting.overlap",
        "jigsaw.field": "jigsaw.min_crop_side",
        "jigsaw.start": "jigsaw.initial_permutations",
        "masked_autoencoding.field": "masked_autoencoding.min_crop_side",
        "masked_autoencoding.hidden": "masked_autoencoding.mask_ratio",
        "masked_autoencoding.even": "masked_autoencoding.norm_pix_loss",
        "rotation.field": "rotation.min_crop_side",
        "rotation.field_side": "rotation.size",
        "simclr.smallest": "simclr.min_crop_area",
        "simclr.colour": "simclr.colour_jitter",
        "simclr.hidden": "simclr.hidden_dim",
        "simclr.outputs": "simclr.output_dim",
        "vicreg.smallest": "vicreg.min_crop_area",
        "vicreg.colour": "vicreg.colour_jitter",
        "vicreg.expander": "vicreg.expander_dim",
        "vicregl.smallest": "vicregl.min_crop_area",
        "vicregl.colour": "vicregl.colour_jitter",
        "vicregl.whole": "vicregl.global_weight",
        "vicregl.expander": "vicregl.expander_dim",
        "vicregl.place_expander": "vicregl.local_expander_dim",
    },
}

_steps: dict[tuple[str, int], list[Step]] = {}


def migration(from_: int, to: int, *documents: str) -> Callable[[Step], Step]:
    """Decorator of a step that changes the table of a file of one format into that of the next."""
    if to != from_ + 1:
        raise ValueError("a step leads to the next format")

    def add(step: Step) -> Step:
        for document in documents:
            _steps.setdefault((document, from_), []).append(step)
        return step

    return add


def migrate(document: str, values: Mapping[str, Any], name: str) -> Values:
    """Bring what a file holds to the format of today, with its number. Raises ConfigError for a file of a newer one."""
    written = values.get(KEY, 1)
    if type(written) is not int or written < 1:
        raise ConfigError(
            "{name} is damaged: {key} = {value} is not a number of a format.",
            name=name,
            key=KEY,
            value=str(written)[:80],
        )
    if written > FORMAT:
        raise ConfigError(
            "{file} was written by a newer version of SSL Studio (format {written}, this one reads up to "
            "{format}). Open it with that version; nothing was changed.",
            file=name,
            written=written,
            format=FORMAT,
        )
    result = copy.deepcopy(dict(values))
    for number in range(written, FORMAT):
        for step in _steps.get((document, number), []):
            step(result)
    return {**result, KEY: FORMAT}


def stamp(values: Mapping[str, Any]) -> Values:
    """Put the number of today's format before what a file holds."""
    return {KEY: FORMAT, **values}


def unstamp(values: Mapping[str, Any]) -> Values:
    """Leave out the number of the format: what a config is made of."""
    return {name: value for name, value in values.items() if name != KEY}


def current_key(key: str, task: str = "") -> str:
    """The name of today of an option that is called by the name of an earlier version. `task`: whose options are meant
    by `options.NAME` and `task.NAME`."""
    section, dot, name = key.partition(".")
    if dot and task and section in ("options", "task"):
        return f"{section}.{current_key(f'{task}.{name}').partition('.')[2]}"
    for names in RENAMED.values():
        key = names.get(key, key)
    return key


def _rename(values: Values, owner: str, names: Mapping[str, str]) -> None:
    """Give the options of a section or task their new names."""
    for old in [old for old in values if f"{owner}.{old}" in names]:
        values[names[f"{owner}.{old}"].partition(".")[2]] = values.pop(old)


def _table(values: Values, name: str) -> Values:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _section(values: Values, name: str) -> Values:
    """The table of this name, begun where it is missing. What is no table stays, to be refused by its reader."""
    found = values.setdefault(name, {})
    return found if isinstance(found, dict) else {}


@migration(1, 2, RUN, COMPARE, TOURNAMENT)
def _words_of_the_field(values: Values) -> None:
    for name in list(values):
        _rename(_table(values, name), str(values.get("task", "")) if name == "options" else name, RENAMED[2])


@migration(1, 2, PROJECT)
def _words_of_the_field_in_a_project(values: Values) -> None:
    for task in _table(values, "options"):
        _rename(_table(values["options"], task), task, RENAMED[2])


@migration(1, 2, RUN)
def _tasks_of_several_as_a_list(values: Values) -> None:
    if values.get("task") == "multitask":
        _split(_table(values, "options"), "tasks")


@migration(1, 2, PROJECT)
def _tasks_of_several_as_a_list_in_a_project(values: Values) -> None:
    _split(_table(_table(values, "options"), "multitask"), "tasks")


@migration(1, 2, COMPARE, TOURNAMENT)
def _lists_and_tables_of_an_experiment(values: Values) -> None:
    _split(values, "tasks")
    _split(values, "labels", int)
    _split(values, "scratch_labels", int)
    if isinstance(weights := values.get("weights"), str):
        pairs = [piece.partition("=") for piece in _pieces(weights, ";")]
        values["weights"] = {name.strip(): place.strip() for name, _, place in pairs}
    for name in ("pretrain_settings", "finetune_settings"):
        if isinstance(text := values.get(name), str):
            values[name] = _overrides(text)


def _split(values: Values, name: str, kind: Callable[[str], Any] = str) -> None:
    """'5,10' -> [5, 10]; what is no such list is left as it is, to be refused in words by whoever reads it."""
    text = values.get(name)
    if isinstance(text, str):
        pieces = _pieces(text, ",")
        try:
            values[name] = [kind(piece) for piece in pieces]
        except ValueError:
            values[name] = pieces


def _pieces(text: str, separator: str) -> list[str]:
    return [piece.strip() for piece in text.split(separator) if piece.strip()]


def _overrides(text: str) -> Values:
    """'jigsaw.gap=0;probe.draws=4' -> {'jigsaw': {'gap': '0'}, 'probe': {'draws': '4'}}; texts are read as typed."""
    found: Values = {}
    for piece in _pieces(text, ";"):
        key, _, value = piece.partition("=")
        section, _, name = current_key(key.strip()).partition(".")
        found.setdefault(section, {})[name] = value.strip()
    for task, options in found.items():
        if task == "multitask" and isinstance(options.get("tasks"), str):
            _split(options, "tasks")
    return found


@migration(2, 3, RUN)
def _read_out_of_before(values: Values) -> None:
    """A fine-tuning that was begun with the network alone, and with every picture weighing the same, stays so."""
    if values.get("job") == "finetune":
        _keep_recipe(_section(values, "recipe"))


@migration(2, 3, COMPARE)
def _read_out_of_a_comparison_before(values: Values) -> None:
    """Rows that are added to a comparison are fine-tuned as those that are there."""
    values.setdefault("general", False)
    _keep_recipe(_section(_section(values, "finetune_settings"), "recipe"))


def _keep_recipe(recipe: Values) -> None:
    """Put how a few labels were learnt into the options, where these do not speak of it."""
    recipe.setdefault("read_out", "network")
    recipe.setdefault("balance_classes", False)


# What pretext tasks did up to version 0.2 and do otherwise now: their options say so in what was begun before.
_TASKS_OF_BEFORE: dict[str, Values] = {"context_prediction": {"pairs": "centre"}, "multitask": {"whole": False}}
_SEVERAL_OF_BEFORE = ["vicreg", "jigsaw", "context_prediction"]  # by default


def _keep_tasks(task: str, options: Values) -> None:
    """Put what a task did into its options, where these do not speak of it."""
    for name, value in _TASKS_OF_BEFORE.get(task, {}).items():
        options.setdefault(name, value)
    if task == "multitask":
        members = options.get("tasks", _SEVERAL_OF_BEFORE)
        options.setdefault("settings", {name: dict(_TASKS_OF_BEFORE[name]) for name in _named_in(members)})


def _named_in(tasks: Any) -> list[str]:
    return [name for name in _TASKS_OF_BEFORE if isinstance(tasks, list) and name in tasks]


@migration(2, 3, RUN)
def _tasks_of_a_run_before(values: Values) -> None:
    """A pretraining that was begun goes on as it was begun."""
    if values.get("job") == "pretrain":
        _keep_tasks(str(values.get("task", "")), _section(values, "options"))


@migration(2, 3, COMPARE, TOURNAMENT)
def _tasks_of_an_experiment_before(values: Values) -> None:
    """Rows that are added are pretrained as those that are there."""
    for task in _named_in(values.get("tasks")):
        _keep_tasks(task, _section(_section(values, "pretrain_settings"), task))


# Masks were answered by their network alone up to format 3, though `read_out` had its default there.


@migration(3, 4, RUN)
def _masks_of_a_run_before(values: Values) -> None:
    """Masks of a run that was begun are read as they were."""
    if values.get("job") == "finetune" and values.get("kind") == "segmentation":
        _section(values, "recipe")["read_out"] = "network"


@migration(3, 4, COMPARE)
def _masks_of_a_comparison_before(values: Values) -> None:
    """Rows of masks that are added to a comparison are read as those that are there."""
    if values.get("kind") == "segmentation":
        _section(_section(values, "finetune_settings"), "recipe")["read_out"] = "network"
