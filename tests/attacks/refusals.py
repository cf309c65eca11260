"""Lists the refusals of the engine whose words no test names.

python -m tests.attacks.refusals [--under engine/training]

A refusal is a `raise` with a template. It counts as tested when three of its words that follow one another, or all of a
shorter piece between two places, stand in a text of a test: seen by words, so that one that stands in two refusals
counts for both, and a test that runs into a refusal without naming it does not count. One that only says where another
refusal was met ("{file}, line {place}: {problem}") has no words to name, and is left out.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"\{[^{}]*(?:\([^()]*\))?[^{}]*\}")
NEEDED = 3  # words


@dataclass(frozen=True)
class Refusal:
    """Where something is refused, and in which words."""

    file: Path
    line: int
    template: str


def refusals(under: Path) -> Iterator[Refusal]:
    """Those that are raised with a template below a folder."""
    for file in sorted(under.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for text in ast.walk(node.exc):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str) and len(text.value.split()) > 2:
                        yield Refusal(file.relative_to(ROOT), node.lineno, text.value)
                        break


def texts_of_tests() -> str:
    """All texts in the tests, in one, without the signs of patterns."""
    found = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value.replace("\\", ""))
    return "\n".join(found)


def is_named(refusal: Refusal, texts: str) -> bool:
    """Whether a test names it."""
    return any(run in texts for run in words_of(refusal))


def words_of(refusal: Refusal) -> list[str]:
    """The words by which it can be named: none where it only says where another was met."""
    found = []
    for piece in PLACE.split(refusal.template):
        words = piece.strip(" .,:;'\"()").split()
        runs = [" ".join(words[at : at + NEEDED]) for at in range(max(1, len(words) - NEEDED + 1))]
        found += [run.strip(".,:;") for run in runs if len(run) > 8]
    return found


def unnamed(under: str = "engine") -> list[Refusal]:
    """Refusals that no test names, though they could be named."""
    texts = texts_of_tests()
    found = refusals(ROOT / "sslstudio" / under)
    return [one for one in found if words_of(one) and not is_named(one, texts)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--under", default="engine", help="a folder of the package, as engine/training")
    options = parser.parse_args()
    found, left = list(refusals(ROOT / "sslstudio" / options.under)), unnamed(options.under)
    for one in left:
        sys.stdout.write(f"{one.file}:{one.line}  {one.template[:110]}\n")
    sys.stdout.write(f"{len(found)} refusals, {len(left)} of them in no test\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
