"""README, manual and the files beside them: links lead somewhere, tables and commands are those of the program."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sslstudio import __version__
from sslstudio.cli.config_args import config_of
from sslstudio.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "resources" / "manual"
PAGES = sorted(MANUAL.rglob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
WEB = re.compile(r"[a-z]+://|mailto:")
COMMANDS = re.findall(r"^    ([a-z][a-z-]*)(?: |$)", parser().format_help(), re.MULTILINE)  # those that help lists
CONFIGURED = ("pretrain", "finetune", "compare", "tournament")


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def links(file: Path) -> list[str]:
    return [link for link in LINK.findall(file.read_text(encoding="utf-8")) if not WEB.match(link)]


def slug(heading: str) -> str:
    """A heading as GitHub writes it in an address."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(file: Path) -> set[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {slug(line.lstrip("#")) for line in lines if re.match(r"#{1,6} ", line)}


def test_the_readme_is_a_front_door() -> None:
    assert (ROOT / "README.md").stat().st_size <= 10_000


@pytest.mark.parametrize("file", DOCUMENTS, ids=named)
def test_every_link_and_picture_leads_somewhere(file: Path) -> None:
    for link in links(file):
        path, _, heading = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.is_file(), link
        if heading:
            assert heading in headings(target), link


@pytest.mark.parametrize("file", PAGES, ids=named)
def test_the_manual_links_to_nothing_that_an_installation_lacks(file: Path) -> None:
    for link in links(file):
        path = link.partition("#")[0]
        assert (file.parent / path).resolve().is_relative_to(ROOT / "resources"), link


@pytest.mark.parametrize("contents", [MANUAL / "index.md", MANUAL / "decisions" / "index.md"], ids=named)
def test_the_contents_name_every_page(contents: Path) -> None:
    named_there = {(contents.parent / link).resolve() for link in links(contents)}
    assert set(contents.parent.glob("*.md")) - {contents} <= named_there


@pytest.mark.parametrize("file", [page for page in PAGES if page.name[0].isdigit()], ids=named)
def test_a_decision_states_context_decision_and_consequence(file: Path) -> None:
    parts = re.findall(r"^## (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequence"]
    assert re.search(rf"^\*Decision {file.name[:4]}, \d{{4}}-\d\d-\d\d", file.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The script that writes the table of tasks."""
    spec = importlib.util.spec_from_file_location("manual_tables", ROOT / "packaging" / "manual.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_tasks_is_that_of_the_registry(tool: ModuleType) -> None:
    """After a change of a task's words: python packaging/manual.py."""
    page = (MANUAL / "pretext-tasks.md").read_text(encoding="utf-8")
    assert tool.updated(page) == page
    assert page.count("\n| `") >= 12


def test_a_page_without_the_marks_of_the_table_is_refused(tool: ModuleType) -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        tool.updated("# Pretext tasks\n")


def commands(file: Path) -> Iterator[str]:
    """The lines that start the program, in blocks of code and between back-ticks."""
    text = re.sub(r"\\\n\s*", "", file.read_text(encoding="utf-8"))
    blocks = re.findall(r"^    (.+)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text)
    for line in blocks:
        found = re.match(r"(?:\S*torchrun .*-m |\.venv/bin/|)sslstudio ((?:--)?[a-z].*)$", line)
        if found:
            yield re.sub(r"\$[A-Z_]+_ID\b", "3", re.sub(r"\s+#.*", "", found[1]))  # a number that a cluster gives


WITH_COMMANDS = [file for file in DOCUMENTS if any(commands(file))]


@pytest.mark.parametrize("file", WITH_COMMANDS, ids=named)
def test_every_command_that_is_written_down_is_understood(file: Path) -> None:
    for line in commands(file):
        words = shlex.split(line)
        if len(words) == 1:
            assert words[0] in COMMANDS
            continue
        options = parser().parse_args(words)
        if options.command in CONFIGURED:
            assert config_of(options)


def test_every_command_has_its_line_in_the_manual() -> None:
    told = (MANUAL / "command-line.md").read_text(encoding="utf-8")
    assert not [name for name in COMMANDS if f"| `sslstudio {name}" not in told]


def test_the_readme_has_the_command_that_runs_the_tests() -> None:
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = next(line for line in checks.splitlines() if line.endswith("-m pytest"))
    assert f"\n    {command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_changelog_begins_with_the_version_of_the_program() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = changes.split("\n## ")[1]
    assert first.startswith(f"[{__version__}] - ") or (first.startswith("[Unreleased]") and f" {__version__}:" in first)


def test_the_version_stands_in_one_place() -> None:
    for file in (ROOT / "README.md", ROOT / "pyproject.toml"):
        text = file.read_text(encoding="utf-8")
        assert __version__ not in text
        assert not re.search(r"^version = \"", text, re.MULTILINE)
