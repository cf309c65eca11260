"""Cells of tables that a spreadsheet opens: none may be taken for a formula.

A cell that begins with one of = + - @ or a tab is run as a formula by spreadsheets, and a class or a file may be called
so. An apostrophe before it makes it a text (OWASP, CSV injection); whoever reads such a table takes it away again.
"""

import csv
from collections.abc import Iterable, Mapping
from typing import Any, Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the last as in Japanese


def harmless(cell: Any) -> Any:
    """The cell as it is written: with an apostrophe before a text that begins like a formula and is no number."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA) or _is_number(cell):
        return cell
    return f"'{cell}"


def as_meant(cell: str) -> str:
    """The inverse of `harmless`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


def read_rows(lines: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a table that this program wrote, by the names of its columns. Raises csv.Error when it is damaged."""
    return [_meant(row) for row in csv.DictReader(lines)]


def _meant(row: Mapping[Any, Any]) -> dict[str, str]:
    return {as_meant(name) if isinstance(name, str) else name: as_meant(cell) if isinstance(cell, str) else cell
            for name, cell in row.items()}  # fmt: skip


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
