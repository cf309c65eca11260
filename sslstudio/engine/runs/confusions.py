"""The confusions of a part's test pictures, kept with the run so that results can be compared picture by picture."""

import io
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.messages import Message

Array = npt.NDArray[np.float64]
LARGEST = 512 << 20  # bytes: 10,000 pictures of 100 classes have 400 million
# What numpy and zipfile raise over a damaged file, one whose entries are packed in another way, or one too large.
BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error, NotImplementedError, SyntaxError,
          RuntimeError, OverflowError, MemoryError)  # fmt: skip


def confusions_file(run: Path, part: str) -> Path:
    """Where a run keeps those of a part (pretrained or scratch)."""
    return run / f"confusions-{part}.npz"


def write_confusions(file: Path, paths: tuple[str, ...], confusions: Array) -> None:
    """Write n paths and their (n, C, C) confusions: whole numbers, mostly zeros, so packed."""
    content = io.BytesIO()
    np.savez_compressed(content, paths=np.array(paths, dtype=np.str_), confusions=np.rint(confusions).astype(np.uint32))
    write_atomic(file, content.getvalue())


def read_confusions(file: Path) -> tuple[tuple[str, ...], Array]:
    """The inverse. Raises RunError when the file is missing or damaged."""
    try:
        if file.stat().st_size > LARGEST or sum(one.file_size for one in ZipFile(file).infolist()) > LARGEST:
            raise ValueError(Message("it unpacks to more than {most} MB", most=LARGEST >> 20))
        with np.load(file, allow_pickle=False) as content:
            paths, confusions = content["paths"], content["confusions"]
            if paths.ndim != 1 or confusions.ndim != 3 or len(paths) != len(confusions) or not paths.dtype.kind == "U":
                raise ValueError(Message("it is not one matrix a picture"))
            return tuple(paths.tolist()), confusions.astype(np.float64)
    except BROKEN as error:
        raise RunError("{file} cannot be read: {error}. Score that run again.", file=file, error=error) from error


def where_confused(run: Path, part: str, truth: int, predicted: int) -> dict[str, int]:
    """The pictures in which class `truth` was taken for class `predicted`, and in how many pixels (of classes: 1); most
    first. A cross-validation has them in its folds. Raises RunError when they are missing or damaged."""
    own = confusions_file(run, part)
    files = [own] if own.exists() else [confusions_file(fold, part) for fold in sorted(run.glob("fold-*"))] or [own]
    found: dict[str, int] = {}
    for file in files:
        paths, confusions = read_confusions(file)
        if not (0 <= truth < confusions.shape[1] and 0 <= predicted < confusions.shape[2]):
            raise RunError("{file} is of other classes than the result. Score that run again.", file=file)
        found |= zip(paths, confusions[:, truth, predicted].astype(int).tolist(), strict=True)
    return {path: found[path] for path in sorted(found, key=lambda path: (-found[path], path)) if found[path]}
