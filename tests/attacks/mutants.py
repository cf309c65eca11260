"""Breaks the program on purpose, one small place at a time, and asks whether the tests notice.

python -m tests.attacks.mutants --n 120 --seed 1
python -m tests.attacks.mutants --n 10 --modules engine/dataset/split engine/core/messages --wide

A mutant is a module with one thing changed: a comparison, a number by one, `and` for `or`, a `not` more or less,
nothing returned, a statement dropped, two arguments swapped. The test files that mirror the module run on it, in a fork
of a process that has the libraries loaded, in a copy of the source. A mutant that they pass has survived: either the
tests have a gap there, or the change makes no difference to anybody. `--wide` runs the other tests of the engine that
import the module on survivors, too. Exits with 1 when one survived.
"""

import argparse
import ast
import difflib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

Fate = Literal["killed", "survived", "hung"]

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    "engine/training/checkpoint", "engine/dataset/split", "engine/labels/editing/journal",
    "engine/core/files/named_paths", "engine/core/files/atomic_files", "engine/core/files/checked_files",
    "engine/core/config", "engine/core/messages",
)  # fmt: skip
SECONDS = 120.0  # on the clock, for one mutant
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A change of a module: the bytes from `start` to `end` of its source become `put`."""

    module: str
    line: int
    what: str
    start: int
    end: int
    put: bytes

    def applied(self, source: bytes) -> bytes:
        """The source with the change."""
        return source[: self.start] + self.put + source[self.end :]

    def diff(self, source: bytes) -> str:
        """The change for people."""
        before, after = (one.decode().splitlines() for one in (source, self.applied(source)))
        lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
        return "\n".join([f"{self.module}.py:{self.line}  {self.what}", *(f"    {line}" for line in lines)])


def mutants_of(module: str, source: bytes) -> list[Mutant]:
    """All changes that can be made to a module."""
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    made = []
    for node, what, new in _changes(ast.parse(source)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        put = f"({ast.unparse(new)})" if isinstance(new, ast.expr) else ast.unparse(new)
        made.append(Mutant(module, node.lineno, what, start, end, put.encode()))
    return made


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str, ast.expr | ast.stmt]]:
    """Node, what is done to it, and what stands there then. Types, texts and what is set up in a class or at the top
    are left alone: they are no steps."""
    for node in _walk(tree):
        if isinstance(node, ast.expr):
            yield from ((node, what, new) for what, new in _of_expression(node))
        elif isinstance(node, ast.stmt):
            yield from ((node, what, new) for what, new in _of_statement(node))


def _walk(node: ast.AST, inside: bool = False) -> Iterator[ast.AST]:
    """The steps of functions."""
    if inside:
        yield node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        for one in [*node.args.defaults, *(each for each in node.args.kw_defaults if each), *body]:
            yield from _walk(one, True)
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "decorator_list", "returns", "bases") or isinstance(value, ast.JoinedStr):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST) and not isinstance(one, ast.JoinedStr):
                yield from _walk(one, inside)


def _of_expression(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield "another comparison", ast.Compare(node.left, [COMPARED[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and for or, or for and", ast.BoolOp(other, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "a 'not' less", node.operand
    elif isinstance(node, ast.IfExp):
        yield "a 'not' more", ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.BinOp) and type(node.op) in COUNTED and not _is_text(node):
        yield "another operator", ast.BinOp(node.left, COUNTED[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "true for false, false for true", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield "one more", ast.Constant(node.value + 1)
        yield "one less", ast.Constant(node.value - 1)
    elif isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args):
        swapped = [node.args[1], node.args[0], *node.args[2:]]
        yield "two arguments swapped", ast.Call(node.func, swapped, node.keywords)


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, (str, bytes)))
        for side in (node.left, node.right)
    )


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    if isinstance(node, ast.Return) and node.value is not None and not _is_nothing(node.value):
        yield "nothing returned", ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom)):
        yield "a statement dropped", ast.Expr(ast.Constant(None))
    elif isinstance(node, (ast.Raise, ast.AugAssign, ast.Delete)) or (
        isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name)
    ):
        yield "a statement dropped", ast.Pass()
    elif isinstance(node, ast.Continue):
        yield "break for continue", ast.Break()
    elif isinstance(node, ast.Break):
        yield "continue for break", ast.Continue()


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, False)


def chosen(modules: Sequence[str], n: int, seed: int, root: Path = ROOT) -> list[Mutant]:
    """`n` mutants, drawn with a seed, of each module as many as of any other; one a line at most."""
    random, found = Random(seed), []
    for number, module in enumerate(modules):
        by_line: dict[int, list[Mutant]] = {}
        for one in mutants_of(module, (root / "sslstudio" / f"{module}.py").read_bytes()):
            by_line.setdefault(one.line, []).append(one)
        share = n * (number + 1) // len(modules) - n * number // len(modules)
        lines = sorted(random.sample(sorted(by_line), min(share, len(by_line))))
        found += [random.choice(by_line[line]) for line in lines]
    return found


def mirrors_of(module: str, root: Path = ROOT) -> list[str]:
    """The test files that mirror a module."""
    place = root / "tests" / Path(module).parent
    return [str(file.relative_to(root)) for file in sorted(place.glob(f"test_{Path(module).name}*.py"))]


def others_with(module: str, root: Path = ROOT) -> list[str]:
    """The other test files of the engine that import a module."""
    package, _, name = ("sslstudio/" + module).replace("/", ".").rpartition(".")
    own = mirrors_of(module, root)
    found = []
    for file in sorted((root / "tests" / "engine").rglob("test_*.py")):
        text = file.read_text("utf-8")
        there = f"{package}.{name} import" in text or (f"from {package} import" in text and f" {name}" in text)
        if there and str(file.relative_to(root)) not in own:
            found.append(str(file.relative_to(root)))
    return found


class Copy:
    """The source in another folder, where it may be broken."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        for name in ("sslstudio", "tests", "packaging"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(ROOT / "pyproject.toml", folder)
        (folder / "resources").symlink_to(ROOT / "resources")

    def fate(self, mutant: Mutant | None, tests: Sequence[str]) -> Fate:
        """What the tests say of a mutant; without one, of the program as it is. A hang is noticed, too."""
        file = self.root / "sslstudio" / f"{mutant.module}.py" if mutant else None
        before = file.read_bytes() if file else b""
        try:
            if mutant and file:
                file.write_bytes(mutant.applied(before))
            return self._ask(tests)
        finally:
            if file:
                file.write_bytes(before)

    def _ask(self, tests: Sequence[str]) -> Fate:
        pid = os.fork()
        if pid == 0:  # never returns
            self._child(tests)
        until = time.monotonic() + SECONDS
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return "survived" if status == 0 else "killed"
            if time.monotonic() > until:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return "hung"
            time.sleep(0.01)

    def _child(self, tests: Sequence[str]) -> None:
        code = 3
        try:
            os.setpgid(0, 0)
            null = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(null, number)
            os.chdir(self.root)
            os.environ |= {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
            sys.dont_write_bytecode = True
            sys.path[:] = [str(self.root), *(one for one in sys.path if one and Path(one).resolve() != ROOT)]
            for name in [one for one in sys.modules if one.partition(".")[0] in ("sslstudio", "tests")]:
                del sys.modules[name]
            import pytest

            base = self.root / "temporary"
            options = ["-n", "0", "-q", "-x", "-p", "no:cacheprovider", "--basetemp", str(base)]
            code = int(pytest.main([*options, *tests]))
        finally:
            os._exit(code)


def attack(mutants: Sequence[Mutant], wide: bool = False) -> dict[Mutant, Fate]:
    """What became of each. Raises RuntimeError when the tests fail without any mutant."""
    import numpy  # noqa: F401  loaded once for all forks
    import pytest  # noqa: F401
    import torch  # noqa: F401

    fates: dict[Mutant, Fate] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder).resolve())
        for module in dict.fromkeys(one.module for one in mutants):
            tests, more = mirrors_of(module), others_with(module) if wide else []
            if not tests or copy.fate(None, tests) != "survived":
                raise RuntimeError(f"{module}: no test file mirrors it, or its tests fail as they are: {tests}")
            source = (copy.root / "sslstudio" / f"{module}.py").read_bytes()
            for one in (each for each in mutants if each.module == module):
                fates[one] = copy.fate(one, tests)
                if fates[one] == "survived" and more:
                    fates[one] = copy.fate(one, more)
                if fates[one] == "survived":
                    _tell(one.diff(source))
            own = [fate for one, fate in fates.items() if one.module == module]
            _tell(f"{module}: {len(own) - own.count('survived')} of {len(own)} killed")
    return fates


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=120, help="mutants, over all modules")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", nargs="+", default=list(MODULES), help="as engine/dataset/split")
    parser.add_argument("--wide", action="store_true", help="other tests that import the module count, too")
    options = parser.parse_args()
    fates = attack(chosen(options.modules, options.n, options.seed), options.wide)
    survived = list(fates.values()).count("survived")
    _tell(f"{len(fates)} mutants, {len(fates) - survived} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
