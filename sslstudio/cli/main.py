"""The command line. `sslstudio` alone opens the window; every command prints help with --help.

Exit codes: 0 fine, 1 the run could not go on, 2 wrong input (one sentence, no traceback), 130 interrupted by Ctrl+C.
"""

import argparse
import io
import locale
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from sslstudio import __version__
from sslstudio.cli import bench, compare, export, judge, train
from sslstudio.cli.config_args import Entry
from sslstudio.engine.compute.malloc import keep_for_reuse
from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.crash_trace import begin, watch_crashes
from sslstudio.engine.core.errors import InputError, StudioError
from sslstudio.engine.core.messages import neutral
from sslstudio.engine.core.mishaps import explain, keep_trace
from sslstudio.engine.gpu_part.place import activate

COMMANDS = (*train.COMMANDS, *judge.COMMANDS, *bench.COMMANDS, *compare.COMMANDS, *export.COMMANDS)
BUG = "Something went wrong inside the program:"  # before what a mistake of it says
TOGETHER = ("pretrain", "resume", "work")  # the commands that torchrun may start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if arguments is None:
        _begin_with_utf8()
    watch_crashes()  # before torch or Qt is loaded
    # Waiting threads of OpenMP burn a core each unless told not to, before torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime would call its maker as soon as it is loaded
    # torch makes a folder for what it compiles as soon as it is asked whether it could: not beside other people's.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "compiled"))
    activate()  # before torch is imported
    keep_for_reuse()  # before there are threads, which would have arenas of their own
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name that is not text must not end a run
            stream.reconfigure(encoding=_console_encoding(stream), errors="backslashreplace")
    opened = _path_to_open(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args([] if opened else arguments)
    options.opened = opened
    if int(os.environ.get("WORLD_SIZE") or 1) > 1 and options.command not in TOGETHER and "RANK" in os.environ:
        return _fail("Several processes can share pretrain and resume only. Start it without torchrun.", 2)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return _fail("Interrupted.", 130)
    except BrokenPipeError:  # the reader of our output has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except StudioError as error:
        return _fail(str(error), 2 if isinstance(error, InputError) else 1)
    except Exception as error:
        return _fail_with_trace(error)


def _begin_with_utf8() -> None:
    """Begin again with UTF-8 for names of files where the locale is of another encoding (LANG=de_DE.ISO-8859-1). Qt
    writes them as UTF-8 whatever the locale says: a file that one of the two has named the other would not find."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"  # of all processes that are started from here
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _console_encoding(stream: io.TextIOWrapper) -> str:
    """What text is written in: a terminal of another encoding keeps its own; what programs read, JSON, is UTF-8."""
    own = locale.getencoding()
    other = sys.platform != "win32" and stream.isatty() and own not in ("ANSI_X3.4-1968", "US-ASCII")
    return own if other else stream.encoding


def _path_to_open(arguments: Sequence[str]) -> Path | None:
    """The folder to open the window on, where the only word is a folder, a file in a project, or a picture's; what a
    double-click on a project gives. A command of that name goes before."""
    if len(arguments) != 1 or arguments[0] in {one.name for one in COMMANDS} or arguments[0].startswith("-"):
        return None
    path = Path(arguments[0])
    if path.is_dir():
        return path
    return path.parent if path.is_file() else None


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"sslstudio: {neutral(message)}\n")
    return code


def _fail_with_trace(error: Exception) -> int:
    """One sentence; the trace is in the log, and on the screen where there is none."""
    known, log = explain(error), keep_trace(error)
    if log is None:
        sys.stderr.write(neutral("".join(traceback.format_exception(error))))
    where = f" Where it happened is in {log}." if log else ""
    said = str(known) if known else f"{BUG} {type(error).__name__}: {str(error)[:200]}."
    return _fail(f"{said}{where}", 1)


def _run(options: argparse.Namespace) -> int:
    begin(options.command or "window")
    if options.command is None:
        return _open_window(options.opened)
    commands = {one.name: one.run for one in (*COMMANDS, train.WORK)}
    return commands[options.command](options)


def _open_window(folder: Path | None) -> int:
    """The window; returns the exit code. What keeps it from opening is told in a dialog: whoever has clicked on an icon
    sees no console. Raises StudioError where there is no screen."""
    try:
        from sslstudio.ui.shell.app import run

        return int(run(folder) or 0)
    except StudioError:
        raise
    except Exception as error:
        from sslstudio.cli.crash import tell_crash

        tell_crash(error, dialog=True)
        return 1


class _Parser(argparse.ArgumentParser):
    """argparse, with one sentence instead of the usage when something is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"sslstudio: {neutral(message)}. See: {self.prog} --help\n")


class _CommandParser(_Parser):
    """The parser of one command, which gets its flags once the command is typed: they come from the engine's configs,
    which take a second to load."""

    entry: Entry | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As usual, the flags added first."""
        if self.entry is not None:
            entry, self.entry = self.entry, None
            entry.add_flags(self)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = _Parser(
        prog="sslstudio",
        description="Learn from pictures without labels, then from a few labels, and see what it was worth. "
        "Without a command the window opens.",
    )
    top.add_argument("--version", action="version", version=f"sslstudio {__version__}")
    top.add_argument(
        "--self-test", dest="command", action="store_const", const="self-test", help="the command self-test, as a flag"
    )
    top.set_defaults(json=False, window=False, device="")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_CommandParser)
    for entry in COMMANDS:
        commands.add_parser(entry.name, help=entry.about, description=entry.about).entry = entry
    commands.add_parser(train.WORK.name).entry = train.WORK  # not listed: what the program starts as a child
    return top
