"""No command asks anything of the network, nor leaves files with the user that are not the program's own.

Watched are four things: what Python code asks of the network, by an audit hook; what code of any language asks of it,
by the counters of a network namespace without a way out, where this system allows one; every file that Python code of
any process writes (tests/support/watched.py); and new files in a home that is empty at first. A library that reports to
its maker keeps what it is to report in files, so the files tell also where there is no namespace. Not seen by the quick
tests: code that waits longer than its process lives and keeps no files; what native code writes outside of the home; in
a namespace, connections over IPv6 (refused before they are counted). The slow tests see these by strace, where it is.
"""

import argparse
import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import sslstudio
from sslstudio.cli.main import parser
from sslstudio.engine.export import use_it
from tests.support import offline_child, watched

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the home and the network's counters are Linux's")

# The program's own, and what matplotlib and fontconfig note of the fonts that are installed.
OURS = (
    ".cache/SSLStudio",
    ".local/share/SSLStudio",
    ".local/state/SSLStudio",
    ".cache/matplotlib",
    ".config/matplotlib",
    ".cache/fontconfig",
)
ROOT = Path(sslstudio.__file__).parent.parent
COUNTED = {"Ip": ("OutRequests", "OutNoRoutes"), "Tcp": ("ActiveOpens",), "Udp": ("OutDatagrams",)}
COUNTERS = "/proc/net/snmp"
# The last line reads what native code did up to the end of the process.
SHELL = f'"$@"; code=$?; cat {COUNTERS} >"$OFFLINE_COUNTERS"; exit $code'

SET_BY_OTHERS = ("ORT_DISABLE_TELEMETRY", "TORCHINDUCTOR_CACHE_DIR")  # by the program and torch in this process

CPU = ["--device", "cpu"]
SMALL = ["--side", "32", *CPU, "--encoder", "small"]
SHORT = ["--epochs", "1", "--set", "optimiser.batch_size=8", "--json"]


def quick_commands(folder: Path) -> list[list[str]]:
    """Each in under two seconds, in an order in which one finds what it needs."""
    pictures, pretrained, tuned = (str(folder / name) for name in ("pictures", "pretrained", "tuned"))
    order = folder / "order.json"
    config = {"job": "pretrain", "out": str(folder / "ordered"), "task": "rotation", "budget": {"epochs": 1},
              "data": {"folder": pictures, "side": 32}, "hardware": {"device": "cpu"}}  # fmt: skip
    order.write_text(json.dumps({"run": config["out"], "processes": 1, "config": config}))
    bench = ["--rounds", "1", "--task", "rotation", "--set", "optimiser.batch_size=4", "--set", "hardware.autotune=off"]
    return [
        ["sample", pictures, "--count", "24"],
        ["index", pictures, "--side", "32"],
        ["tasks"],
        ["doctor"],
        ["preview", pictures, "--task", "rotation", "--side", "32", "--count", "2", "--out", str(folder / "p.png")],
        ["pretrain", pictures, "--task", "rotation", "--out", pretrained, *SMALL, *SHORT],
        ["finetune", pictures, "--from", pretrained, "--out", tuned, "--labels-per-class", "2", *CPU, *SHORT],
        ["resume", tuned],
        ["work", str(order)],
        ["runs", str(folder)],
        ["evaluate", tuned, pictures, *CPU],
        ["predict", tuned, pictures, "--out", str(folder / "answers"), *CPU],
        ["labels", pictures, "--out", str(folder / "labels"), "--format", "yolo"],
        ["export", tuned, "--out", str(folder / "exported")],
        ["report", tuned, "--out", str(folder / "report.html")],
        ["gif", pretrained, "--out", str(folder / "film.gif")],
        ["clinic", pictures, "--task", "rotation", "--side", "32"],
        ["audit", pretrained, *CPU],
        ["suggest", pictures, "--count", "3", *CPU],
        ["bench", pictures, *SMALL, *bench],
        ["compare", pictures, "--out", str(folder / "compared"), "--labels", "2", "--seeds", "1", "--steps", "1",
         *SMALL],
        ["self-test", "--window"],
    ]  # fmt: skip


def slow_commands(folder: Path) -> list[list[str]]:
    """Those that take ten seconds and more, and what they need."""
    pictures = str(folder / "pictures")
    draws = ["--minutes", "0.2", "--set", "probe.draws=4", "--set", "optimiser.batch_size=8"]
    return [
        ["sample", pictures, "--count", "24"],
        ["tournament", pictures, "--out", str(folder / "won"), "--tasks", "rotation,jigsaw", *SMALL, *draws],
        ["self-test"],
        ["doctor", "--try"],
        ["demo", "--minutes", "0.1"],
    ]


@cache
def alone() -> tuple[str, ...]:
    """What runs a command in a network namespace of its own; nothing where the system does not allow it."""
    command = ("unshare", "--user", "--map-root-user", "--net")
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        return ()
    return command


def sent(counters: str) -> dict[str, int]:
    """What was sent, or would have been if there were a way."""
    rows = [line.split() for line in counters.splitlines()]
    found: dict[str, int] = {}
    for head, values in zip(rows[::2], rows[1::2], strict=True):
        row = dict(zip(head, values, strict=True))
        found |= {f"{head[0]} {name}": int(row[name]) for name in COUNTED.get(head[0].rstrip(":"), ())}
    return {name: count for name, count in found.items() if count}


def in_child(folder: Path, program: list[str], patience: float = 250.0) -> dict[str, int]:
    """Run a program with a new home in `folder` and without a network; returns what it sent, as far as it is known."""
    home, counters = folder / "home", folder / "counters"
    home.mkdir(exist_ok=True)
    left_out = (
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "SSLSTUDIO_CACHE",
        "SSLSTUDIO_HOME",
        "MPLCONFIGDIR",
    )
    kept = {name: value for name, value in os.environ.items() if name not in (*left_out, *SET_BY_OTHERS)}
    kept = {name: value for name, value in kept.items() if not name.startswith("SSLSTUDIO_LOG")}
    seen = watched.environment(folder)
    paths = os.pathsep.join([seen["WATCHED_SITE"], str(ROOT), kept.get("PYTHONPATH", "")])
    (folder / "tmp").mkdir(exist_ok=True)
    own = {
        **seen,
        "TMPDIR": str(folder / "tmp"),
        "HOME": str(home),
        "PYTHONPATH": paths,
        "OFFLINE_COUNTERS": str(counters),
        "QT_QPA_PLATFORM": "offscreen",
    }
    with subprocess.Popen(
        [*alone(), "sh", "-c", SHELL, "sh", *program], env={**kept, **own}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what the shell has started
            raise
    assert process.returncode == 0, said[-4000:]
    return sent(counters.read_text()) if alone() else {}


def strangers(home: Path) -> set[str]:
    """Files at home that are not the program's own."""
    return {one for one in offline_child.files_below(str(home)) if not one.startswith(OURS)}


def check(folder: Path, commands: list[list[str]], refused: tuple[str, ...] = (), patience: float = 250.0) -> None:
    """Run them and look at all that is watched; those that are refused end with code 2."""
    (folder / "commands.json").write_text(json.dumps(commands))
    program = [sys.executable, offline_child.__file__, str(folder / "commands.json"), str(folder / "result.json")]
    went_out = in_child(folder, program, patience)
    told = json.loads((folder / "result.json").read_text())
    assert [one["command"] for one in told] == [command[0] for command in commands]
    assert {one["command"]: one["code"] for one in told if one["code"]} == dict.fromkeys(refused, 2)
    assert {one["command"]: one["asked"] for one in told if one["asked"]} == {}
    foreign = {one["command"]: [new for new in one["new"] if not new.startswith(OURS)] for one in told}
    assert {command: new for command, new in foreign.items() if new} == {}
    assert len({one["pictures"] for one in told}) == 1  # which the first command has made
    assert strangers(folder / "home") == set()
    assert watched.foreign(folder) == []
    assert sorted(one.name for one in (folder / "tmp").glob("sslstudio-*")) == []
    assert went_out == {}


def test_no_command_calls_anybody_or_leaves_files_with_the_user(tmp_path: Path) -> None:
    check(tmp_path, quick_commands(tmp_path), refused=("resume",))  # for the run is finished


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nor_do_the_long_ones(tmp_path: Path) -> None:
    check(tmp_path, slow_commands(tmp_path), patience=850.0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nor_does_the_window_in_a_whole_job(tmp_path: Path) -> None:
    """Pictures, labels, a training in a process of its own, all pages."""
    job = [sys.executable, "-m", "tests.support.window_job", str(tmp_path), str(tmp_path / "pictures")]
    in_child(tmp_path, [sys.executable, "-m", "sslstudio", "sample", str(tmp_path / "pictures"), "--count", "24"])
    before = offline_child.state_of(str(tmp_path / "pictures"))
    assert in_child(tmp_path, job) == {}
    kept = ("Projects/", "Labels/", "runs/", "queue")  # the home of runs, which the job has here
    assert {one for one in strangers(tmp_path / "home") if not one.startswith(kept)} == set()
    assert watched.foreign(tmp_path) == []
    assert offline_child.state_of(str(tmp_path / "pictures")) == before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nor_does_native_code(tmp_path: Path) -> None:
    """What any code asks of the system: a training and a prediction under strace."""
    (tmp_path / "commands.json").write_text(json.dumps(quick_commands(tmp_path)[:10]))
    trace = tmp_path / "trace"
    calls = "connect,bind,sendto,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat"
    program = [sys.executable, offline_child.__file__, str(tmp_path / "commands.json"), str(tmp_path / "result.json")]
    traced = ["strace", "-f", "-qq", "--seccomp-bpf", "-y", "-z", "-s", "4096", "-e", f"trace={calls}", "-o"]
    in_child(tmp_path, [*traced, str(trace), *program], 500.0)
    strange = [line for line in trace.read_text(errors="replace").splitlines() if is_strange(line, tmp_path)]
    assert strange == []


def is_strange(line: str, folder: Path) -> bool:
    """Whether a call that went well reaches beyond this machine, or changes something outside the folder."""
    call = re.match(r"\d+\s+(\w+)\((.*)", line)
    if call is None or line.endswith("<unfinished ...>"):
        return False
    name, rest = call.groups()
    if name in ("connect", "bind", "sendto"):
        return bool(re.search(r"sa_family=AF_INET6?,", rest)) and not re.search(r'"(127\.|::1)', rest)
    if name.startswith("open") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", rest):
        return False
    paths = [one for one in re.findall(r'"([^"]*)"', rest) if one.startswith("/")]
    return any(not one.startswith((f"{folder}/", "/dev/", "/proc/")) for one in paths)


def test_the_watching_sees_a_file_and_a_call(tmp_path: Path) -> None:
    """Else what is written above would hold of anything; also in a child of a child."""
    outside = tmp_path / "outside"
    outside.mkdir()
    inner = f"import pathlib\npathlib.Path({str(outside / 'written')!r}).write_text('')"
    text = (
        f"import socket, subprocess, sys, pathlib\nsubprocess.run([sys.executable, '-c', {inner!r}], check=True)\n"
        f"pathlib.Path({str(tmp_path / 'in' / 'ours')!r}).write_text('')\n"
        "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "one.bind(('127.0.0.1', 0))\n"
        "try:\n    one.connect(('192.0.2.1', 80))\nexcept OSError:\n    pass"
    )
    (tmp_path / "in").mkdir()
    in_child(tmp_path / "in", [sys.executable, "-c", text])
    found = watched.foreign(tmp_path / "in")
    assert [one.rpartition(" (")[0] for one in found] == [
        f"open {outside / 'written'}", "socket.connect net ('192.0.2.1', 80)"
    ]  # fmt: skip
    assert is_strange('7 openat(AT_FDCWD</x>, "/home/me/a", O_WRONLY|O_CREAT, 0666) = 3', tmp_path)
    assert is_strange('7 connect(3, {sa_family=AF_INET, sin_port=htons(80), inet_addr("192.0.2.1")}, 16) = 0', tmp_path)
    assert not is_strange(f'7 openat(AT_FDCWD</x>, "{tmp_path}/a", O_WRONLY|O_CREAT, 0666) = 3', tmp_path)
    assert not is_strange('7 openat(AT_FDCWD</x>, "/etc/passwd", O_RDONLY) = 3', tmp_path)


def test_every_command_is_among_them(tmp_path: Path) -> None:
    groups = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    known = {name for group in groups for name in group.choices}
    assert known == {command[0] for command in quick_commands(tmp_path) + slow_commands(tmp_path)}


def test_the_exported_snippet_calls_nobody_either(tmp_path: Path) -> None:
    """As it is run by those who have the export only: here without a file, up to where the library is loaded."""
    snippet = use_it.__file__
    text = (
        f"import runpy, pathlib\nalone = runpy.run_path({snippet!r})\n"
        "try:\n    alone['ask_onnx'](pathlib.Path('none.onnx'), None)\nexcept Exception as error:\n"
        "    assert 'none.onnx' in str(error), error\nelse:\n    raise SystemExit('it was asked for nothing')"
    )
    assert in_child(tmp_path, [sys.executable, "-c", text]) == {}
    assert strangers(tmp_path / "home") == set()


def test_the_watching_sees_a_call() -> None:
    """Else what is written above would hold of anything."""
    if not alone():
        pytest.skip("this system allows no network namespace")
    text = "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError:\n    pass\n"
    shell = [*alone(), "sh", "-c", f'{sys.executable} -c "$1"; cat {COUNTERS}', "sh", text]
    done = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert sent(done.stdout)


def loads_onnxruntime(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(name.name.partition(".")[0] == "onnxruntime" for name in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "onnxruntime"


def test_onnxruntime_is_loaded_in_one_place_only() -> None:
    """Where it is told to be silent first."""
    root = Path(sslstudio.__file__).parent
    found = [
        file.name for file in sorted(root.rglob("*.py")) for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if loads_onnxruntime(node)
    ]  # fmt: skip
    assert found == [Path(use_it.__file__).name]


def test_the_built_program_is_silent_from_its_first_lines() -> None:
    """Its first file is run as the main one; here with a program in the place of the command line's."""
    entry = Path(sslstudio.__file__).parent.parent / "packaging" / "entry.py"
    text = (
        "import os, runpy, sys, types\nfound = types.ModuleType('sslstudio.cli.main')\n"
        "found.main = lambda: int(os.environ.get('ORT_DISABLE_TELEMETRY') != '1')\n"
        "sys.modules['sslstudio.cli.main'] = found\n"
        f"runpy.run_path({str(entry)!r}, run_name='__main__')"
    )
    kept = {name: value for name, value in os.environ.items() if name not in SET_BY_OTHERS}
    assert subprocess.run([sys.executable, "-c", text], env=kept).returncode == 0
