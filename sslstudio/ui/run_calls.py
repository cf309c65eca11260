"""What the window asks of the engine about runs. These run on other threads; see engine_calls.py."""

from pathlib import Path
from typing import Any

from sslstudio.engine.control import RunControl
from sslstudio.engine.errors import DataError


def strip(sheet: Path, control: RunControl) -> Any:
    """The puzzles of a sheet of answers side by side, uint8 (h, w, 3)."""
    import numpy as np
    from PIL import Image

    from sslstudio.engine.runs.film import strip_of

    with Image.open(sheet) as file:
        return np.asarray(strip_of(file))


def film(run: Path, out: Path, control: RunControl) -> Path:
    """Write the film of a run; where it is. A name without .gif gets it, and then replaces nothing."""
    from sslstudio.engine.runs.film import write_film
    from sslstudio.engine.runs.store import RunFolder

    if out.suffix.lower() != ".gif":
        out = out.with_name(f"{out.name}.gif")
        if out.exists():  # nobody was asked about this name
            raise DataError(f"{out} exists already. Choose another name.")
    write_film(RunFolder.open(run), out)
    return out
