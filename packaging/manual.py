"""Writes the table of pretext tasks in resources/manual/pretext-tasks.md from the registry of tasks.

python packaging/manual.py          # after a task was added or its words have changed
python packaging/manual.py --check  # writes nothing; exit code 1 when the table is out of date
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "resources" / "manual" / "pretext-tasks.md"
BEGIN, END = "<!-- tasks: written by packaging/manual.py -->\n", "<!-- tasks: end -->\n"


def table() -> str:
    """Name, summary and paper of each registered task, as Markdown."""
    from sslstudio.engine.tasks.base import TASKS, load_tasks

    load_tasks()
    tasks = [(name, TASKS[name]) for name in sorted(TASKS)]
    rows = [f"| `{name}` | **{task.title}.** {task.summary} | {task.paper} |" for name, task in tasks]
    return "\n".join(["| name | what the network learns from | paper |", "|---|---|---|", *rows]) + "\n"


def updated(page: str) -> str:
    """The page with the table as the registry has it. Raises ValueError when its marks are gone."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks the lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Bring the page up to date."""
    old = PAGE.read_text(encoding="utf-8")
    new = updated(old)
    if "--check" not in arguments:
        PAGE.write_text(new, encoding="utf-8")
    return int("--check" in arguments and new != old)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
