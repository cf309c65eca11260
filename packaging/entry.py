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


def _be_python() -> None:
    """Carry out `-c CODE`, as an interpreter would: the bundled uv asks for the version and the system in this way when
    it fetches the GPU part, and no other Python need be there."""
    at = sys.argv.index("-c")
    code, sys.argv = sys.argv[at + 1], ["-c", *sys.argv[at + 2 :]]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})


def _run() -> int:
    """The program itself. Whatever ends it before there is a window is told in a dialog, with its log."""
    windowed = len(sys.argv) == 1 or (len(sys.argv) == 2 and os.path.exists(sys.argv[1]))  # alone, or by a project
    try:
        from sslstudio.cli.main import main

        return main()
    except Exception as error:
        try:
            from sslstudio.cli.crash import tell_crash
        except Exception:  # not even that can be loaded: the console is all that is left
            raise error from None
        tell_crash(error, dialog=windowed)
        return 1


if __name__ == "__main__":
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything can load onnxruntime, which would call its maker
    multiprocessing.freeze_support()  # must come first: a child process begins here as well
    _open_missing_streams()
    if os.environ.pop("SSLSTUDIO_AS_PYTHON", "") and "-c" in sys.argv:
        _be_python()
        sys.exit(0)
    sys.exit(_run())
