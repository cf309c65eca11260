"""What version 0.2 has written (tests/data/made_by_0_2), copied to a place of the test's own.

Paths in a run are absolute, so they stand in the samples with a word for their root. The networks there are much
smaller than any that the program offers, because weights do not compress: `smaller_encoder` puts that network in the
place of the small one, for what makes the samples and for what reads them.
"""

import json
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "data" / "made_by_0_2"
ROOT = "@ROOT@"
TEXTS = (".toml", ".json", ".jsonl", ".csv", ".md", ".ini", ".txt")
PICTURES = ("little zoo", "more")
WHEN = 1_764_500_000  # when each of the pictures was changed last: answers are for pictures as they were
CHANNELS = (2, 4, 6, 8)  # of the four stages; the small encoder has 32 to 256


def unpack(place: Path) -> Path:
    """A copy of the samples at a new place, as if they had been made there."""
    shutil.copytree(SAMPLES, place)
    reroot(place, ROOT, place.as_posix())
    date_pictures(place)
    return place


def date_pictures(place: Path) -> None:
    """Give all pictures the time that they had when the samples were made."""
    for name in PICTURES:
        for file in (place / name).rglob("*.png"):
            os.utime(file, (WHEN, WHEN))


def reroot(folder: Path, old: str, new: str) -> None:
    """Replace the root of all paths in the text files below a folder."""
    for weights in folder.rglob("*last.safetensors"):  # first: they count bytes of what is changed after that
        _recount_events(weights, old.encode(), new.encode())
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix in TEXTS:
            content = file.read_bytes()
            if old.encode() in content:
                file.write_bytes(content.replace(old.encode(), new.encode()))


def _recount_events(weights: Path, old: bytes, new: bytes) -> None:
    """The checkpoint of a run that can go on says how much of events.jsonl is older than it, in bytes. That of one that
    is over stays as it is: a folder of predictions knows it by its content."""
    from safetensors import safe_open
    from safetensors.numpy import save

    with safe_open(weights, framework="np") as file:
        facts = file.metadata() or {}
        meta: dict[str, Any] = json.loads(facts.get("sslstudio", "{}"))
        events = weights.parent / "events.jsonl"
        if meta.get("finished", True) or not events.exists():
            return
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    before = events.read_bytes()[: meta["events"]]
    meta["events"] = len(before.replace(old, new))
    weights.write_bytes(save(tensors, {**facts, "sslstudio": json.dumps(meta)}))


def machine() -> dict[str, str]:
    """What the last bit of a sum depends on, besides the code."""
    import torch

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor()
    return {"torch": torch.__version__, "processor": model, "instructions": torch.backends.cpu.get_cpu_capability()}


@contextmanager
def smaller_encoder() -> Iterator[None]:
    """While this lasts the small encoder is one of some thousand weights.

    Where a processor has no AVX-512, PyTorch 2.14's oneDNN frees memory twice behind a convolution of fewer than eight
    channels (1 x 1, stride 2, channels_last), so it is left out there. No encoder of the program has so few.
    """
    import torch

    from sslstudio.engine.models.encoders import ENCODERS, ResNetShape
    from sslstudio.engine.models.encoders.resnet import BasicBlock

    safe = torch.backends.cpu.get_cpu_capability() == "AVX512"
    before = ENCODERS["small"]
    ENCODERS._entries["small"] = ResNetShape(BasicBlock, (1, 1, 1, 1), CHANNELS, before.about)
    try:
        if not safe:
            torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
        yield
    finally:
        torch.backends.mkldnn.set_flags(True)  # type: ignore[no-untyped-call]
        ENCODERS._entries["small"] = before
