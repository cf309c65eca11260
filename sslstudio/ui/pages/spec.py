"""What the window must know of a page: one `PageSpec` each. Menus, list of steps, tour, keys and help read it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sslstudio.ui.pages.page import Page
from sslstudio.ui.text import formatting
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets.shortcuts import (
    CLASS_KEYS,
    PageKey,
    choice_keys,
    doubt_keys,
    held_keys,
    label_keys,
    matrix_keys,
    split_keys,
    tile_keys,
    turn_keys,
    twin_keys,
    write_natively,
)
from sslstudio.ui.workspace.workspace import Workspace

Way = Literal["simple", "expert"]
SIMPLE: Way = "simple"
EXPERT: Way = "expert"
HOME: dict[Way, str] = {SIMPLE: "journey", EXPERT: "images"}  # the first page of a way


@dataclass(frozen=True)
class KeyGroup:
    """Keys that a page listens to, as the system names them. where: the page or a part of it; {0} is its title."""

    keys: Sequence[PageKey]
    where: str = "{0}"


@dataclass(frozen=True)
class State:
    """How far a step is: a few words below its title, and whether it is ticked."""

    said: str = ""
    done: bool = False


@dataclass(frozen=True)
class PageSpec:
    """A page of the window.

    name: how the program calls it; the runs that it starts bear it as their job. icon: a file of resources/icons.
    place: the lower, the earlier among the steps. title, tour: texts in the window's language, the latter for the tour.
    load: imports the page's class, which is made with the workspace when the page is first shown. manual: its page of
    resources/manual, for F1, with # and a heading where it is only a part of one. state: how far it is. key_groups:
    what it listens to itself. ways: on which ways it is shown, simple, expert or both.
    """

    name: str
    place: int
    icon: str
    title: Callable[[], str]
    tour: Callable[[], str]
    load: Callable[[], Callable[[Workspace], Page]]
    manual: str = "index.md"
    state: Callable[[Workspace], State] = lambda _: State()
    key_groups: Callable[[], Sequence[KeyGroup]] = tuple
    ways: frozenset[Way] = frozenset({EXPERT})


_specs: dict[str, PageSpec] = {}


def register_page(spec: PageSpec) -> PageSpec:
    """Have windows that are made from now on show a page. Raises ValueError when its name is taken."""
    if spec.name in _specs:
        raise ValueError(f"There is a page named {spec.name!r} already.")
    _specs[spec.name] = spec
    return spec


def forget_page(name: str) -> None:
    """Take a page out again."""
    del _specs[name]


def page_specs(way: Way = EXPERT) -> tuple[PageSpec, ...]:
    """The pages of a way, in the order of the steps."""
    return tuple(spec for spec in all_specs() if way in spec.ways)


def all_specs() -> tuple[PageSpec, ...]:
    """The pages of both ways, in the order of the steps."""
    return tuple(sorted(_specs.values(), key=lambda spec: spec.place))


def page_names(way: Way = EXPERT) -> tuple[str, ...]:
    """What the program calls the pages of a way, in the order of the steps."""
    return tuple(spec.name for spec in page_specs(way))


# --- the pages of the program. A page is imported when it is first shown, or once the engine is there.


def _journey() -> type[Page]:
    from sslstudio.ui.pages.journey.page import JourneyPage

    return JourneyPage


def _journey_state(workspace: Workspace) -> State:
    return State(tr("Running …")) if workspace.runner.active else _images_state(workspace)


register_page(
    PageSpec(
        "journey", 5, "wand", lambda: tr("Learn"),
        lambda: tr("Say what you want, drop a folder of pictures, press Learn. It says at each moment what it does, "
                   "when something useful will be there, and what you do next."),
        _journey, "getting-started.md#the-simple-way-one-goal-one-button", _journey_state, ways=frozenset({SIMPLE}),
    )
)  # fmt: skip


def _images() -> type[Page]:
    from sslstudio.ui.pages.images.page import ImagesPage

    return ImagesPage


def _images_state(workspace: Workspace) -> State:
    index = workspace.readable or (workspace.recognised.pictures if workspace.recognised else None)
    if not index:
        return State("", index is not None)
    return State(formatting.count(len(index), tr("picture"), tr("pictures")), True)


register_page(
    PageSpec(
        "images", 10, "images", lambda: tr("Pictures"),
        lambda: tr("Everything begins with a folder of pictures: drop it anywhere on this window. Labels are not "
                   "needed; those that are there are recognised. Your folder is never changed."),
        _images, "pictures-and-labels.md", _images_state,
    )
)  # fmt: skip


def _puzzles() -> type[Page]:
    from sslstudio.ui.pages.puzzles.page import PretextPage

    return PretextPage


def _puzzles_state(workspace: Workspace) -> State:
    task = workspace.task_facts
    return State(task.title if task and _images_state(workspace).said else "")


def _puzzles_keys() -> list[KeyGroup]:
    return [KeyGroup([*tile_keys(), *choice_keys(), *turn_keys()], tr("{0}, played"))]


register_page(
    PageSpec(
        "pretext", 20, "puzzle", lambda: tr("Puzzles"),
        lambda: tr("A puzzle, such as tiles to put in order, lets a network learn from pictures alone. Look at the "
                   "puzzles made of your own pictures here, and play them."),
        _puzzles, "pretext-tasks.md", _puzzles_state, _puzzles_keys,
    )
)  # fmt: skip


def run_state(job: str, done: Callable[[Workspace], bool], workspace: Workspace) -> State:
    """How far a page is that trains: running, done or neither."""
    if workspace.runner.active and workspace.runner.job == job:
        return State(tr("Running …"))
    return State(tr("Done"), True) if done(workspace) else State()


def _split_keys() -> list[KeyGroup]:
    return [KeyGroup(write_natively(split_keys()), tr("{0}, the split"))]


def _pretrain() -> type[Page]:
    from sslstudio.ui.pages.train.pretrain import PretrainPage

    return PretrainPage


register_page(
    PageSpec(
        "pretrain", 30, "network", lambda: tr("Pretrain"),
        lambda: tr("Here the network solves such puzzles for as long as you like. Watch it get better; you can pause "
                   "and go on another day."),
        _pretrain, "pretraining.md", partial(run_state, "pretrain", lambda workspace: bool(workspace.pretrained)),
        _split_keys,
    )
)  # fmt: skip


def _label() -> type[Page]:
    from sslstudio.ui.pages.label.page import LabelPage

    return LabelPage


def _label_page_keys() -> list[KeyGroup]:
    numbers = tr("{0} to {1}, {2}").format(CLASS_KEYS[0], CLASS_KEYS[-2], CLASS_KEYS[-1])
    classes = PageKey(numbers, tr("Label with a class, or paint with it"))
    return [KeyGroup([classes, *write_natively(label_keys()), *held_keys()])]


register_page(
    PageSpec(
        "label", 40, "pencil", lambda: tr("Label"),
        lambda: tr("Give classes with the number keys or paint masks. A few are enough, and the program says which "
                   "pictures are worth labelling next. Skip this step if there are labels."),
        _label, "labelling.md", key_groups=_label_page_keys, ways=frozenset({SIMPLE, EXPERT}),
    )
)  # fmt: skip


def _finetune() -> type[Page]:
    from sslstudio.ui.pages.train.finetune import FinetunePage

    return FinetunePage


register_page(
    PageSpec(
        "finetune", 50, "tag", lambda: tr("Fine-tune"),
        lambda: tr("The pretrained network learns from your few labels, and beside it a twin that starts from "
                   "scratch, so that you see what pretraining is worth."),
        _finetune, "fine-tuning.md", partial(run_state, "finetune", lambda workspace: bool(workspace.result)),
        _split_keys,
    )
)  # fmt: skip


def _results() -> type[Page]:
    from sslstudio.ui.pages.results.page import ResultsPage

    return ResultsPage


def _results_state(workspace: Workspace) -> State:
    return State(tr("Done") if workspace.result else "", bool(workspace.result))


def _results_keys() -> list[KeyGroup]:
    return [
        KeyGroup(write_natively(doubt_keys()), tr("{0}, doubtful labels")),
        KeyGroup(matrix_keys(), tr("{0}, matrix")),
        KeyGroup(twin_keys(), tr("{0}, both networks")),
    ]


register_page(
    PageSpec(
        "results", 60, "chart", lambda: tr("Results"),
        lambda: tr("How good it is, with an interval; which pictures it gets wrong and why; labels that look wrong. "
                   "Take the network, its answers and a report with you."),
        _results, "results.md", _results_state, _results_keys,
    )
)  # fmt: skip


def _compare() -> type[Page]:
    from sslstudio.ui.pages.compare.page import ComparePage

    return ComparePage


register_page(
    PageSpec(
        "compare", 70, "compare", lambda: tr("Compare"),
        lambda: tr("When you wonder which puzzle is best or how many labels you need: let several compete. "
                   "Question mark shows all keys, and Help, Tour brings this tour back."),
        _compare, "comparison.md", partial(run_state, "compare", lambda _: False),
    )
)  # fmt: skip
