"""What a run says of the machine that it is computed on."""

from sslstudio.engine.data.loader import Pictures
from sslstudio.engine.device import Device
from sslstudio.engine.models.encoders import Encoder


def hardware_facts(device: Device, encoder: Encoder) -> dict[str, str]:
    """Lines for people."""
    weights = sum(weight.numel() for weight in encoder.parameters())
    return {
        "Device": f"{device.title}, computing in {device.precision}",
        "Encoder": f"{encoder.spec.name}, {weights / 1e6:.1f} million weights",
    }


def feed_facts(pictures: Pictures) -> dict[str, str]:
    """Where a GPU's pictures lie; nothing of a CPU, which reads the mapped file."""
    if not pictures.device.accelerated:
        return {}
    where = "all of them in the GPU's memory" if pictures.resident else "fetched from the disk, a batch ahead"
    if pictures.reading:
        where = "fetched as they are read, and kept in the GPU's memory then if they fit"
    return {"Feeding": where}
