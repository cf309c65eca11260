"""What the window knows of the engine once torch is loaded: tasks, defaults, devices."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.control import RunControl
from sslstudio.ui.text.formatting import render

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.compute.device import DeviceFound
    from sslstudio.engine.tasks.base import AnyTask


@dataclass(frozen=True)
class TaskFacts:
    """A pretext task as the window shows it."""

    name: str
    title: str
    summary: str
    paper: str
    label_from: str
    helps: str
    fails: str
    config: type[BaseConfig]


@dataclass(frozen=True)
class EngineFacts:
    """What there is to choose from."""

    tasks: dict[str, TaskFacts]
    default: str
    default_for_masks: str
    devices: tuple["DeviceFound", ...]


def load_engine(control: RunControl) -> EngineFacts:
    """Import torch and everything a training needs. The first optimizer imports a further second's worth of modules,
    which would stop the window for moments when a training starts: so make one here."""
    import torch

    from sslstudio.engine.compute import device
    from sslstudio.engine.finetuning import entry as finetune  # noqa: F401  loaded now, used later
    from sslstudio.engine.launch import launcher  # noqa: F401  loaded now, used later
    from sslstudio.engine.pretraining import preview  # noqa: F401  loaded now, used later
    from sslstudio.engine.tasks.base import load_tasks
    from sslstudio.engine.training import config as training_config

    torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.1)
    tasks = load_tasks()
    facts = {name: _describe_task(name, tasks[name]) for name in tasks}
    return EngineFacts(facts, training_config.DEFAULT_TASK, training_config.DEFAULT_FOR_MASKS, tuple(device.find_all()))


def _describe_task(name: str, task: type["AnyTask"]) -> TaskFacts:
    return TaskFacts(
        name, render(task.title), render(task.summary), task.paper, render(task.label_from), render(task.helps),
        render(task.fails), task.Config
    )  # fmt: skip
