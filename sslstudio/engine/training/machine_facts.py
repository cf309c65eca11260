"""What a run says of the machine that it is computed on."""

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.models.encoders import Encoder


def hardware_facts(device: Device, encoder: Encoder) -> dict[str, str]:
    """Lines for people."""
    weights = sum(weight.numel() for weight in encoder.parameters())
    return {
        Message("Device"): Message(
            "{device}, computing in {precision}", device=device.title, precision=device.precision
        ),
        Message("Encoder"): Message(
            "{spec}, {weights:.1f} million weights", spec=encoder.spec.name, weights=weights / 1000000.0
        ),
    }


def feed_facts(pictures: Pictures) -> dict[str, str]:
    """Where a GPU's pictures lie; nothing of a CPU, which reads the mapped file."""
    if not pictures.device.accelerated:
        return {}
    where = (
        Message("all of them in the GPU's memory")
        if pictures.resident
        else Message("fetched from the disk, a batch ahead")
    )
    if pictures.reading:
        where = Message("fetched as they are read, and kept in the GPU's memory then if they fit")
    return {Message("Feeding"): where}
