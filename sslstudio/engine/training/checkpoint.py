"""Weights on disk: safetensors only, never pickled, and whole or not there at all.

Sentences and numbers travel as JSON in the file's metadata.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import torch
from safetensors.torch import save
from torch import Tensor, nn

from sslstudio.engine.core.errors import ConfigError, DataError, RunError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import AtLeast, Count, Share
from sslstudio.engine.core.files.checked_tensors import read_tensors
from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.encoders import ENCODERS, Encoder
from sslstudio.engine.models.encoders.general import GeneralWeights, find_general, is_general
from sslstudio.engine.runs.run_folder import RunFolder

ANEW = Message("Put it back from a copy, or begin a new run.")
OTHER_STEM = 0.95  # share of an encoder's tensors that fit whatever its stem is


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, object], keep: Path | None = None
) -> None:
    """Write tensors and facts to a safetensors file, atomically; the file before it gets the name `keep`, if one is
    given."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomic(path, save(plain, {"sslstudio": json.dumps(dict(meta))}), keep=keep)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of a safetensors file. Raises RunError when it is missing or damaged."""
    return read_tensors(path)


class Progress(TypedDict):
    """The facts of a checkpoint: how far the training is."""

    step: Count
    elapsed: Share
    best: float | None
    finished: bool
    parts: NotRequired[Annotated[int, AtLeast(1)]]
    events: NotRequired[Count]
    scale: NotRequired[Any]


def training_state(modules: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Everything a training needs to go on: weights, buffers and the optimiser's moments."""
    state = {f"model.{name}": tensor for name, tensor in modules.state_dict().items()}
    for number, moments in optimiser.state_dict()["state"].items():
        state.update({f"optimiser.{number}.{name}": torch.as_tensor(value) for name, value in moments.items()})
    return state


def restore_training(tensors: Mapping[str, Tensor], modules: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """The inverse of `training_state`, in place. Raises RunError when the network is not the one that was saved."""
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    restore_weights(modules, weights, Message("The checkpoint"))
    params = [param for group in optimiser.param_groups for param in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, _, rest = name.partition(".")
            number, _, key = rest.partition(".")
            fits = number.isdecimal() and int(number) < len(params)
            if not fits or (value.dim() and value.shape != params[int(number)].shape):
                raise RunError("The checkpoint is damaged: {name} does not fit its network. {advice}", name=name,
                               advice=ANEW)  # fmt: skip
            moments.setdefault(int(number), {})[key] = value
    if any(kept.keys() != next(iter(moments.values())).keys() for kept in moments.values()):
        raise RunError("The checkpoint is damaged: moments of the optimiser are missing. {advice}", advice=ANEW)
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})


def restore_weights(modules: nn.Module, weights: Mapping[str, Tensor], what: Message | Path) -> None:
    """Put all weights of a module in place. Raises RunError when they are another network's, or are no numbers.
    `what`: what they come from."""
    if broken := next((name for name, value in weights.items() if not is_finite(value)), ""):
        raise RunError("{what} is damaged: {name} is not finite. {advice}", what=what, name=broken, advice=ANEW)
    try:
        modules.load_state_dict(dict(weights))
    except (RuntimeError, TypeError) as error:  # the first line names the class, the second what is wrong
        lines = [line.strip() for line in str(error).splitlines()]
        raise RunError(
            "{what} belongs to another network: {error} {advice}", what=what, error=lines[min(1, len(lines) - 1)][:200],
            advice=ANEW,
        ) from error  # fmt: skip


def is_finite(tensor: Tensor) -> bool:
    """Whether no number of it is infinite or none."""
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())


def lay_like_weights(optimiser: torch.optim.Optimizer) -> None:
    """Moments in the memory format of their weights. A fused optimiser walks through both in the order in which they
    lie: after a restore, which reads plain rows, it would take one weight's moment for another's."""
    for weight, moments in optimiser.state.items():
        for name, value in moments.items():
            if isinstance(value, Tensor) and value.shape == weight.shape and value.stride() != weight.stride():
                moments[name] = torch.empty_like(weight).copy_(value)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Named tensors of a .safetensors or .pth/.pt file. Raises DataError; never unpickles anything but tensors."""
    if not path.is_file():
        raise DataError("There is no weights file {path}.", path=path)
    if path.suffix == ".safetensors":
        try:
            return load_tensors(path)[0]
        except RunError as error:
            raise DataError.of(error.message) from error
    _refuse_bomb(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the damaged bytes lead it to
        reason = next(iter(str(error).splitlines()), type(error).__name__)  # an EOFError says nothing
        raise DataError(
            "{path} is not a weights file that can be read safely: {reason}. Save it as .safetensors, or "
            "with torch.save(model.state_dict()).",
            path=path,
            reason=reason,
        ) from error
    return _tensors_of(content, path)


def _refuse_bomb(path: Path) -> None:
    """Raises DataError for an archive that unpacks to far more than it is: torch packs nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            plain = sum(one.file_size for one in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):  # of the older form, which is no archive
        return
    if plain > 2 * path.stat().st_size + (1 << 20):
        raise DataError("{path} is packed, which weights are not. Save it as .safetensors.", path=path)


def _tensors_of(content: Any, path: Path) -> dict[str, Tensor]:
    for key in ("state_dict", "model", "teacher", "student"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)} if isinstance(
        content, Mapping) else {}  # fmt: skip
    if not tensors:
        raise DataError("{path} holds no named weights.", path=path)
    return tensors


def load_encoder(encoder: Encoder, source: Path | str) -> Message:
    """Put the weights of a file, of a run folder or of `general` into the encoder; returns a sentence that says how
    many fitted.

    Names may carry a prefix (encoder., backbone., module. ...): the one under which most tensors fit is taken.
    Raises DataError when fewer than half of the encoder's tensors are found: that is another network.
    """
    if is_general(str(source)):
        general = find_general(str(source))
        encoder.load_state_dict(_all_of(general, encoder))
        return Message(
            "The encoder starts from general weights: {title}, {dataset}", title=general.title, dataset=general.dataset
        )
    path = Path(source)
    file = RunFolder(path).weights if path.is_dir() else path
    given = read_weights(file)
    wanted = encoder.state_dict()
    found = find_fitting(encoder.own_names(given), wanted)
    if len(found) < len(wanted) / 2:
        raise DataError(
            "Only {fits} of the encoder's {wanted} tensors are in {file} with the right shape. {hint}",
            fits=len(found),
            wanted=len(wanted),
            file=file,
            hint=_what_it_is(given),
        )
    if broken := next((name for name, value in found.items() if not is_finite(value)), ""):
        raise DataError(
            "{file} is damaged: the numbers of {name} are not all finite. Take another copy of it.",
            file=file,
            name=broken,
        )
    encoder.load_state_dict(found, strict=False)
    if len(found) == len(wanted):
        return Message("The encoder starts from all of its weights in {file}", file=file.name)
    return Message(
        "{fits} of {wanted} parts of the encoder start from their weights in {file}, the others untrained",
        fits=len(found),
        wanted=len(wanted),
        file=file.name,
    )


def _all_of(general: GeneralWeights, encoder: Encoder) -> dict[str, Tensor]:
    if encoder.spec.name != general.encoder:
        raise DataError(
            "The general weights are for the encoder {encoder}, not for {name}. Leave the encoder to the program "
            "(auto), or start from something else.",
            encoder=general.encoder,
            name=encoder.spec.name,
        )
    return general.read()


def find_fitting(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `given` with name and shape of a wanted one, under the prefix that most of them have."""
    prefixes = {name[: -len(key)] for name in given for key in ("conv1.weight",) if name.endswith(key)} | {""}
    fits = [_fitting(given, wanted, prefix) for prefix in sorted(prefixes)]
    return max(fits, key=len)


def _fitting(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    found = {name: given[prefix + name] for name in wanted if prefix + name in given}
    return {name: value for name, value in found.items() if value.shape == wanted[name].shape}


def _what_it_is(given: Mapping[str, Tensor]) -> Message:
    """For which encoder the weights of a file are, or which ones fit at all."""
    shares: dict[
        str, tuple[float, int]
    ] = {}  # of an encoder's tensors, and how many: a smaller one may lie in a larger
    for name in ENCODERS:
        try:
            with torch.device("meta"):  # names and shapes without numbers
                encoder = ENCODERS[name].build(name, "large")
        except ConfigError:  # of a library that is not installed
            continue
        wanted = encoder.state_dict()
        fits = find_fitting(encoder.own_names(given), wanted)
        shares[name] = len(fits) / len(wanted), len(wanted)
    best = max(shares, key=lambda name: shares[name])
    if shares[best][0] > OTHER_STEM:
        return Message("They are for the encoder {name} (--encoder {name}).", name=best)
    return Message(
        "Choose the encoder and stem that the weights were made for (--encoder, --set encoder.stem=...). Weights of "
        "torchvision's ResNet-18, 34 and 50, of EfficientNet-Lite0 and of some encoders of timm can be read; this "
        "file begins with {first}.",
        first=next(iter(given)),
    )
