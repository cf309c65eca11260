"""The one way to read a safetensors file, checked like the files of `checked_files`. Apart from it, because it loads
torch."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.checked_files import parse_json

FACTS = "sslstudio"  # where in the metadata the facts are, as JSON


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of a safetensors file. Raises RunError when it is missing or damaged. What its header promises
    must lie in the file (safetensors checks that before it reserves any memory)."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = (file.metadata() or {}).get(FACTS, "{}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        raise RunError(
            "The weights in {path} cannot be read: {error}. Take another copy of the file.", path=path, error=error
        ) from error
    meta: dict[str, Any] = parse_json(facts, path, dict[str, Any])
    return tensors, meta
