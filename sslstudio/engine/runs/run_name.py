"""The name that a person gives to a run: kept in a file of its own, so that what the run says of itself stays."""

from pathlib import Path

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.runs.run_folder import NAME, RunFolder


def rename_run(run: Path, name: str) -> None:
    """Name a run; '' takes the name away. Raises DataError when it is no run, RunError when the disk refuses."""
    folder, plain = RunFolder.open(run), " ".join(name.split())
    if plain:
        folder.write_json(NAME, {"name": plain})
        return
    try:
        (run / NAME).unlink(missing_ok=True)
    except OSError as error:
        raise RunError("{path} cannot be written: {reason}.", path=run / NAME, reason=error.strerror) from error
