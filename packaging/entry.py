"""The first lines of the built program; both of its executables, the window's and the command line's, begin here."""

import multiprocessing
import os
import sys


def _open_missing_streams() -> None:
    """A program without a console may have no stdout and stderr; what is said then goes nowhere, and fails nowhere."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  open as long as the program
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything can load onnxruntime, which would call its maker
    multiprocessing.freeze_support()  # must come first: a child process begins here as well
    _open_missing_streams()
    from sslstudio.cli.main import main

    sys.exit(main())
