"""Labels from a table in a text file, as spreadsheets and export scripts write them: any separator, header, encoding.

The column of file names is the one that names most pictures; what the others are is told by their names and values (see
`labels.table_columns`). A table may give parts and groups as well as classes.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.core.files.spreadsheet import as_meant
from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.engine.images.multi_folder import Album, roots_of
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.folder_words import natural_key
from sslstudio.engine.labels.outlines.files import path_of
from sslstudio.engine.labels.picture_names import Lookup, find_pictures, lookup_of
from sslstudio.engine.labels.roles import Role
from sslstudio.engine.labels.same_name import one_spelling
from sslstudio.engine.labels.table_columns import (
    LABEL_HEADERS,
    PARTS,
    Column,
    is_missing,
    is_set,
    judge_columns,
    none_is_a_class,
    several_sign,
)
from sslstudio.engine.labels.types import ASKED_FOR, LARGEST, SOURCES, Choices, ClassLabels, Found, LabelSource

SEPARATORS = (",", ";", "\t", "|")
SUFFIX = re.compile(r"\.[A-Za-z]{3,4}$")
OWN_HEADERS = (  # how the tables begin that this program writes of its own answers
    ["file", "predicted", "confidence"], ["file", "label", "predicted"], ["file", "mask", "confidence"],
    ["file", "mask", "iou"], ["file", "reason"],
)  # fmt: skip
MOST_COLUMNS = 20_000
_SHOWN = 3  # examples named in a sentence

CERTAINTY = 0.8
_ABOUT_PICTURES = 0.5  # share of the rows that name one: else the table is about something else
_FEW_CONTRADICTIONS = 0.05  # more: the table lists objects in the pictures, it does not label pictures

Row = list[str]


class Contradiction(DataError):
    """Rows that give one picture different labels. `share`: of the pictures that the rows name."""

    def __init__(self, template: str, /, *, share: float, **values: Any) -> None:
        super().__init__(template, **values)
        self.share = share


class NoClasses(DataError):
    """A table about these pictures that has no column of classes: several labels a picture, numbers, or neither."""


@dataclass(frozen=True)
class TableLabels:
    """What a table says of the pictures.

    labels      None where it gives no classes: `problem` then says why
    parts       picture -> train, validation or test
    groups      picture -> who or what it is of
    roles       what the table and its columns were taken for
    share       of its rows, those that name a picture
    """

    file: Path
    labels: ClassLabels | None
    problem: DataError | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    notes: tuple[Message, ...] = ()
    share: float = 1.0


@SOURCES.register("csv_table")
class CsvTables(LabelSource):
    """A table with a row a picture."""

    sets_apart = True

    def takes(self, asked: Path) -> float:
        """Tables have all kinds of names."""
        return 0.9 if asked.suffix.lower() in (".csv", ".tsv") else 0.1

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The table asked for, else those that lie beside the folders of pictures and label them."""
        if choices.asked:
            return [_describe(_read(choices.asked, index, choices.roles, raising=True), ASKED_FOR)]
        found: list[TableLabels] = []
        for file in tables_in(index.root):
            path = path_of(file, index.root)
            if roles.chosen_for(path, choices.roles) == roles.IGNORE:
                found.append(TableLabels(file, None, roles=(_file_role(path, roles.IGNORE, roles.CHOSEN, 0, True),)))
            elif is_own(file):
                why = Message("This program wrote it: its own answers are no labels.")
                note = Message("{file} was not taken as labels: it holds this program's own answers.", file=file.name)
                found.append(TableLabels(file, None, roles=(_file_role(path, roles.OWN, why, 0),), notes=(note,)))
            else:
                try:
                    table = _read(file, index, choices.roles)
                except DataError:
                    continue  # a table of something else
                if not isinstance(table.problem, NoClasses) or table.share >= _ABOUT_PICTURES:
                    found.append(table)
        return _describe_all(found, index)


def _describe_all(found: Sequence[TableLabels], index: ImageIndex) -> list[Found]:
    labelled = [one for one in found if one.labels is not None]
    best_of: dict[str, TableLabels] = {}  # by folder of an album
    for table in labelled:
        owner = _owner_of(table.file, index.root)
        best_of[owner] = max(best_of.setdefault(owner, table), table, key=_labelled)
    if len(best_of) > 1:
        labelled = [_together(list(best_of.values()))]
    rest = [one for one in found if one.labels is None]
    return [*(_describe_rest(one, len(index)) for one in rest), *(_describe(one, CERTAINTY) for one in labelled)]


def _labelled(table: TableLabels) -> int:
    return len(table.labels.of) if table.labels else 0


def _describe_rest(table: TableLabels, pictures: int) -> Found:
    """A table that gives no classes. Few rows that contradict others stop whoever wants classes; where many do, it
    lists objects."""
    error, notes, reason, problem = table.problem, table.notes, NOTHING, None
    if isinstance(error, Contradiction) and _is_a_slip(error, pictures):
        reason, problem = error.message, error
    elif isinstance(error, Contradiction):
        reason = Message("{file} was not taken as labels: it gives many pictures several.", file=table.file.name)
        notes = (*notes, reason)
    elif error is not None:
        reason = error.message
        notes = (*notes, reason)
    return Found(
        "classes", None, reason, CERTAINTY, notes=notes, parts=table.parts, groups=table.groups, roles=table.roles,
        problem=problem,
    )  # fmt: skip


def _is_a_slip(error: Contradiction, pictures: int) -> bool:
    return error.share <= _FEW_CONTRADICTIONS or pictures < 1 / _FEW_CONTRADICTIONS


def _describe(table: TableLabels, certainty: float) -> Found:
    labels = table.labels
    assert labels is not None
    reason = Message(
        "The {found_in} gives a class to {n:,} {n:plural(picture|pictures)}.",
        found_in=labels.found_in,
        n=len(labels.of),
    )
    called = Message("labels in the {found_in}", found_in=labels.found_in)
    return Found(
        "classes", labels, reason, certainty, called, Message("the labels of the file"), notes=table.notes,
        parts=table.parts, groups=table.groups, roles=table.roles,
    )  # fmt: skip


def _together(tables: Sequence[TableLabels]) -> TableLabels:
    """The labels of several folders of an album as one: classes of the same name are the same."""
    given = [one.labels for one in tables if one.labels is not None]
    names = tuple(sorted({name for one in given for name in one.names}, key=lambda name: (natural_key(name), name)))
    numbers = {name: number for number, name in enumerate(names)}
    of = {path: numbers[one.names[number]] for one in given for path, number in one.of.items()}
    notes = tuple(note for one in given for note in one.notes)
    labels = ClassLabels(join(dict.fromkeys(one.found_in for one in given), ""), names, of, notes)
    parts = {path: part for one in tables for path, part in one.parts.items()}
    groups = {path: group for one in tables for path, group in one.groups.items()}
    return TableLabels(
        tables[0].file, labels, None, parts, groups, tuple(role for one in tables for role in one.roles),
        tuple(note for one in tables for note in one.notes),
    )  # fmt: skip


def tables_in(root: Path) -> list[Path]:
    """The CSV files beside the folders of pictures: of an album, those in each of its folders."""
    listed = roots_of(root).values()
    files = [file for one in listed for file in sorted(one.iterdir()) if file.suffix.lower() in (".csv", ".tsv")]
    return [file for file in files if file.is_file() and file.stat().st_size <= LARGEST]


def is_own(file: Path) -> bool:
    """Whether this program wrote the table, of its own answers: told by its header, wherever it was copied to."""
    try:
        with open_regular(file) as opened:
            first = decode_text(opened.read(4096)).splitlines()[:1]
    except OSError:
        return False
    cells = re.split(r"[,;\t]", first[0].replace('"', "").strip()) if first else []
    return cells in OWN_HEADERS or cells[:3] in OWN_HEADERS


def _owner_of(file: Path, root: Path) -> str:
    """The name of the folder of an album that a file lies in; '' where there is no album, or it lies elsewhere."""
    return root.owner_of(file) if isinstance(root, Album) else ""


def _read(file: Path, pictures: ImageIndex, chosen: Mapping[str, str], *, raising: bool = False) -> TableLabels:
    """The labels of a table for the pictures it speaks of: in an album those of its own folder, whose names another
    may have too. raising: instead of saying the problem of one that gives no classes."""
    owner = _owner_of(file, pictures.root)
    paths = [path for path in pictures.paths if path.startswith(f"{owner}/")] if owner else pictures.paths
    found = read_table(file, paths, path_of(file, pictures.root), chosen)
    if raising and found.problem is not None:
        raise found.problem
    return found


def read_labels(file: Path, paths: Sequence[str]) -> ClassLabels:
    """The labels that the table gives to these pictures.

    Raises DataError when it cannot be read, names no picture, has no column of labels, or contradicts itself.
    """
    found = read_table(file, paths, file.name, {})
    if found.labels is None:
        raise found.problem or DataError("{file} gives no labels.", file=file.name)
    return found.labels


@dataclass(frozen=True)
class _Table:
    """Rows that are read with one separator, the column that names pictures and the picture of each row."""

    rows: list[Row]
    column: int
    pictures: list[list[str]]  # those that each row may mean

    @property
    def named(self) -> int:
        return sum(len(found) == 1 for found in self.pictures)


def read_table(file: Path, paths: Sequence[str], path: str, chosen: Mapping[str, str]) -> TableLabels:
    """What the table says of these pictures; `path`: how roles name it, `chosen`: the roles that a person chose.

    Raises DataError when it cannot be read or names no picture.
    """
    text = _without_hint(decode_text(_bytes(file)))
    _check_columns(text, file)
    lookup = lookup_of(paths)
    said = roles.column_choices(path, chosen)
    tables = [table for rows in _readings(text) if (table := _table(rows, lookup, said)) is not None]
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
    body = [place for place, found in enumerate(table.pictures) if found]
    cells = [[table.rows[place][column] for place in body] for column in range(len(table.rows[0]))]
    columns = judge_columns(header, cells, table.column, said)
    parts, groups = _parts(table, columns), _column_of(table, columns, roles.GROUP)
    labels, shown = None, columns
    problem: DataError | None = None
    try:
        given, shown = _label_cells(file, table, columns, header)
        labels = _classes(file, table, given, header is not None, paths)
    except NoClasses as error:
        problem = error
        shown = [replace(one, role=roles.SEVERAL) if one.role == roles.CLASS else one for one in columns]
    except DataError as error:
        problem = error
    if labels is not None and header and len(columns) > 2:
        labels = replace(labels, notes=(*_note_columns(file, shown, path), *labels.notes))
    return TableLabels(
        file,
        labels,
        problem,
        parts,
        groups,
        _roles_of(path, shown, labels is not None, len(body)),
        share=len(body) / len(table.rows),
    )


def _roles_of(path: str, columns: Sequence[Column], labelled: bool, rows: int) -> tuple[Role, ...]:
    why = Message("Its rows name pictures that are here.")
    table = _file_role(path, roles.LABELS if labelled else roles.OTHER, why, rows)
    return (table, *(Role(f"{path}:{one.called}", one.role, one.reason, one.rows, one.chosen, roles.OF_COLUMNS)
                     for one in columns))  # fmt: skip


def _file_role(path: str, role: str, why: Message, count: int, chosen: bool = False) -> Role:
    return Role(path, role, why, count, chosen, roles.OF_FILES)


def _note_columns(file: Path, columns: Sequence[Column], path: str) -> Iterable[Message]:
    taken = [one.called for one in columns if one.role == roles.CLASS]
    given = [
        Message("{name} ({role})", name=one.called, role=roles.TITLES[one.role])
        for one in columns
        if one.role not in (roles.CLASS, roles.FILE, roles.IGNORE)
    ]
    if taken:
        rest: str = Message("; also: {given}", given=given) if given else ""
        yield Message("In {file} the class is the column {taken}{rest}.", file=file.name, taken=taken, rest=rest)
    if guessed := [one.called for one in columns if one.role == roles.GROUP and not one.chosen]:
        yield Message(
            "Pictures of one {name} may belong together; keep them so with: --role '{path}:{name}=group'",
            name=guessed[0],
            path=path,
        )


def decode_text(data: bytes) -> str:
    """Text in any encoding that Excel writes: UTF-8 or UTF-16 with their marks, else UTF-8, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _check_columns(text: str, file: Path) -> None:
    """Raises DataError for a line with more separators than a table of labels has: each column is looked at."""
    for line in text.splitlines():
        if len(line) > MOST_COLUMNS and max(map(line.count, SEPARATORS)) > MOST_COLUMNS:
            raise DataError(
                "{file} has a line of more than {most:,} columns, which no table of labels has.",
                file=file.name,
                most=MOST_COLUMNS,
            )


def _bytes(file: Path) -> bytes:
    try:
        with open_regular(file) as opened:
            return opened.read()
    except OSError as error:
        raise DataError(
            "The labels file {file} cannot be read: {reason}. Choose a CSV file that exists.",
            file=file,
            reason=error.strerror or error,
        ) from error


def _without_hint(text: str) -> str:
    """The lines of the table, ended by any system's sign. Excel understands a first line 'sep=;' and other programs
    write it; old ones for the Macintosh end lines with a carriage return alone."""
    return re.sub(r"\Asep=.\n", "", text.replace("\r\n", "\n").replace("\r", "\n"))


def _readings(text: str) -> Iterable[list[Row]]:
    for separator in SEPARATORS:
        try:
            lines = csv.reader(io.StringIO(text), delimiter=separator)
            rows = [[as_meant(cell.strip()) for cell in row] for row in lines]
        except csv.Error:
            continue
        rows = [row for row in rows if any(row)]
        if rows and max(map(len, rows)) >= 2:
            width = max(map(len, rows))
            yield [row + [""] * (width - len(row)) for row in rows]


def _table(rows: list[Row], lookup: Lookup, said: Mapping[str, str]) -> _Table | None:
    columns = [find_pictures([row[column] for row in rows], lookup) for column in range(len(rows[0]))]
    best = max(range(len(columns)), key=lambda column: sum(map(bool, columns[column])), default=None)
    if best is None:
        return None
    told = [place for place, cell in enumerate(rows[0]) if roles.FILE in (said.get(cell), said.get(str(place + 1)))]
    best = told[0] if told else best
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


def _parts(table: _Table, columns: Sequence[Column]) -> dict[str, str]:
    """The parts that a column gives, {} unless it gives two of them, train among them."""
    given = {path: PARTS[cell.casefold()] for path, cell in _column_of(table, columns, roles.PART).items()
             if cell.casefold() in PARTS}  # fmt: skip
    return given if len(set(given.values())) >= 2 and "train" in given.values() else {}


def _column_of(table: _Table, columns: Sequence[Column], role: str) -> dict[str, str]:
    """Picture -> cell of the first column with this role, one that was chosen first."""
    found = sorted((one for one in columns if one.role == role), key=lambda one: (not one.chosen, one.place))
    if not found:
        return {}
    cells = zip(table.pictures, (row[found[0].place] for row in table.rows), strict=True)
    return {pictures[0]: cell for pictures, cell in cells if len(pictures) == 1 and not is_missing(cell)}


def _label_cells(
    file: Path, table: _Table, columns: Sequence[Column], header: Row | None
) -> tuple[list[str], list[Column]]:
    """One label a row ('' for none), and the columns as they were taken then. Raises NoClasses where none can be."""
    classes = [one for one in columns if one.role == roles.CLASS]
    flags = [one for one in columns if one.role == roles.SEVERAL]
    if classes:
        cells = [row[classes[0].place] for row in table.rows]
        _check_single(file, classes[0], [cells[place] for place, found in enumerate(table.pictures) if found])
        return cells, list(columns)
    if len(flags) >= 2 and header:
        return _one_of(file, table, columns, flags)
    numbers = [one for one in columns if one.role == roles.NUMBER]
    seen = header or [Message("column {number}", number=column + 1) for column in range(len(table.rows[0]))]
    if numbers:
        raise NoClasses(
            "{file} names {named:,} {named:plural(picture|pictures)}, but none of its columns ({seen}) holds classes: "
            "{numbers:and} {n:plural(holds|hold)} numbers that look like measurements. Learning numbers is not "
            "possible yet. If they are classes after all: --role '{example}=class'.",
            file=file.name,
            named=table.named,
            seen=seen,
            numbers=[one.called for one in numbers],
            n=len(numbers),
            example=f"{file.name}:{numbers[0].called}",
        )
    raise NoClasses(
        "{file} names {named:,} {named:plural(picture|pictures)}, but none of its columns ({seen}) "
        "holds classes: at least two different values that repeat. Call the column with the classes "
        "'label'.",
        file=file.name,
        named=table.named,
        seen=seen,
    )


def _check_single(file: Path, column: Column, cells: Sequence[str]) -> None:
    """Raises NoClasses where cells hold several labels."""
    sign = several_sign(cell for cell in cells if not is_missing(cell))
    if sign:
        example = next(cell for cell in cells if sign in cell)
        raise NoClasses(
            "{file} gives several labels to a picture: the column {column} says {example!r}, for example. Learning "
            "several labels a picture is not possible yet. Keep one label a row, or choose another column.",
            file=file.name,
            column=column.called,
            example=example,
        )


def _one_of(
    file: Path, table: _Table, columns: Sequence[Column], flags: Sequence[Column]
) -> tuple[list[str], list[Column]]:
    """Labels from columns such as melanoma, nevus with at most one 1 in each row."""
    labels = [""] * len(table.rows)
    several = rows = 0
    for place, found in enumerate(table.pictures):
        if found:
            ones = [one.name for one in flags if is_set(table.rows[place][one.place])]
            rows += bool(ones)
            several += len(ones) > 1
            labels[place] = ones[0] if len(ones) == 1 else ""
    if several:
        raise NoClasses(
            "{file} gives several labels to {several:,} of {rows:,} pictures (columns {flags}). Learning several "
            "labels a picture is not possible yet: choose one of the columns as the class, for example --role "
            "'{example}=class'.",
            file=file.name,
            several=several,
            rows=rows,
            flags=[one.name for one in flags],
            example=f"{file.name}:{flags[0].name}",
        )
    why = Message("It says yes or no, one column a class.")
    return labels, [replace(one, role=roles.CLASS, reason=why) if one in flags else one for one in columns]


# Classes


def _classes(file: Path, table: _Table, labels: list[str], header: bool, paths: Sequence[str]) -> ClassLabels:
    rows = range(1 if header else 0, len(table.rows))
    given: dict[str, dict[str, int]] = {}
    spelt, merged = one_spelling(labels[row] for row in rows if not is_missing(labels[row]))
    for row in rows:
        if len(table.pictures[row]) == 1:
            given.setdefault(table.pictures[row][0], {}).setdefault(spelt.get(labels[row], labels[row]), row + 1)
    _check_agreement(file, given)
    finding = none_is_a_class([labels[row] for row in rows])
    label_of = {path: label for path, found in given.items() if not is_missing(label := next(iter(found)), finding)}
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
    notes = [*merged, *_note_words(labels[row] for row in rows if not finding or labels[row].casefold() != "none")]
    return ClassLabels(
        Message("CSV file {file}", file=file.name), names, of, (*notes, *_notes(table, cells, len(paths) - len(of)))
    )


def _note_words(labels: Iterable[str]) -> Iterable[Message]:
    """Say which words were taken for no label."""
    words = Counter(label for label in labels if label and is_missing(label))
    if words:
        yield Message(
            "{n:,} {n:plural(row says|rows say)} {words:or}: taken as without a label.",
            n=words.total(),
            words=list(words)[:6],
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
