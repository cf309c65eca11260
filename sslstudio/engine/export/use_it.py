"""Loads what SSL Studio exported, without SSL Studio.

    python use_it.py PICTURE

Needs torch, torchvision, safetensors and Pillow for the encoder, onnxruntime, numpy and Pillow for the ONNX files.
The file lies in the folder of the export, beside card.json, which says how pictures are to be prepared.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageOps


def read_card(folder: Path) -> dict[str, Any]:
    """What was exported: encoder, picture side, normalisation, classes, result."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return card


def prepare(picture: Path, side: int, channels: Sequence[int] = ()) -> npt.NDArray[np.float32]:
    """(1, 3, side, side) between 0 and 1: the whole picture, upright, squeezed into a square, white where it is
    transparent. `channels` are those that the network was trained on (numbers from 1), () for the usual colours.

    Raises ValueError for a picture of more than 8 bits a value: the program stretches those to what a person would see,
    which is not done here. Save it with 8 bits first.
    """
    with Image.open(picture) as image:
        if not has_eight_bits(image, picture):
            raise ValueError(
                f"{picture} is not a picture of 8 bits a value (it is {image.mode}). Save it as one with 8 bits, as "
                "SSL Studio shows it, and ask again."
            )
        image.draft(None, (side, side))  # a large JPEG is decoded no larger than is needed, as the program does
        plain_inks = image.format == "JPEG" and image.mode == "CMYK" and "adobe" not in image.info
        flat = on_white(ImageChops.invert(image) if plain_inks else image)
        flat.getexif().update(image.getexif())
        upright = ImageOps.exif_transpose(flat)
    if channels:
        upright = choose_channels(upright, channels)
    square = upright.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0).convert("RGB")
    return np.asarray(square, np.float32).transpose(2, 0, 1)[None] / 255.0


def choose_channels(image: Image.Image, channels: Sequence[int]) -> Image.Image:
    """One channel as grey, two or three as red, green and blue. Raises ValueError for one that is not there."""
    bands = image.split()
    if max(channels) > len(bands):
        raise ValueError(f"Channel {max(channels)} is needed, and the picture has {len(bands)}.")
    chosen = [bands[number - 1] for number in channels]
    if len(chosen) == 1:
        return chosen[0]
    return Image.merge("RGB", [*chosen, *[Image.new("L", image.size)] * (3 - len(chosen))])


def has_eight_bits(image: Image.Image, picture: Path) -> bool:
    """Whether an opened picture has 8 bits a value: Pillow cuts those of some deeper ones off without a word."""
    if image.mode not in ("1", "L", "P", "RGB", "LA", "PA", "La", "RGBA", "RGBa", "CMYK", "YCbCr"):
        return False
    if image.format == "PNG":
        with open(picture, "rb") as file:
            depth: int = file.read(25)[24]
        return depth <= 8
    bits = getattr(image, "tag_v2", {}).get(258, 8)
    most: int = max(bits if isinstance(bits, tuple) else (bits,))
    return most <= 8


def on_white(image: Image.Image) -> Image.Image:
    """The picture in grey or colour; one that is transparent everywhere has an unused channel of opacity."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image.copy()
    if image.mode in ("La", "RGBa"):
        return on_white(image.convert("LA" if image.mode == "La" else "RGBA"))
    if image.mode not in ("LA", "PA", "RGBA") and "transparency" not in image.info:
        return image.convert("L" if image.mode == "1" else "RGB")
    whole = image.convert("RGBA")
    colours, opacity = whole.convert("RGB"), whole.getchannel("A")
    if opacity.getextrema() == (0, 0):
        return colours
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(colours, mask=opacity)
    return white


def torchvision_encoder(encoder: dict[str, Any]) -> Any:
    """torchvision's ResNet without its classifier; `encoder` is that of the card. It answers with (n, dim)."""
    from torch import nn
    from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

    block: Any = Bottleneck if encoder["block"] == "Bottleneck" else BasicBlock
    widths = encoder["channels"]
    net: Any = ResNet(block, list(encoder["blocks"]))
    net.fc = nn.Identity()
    if encoder["stem"] != "large":  # small pictures: 3x3 instead of 7x7, and no pooling
        net.conv1 = nn.Conv2d(3, widths[0], 3, encoder["stem_stride"], 1, bias=False)
        net.maxpool = nn.Identity()
    if widths[0] != 64:  # narrower than torchvision's own
        net.inplanes = widths[0]
        net.bn1 = nn.BatchNorm2d(widths[0])
        if encoder["stem"] == "large":
            net.conv1 = nn.Conv2d(3, widths[0], 7, 2, 3, bias=False)
        for number, (width, blocks) in enumerate(zip(widths, encoder["blocks"], strict=True), start=1):
            setattr(net, f"layer{number}", net._make_layer(block, width, blocks, 1 if number == 1 else 2))
    return net.eval()


def efficientnet_lite_encoder(encoder: dict[str, Any]) -> Any:
    """An EfficientNet-Lite without its classifier; `encoder` is that of the card. It answers with (n, dim)."""
    import torch.nn.functional as F
    from torch import nn

    Padded, Block = padded_convolution(), inverted_residual(encoder["epsilon"])

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            inside = encoder["stem_channels"]
            self.conv1 = Padded(3, inside, 3, 2 if encoder["stem"] == "large" else 1, bias=False)
            self.bn1 = nn.BatchNorm2d(inside, eps=encoder["epsilon"])
            for number, stage in enumerate(encoder["stages"], start=1):
                blocks = []
                for expansion, channels, count, stride, kernel in stage:
                    for step in [stride] + [1] * (count - 1):
                        blocks.append(Block(inside, expansion, channels, step, kernel))
                        inside = channels
                self.add_module(f"layer{number}", nn.Sequential(*blocks))

        def forward(self, images: Any) -> Any:
            larger = 2.0 if encoder["stem"] == "tiny" else 1.0
            fitted = F.interpolate(images * 0.5, scale_factor=larger, mode="bilinear", align_corners=False)
            maps = F.relu6(self.bn1(self.conv1(fitted)))
            for number in range(1, 5):
                maps = self.get_submodule(f"layer{number}")(maps)
            return maps.mean(dim=(2, 3))

    return Net().eval()


def padded_convolution() -> Any:
    """A convolution that pads as TensorFlow does: the odd pixel goes to the right and below."""
    import torch.nn.functional as F
    from torch import nn

    class Padded(nn.Conv2d):
        def forward(self, input: Any) -> Any:
            stride, kernel = self.stride[0], self.kernel_size[0]
            missing = [
                max(0, (-(-side // stride) - 1) * stride + kernel - side) for side in (input.shape[3], input.shape[2])
            ]
            return super().forward(F.pad(input, [part for one in missing for part in (one // 2, one - one // 2)]))

    return Padded


def inverted_residual(epsilon: float) -> Any:
    """The block of an EfficientNet-Lite."""
    import torch.nn.functional as F
    from torch import nn

    Padded = padded_convolution()

    class Block(nn.Module):
        def __init__(self, inside: int, expansion: int, outside: int, stride: int, kernel: int) -> None:
            super().__init__()
            middle = inside * expansion
            if expansion > 1:
                self.expand = nn.Conv2d(inside, middle, 1, bias=False)
                self.expand_norm = nn.BatchNorm2d(middle, eps=epsilon)
            self.depthwise = Padded(middle, middle, kernel, stride, groups=middle, bias=False)
            self.depthwise_norm = nn.BatchNorm2d(middle, eps=epsilon)
            self.project = nn.Conv2d(middle, outside, 1, bias=False)
            self.project_norm = nn.BatchNorm2d(outside, eps=epsilon)
            self.expands, self.keeps = expansion > 1, stride == 1 and inside == outside

        def forward(self, maps: Any) -> Any:
            inner = F.relu6(self.expand_norm(self.expand(maps))) if self.expands else maps
            inner = F.relu6(self.depthwise_norm(self.depthwise(inner)))
            inner = self.project_norm(self.project(inner))
            return maps + inner if self.keeps else inner

    return Block


def timm_encoder(encoder: dict[str, Any]) -> Any:
    """An encoder of the library timm; `encoder` is that of the card. It answers with (n, dim)."""
    import timm
    import torch.nn.functional as F
    from torch import nn

    larger = {"tiny": 4.0, "small": 2.0}.get(encoder["stem"], 1.0)
    flexible: dict[str, Any] = {"dynamic_img_size": True} if encoder["flexible"] else {}

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net: Any = timm.create_model(encoder["architecture"], pretrained=False, num_classes=0, **flexible)

        def forward(self, images: Any) -> Any:
            fitted = F.interpolate(images, scale_factor=larger, mode="bilinear", align_corners=False)
            last: Any = self.net.forward_intermediates(fitted, indices=1, output_fmt="NCHW", intermediates_only=True)
            return last[-1].mean(dim=(2, 3))

    return Net().eval()


def build_encoder(encoder: dict[str, Any]) -> Any:
    """The encoder without its weights; `encoder` is that of the card."""
    family = encoder.get("family", "resnet")
    if family == "timm":
        return timm_encoder(encoder)
    return efficientnet_lite_encoder(encoder) if family == "efficientnet_lite" else torchvision_encoder(encoder)


def load_encoder(folder: Path) -> Any:
    """The encoder from encoder.safetensors, in torchvision's ResNet if it is one. It expects normalised pictures:
    `embed`."""
    from safetensors.torch import load_file

    net = build_encoder(read_card(folder)["encoder"])
    net.load_state_dict(load_file(folder / "encoder.safetensors"))
    return net


def embed(net: Any, pictures: npt.NDArray[np.float32], card: dict[str, Any]) -> npt.NDArray[np.float32]:
    """Embeddings (n, dim) of prepared pictures (n, 3, side, side)."""
    import torch

    mean, deviation = (np.asarray(card["normalisation"][name], np.float32) for name in ("mean", "deviation"))
    scaled = (pictures - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        found: npt.NDArray[np.float32] = net(torch.from_numpy(scaled)).numpy()
    return found


def ask_onnx(file: Path, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What an exported ONNX file says of prepared pictures; it normalises by itself.

    encoder.onnx gives embeddings (n, dim), model.onnx probabilities (n, classes) or (n, classes, side, side).
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else it reports to its maker and keeps files in the user's cache
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    answers: npt.NDArray[np.float32] = session.run(None, {"pictures": pictures})[0]
    return answers


def main(folder: Path, picture: Path) -> list[str]:
    """Lines that say what each file in the folder answers for one picture."""
    card = read_card(folder)
    pictures = prepare(picture, card["input"]["side"], card["input"].get("chosen_channels", ()))
    lines = []
    if (folder / "encoder.safetensors").exists():
        features = embed(load_encoder(folder), pictures, card)
        lines.append(f"torch: an embedding of {features.shape[1]} numbers, the first {features[0, 0]:.4f}")
    if (folder / "encoder.onnx").exists():
        features = ask_onnx(folder / "encoder.onnx", pictures)
        lines.append(f"onnxruntime: an embedding of {features.shape[1]} numbers, the first {features[0, 0]:.4f}")
    if (folder / "model.onnx").exists():
        chances = ask_onnx(folder / "model.onnx", pictures)[0]
        shares = chances.reshape(len(chances), -1).mean(axis=1)  # of a mask: the mean over its pixels
        said = zip(card["classes"], shares.tolist(), strict=True)
        lines.append("onnxruntime: " + ", ".join(f"{name} {share:.3f}" for name, share in said))
    return lines


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give a picture: python use_it.py PICTURE")
    try:
        sys.stdout.write("\n".join(main(Path(__file__).resolve().parent, Path(sys.argv[1]))) + "\n")
    except ValueError as error:
        sys.exit(str(error))
