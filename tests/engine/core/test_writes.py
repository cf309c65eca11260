"""Every module of the program writes through `engine/core/files/atomic_files.py`."""

import ast
import re
from pathlib import Path

import sslstudio

ROOT = Path(sslstudio.__file__).parent

# What opens, replaces or removes files by itself, and why it may.
REASONS = {
    "engine/core/files/atomic_files.py": "it is the one that does",
    "engine/core/files/leftovers.py": "removes what the one above has left half written",
    "engine/labels/editing/journal.py": "edits are in it before they count; tried by power cuts",
    "engine/labels/editing/start.py": "moves and empties a folder that is as the program began it, file by file",
    "engine/images/cache/reader.py": "asks whether a file could be written, and does not",
    "engine/images/cache/store.py": "slots of one large file and a table of SQLite",
    "engine/runs/writer_lock.py": "takes its own lock away; that it cannot be is no error of the run",
    "engine/runs/trash.py": "moves and removes whole runs that somebody has discarded",
    "engine/gpu_part/fetch.py": "fills, names and removes a folder that another program has written",
    "engine/gpu_part/place.py": "removes what was fetched, when it is switched off",
    "engine/sample/make.py": "the last step of a sample is a rename",
    "engine/labels/outlines/made_masks.py": "removes its own masks of earlier states from the cache",
    "engine/labels/formats/coco/labels.py": "removes its own masks of earlier states from the cache",
    "engine/launch/child_process.py": "what a child says, in a temporary folder of its own",
    "engine/launch/parent_watch.py": "opens the null device for a process that says nothing",
    "engine/core/mishaps.py": "the log, in which a fault of the one above may be written down",
    "engine/core/crash_trace.py": "the log that native code writes into, and the mark of an open window",
    "engine/runs/run_name.py": "a name that is taken away",
    "cli/selftest.py": "odd pictures, in a temporary folder",
    "cli/main.py": "what goes to a reader that has gone",
}  # fmt: skip

METHODS = {"write_text", "write_bytes", "touch", "unlink", "rmdir", "truncate", "ftruncate", "to_csv", "tofile",
           "savetxt", "save_file", "rmtree", "copyfile", "copytree", "copy2", "mkstemp", "mkdtemp",
           "TemporaryDirectory", "NamedTemporaryFile", "symlink_to", "hardlink_to"}  # fmt: skip
OF_OS = {"replace", "rename", "remove", "link", "symlink"}
MODE = re.compile("[rwaxbt+]{1,3}")
BUFFERS = {"content", "buffer"}  # names of what lies in memory


def writes(source: str) -> list[str]:
    """What in a module writes, as 'line: call'."""
    return [f"{node.lineno}: {ast.unparse(node)[:80]}" for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call) and is_write(node)]  # fmt: skip


def is_write(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "open":
        words = [*call.args, *(word.value for word in call.keywords)]
        modes = [one.value for one in words if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return owner == "os" or any(MODE.fullmatch(mode) and set("wax+") & set(mode) for mode in modes[-1:])
    if name == "rename" or (name == "replace" and len(call.args) == 1 and not call.keywords):
        return True
    if name == "save" and call.args and owner:
        return not any(isinstance(one, ast.Name) and one.id in BUFFERS for one in call.args)
    return name in METHODS or (owner == "os" and name in OF_OS)


def test_no_other_module_writes() -> None:
    found: dict[str, list[str]] = {}
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name not in REASONS and (lines := writes(file.read_text(encoding="utf-8"))):
            found[name] = lines
    assert not found, f"write these through engine/core/files/atomic_files.py: {found}"


def test_every_reason_is_needed() -> None:
    idle = [name for name in REASONS if not writes((ROOT / name).read_text(encoding="utf-8"))]
    assert not idle, f"they write nothing any more: {idle}"


def test_what_writes_is_found() -> None:
    for call in ("open('a', 'w')", "a.open('rb+')", "a.open(mode='ab')", "a.write_text('x')", "os.open(a, b)",
                 "image.save(file)", "a.replace(b)", "shutil.rmtree(a)", "save_file(a, b)", "a.rename(b)"):  # fmt: skip
        assert writes(call), call
    for call in ("open('b')", "a.open('rb')", "'a'.replace('b', 'c')", "painter.save()", "image.save(content, 'PNG')"):
        assert not writes(call), call
