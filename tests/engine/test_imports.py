"""What loads what: the window opens before torch is there, the engine runs without Qt, imports go one way; and no
module is so long that it must do two things."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sslstudio

PACKAGE = Path(sslstudio.__file__).parent
TASKS = "sslstudio.engine.tasks"
MOST_LINES = 300  # of a module


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def loaded_by(*modules: str) -> set[str]:
    """The top-level names in sys.modules (and ours in full) after importing these in a fresh interpreter."""
    code = f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    names = set(done.stdout.split())
    return {name for name in names if name.startswith("sslstudio")} | {name.partition(".")[0] for name in names}


def test_the_engine_never_loads_qt_or_the_window() -> None:
    engine = [name for name in MODULES if name.startswith("sslstudio.engine")]
    assert len(engine) > 40
    loaded = loaded_by(*engine)
    assert "torch" in loaded
    assert not loaded & {"PySide6", "shiboken6", "pyqtgraph", "sslstudio.ui", "sslstudio.cli", "sslstudio.commands"}


@pytest.mark.parametrize("module", ["sslstudio", "sslstudio.cli"])
def test_the_package_loads_neither_torch_nor_qt(module: str) -> None:
    assert not loaded_by(module) & {"torch", "torchvision", "PySide6", "pyqtgraph", "numpy", "sslstudio.ui"}


def test_looking_at_a_folder_needs_no_torch() -> None:
    """The first page of the window scans and decodes."""
    light = [f"sslstudio.engine.{name}" for name in ("data.index", "data.decode", "data.cache", "events", "config")]
    loaded = loaded_by(*light)
    assert set(light) <= loaded
    assert not loaded & {"torch", "torchvision", "sklearn"}


# Lower layers first: a module may import from its own layer's packages and from those below it.
# What stands in the base holds no engine part; runs may know what a puzzle is, evaluate what a run folder is.
BASE = (
    "errors",
    "registry",
    "config",
    "events",
    "control",
    "memory",
    "constants",
    "collector",
    "device",
    "distributed",
    "seeding",
    "files",
    "durations",
    "messages",
)
LAYERS: dict[str, tuple[str, ...]] = {
    "base": ("base",),
    "data": ("base", "data"),
    "models": ("base", "data", "models"),
    "tasks": ("base", "data", "models", "tasks"),
    "runs": ("base", "data", "models", "tasks.base", "runs"),
    "about": ("base", "data", "models", "tasks.base", "runs", "about"),
    "evaluate": ("base", "data", "models", "tasks", "runs", "evaluate"),
    "train": ("base", "data", "models", "tasks", "runs", "evaluate", "train"),
}


def layer_of(module: str) -> str:
    """The layer of a module of the engine, 'tasks.base' for the contract of the tasks, '' outside the engine."""
    parts = module.split(".")
    if parts[:2] != ["sslstudio", "engine"] or len(parts) < 3:
        return ""
    if parts[2] in BASE:
        return "base"
    return "tasks.base" if module == f"{TASKS}.base" else parts[2]


def imports_of(source: str) -> list[str]:
    """Modules of this program that a source imports anywhere, also inside functions."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            # `from package import module` imports the module; of anything else only the module itself counts.
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name if name in MODULES else str(node.module) for name in inner]
    return [name for name in found if name.split(".")[0] == "sslstudio"]


def wrong_imports(module: str, source: str) -> list[str]:
    """The imports of a module of the engine that go against the direction."""
    layer = layer_of(module)
    allowed = LAYERS["tasks" if layer == "tasks.base" else layer]
    wrong = []
    for other in imports_of(source):
        if other == "sslstudio":  # its version
            continue
        below = layer_of(other)
        fits = below in allowed or (below == "tasks.base" and "tasks" in allowed)
        between_tasks = layer.startswith("tasks") and below == "tasks" and other != TASKS
        if not fits or between_tasks:
            wrong.append(f"{module} imports {other}")
    return wrong


@pytest.mark.parametrize("module", [name for name in MODULES if layer_of(name)])
def test_imports_go_one_way(module: str) -> None:
    assert not wrong_imports(module, MODULES[module].read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("sslstudio.engine.data.loader", "from sslstudio.engine.train.plan import Plan"),
        ("sslstudio.engine.data.loader", "from sslstudio.engine.tasks.base import Batch"),
        ("sslstudio.engine.data.loader", "from sslstudio.engine import runs"),
        ("sslstudio.engine.tasks.jigsaw", "from sslstudio.engine.tasks.context_prediction import Config"),
        ("sslstudio.engine.tasks.jigsaw", "from sslstudio.engine.tasks import context_prediction"),
        ("sslstudio.engine.tasks.base", "import sslstudio.engine.tasks.jigsaw"),
        ("sslstudio.engine.evaluate.scores", "def f():\n    from sslstudio.engine.train.plan import Plan"),
        ("sslstudio.engine.runs.store", "from sslstudio.engine.tasks.jigsaw import Jigsaw"),
        ("sslstudio.engine.runs.store", "from sslstudio.engine.evaluate.scores import score"),
        ("sslstudio.engine.events", "from sslstudio.engine.data.index import scan"),
        ("sslstudio.engine.train.loop", "from sslstudio.ui.words import tr"),
        ("sslstudio.engine.train.loop", "from sslstudio import cli"),
    ],
)
def test_an_import_the_wrong_way_is_found(module: str, line: str) -> None:
    assert wrong_imports(module, line)


def module_level(source: str) -> list[str]:
    """The imports that run when the module is loaded."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return imports_of(ast.unparse(tree))


@pytest.mark.parametrize(
    "module", [name for name in MODULES if not name.startswith(("sslstudio.ui", "sslstudio.engine"))]
)
def test_only_a_command_that_asks_for_it_loads_the_window(module: str) -> None:
    assert not [name for name in module_level(MODULES[module].read_text("utf-8")) if name.startswith("sslstudio.ui")]


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("sslstudio.ui")])
def test_the_window_knows_the_engine_and_not_the_command_line(module: str) -> None:
    known = ("sslstudio.ui", "sslstudio.engine")
    others = [name for name in imports_of(MODULES[module].read_text("utf-8")) if not name.startswith(known)]
    assert set(others) <= {"sslstudio"}  # its version


def test_no_module_imports_itself_in_a_ring() -> None:
    graph = {name: set(module_level(file.read_text("utf-8"))) & set(MODULES) for name, file in MODULES.items()}
    while leaves := {name for name, needs in graph.items() if not needs}:
        graph = {name: needs - leaves for name, needs in graph.items() if name not in leaves}
    assert not graph


def too_long(folder: Path) -> dict[str, int]:
    """The modules of a package that have more lines than one may have, with their number."""
    lines = {str(file.relative_to(folder)): len(file.read_text("utf-8").splitlines()) for file in folder.rglob("*.py")}
    return {name: count for name, count in lines.items() if count > MOST_LINES}


def test_no_module_is_too_long() -> None:
    assert not too_long(PACKAGE)


def test_a_module_that_is_too_long_is_found_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "deep" / "down" / "long.py").write_text("x = 1\n" * 301)
    (tmp_path / "fits.py").write_text("x = 1\n" * 300)
    assert too_long(tmp_path) == {str(Path("deep", "down", "long.py")): 301}
