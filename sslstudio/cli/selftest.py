"""The program tries itself, on pictures that it draws: in an installation, and above all in the built program.

Needs no network and writes only into a temporary folder. What a library loads late (codecs of pictures, modules of
pretext tasks, plugins of Qt) is used here for real, because that is what a build forgets.
"""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sslstudio.engine.about.doctor import window_trouble
from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.leftovers import temporary

FAILED = "FAILED: "  # an outcome that begins so is a failure
PICTURES = 36
SIDE = 96
DEVICE_TASK = "rotation"  # the quickest
BATCH = 12  # of the 36 pictures 24 or more are trained on: two steps an epoch
STEPS = 2
# Where the program would keep something for the user; the last is where Qt keeps what the window remembers, on Linux.
OWN = {"SSLSTUDIO_CACHE": "cache", "SSLSTUDIO_HOME": "home", "XDG_CONFIG_HOME": "config"}

Say = Callable[[str, str], None]
Check = Callable[[], str]  # says what went well, or raises


def run_self_test(
    say: Say = lambda name, outcome: None, *, window_only: bool = False, device: str = ""
) -> dict[str, str]:
    """What was tried and how it went; an outcome that begins with FAILED did not work.

    `say` hears each outcome as soon as it is known. `window_only` opens the window and does nothing else; `device`
    trains two steps on that device and does nothing else.
    """
    with _own_folder() as folder:
        results: dict[str, str] = {}
        checks = _device_checks(folder, device) if device else _all_checks(folder)
        for name, check in _window_check() if window_only else checks:
            results[name] = _outcome(check)
            say(name, results[name])
    return results


def has_failed(results: dict[str, str]) -> bool:
    """Whether anything did not work."""
    return any(outcome.startswith(FAILED) for outcome in results.values())


def _outcome(check: Check) -> str:
    try:
        return check()
    except Exception as error:  # whatever a broken installation raises is the finding
        traceback.print_exc()
        return f"{FAILED}{type(error).__name__}: {error}"


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A temporary folder that also takes what the program would keep for the user."""
    before = {name: os.environ.get(name) for name in OWN}
    # Windows cannot delete a file that is still mapped into memory: then the system clears it away later.
    with temporary() as name:
        os.environ.update({variable: f"{name}/{place}" for variable, place in OWN.items()})
        try:
            yield name
        finally:
            for key, value in before.items():
                os.environ.pop(key)
                os.environ.update({key: value} if value is not None else {})


def _all_checks(folder: Path) -> Iterator[tuple[str, Check]]:
    pictures, tasks = folder / "sample" / "images", list[str]()
    yield "pretext tasks", partial(_find_tasks, tasks)
    yield "drawing pictures", partial(_draw, folder / "sample")
    yield "reading pictures", partial(_read, pictures)
    yield "project", partial(_reopen_project, pictures, folder / "project")
    yield "encoders", _build_encoders
    for name in tasks:
        yield f"task {name}", partial(_pretrain, pictures, name, folder / name)
    for name in tasks[:1]:
        yield "checkpoint", partial(_read_checkpoint, folder / name)
        yield "fine-tuning with a twin", partial(_finetune, pictures, folder / name, folder / "finetuned")
        yield "ONNX", partial(_export, folder / "finetuned", folder / "exported")
        yield "training in a process of its own", partial(_train_apart, pictures, name, folder / "apart")
    yield "window", partial(_open_window, every_page=True)


def _device_checks(folder: Path, device: str) -> Iterator[tuple[str, Check]]:
    """Two real steps on one device: what a GPU has to show before it is used."""
    pictures = folder / "sample" / "images"
    yield "PyTorch", _name_torch
    yield "drawing pictures", partial(_draw, folder / "sample")
    yield f"training on {device}", partial(_pretrain, pictures, DEVICE_TASK, folder / "run", device)


def _window_check() -> Iterator[tuple[str, Check]]:
    yield "window", partial(_open_window, every_page=False)


def _name_torch() -> str:
    import torch

    return f"{torch.__version__} from {torch.__file__}"


def _find_tasks(found: list[str]) -> str:
    from sslstudio.engine.tasks.base import load_tasks

    found += load_tasks().names()
    if not found:
        raise RunError("No pretext task was found.")
    return ", ".join(found)


# Pictures


def _draw(folder: Path) -> str:
    from sslstudio.engine.sample.make import make_sample

    for _ in make_sample(folder, count=PICTURES, side=SIDE):
        pass
    odd = folder / "images" / "odd"
    odd.mkdir()
    files = _odd_files()
    for name, content in files.items():
        (odd / name).write_bytes(content)
    return f"{PICTURES} pictures, and {len(files)} files that are hard to read"


def _odd_files() -> dict[str, bytes]:
    """Files that late-loaded codecs are needed for, and one that is broken: name -> content."""
    import imagecodecs
    import numpy as np

    from sslstudio.engine.compute.seeding import derive

    rng = np.random.default_rng(derive(0, "self-test"))
    grey = rng.integers(0, 4096, (SIDE, SIDE), dtype=np.uint16)
    colours = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    whole = bytes(imagecodecs.jpeg_encode(colours))
    return {
        "deep.tif": _tiff(grey),
        "deep.png": bytes(imagecodecs.png_encode(grey << 4)),
        "plain.dcm": _dicom(grey, "1.2.840.10008.1.2.1", grey.tobytes()),
        "compressed.dcm": _dicom(grey, "1.2.840.10008.1.2.4.80", bytes(imagecodecs.jpegls_encode(grey))),
        BROKEN: whole[: len(whole) // 3],
    }


BROKEN = "torn.jpg"
DEEP = ("odd/deep.png", "odd/deep.tif")
LEAST_RANGE = 100  # of 256 grey values: noise over all 12 bits is to be seen as such, not as black or as white


def _tiff(grey: Any) -> bytes:
    import io

    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, grey, compression="zstd", photometric="minisblack")
    return buffer.getvalue()


def _dicom(grey: Any, syntax: str, content: bytes) -> bytes:
    """A DICOM file of one 12-bit grey picture; `syntax` is the UID of how `content` is coded."""
    import io

    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")  # secondary capture
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.Rows, dataset.Columns = grey.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = encapsulate([content]) if meta.TransferSyntaxUID.is_compressed else content
    dataset["PixelData"].VR = "OB" if meta.TransferSyntaxUID.is_compressed else "OW"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _read(pictures: Path) -> str:
    from sslstudio.engine.core.control import RunControl
    from sslstudio.engine.images.cache.pixel_cache import build_cache
    from sslstudio.engine.images.index import scan

    cache = to_end(build_cache(scan(pictures), SIDE, control=RunControl()))
    reasons = {one.path.rpartition("/")[2]: one.reason for one in cache.index.unreadable}
    expected = PICTURES + len(list((pictures / "odd").iterdir())) - 1
    if len(cache.index) != expected or list(reasons) != [BROKEN]:
        raise RunError(
            "{index} of {expected} pictures were read, and not: {reasons}",
            index=len(cache.index),
            expected=expected,
            reasons=reasons,
        )
    for path in DEEP:
        grey = cache.pixels([cache.index.places[path]])
        darkest, lightest = int(grey.min()), int(grey.max())
        if lightest - darkest < LEAST_RANGE:
            raise RunError(
                "{path} has 16 bits and was read as grey values from {darkest} to {lightest} only.",
                path=path,
                darkest=darkest,
                lightest=lightest,
            )
    return f"{expected} pictures read, {len(DEEP)} of 16 bits, 1 listed as unreadable ({reasons[BROKEN]})"


# Training


def _shared(pictures: Path, out: Path, device: str = "auto") -> dict[str, Any]:
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig, OptimiserConfig

    return {
        "out": str(out),
        "data": DataConfig(folder=str(pictures), side=SIDE),
        "encoder": EncoderConfig(name="small"),
        "optimiser": OptimiserConfig(batch_size=BATCH),
        "budget": BudgetConfig(epochs=1),
        "hardware": HardwareConfig(device=device),
    }


def _pretrain(pictures: Path, task: str, out: Path, device: str = "auto") -> str:
    from sslstudio.engine.core.control import RunControl
    from sslstudio.engine.pretraining.run import pretrain
    from sslstudio.engine.training.config import PretrainConfig

    config = PretrainConfig(task=task, **_shared(pictures, out, device))
    return _steps_of(list(pretrain(config, RunControl())))


def _train_apart(pictures: Path, task: str, out: Path) -> str:
    from sslstudio.engine.core.control import RunControl
    from sslstudio.engine.launch.child_process import in_child, order_to_start
    from sslstudio.engine.training.config import PretrainConfig

    order = order_to_start("pretrain", PretrainConfig(task=task, **_shared(pictures, out)))
    return _steps_of(list(in_child(order, RunControl())))


def _steps_of(events: list[Any]) -> str:
    """How a run of two steps went."""
    from sslstudio.engine.core.events import RunFinished, StepDone

    losses = [event.loss for event in events if isinstance(event, StepDone)]
    last = events[-1]
    if len(losses) != STEPS or not isinstance(last, RunFinished) or last.outcome != "finished":
        raise RunError(
            "{losses} steps instead of {steps}, and the last event is {name}",
            losses=len(losses),
            steps=STEPS,
            name=type(last).__name__,
        )
    return f"{STEPS} steps, loss {losses[-1]:.3f}, {last.seconds:.1f} s"


def _read_checkpoint(run: Path) -> str:
    from sslstudio.engine.training.checkpoint import load_tensors

    path = run / "last.safetensors"
    tensors, meta = load_tensors(path)
    if meta["step"] != STEPS or not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise RunError(
            "The checkpoint of step {steps} was read back as step {meta}, or not all is finite.",
            steps=STEPS,
            meta=meta["step"],
        )
    return f"written and read back: {len(tensors)} tensors, {path.stat().st_size / 1e6:.1f} MB"


def _finetune(pictures: Path, source: Path, out: Path) -> str:
    from sslstudio.engine.core.control import RunControl
    from sslstudio.engine.core.events import RunFinished
    from sslstudio.engine.evaluate.arms import TITLES
    from sslstudio.engine.finetuning.entry import finetune
    from sslstudio.engine.runs.metrics import is_finetune
    from sslstudio.engine.training.config import FinetuneConfig

    last = list(finetune(FinetuneConfig(source=str(source), **_shared(pictures, out)), RunControl()))[-1]
    if isinstance(last, RunFinished) and is_finetune(last.metrics):
        metrics = last.metrics
        if set(metrics["parts"]) == set(TITLES):
            return f"{metrics['n_test']} test pictures scored with {len(TITLES)} arms, {last.seconds:.1f} s"
    raise RunError("It did not end with the scores of all arms but with {last}.", last=last)


def _build_encoders() -> str:
    """Build each encoder and ask it; those of a library that is not installed are named as such."""
    import importlib.util

    import torch

    from sslstudio.engine.models.encoders import ENCODERS, EncoderConfig, build_encoder

    built, left = list[str](), list[str]()
    for name in ENCODERS.names():
        if name.startswith("timm_") and importlib.util.find_spec("timm") is None:
            left.append(name)
            continue
        encoder = build_encoder(EncoderConfig(name=name, stem="large"), 0).eval()
        with torch.no_grad():
            answer = encoder(torch.zeros(1, 3, 64, 64))
        if answer.shape != (1, encoder.spec.dim):
            raise RunError("The encoder {name} answers with {shape}.", name=name, shape=str(tuple(answer.shape)))
        built.append(name)
    return ", ".join(built) + (f"; without the library timm: {', '.join(left)}" if left else "")


def _export(run: Path, out: Path) -> str:
    """Export to ONNX, which reads each file back and compares what it says."""
    from sslstudio.engine.core.control import RunControl
    from sslstudio.engine.export.run import export_run

    exported = to_end(export_run(run, out, "all", RunControl()))
    files = sorted(file.name for file in out.iterdir() if file.suffix == ".onnx")
    if files != ["encoder.onnx", "model.onnx"]:
        raise RunError("These ONNX files were written: {files}", files=files)
    return "; ".join(exported.lines())


# Projects


def _reopen_project(pictures: Path, folder: Path) -> str:
    """Write a project down twice, then read it: as it was, and as it was before."""
    from dataclasses import replace

    from sslstudio.engine.projects.project import Project, open_project, save_project

    project = Project(folder=folder, pictures=pictures, name="Self-test", opened="2026-01-01 00:00")
    save_project(project)
    save_project(replace(project, task="rotation"))
    opened = open_project(folder)
    if opened.told or opened.project.task != "rotation" or not opened.project.pictures.samefile(pictures):
        raise RunError("The project was read back as {project}. {told}", project=repr(opened.project), told=opened.told)
    return f"written and opened again: {opened.project.name}"


# Window


def _open_window(every_page: bool) -> str:
    trouble = window_trouble()
    if trouble:
        return f"not tried: {trouble}"
    began = time.perf_counter()
    from sslstudio.ui.shell.selftest import try_window

    pages = try_window(every_page=every_page)
    return f"opened, {pages} of its pages drawn, and closed in {time.perf_counter() - began:.2f} s"
