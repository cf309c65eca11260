"""Networks as files that other programs open. Each file is read back and asked about real pictures before it counts.

safetensors     the weights; a ResNet encoder's under torchvision's names
onnx            the whole network, normalisation included: pictures (n, 3, side, side) between 0 and 1 in
torchscript     the same for libtorch
card.json       what it is: encoder, picture side, normalisation, classes, result, and how exactly each file agrees
use_it.py       loads them without this program
"""

import hashlib
import importlib.util
import io
import json
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from sslstudio.engine.core.errors import DataError, RunError, did_you_mean
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import (
    cannot_write,
    copy_file,
    discard_folder,
    folder_beside,
    folder_error,
    put_folder,
    write_plain,
)
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.export import use_it
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.finetuned import PixelScale
from sslstudio.engine.models.mask_read_out import Answering

FORMATS = ("safetensors", "onnx", "torchscript")
SUFFIXES = {"safetensors": ".safetensors", "onnx": ".onnx", "torchscript": ".torchscript.pt"}
NEEDED = {"onnx": ("onnx", "onnxruntime")}
TOLERANCE = 1e-3  # of the largest answer: other kernels round otherwise, another network is far off
CARD, SNIPPET = "card.json", "use_it.py"
OPSET = 17


class Embedding(nn.Module):
    """Float (B, 3, H, W) in [0, 1] -> embeddings (B, dim)."""

    def __init__(self, scale: PixelScale, encoder: Encoder) -> None:
        super().__init__()
        self.scale, self.encoder = scale, encoder

    def forward(self, pictures: Tensor) -> Tensor:
        """The last stage, averaged over its places."""
        embeddings: Tensor = self.encoder(self.scale(pictures))
        return embeddings


class Chances(nn.Module):
    """Float (B, 3, H, W) in [0, 1] -> probabilities (B, C) or (B, C, H, W)."""

    def __init__(self, network: Answering) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """Softmax over the classes."""
        chances: Tensor = self.network(pictures).softmax(dim=1)
        return chances


@dataclass(frozen=True)
class Exportable:
    """A network that can be taken away.

    `name` is what its files are called; `network` maps float pictures (B, 3, side, side) in [0, 1] to its answers;
    `tensors` is what safetensors holds; `rebuilt` makes the same mapping from such tensors that were read back.
    """

    name: str
    network: nn.Module
    tensors: Mapping[str, Tensor]
    rebuilt: Callable[[dict[str, Tensor]], Callable[[Tensor], Tensor]]


@dataclass(frozen=True)
class Written:
    """A file that was written, read back and asked: `greatest` is the greatest difference between the answers, `size`
    the largest absolute answer, over `pictures` real pictures."""

    file: str
    format: str
    bytes: int
    sha256: str
    pictures: int
    greatest: float
    size: float

    def line(self) -> Message:
        """For people."""
        return Message(
            "{file}: {bytes:,.1f} MB, read back; on {pictures} pictures the answers differ by at most "
            "{greatest:.1e} (the largest answer is {size:.3g})",
            file=self.file,
            bytes=self.bytes / 1000000.0,
            pictures=self.pictures,
            greatest=self.greatest,
            size=self.size,
        )


def chosen_formats(name: str) -> tuple[str, ...]:
    """The formats that a word stands for. Raises DataError for an unknown word or when a library is missing."""
    if name != "all" and name not in FORMATS:
        raise DataError("There is no format {name!r}. {hint}", name=name, hint=did_you_mean(name, (*FORMATS, "all")))
    formats = FORMATS if name == "all" else (name,)
    missing = [one for form in formats for one in NEEDED.get(form, ()) if importlib.util.find_spec(one) is None]
    if missing:
        raise DataError(
            "ONNX files need {missing:and}, which are not installed here. Install them with: pip install "
            '"sslstudio[export]", or choose the format safetensors or torchscript.',
            missing=missing,
        )
    return formats


def write_export(
    out: Path, exportables: Sequence[Exportable], formats: Sequence[str], pictures: Tensor, card: Mapping[str, object]
) -> Generator[Preparing, None, list[Written]]:
    """Write the files of all networks, the card and the snippet into a new folder; all of it or nothing.

    `pictures`: float (n, 3, side, side) in [0, 1] on the CPU, real ones. Raises DataError when `out` holds something,
    RunError when a file answers otherwise than the network or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("{out} exists already and is not empty. Choose another folder for the export.", out=out)
    try:
        beside = folder_beside(out)
    except OSError as error:
        raise folder_error(out, error) from error
    try:
        written = yield from _write_all(beside, exportables, formats, pictures)
        content = {**card, "files": [vars(one) for one in written]}
        text = json.dumps(to_stored(content), indent=1, ensure_ascii=False, allow_nan=False)
        write_plain(beside / CARD, f"{text}\n".encode(errors="backslashreplace"))
        copy_file(Path(use_it.__file__).with_suffix(".py"), beside / SNIPPET)
        put_folder(beside, out)
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        discard_folder(beside)
    return written


def _write_all(
    folder: Path, exportables: Sequence[Exportable], formats: Sequence[str], pictures: Tensor
) -> Generator[Preparing, None, list[Written]]:
    written: list[Written] = []
    total = len(exportables) * len(formats)
    for one in exportables:
        with torch.no_grad():
            wanted = one.network(pictures)
        for form in formats:
            yield Preparing(stage=Message("Writing and reading back"), done=len(written), total=total)
            file = folder / f"{one.name}{SUFFIXES[form]}"
            found = WRITERS[form](one, pictures, file)
            written.append(_checked(file, form, wanted, found))
    yield Preparing(stage=Message("Writing and reading back"), done=total, total=total)
    return written


def _checked(file: Path, form: str, wanted: Tensor, found: Tensor) -> Written:
    greatest, size = float((found - wanted).abs().max()), float(wanted.abs().max())
    if not greatest <= TOLERANCE * max(size, 1e-6):  # nan is not small either
        raise RunError(
            "{file} was read back and answers otherwise than the network: the greatest difference is "
            "{greatest:.2e} where the largest answer is {size:.2e}. Nothing was kept.",
            file=file.name,
            greatest=greatest,
            size=size,
        )
    content = file.read_bytes()
    return Written(file.name, form, len(content), hashlib.sha256(content).hexdigest(), len(wanted), greatest, size)


def _safetensors(one: Exportable, pictures: Tensor, file: Path) -> Tensor:
    write_plain(file, save({name: tensor.detach().cpu().contiguous() for name, tensor in one.tensors.items()}))
    with torch.no_grad():
        return one.rebuilt(load_file(file))(pictures)


def _onnx(one: Exportable, pictures: Tensor, file: Path) -> Tensor:
    import onnx

    with warnings.catch_warnings():
        # The tracing exporter is called old, and takes a second where the new one takes twenty and further packages.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            one.network,
            (pictures[:2],),
            str(file),  # it writes by name; the folder gets its own when all is there
            dynamo=False,
            opset_version=OPSET,
            input_names=["pictures"],
            output_names=["answers"],
            dynamic_axes={"pictures": {0: "n"}, "answers": {0: "n"}},
        )
    onnx.checker.check_model(str(file), full_check=True)
    return torch.from_numpy(use_it.ask_onnx(file, pictures.numpy()))


def _torchscript(one: Exportable, pictures: Tensor, file: Path) -> Tensor:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch calls the format old; what reads it is still widespread
        traced = torch.jit.trace(one.network, pictures[:2], check_trace=False)  # type: ignore[no-untyped-call]
        content = io.BytesIO()
        torch.jit.save(traced, content)
        write_plain(file, content.getvalue())
        answers: Tensor = torch.jit.load(str(file), map_location="cpu")(pictures)  # type: ignore[no-untyped-call]
    return answers


WRITERS: dict[str, Callable[[Exportable, Tensor, Path], Tensor]] = {
    "safetensors": _safetensors,
    "onnx": _onnx,
    "torchscript": _torchscript,
}
