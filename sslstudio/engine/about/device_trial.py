"""One real step of each task, and of both kinds of fine-tuning, on each device: what works, how fast, why not."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.finetuning.trial import try_finetuning
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.trial import Tried, try_task

PICTURES, SIDE = 32, 64
KINDS = ("classification", "segmentation")


@dataclass(frozen=True)
class Trial:
    """A task on a device: `trouble` says why it does not work ('' when it does); speed in pictures a second."""

    device: str
    task: str
    precision: str
    trouble: Message
    pictures_per_second: float

    def to_json(self) -> dict[str, object]:
        """For --json."""
        return {**asdict(self), "trouble": str(self.trouble), "works": not self.trouble}


@dataclass(frozen=True)
class Trying:
    """A task that is tried now, the `number`-th of `count` on a device: whoever waits, or sees the process end in a
    driver, knows at what."""

    device: str
    task: str
    number: int
    count: int


def try_devices(
    *, pictures: int = PICTURES, side: int = SIDE, seconds: float = 0.5, only: tuple[str, ...] = ()
) -> Iterator[Trying | Trial]:
    """Try every task on every device of this machine; `seconds` are spent on the speed of each. `only`: these tasks.
    A device that does not work at all is one trial with its reason; a task that fails takes no other along."""
    names = only or (*load_tasks(), *KINDS)
    for found in devices.find_all():
        if found.trouble:
            yield Trial(found.name, "", "", Message("{trouble}", trouble=found.trouble), 0.0)
            continue
        try:
            device = devices.choose(found.name)
        except ConfigError as error:
            yield Trial(found.name, "", "", error.message, 0.0)
            continue
        with devices.kernels(device):
            for number, name in enumerate(names, start=1):
                yield Trying(found.name, name, number, len(names))
                try:
                    if name in KINDS:
                        tried = try_finetuning(name, None, device, pictures=pictures, side=side)
                    else:
                        tried = try_task(name, None, device, pictures=pictures, side=side, seconds=seconds)
                except Exception as error:  # a library or a task of somebody's own raises whatever it likes
                    said = next(iter(str(error).splitlines()), "")
                    tried = Tried(plain(f"{type(error).__name__}: {said}"), 0.0)
                device.release()
                yield Trial(found.name, name, device.precision, tried.trouble, tried.pictures_per_second)
