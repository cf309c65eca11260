"""One real step of a fine-tuning on a device, before a run trusts it: see `training/trial.py`."""

import torch
import torch.nn.functional as F

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.messages import NOTHING, Message, plain
from sslstudio.engine.evaluate.verdict import KINDS
from sslstudio.engine.finetuning.labelled import segmentation_loss
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import Classifier, PixelScale, Segmenter
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.training.trial import PICTURES, SIDE, Tried, take_if_it_works
from sslstudio.engine.transforms.finetune_views import vary
from sslstudio.engine.transforms.geometry import to_float

CLASSES = 3


def try_finetuning(
    kind: str, encoder: EncoderConfig | None, device: Device, *, pictures: int = PICTURES, side: int = SIDE
) -> Tried:
    """Take a step of a network on varied noise with drawn classes or masks, forwards, backwards and with the optimiser;
    its speed is not measured. `encoder`: None for the small one."""
    rng = generator(0, "trial")
    images = torch.randint(0, 256, (pictures, 3, side, side), generator=rng, dtype=torch.uint8)
    masks = torch.randint(0, CLASSES, (pictures, side, side), generator=rng, dtype=torch.uint8)
    shape = (encoder or EncoderConfig(name="small")).resolve(accelerated=False, side=side)
    built = build_encoder(shape.replace(weights=""), seed=0)
    make = Classifier if kind == "classification" else Segmenter
    try:
        with seed_init(0, "head"):
            network = make(PixelScale(images), built, CLASSES)
        network.to(device.handle).train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=device.fuses())
        with device.autocast():
            drawn = generator(0, "views", device=device.handle)
            moved, found = vary(to_float(device.bring(images)), device.bring(masks), drawn, flip=True)
            assert found is not None
            if kind == "classification":
                loss = F.cross_entropy(network(moved).float(), found[:, 0, 0].to(torch.int64) % CLASSES)
            else:
                loss = segmentation_loss(network(moved), found.to(torch.int64))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        device.wait()
        finite = bool(torch.isfinite(loss.detach().cpu()))
    except (RuntimeError, TypeError, AssertionError) as error:  # what torch raises for a kernel that is missing
        return Tried(plain(next(iter(str(error).splitlines()), type(error).__name__)), 0.0)
    return Tried(NOTHING if finite else Message("the loss of a test step is no number"), 0.0)


def choose_finetuning_device(config: FinetuneConfig) -> Device:
    """The device of a run: a GPU only where a step of such a network works. Raises as `take_if_it_works`."""
    return take_if_it_works(
        KINDS[config.kind],
        lambda chosen: try_finetuning(config.kind, config.encoder, chosen).trouble,
        config.hardware.device,
        config.hardware.precision,
    )
