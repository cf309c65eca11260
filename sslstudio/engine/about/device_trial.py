"""One real step of each task, and of both kinds of fine-tuning, on each device: what works, how fast, why not."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.finetuning.trial import try_finetuning
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.trial import try_task

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


def try_devices(
    *, pictures: int = PICTURES, side: int = SIDE, seconds: float = 0.5, only: tuple[str, ...] = ()
) -> Iterator[Trial]:
    """Try every task on every device of this machine; `seconds` are spent on the speed of each. `only`: these tasks.
    A device that does not work at all is one trial with its reason."""
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
            for name in only or (*load_tasks(), *KINDS):
                if name in KINDS:
                    tried = try_finetuning(name, None, device, pictures=pictures, side=side)
                else:
                    tried = try_task(name, None, device, pictures=pictures, side=side, seconds=seconds)
                device.release()
                yield Trial(found.name, name, device.precision, tried.trouble, tried.pictures_per_second)
