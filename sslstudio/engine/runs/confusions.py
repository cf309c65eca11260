"""The confusions of a part's test pictures, kept with the run so that results can be compared picture by picture."""

import io
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.atomic_files import write_atomic
from sslstudio.engine.core.errors import RunError

Array = npt.NDArray[np.float64]


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
        with np.load(file, allow_pickle=False) as content:
            return tuple(content["paths"].tolist()), content["confusions"].astype(np.float64)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise RunError("{file} cannot be read: {error}. Score that run again.", file=file, error=error) from error


def where_confused(run: Path, part: str, truth: int, predicted: int) -> dict[str, int]:
    """The pictures in which class `truth` was taken for class `predicted`, and in how many pixels (of classes: 1); most
    first. A cross-validation has them in its folds. Raises RunError when they are missing or damaged."""
    own = confusions_file(run, part)
    files = [own] if own.exists() else [confusions_file(fold, part) for fold in sorted(run.glob("fold-*"))] or [own]
    found: dict[str, int] = {}
    for file in files:
        paths, confusions = read_confusions(file)
        found |= zip(paths, confusions[:, truth, predicted].astype(int).tolist(), strict=True)
    return {path: found[path] for path in sorted(found, key=lambda path: (-found[path], path)) if found[path]}
