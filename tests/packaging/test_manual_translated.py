"""Pages of the manual in another language say what the English ones say: headings, commands, tables and keys agree."""

import re
from pathlib import Path

import pytest

MANUAL = Path(__file__).parents[2] / "resources" / "manual"
PAGES = sorted((MANUAL / "de").glob("*.md"))
COMMAND = re.compile(r"^    .*$", re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`\n]+)`")
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+)?(#[^)]*)?\)")
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
ENTRY = re.compile(r"^(?:\d+\.|-) ", re.MULTILINE)


def both(page: Path) -> tuple[str, str]:
    return (MANUAL / page.name).read_text(encoding="utf-8"), page.read_text(encoding="utf-8")


def test_the_first_pages_are_there() -> None:
    assert [page.name for page in PAGES] == ["getting-started.md", "labelling.md", "results.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_commands_and_codes_agree(page: Path) -> None:
    english, german = both(page)
    assert HEADING.findall(german) == HEADING.findall(english)
    assert COMMAND.findall(german) == COMMAND.findall(english)
    for piece in (ROW, ENTRY):
        assert len(piece.findall(german)) == len(piece.findall(english))
    assert set(CODE.findall(german)) == set(CODE.findall(english))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_the_same_pages(page: Path) -> None:
    english, german = both(page)
    targets = [
        {Path(name).name for name, _ in LINK.findall(text) if name} for text in (english, german)
    ]  # fmt: skip
    assert targets[1] - {"privacy.md"} == targets[0] - {"privacy.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_labels_but_beschriftungen(page: Path) -> None:
    german = CODE.sub("", COMMAND.sub("", page.read_text(encoding="utf-8")))
    assert not re.search(r"\bLabels?\b", german)
