"""Collects the texts that the window shows into resources/translations/*.po and reports how much is translated.

    python packaging/translations.py          # new texts are added empty, those that are gone are taken out
    python packaging/translations.py fr       # begins a catalogue for another language
    python packaging/translations.py --check  # writes nothing

The window's texts are the arguments of `tr`; the engine's are its options, its tasks' words and its sentences. An
f-string becomes a text with numbered places: f"No {kind} in {folder}." is 'No {0} in {1}.'
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "resources" / "translations"
# Pages, films and sheets that are written to disk are records, and records are in English.
RECORDS = (
    "report_",
    "film.py",
    "_sheet.py",
    "bug_report.py",
    "doctor.py",
    "licences.py",
    "_csv.py",
    "load_exported.py",
)
NAMED = {"title", "summary", "helps", "fails", "label_from", "stage", "text", "help", "note", "told", "heading"}
NOT_FOR_PEOPLE = {
    "execute",
    "executemany",
    "strftime",
    "AssertionError",
    "TypeError",
    "NotImplementedError",
    "compile",
    "getLogger",
    "filterwarnings",
}


@dataclass
class Texts:
    """Sources in the order of the files, with the files they stand in and what their places hold."""

    files: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def add(self, source: str, file: str, places: str = "") -> None:
        """Note a source; the same one may stand in several files."""
        held = self.files.setdefault(source, [])
        if file not in held:
            held.append(file)
        if places:
            self.places[source] = places

    def of(self, part: str) -> list[str]:
        """The sources of one part of the package: ui or engine."""
        return [source for source, files in self.files.items() if files[0].startswith(f"sslstudio/{part}/")]


def texts_of_window(tree: ast.AST) -> Iterator[str]:
    """The arguments of `tr`. Raises ValueError for one that is no constant: nobody could translate it."""
    for node in ast.walk(tree):
        called = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if called == "tr" and isinstance(node, ast.Call):
            (said,) = node.args
            if not isinstance(said, ast.Constant) or not isinstance(said.value, str):
                raise ValueError(f"line {node.lineno}: tr takes a text that stands there, not {ast.unparse(said)}")
            yield said.value


class Engine(ast.NodeVisitor):
    """Walks a module of the engine and keeps what looks like a text for people, with what its places hold."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for one in (*node.args.defaults, *node.body):  # annotations are no texts
            self.visit(one)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in NOT_FOR_PEOPLE:
            return
        if called == "option":
            for said in node.args[1:3]:
                self._keep(said, always=True)
            for given in node.keywords:
                self._choices(given)
        if (
            isinstance(node.func, ast.Name) and called == "count" and isinstance(node.args[-1], ast.Constant)
        ):  # count(3, "picture") -> '3 pictures'
            noun = str(node.args[-1].value)
            self.found.setdefault(noun, "")
            self.found.setdefault(f"{noun}s", "")
        for given in node.keywords:
            if given.arg in NAMED:
                self._keep(given.value, always=True)
        self.generic_visit(node)

    def _choices(self, given: ast.keyword) -> None:
        """The choices of an option, as the form writes them."""
        for one in ast.walk(given.value) if given.arg == "choices" else ():
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isalpha():
                self.found.setdefault(one.value.capitalize(), "")

    def visit_Assign(self, node: ast.Assign) -> None:
        names = {one.id for one in node.targets if isinstance(one, ast.Name)}
        if names & NAMED:
            self._keep(node.value, always=True)
        if not names & {"paper", "query", "_TABLE", "OUT_OF_MEMORY"}:
            self.visit(node.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):  # {"Labelled pictures": ...}: facts of a run
            named = key.value if isinstance(key, ast.Constant) else None
            if key is not None and isinstance(named, str) and named[:1].isupper() and not named.isupper():
                self._keep(key, always=True)
            self.visit(value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            if isinstance(node.target, ast.Name) and node.target.id in NAMED:
                self._keep(node.value, always=True)
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        self._keep(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._compound(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._compound(node)

    def _compound(self, node: ast.JoinedStr | ast.BinOp) -> None:
        self._keep(node)
        for part in _pieces(node):
            if not isinstance(part, str):
                self.visit(part)

    def _keep(self, node: ast.expr, always: bool = False) -> None:
        pieces = _pieces(node)
        literal = "".join(one for one in pieces if isinstance(one, str))
        letters = sum(sign.isalpha() for sign in literal)
        spaced = " " in (literal if len(pieces) > 1 else literal.strip()) and not literal.isupper()
        if letters < (2 if always else 3) or not (always or spaced) or "</" in literal or "://" in literal:
            return
        numbers = iter(range(len(pieces)))
        places = [ast.unparse(one) for one in pieces if not isinstance(one, str)]
        if not places:
            self.found.setdefault(literal, "")
            return
        source = "".join(_doubled(one) if isinstance(one, str) else f"{{{next(numbers)}}}" for one in pieces)
        self.found[source] = ", ".join(f"{{{at}}} = {one}" for at, one in enumerate(places))


def _doubled(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")


def _pieces(node: ast.expr) -> list[str | ast.expr]:
    """A text as what is written and what is put in; [] for what is no text."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return [piece for one in node.values for piece in _pieces(one)]
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_pieces(node.left) or [node.left], _pieces(node.right) or [node.right]]
        return [piece for side in sides for piece in side]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    return []


def collect() -> Texts:
    """All texts of the package: the window's first."""
    texts = Texts()
    for file in sorted((ROOT / "sslstudio" / "ui").rglob("*.py")):
        for source in texts_of_window(ast.parse(file.read_text(encoding="utf-8"))):
            texts.add(source, file.relative_to(ROOT).as_posix())
    calls = sorted((ROOT / "sslstudio" / "ui").glob("*_calls.py"))  # they speak as the engine does
    for file in [*calls, *sorted((ROOT / "sslstudio" / "engine").rglob("*.py"))]:
        if not any(name in file.name for name in RECORDS):
            engine = Engine()
            engine.visit(ast.parse(file.read_text(encoding="utf-8")))
            for source, places in engine.found.items():
                texts.add(source, file.relative_to(ROOT).as_posix(), places)
    return texts


def updated(old: polib.POFile, texts: Texts, code: str) -> polib.POFile:
    """A catalogue of these texts with the translations that the old one has."""
    known = {one.msgid: one for one in old}
    new = polib.POFile(wrapwidth=110)
    new.metadata = {"Project-Id-Version": "SSL Studio", "Language": code, "MIME-Version": "1.0",
                    "Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "8bit"}  # fmt: skip
    for source, files in texts.files.items():
        had = known.get(source)
        new.append(
            polib.POEntry(
                msgid=source,
                msgstr=had.msgstr if had else "",
                tcomment=had.tcomment if had else "",
                comment=texts.places.get(source, ""),
                occurrences=[(file, "") for file in files],
                flags=[flag for flag in (had.flags if had else []) if flag == "fuzzy"],
            )
        )
    return new


def coverage(catalogue: polib.POFile, texts: Texts) -> str:
    """'ui 620 of 620, engine 400 of 900'."""
    done = {one.msgid for one in catalogue.translated_entries()}
    parts = {part: texts.of(part) for part in ("ui", "engine")}
    return ", ".join(f"{part} {len(done.intersection(all_))} of {len(all_)}" for part, all_ in parts.items())


def main(arguments: list[str]) -> None:
    """Bring every catalogue up to date."""
    texts = collect()
    for code in (one for one in arguments if not one.startswith("-")):
        CATALOGUES.joinpath(f"{code}.po").touch()
    for file in sorted(CATALOGUES.glob("*.po")):
        new = updated(polib.pofile(str(file)), texts, file.stem)
        if "--check" not in arguments:
            new.save(str(file))
        print(f"{file.stem}: {coverage(new, texts)}")


if __name__ == "__main__":
    main(sys.argv[1:])
