"""Collects the texts of window and engine into resources/translations/*.po and reports how much is translated.

    python packaging/translations.py          # new texts are added empty, those that are gone are taken out
    python packaging/translations.py fr       # begins a catalogue for another language
    python packaging/translations.py --check  # writes nothing

A text is declared: the argument of `tr` in the window; anywhere the template of a `Message` or of an error for people,
and the title, help and choices of an `option`. Nothing else is looked at, and where a text stands does not matter.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sslstudio.engine.core import errors  # noqa: E402
from sslstudio.engine.core.messages import has_words  # noqa: E402

CATALOGUES = ROOT / "resources" / "translations"
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}


@dataclass
class Texts:
    """Sources in the order of the files, with the files that they stand in."""

    files: dict[str, list[str]] = field(default_factory=dict)

    def add(self, source: str, file: str) -> None:
        """Note a source; the same one may stand in several files."""
        held = self.files.setdefault(source, [])
        if file not in held:
            held.append(file)

    def of(self, part: str) -> list[str]:
        """The sources of one part of the package: ui or engine."""
        return [source for source, files in self.files.items() if files[0].startswith(f"sslstudio/{part}/")]


def texts_in(tree: ast.AST) -> Iterator[str]:
    """Every text that a module declares. Raises ValueError for one that is put together: nobody could translate it."""
    kinds = ERRORS | {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and _is_error(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in {"tr", "Message"} and not _hands_on(node.args[0]):
                yield _constant(node.args[0], called)
            elif called in kinds and node.args:
                yield from _declared(node.args[0], called)
            elif called == "option":
                yield from _option(node)


def _is_error(node: ast.ClassDef) -> bool:
    return any(getattr(base, "id", "") in ERRORS for base in node.bases)


def _hands_on(said: ast.expr) -> bool:
    """Whether a template that was declared elsewhere is handed on, as `as_message` and the errors do."""
    return isinstance(said, ast.Name) and said.id == "template"


def _constant(said: ast.expr, called: str) -> str:
    if not isinstance(said, ast.Constant) or not isinstance(said.value, str):
        raise ValueError(f"line {said.lineno}: {called} takes a text that stands there, not {ast.unparse(said)}")
    return said.value


def _declared(said: ast.expr, called: str) -> Iterator[str]:
    """The template of an error; none where it is given a message that was declared elsewhere."""
    if isinstance(said, (ast.Constant, ast.JoinedStr, ast.BinOp)):
        yield _constant(said, called)


def _option(node: ast.Call) -> Iterator[str]:
    """Title and help; the choices as the form writes them."""
    for said in node.args[1:3]:
        if isinstance(said, ast.Constant) and said.value:
            yield str(said.value)
    for given in node.keywords:
        if given.arg in {"title", "help"} and isinstance(given.value, ast.Constant):
            yield str(given.value.value)
        for one in ast.walk(given.value) if given.arg == "choices" else ():
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isalpha():
                yield one.value.capitalize()


def collect() -> Texts:
    """All texts of the package: the window's first."""
    texts = Texts()
    files = sorted((ROOT / "sslstudio").rglob("*.py"), key=lambda file: ("ui" not in file.parts, file))
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        try:
            for source in texts_in(ast.parse(file.read_text(encoding="utf-8"))):
                if has_words(source) or "/ui/" in name:
                    texts.add(source, name)
        except ValueError as error:
            raise ValueError(f"{name}, {error}") from error
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
                occurrences=[(file, "") for file in files],
                flags=[flag for flag in (had.flags if had else []) if flag == "fuzzy"],
            )
        )
    return new


def coverage(catalogue: polib.POFile, texts: Texts) -> str:
    """'ui 620 of 620, engine 900 of 900'."""
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
