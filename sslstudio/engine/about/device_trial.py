"""One real step of each task, and of both kinds of fine-tuning, on each device: what works, how fast, why not."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import NOTHING, Message, plain
from sslstudio.engine.finetuning.labelled import segmentation_loss
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import Classifier, PixelScale, Segmenter
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.trial import Tried, try_task
from sslstudio.engine.transforms.finetune_views import vary
from sslstudio.engine.transforms.geometry import to_float

PICTURES, SIDE = 32, 64
KINDS = ("classification", "segmentation")
CLASSES = 3


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
                    tried = try_finetuning(name, device, pictures=pictures, side=side)
                else:
                    tried = try_task(name, None, device, pictures=pictures, side=side, seconds=seconds)
                device.release()
                yield Trial(found.name, name, device.precision, tried.trouble, tried.pictures_per_second)


def try_finetuning(kind: str, device: Device, *, pictures: int, side: int) -> Tried:
    """A step of a network on varied pictures with drawn classes or masks; its speed is not measured."""
    rng = generator(0, "trial")
    images = torch.randint(0, 256, (pictures, 3, side, side), generator=rng, dtype=torch.uint8)
    masks = torch.randint(0, CLASSES, (pictures, side, side), generator=rng, dtype=torch.uint8)
    encoder = build_encoder(EncoderConfig(name="small").resolve(accelerated=False, side=side), seed=0)
    make = Classifier if kind == "classification" else Segmenter
    try:
        with seed_init(0, "head"):
            network = make(PixelScale(images), encoder, CLASSES)
        network.to(device.handle).train()
        with device.autocast():
            drawn = generator(0, "views", device=device.handle)
            moved, found = vary(to_float(device.bring(images)), device.bring(masks), drawn, flip=True)
            assert found is not None
            if kind == "classification":
                loss = F.cross_entropy(network(moved).float(), found[:, 0, 0].to(torch.int64) % CLASSES)
            else:
                loss = segmentation_loss(network(moved), found.to(torch.int64))
        loss.backward()  # type: ignore[no-untyped-call]
        device.wait()
        finite = bool(torch.isfinite(loss.detach().cpu()))
    except (RuntimeError, TypeError) as error:
        return Tried(plain(next(iter(str(error).splitlines()), type(error).__name__)), 0.0)
    return Tried(NOTHING if finite else Message("the loss of a test step is no number"), 0.0)
