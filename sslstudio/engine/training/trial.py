"""One real step of a task on a device, before a run trusts it.

A product of two matrices says that a GPU answers. Whether it has every kernel that a task needs, forwards and
backwards, only the task itself says: Apple's GPUs lack some, and each version of torch others.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import NOTHING, Message, plain
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import load_tasks

PICTURES, SIDE = 4, 64


@dataclass(frozen=True)
class Tried:
    """What a step came to: why it cannot be done ('' when it can), and pictures a second."""

    trouble: Message
    pictures_per_second: float


def try_task(
    name: str, options: BaseConfig | None, device: Device, encoder: EncoderConfig | None = None, *,
    pictures: int = PICTURES, side: int = SIDE, seconds: float = 0.0,
) -> Tried:  # fmt: skip
    """Take a step of a task on noise, forwards, backwards and with the optimiser; `seconds`: repeat it for so long and
    give the speed of what came after the first."""
    kind = load_tasks()[name]
    shape = (encoder or EncoderConfig()).resolve(accelerated=False, side=side)
    built = build_encoder(shape.replace(weights=""), seed=0)
    with seed_init(0, "task"):
        task = kind(options if options is not None else kind.Config(), built.spec)
    task.attach(built)
    images = torch.randint(0, 256, (pictures, 3, side, side), generator=generator(0, "trial"), dtype=torch.uint8)
    try:
        built, task, there = built.to(device.handle), task.to(device.handle), device.bring(images)
        task.prepare(there)
        optimiser = torch.optim.AdamW([*built.parameters(), *task.parameters()], lr=1e-4, fused=device.fuses())

        def step(number: int) -> torch.Tensor:
            optimiser.zero_grad(set_to_none=True)
            with device.autocast():
                with device.in_full():
                    batch = task.make_batch(there, generator(0, "trial", number, device=device.handle))
                loss: torch.Tensor = task(built, batch).loss
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            return loss.detach()

        loss = step(0)
        device.wait()
        began, steps = time.perf_counter(), 0
        while seconds and (time.perf_counter() - began < seconds or steps < 2):
            steps += 1
            loss = step(steps)
            device.wait()
        rate = pictures * steps / max(1e-9, time.perf_counter() - began)
        finite = bool(torch.isfinite(loss.cpu()))
    except (RuntimeError, TypeError, AssertionError) as error:  # what torch raises for a kernel that is missing
        return Tried(plain(next(iter(str(error).splitlines()), type(error).__name__)), 0.0)
    trouble = NOTHING if finite else Message("the loss of a test step is no number")
    return Tried(trouble, rate if seconds else 0.0)


def choose_tried(name: str, options: BaseConfig | None, device: str, precision: str) -> Device:
    """As `take_if_it_works`, by a step of a pretext task."""
    title = load_tasks()[name].title
    return take_if_it_works(title, lambda chosen: try_task(name, options, chosen).trouble, device, precision)


def take_if_it_works(
    title: Message | str, find_trouble: Callable[[Device], Message], device: str, precision: str
) -> Device:
    """As `devices.choose`, and a GPU is taken only if a step of what is called `title` works there: `find_trouble`
    takes one and says why it does not.

    Raises ConfigError when the device was asked for by name and the step does not work; with auto the CPU is taken and
    the reason is in `note`.
    """
    chosen = devices.choose(device, precision)
    if not chosen.accelerated:
        return chosen
    trouble = find_trouble(chosen)
    chosen.release()
    if not trouble:
        return chosen
    if device == "auto":
        why = Message(
            "{one} is not used: a step of {task} does not work there ({trouble}). The CPU computes instead.",
            one=chosen.title, task=title, trouble=trouble,
        )  # fmt: skip
        return devices.noted(devices.choose("cpu", precision), why)
    raise ConfigError(
        "A step of {task} does not work on {device} ({title}): {trouble}. Try --device auto, or --device cpu.",
        task=title, device=device, title=chosen.title, trouble=trouble,
    )  # fmt: skip
