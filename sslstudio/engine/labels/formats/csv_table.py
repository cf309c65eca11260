"""Labels from a table in a text file, as spreadsheets and export scripts write them: any separator, header, encoding.

The column of file names is the one that names most pictures; the column of labels is told by its name or its values.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message, join
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.engine.images.multi_folder import Album, roots_of
from sslstudio.engine.labels.folder_words import natural_key
from sslstudio.engine.labels.picture_names import Lookup, find_pictures, lookup_of
from sslstudio.engine.labels.types import ASKED_FOR, LARGEST, SOURCES, Choices, ClassLabels, Found, LabelSource

SEPARATORS = (",", ";", "\t", "|")
SUFFIX = re.compile(r"\.[A-Za-z]{3,4}$")
LABEL_HEADERS = (
    "label", "labels", "class", "category", "target", "diagnosis", "type", "class_name", "classname", "class name",
    "label_name", "species", "dx", "y", "klasse", "classe", "clase", "kategorie", "catégorie", "grade", "group",
)  # fmt: skip
NO_LABEL = frozenset({"", "nan", "n/a", "na", "?", "unlabelled", "unlabeled"})
_SHOWN = 3  # examples named in a sentence

CERTAINTY = 0.8
_FEW_CONTRADICTIONS = 0.05  # more: the table lists objects in the pictures, it does not label pictures

Row = list[str]


class Contradiction(DataError):
    """Rows that give one picture different labels. `share`: of the pictures that the rows name."""

    def __init__(self, template: str, /, *, share: float, **values: Any) -> None:
        super().__init__(template, **values)
        self.share = share


@SOURCES.register("csv_table")
class CsvTables(LabelSource):
    """A table with a row a picture."""

    def takes(self, asked: Path) -> float:
        """Tables have all kinds of names."""
        return 0.9 if asked.suffix.lower() in (".csv", ".tsv") else 0.1

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The table asked for, else those that lie beside the folders of pictures and label them."""
        if choices.asked:
            return [_describe(_read(choices.asked, index), ASKED_FOR)]
        tables: list[ClassLabels] = []
        best_of: dict[str, ClassLabels] = {}  # by folder of an album
        notes: list[Message] = []
        for file in tables_in(index.root):
            try:
                table = _read(file, index)
            except Contradiction as error:
                if error.share <= _FEW_CONTRADICTIONS or len(index) < 1 / _FEW_CONTRADICTIONS:
                    return [Found("classes", None, error.message, CERTAINTY, problem=error)]
                why = Message("{file} was not taken as labels: it gives many pictures several.", file=file.name)
                notes.append(why)
                continue
            except DataError:
                continue  # a table of something else
            tables.append(table)
            best = best_of.setdefault(owner := _owner_of(file, index.root), table)
            best_of[owner] = max(best, table, key=lambda one: len(one.of))
        if len(best_of) > 1:
            tables = [_together(list(best_of.values()))]
        return [
            *(Found("classes", None, note, CERTAINTY, notes=(note,)) for note in notes),
            *(_describe(table, CERTAINTY) for table in tables),
        ]


def _describe(labels: ClassLabels, certainty: float) -> Found:
    reason = Message(
        "The {found_in} gives a class to {n:,} {n:plural(picture|pictures)}.",
        found_in=labels.found_in,
        n=len(labels.of),
    )
    called = Message("labels in the {found_in}", found_in=labels.found_in)
    return Found("classes", labels, reason, certainty, called, Message("the labels of the file"))


def _together(tables: Sequence[ClassLabels]) -> ClassLabels:
    """The labels of several folders of an album as one: classes of the same name are the same."""
    names = tuple(sorted({name for one in tables for name in one.names}, key=lambda name: (natural_key(name), name)))
    numbers = {name: number for number, name in enumerate(names)}
    of = {path: numbers[one.names[number]] for one in tables for path, number in one.of.items()}
    notes = tuple(note for one in tables for note in one.notes)
    return ClassLabels(join(dict.fromkeys(one.found_in for one in tables), ""), names, of, notes)


def tables_in(root: Path) -> list[Path]:
    """The CSV files beside the folders of pictures: of an album, those in each of its folders."""
    roots = roots_of(root).values()
    files = [file for one in roots for file in sorted(one.iterdir()) if file.suffix.lower() in (".csv", ".tsv")]
    return [file for file in files if file.is_file() and file.stat().st_size <= LARGEST]


def _owner_of(file: Path, root: Path) -> str:
    """The name of the folder of an album that a file lies in; '' where there is no album, or it lies elsewhere."""
    return root.owner_of(file) if isinstance(root, Album) else ""


def _read(file: Path, pictures: ImageIndex) -> ClassLabels:
    """The labels of a table for the pictures it speaks of: in an album those of its own folder, whose names another
    may have too."""
    owner = _owner_of(file, pictures.root)
    paths = [path for path in pictures.paths if path.startswith(f"{owner}/")] if owner else pictures.paths
    return read_labels(file, paths)


@dataclass(frozen=True)
class _Table:
    """Rows that are read with one separator, the column that names pictures and the picture of each row."""

    rows: list[Row]
    column: int
    pictures: list[list[str]]  # those that each row may mean

    @property
    def named(self) -> int:
        return sum(len(found) == 1 for found in self.pictures)


def read_labels(file: Path, paths: Sequence[str]) -> ClassLabels:
    """The labels that the table gives to these pictures.

    Raises DataError when it cannot be read, names no picture, has no column of labels, or contradicts itself.
    """
    text = _without_hint(decode_text(_bytes(file)))
    lookup = lookup_of(paths)
    tables = [table for rows in _readings(text) if (table := _table(rows, lookup)) is not None]
    if not tables:
        raise DataError(
            "{file} is not a table of labels: no line has two columns. Write one line a picture: its "
            "file name, a comma, its label.",
            file=file.name,
        )
    table = max(tables, key=lambda table: (table.named, len(table.rows[0])))
    if not any(table.pictures):
        raise DataError(_names_nothing(file, table, paths))
    header = _header(table)
    labels = _label_column(file, table, header)
    return _classes(file, table, labels, header is not None, paths)


def decode_text(data: bytes) -> str:
    """Text in any encoding that Excel writes: UTF-8 or UTF-16 with their marks, else UTF-8, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(
            "The labels file {file} cannot be read: {reason}. Choose a CSV file that exists.",
            file=file,
            reason=error.strerror or error,
        ) from error


def _without_hint(text: str) -> str:
    """Excel understands a first line 'sep=;' and other programs write it."""
    return re.sub(r"\Asep=.\r?\n", "", text)


def _readings(text: str) -> Iterable[list[Row]]:
    for separator in SEPARATORS:
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=separator)]
        except csv.Error:
            continue
        rows = [row for row in rows if any(row)]
        if rows and max(map(len, rows)) >= 2:
            width = max(map(len, rows))
            yield [row + [""] * (width - len(row)) for row in rows]


def _table(rows: list[Row], lookup: Lookup) -> _Table | None:
    columns = [find_pictures([row[column] for row in rows], lookup) for column in range(len(rows[0]))]
    best = max(range(len(columns)), key=lambda column: sum(map(bool, columns[column])), default=None)
    if best is None:
        return None
    others = {cell.casefold() for column, cell in enumerate(rows[0]) if column != best}
    if others & set(LABEL_HEADERS) and SUFFIX.search(rows[0][best]) is None:
        columns[best][0] = []  # 'file,label' are heads, also where there is a picture FILE.png
    return _Table(rows, best, columns[best])


# Columns


def _header(table: _Table) -> Row | None:
    """The first row when it names no picture and its file column does not look like a file name."""
    cell = table.rows[0][table.column]
    is_name = bool(table.pictures[0]) or SUFFIX.search(cell) is not None
    return None if is_name else table.rows[0]


def _label_column(file: Path, table: _Table, header: Row | None) -> list[str]:
    """One label a row: the column with a name for labels, else the first whose values repeat, else 0/1 columns."""
    body = [place for place, found in enumerate(table.pictures) if found]
    others = [column for column in range(len(table.rows[0])) if column != table.column]
    columns = {column: [row[column] for row in table.rows] for column in others}
    named = [c for word in LABEL_HEADERS for c in others if header and header[c].casefold() == word]
    for column in named:
        if _is_label([columns[column][place] for place in body], most=max(20, len(body) // 2)):
            return columns[column]
    if header and (one_hot := _one_hot(columns, header, body)):
        return one_hot
    most = max(20, len(body) // 2) if len(others) == 1 else len(body) // 2
    for values in columns.values():
        if _is_label([values[place] for place in body], most=most):
            return values
    seen = header or [Message("column {number}", number=column + 1) for column in range(len(table.rows[0]))]
    raise DataError(
        "{file} names {named:,} {named:plural(picture|pictures)}, but none of its columns ({seen}) "
        "holds classes: at least two different values that repeat. Call the column with the classes "
        "'label'.",
        file=file.name,
        named=table.named,
        seen=seen,
    )


def _is_label(values: Iterable[str], most: int) -> bool:
    different = {value for value in values if not _missing(value)}
    return 2 <= len(different) <= max(most, 2)


def _missing(label: str) -> bool:
    return label.casefold() in NO_LABEL


def _one_hot(columns: Mapping[int, list[str]], header: Row, body: Sequence[int]) -> list[str] | None:
    """Labels from columns such as melanoma, nevus with one 1 in each row."""
    flags = [c for c, values in columns.items() if {values[place] for place in body} <= {"0", "1", "0.0", "1.0"}]
    ones = {place: [c for c in flags if float(columns[c][place]) == 1] for place in body}
    if len(flags) < 2 or any(len(found) != 1 for found in ones.values()):
        return None
    labels = [""] * len(next(iter(columns.values())))
    for place, (column,) in ones.items():
        labels[place] = header[column]
    return labels


# Classes


def _classes(file: Path, table: _Table, labels: list[str], header: bool, paths: Sequence[str]) -> ClassLabels:
    rows = range(1 if header else 0, len(table.rows))
    given: dict[str, dict[str, int]] = {}
    for row in rows:
        if len(table.pictures[row]) == 1:
            given.setdefault(table.pictures[row][0], {}).setdefault(labels[row], row + 1)
    _check_agreement(file, given)
    label_of = {path: next(iter(found)) for path, found in given.items() if not _missing(next(iter(found)))}
    names = tuple(sorted(set(label_of.values()), key=lambda name: (natural_key(name), name)))
    if len(names) < 2:
        raise DataError(
            "{file} gives {names} to the pictures here. There have to be two classes at least.",
            file=file.name,
            names=Message("one class only: {name}", name=names[0]) if names else Message("no label"),
        )
    numbers = {name: number for number, name in enumerate(names)}
    of = {path: numbers[label_of[path]] for path in paths if path in label_of}
    cells = {row: table.rows[row][table.column] for row in rows}
    return ClassLabels(
        Message("CSV file {file}", file=file.name), names, of, tuple(_notes(table, cells, len(paths) - len(of)))
    )


def _check_agreement(file: Path, given: Mapping[str, Mapping[str, int]]) -> None:
    torn = {path: found for path, found in given.items() if len(found) > 1}
    if torn:
        path, found = next(iter(torn.items()))
        both = [Message("{label!r} (row {row})", label=label, row=row) for label, row in list(found.items())[:2]]
        more: str = ""
        if len(torn) > 1:
            more = Message(" {n:,} more {n:plural(picture|pictures)} likewise.", n=len(torn) - 1)
        raise Contradiction(
            "{file} gives {path} two labels: {both:and}.{more} Keep one row a picture.",
            file=file.name,
            path=path,
            both=both,
            more=more,
            share=len(torn) / len(given),
        )


def _notes(table: _Table, cells: Mapping[int, str], unlabelled: int) -> Iterable[Message]:
    nothing = [cell for row, cell in cells.items() if not table.pictures[row]]
    ambiguous = [cell for row, cell in cells.items() if len(table.pictures[row]) > 1]
    if nothing:
        yield Message(
            "{n:,} {n:plural(row names|rows name)} no picture that is here: {names}.",
            n=len(nothing),
            names=_some(nothing),
        )
    if ambiguous:
        yield Message(
            "{n:,} {n:plural(row names|rows name)} more than one picture; write the folder too: {names}.",
            n=len(ambiguous),
            names=_some(ambiguous),
        )
    if unlabelled:
        yield Message("{n:,} {n:plural(picture|pictures)} without a label.", n=unlabelled)


def _some(names: Sequence[str]) -> str:
    shown = list(Counter(printable(name) or "(empty)" for name in names))
    return ", ".join(shown[:_SHOWN]) + (" ..." if len(shown) > _SHOWN else "")


def _names_nothing(file: Path, table: _Table, paths: Sequence[str]) -> Message:
    cells = [row[table.column] for row in table.rows]
    return Message(
        "{file} has {n:,} {n:plural(row|rows)} and none names a picture of this folder: it says {cells}; the pictures "
        "are called {pictures}. Write the file names as they are in the folder.",
        file=file.name,
        n=len(cells),
        cells=_some(cells),
        pictures=_some(paths),
    )
