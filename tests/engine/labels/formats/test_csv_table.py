"""Tables of labels as people have them: any separator, encoding, header and way to write a file name."""

import csv
import io
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.formats.csv_table import (
    MOST_COLUMNS,
    Contradiction,
    CsvTables,
    NoClasses,
    _check_columns,
    _is_a_slip,
    decode_text,
    read_labels,
    read_table,
)
from sslstudio.engine.labels.table_columns import is_measure, several_sign
from sslstudio.engine.labels.types import Choices

PATHS = [f"images/{name}" for name in ("a.jpg", "b.jpg", "c.JPG", "d.png", "deep/e.png", "deep/f.png")]
LABELS = {path: "cat" if place % 2 else "dog" for place, path in enumerate(PATHS)}


def labels_of(folder: Path, text: str | bytes, paths: list[str] = PATHS) -> dict[str, str]:
    file = folder / "labels.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    found = read_labels(file, paths)
    return {path: found.names[label] for path, label in found.of.items()}


def table(names: list[str], separator: str = ",", header: str = "") -> str:
    lines = [f"{name}{separator}{LABELS[path]}" for name, path in zip(names, PATHS, strict=True)]
    return "\n".join([header, *lines] if header else lines) + "\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [False, True])
def test_separators_and_headers(tmp_path: Path, separator: str, header: bool) -> None:
    text = table(PATHS, separator, f"file{separator}label" if header else "")
    assert labels_of(tmp_path, text) == LABELS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_that_excel_writes(tmp_path: Path, encoding: str) -> None:
    text = table(PATHS, ";").replace("cat", "Kätzchen").replace("\n", "\r\n")
    assert set(labels_of(tmp_path, text.encode(encoding)).values()) == {"Kätzchen", "dog"}


def test_big_endian_utf16_is_decoded() -> None:
    assert decode_text(b"\xfe\xff" + "é,1".encode("utf-16-be")) == "é,1"


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path,
        lambda path: path.replace("/", "\\"),
        lambda path: "./" + path,
        lambda path: path.rpartition("/")[2],
        lambda path: path.rpartition("/")[2].rpartition(".")[0],
        lambda path: path.upper(),
        lambda path: path.removeprefix("images/"),
        lambda path: "C:\\Users\\me\\data\\" + path.replace("/", "\\"),
        lambda path: f'"{path}"',
        lambda path: f"  {path} ",
    ],
    ids=["path", "backslash", "dot", "bare", "stem", "case", "below", "absolute", "quoted", "spaces"],
)
def test_ways_to_write_a_file_name(tmp_path: Path, change: object) -> None:
    assert callable(change)
    assert labels_of(tmp_path, table([change(path) for path in PATHS])) == LABELS


def test_another_folder_is_not_taken_for_this_one(tmp_path: Path) -> None:
    paths = ["train/1.png", "train/2.png", "train/3.png"]
    file = tmp_path / "labels.csv"
    file.write_text("train/1.png,a\ntrain/2.png,b\ntest/3.png,a\n")
    found = read_labels(file, paths)
    assert set(found.of) == set(paths[:2])
    assert any("test/3.png" in note for note in found.notes)


def test_excels_separator_line_is_understood(tmp_path: Path) -> None:
    assert labels_of(tmp_path, "sep=;\r\n" + table(PATHS, ";")) == LABELS


def test_the_label_column_is_found_by_its_name(tmp_path: Path) -> None:
    rows = ["id,site,image,Diagnosis"]
    rows += [f"{n},{n % 3},{path},{LABELS[path]}" for n, path in enumerate(PATHS)]
    assert labels_of(tmp_path, "\n".join(rows)) == LABELS


def test_without_a_known_name_the_first_column_that_repeats_is_taken(tmp_path: Path) -> None:
    rows = [f"{n},{path},{LABELS[path]},same" for n, path in enumerate(PATHS)]
    assert labels_of(tmp_path, "\n".join(rows)) == LABELS


def test_one_column_a_class(tmp_path: Path) -> None:
    rows = ["image,cat,dog", *(f"{p},{int(LABELS[p] == 'cat')}.0,{int(LABELS[p] == 'dog')}.0" for p in PATHS)]
    assert labels_of(tmp_path, "\n".join(rows)) == LABELS


def test_labels_may_hold_the_separator(tmp_path: Path) -> None:
    text = table(PATHS).replace("cat", '"cat, tame"')
    assert set(labels_of(tmp_path, text).values()) == {"cat, tame", "dog"}


def test_class_names_are_in_natural_order(tmp_path: Path) -> None:
    stages = ["stage 10", "stage 2", "stage 1", "stage 10", "stage 2", "stage 1"]
    (tmp_path / "l.csv").write_text("\n".join(f"{p},{s}" for p, s in zip(PATHS, stages, strict=True)))
    assert read_labels(tmp_path / "l.csv", PATHS).names == ("stage 1", "stage 2", "stage 10")


def test_what_does_not_fit_is_counted_and_named(tmp_path: Path) -> None:
    paths = [*PATHS, "x/same.png", "y/same.png"]
    file = tmp_path / "labels.csv"
    file.write_text(table(PATHS).replace("images/a.jpg,dog", "images/a.jpg,") + "gone.jpg,cat\nsame.png,dog\n")
    found = read_labels(file, paths)
    assert set(found.of) == set(PATHS[1:])
    notes = " ".join(found.notes)
    assert "1 row names no picture that is here: gone.jpg." in notes
    assert "more than one picture; write the folder too: same.png." in notes
    assert "3 pictures without a label." in notes


def test_names_that_differ_by_case_only_are_told_apart(tmp_path: Path) -> None:
    assert labels_of(tmp_path, "a.png,x\nA.png,y\n", ["A.png", "a.png"]) == {"a.png": "x", "A.png": "y"}


def test_a_contradiction_names_both_rows(tmp_path: Path) -> None:
    with pytest.raises(Contradiction, match=r"images/a\.jpg two labels: 'dog' \(row 1\) and 'cat' \(row 7\)"):
        labels_of(tmp_path, table(PATHS) + "a.jpg,cat\n")


def test_the_same_row_twice_is_no_contradiction(tmp_path: Path) -> None:
    assert labels_of(tmp_path, table(PATHS) * 2) == LABELS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line has two columns"),
        ("a.jpg\nb.jpg\n", "no line has two columns"),
        ("x.jpg,cat\ny.jpg,dog\n", r"none names a picture of this folder: it says x\.jpg, y\.jpg; .*images/a\.jpg"),
        ("file,label\na.jpg,cat\nb.jpg,cat\n", "none of its columns .file, label. holds classes"),
        ("\x00\x01\x02,\x03", "none names a picture|no line"),
    ],
)
def test_unusable_tables_say_what_was_found(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        labels_of(tmp_path, text)


def test_a_measure_is_no_class(tmp_path: Path) -> None:
    paths = [f"{n}.png" for n in range(60)]
    with pytest.raises(DataError, match="none of its columns"):
        labels_of(tmp_path, "file,age\n" + "\n".join(f"{path},{n}.5" for n, path in enumerate(paths)), paths)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothere\.csv cannot be read: No such file"):
        read_labels(tmp_path / "nothere.csv", PATHS)


def test_heads_are_heads_though_a_picture_is_called_like_one(tmp_path: Path) -> None:
    wanted = {"FILE.png": "b", "1.png": "a", "2.png": "a", "3.png": "b"}
    content = "file,label\n" + "\n".join(f"{name},{label}" for name, label in wanted.items())
    assert labels_of(tmp_path, content, sorted(wanted)) == wanted
    plain = "\n".join(f"{name[:-4]},{label}" for name, label in wanted.items())  # without heads and suffixes
    assert labels_of(tmp_path, plain, sorted(wanted)) == wanted


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters='/\\\r\n\x00,;|\t" .', exclude_categories=["C", "Z"]),
            min_size=1, max_size=6),
    min_size=6, max_size=12, unique_by=str.casefold,
)  # fmt: skip


@given(NAMES, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_names_go_through(tmp_path: Path, names: list[str], separator: str, encoding: str) -> None:
    wanted = {f"{name}.png": "ab"[place % 2] for place, name in enumerate(names)}
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([("file", "label"), *wanted.items()])
    assert labels_of(tmp_path, out.getvalue().encode(encoding), sorted(wanted)) == wanted


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00", exclude_categories=["C"]), max_size=7)


@given(
    st.lists(WORDS, min_size=2, max_size=4, unique_by=str.casefold),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_dialect_says_what_was_written(
    tmp_path: Path, words: list[str], separator: str, quoting: Any, ending: str, encoding: str
) -> None:
    """Class names with separators, quotes and spaces in them; those that mean nothing or several are another test's."""
    plain = [f"k{place}{word}e" for place, word in enumerate(words)]
    assume(not several_sign(plain) and not any(sign in word for word in plain for sign in ",;|\t"))
    plain = [word.replace("e", f"e{separator}", 1) if quoting == csv.QUOTE_ALL else word for word in plain]
    wanted = {f"{n}.png": " ".join(plain[n % len(plain)].split()) for n in range(4 * len(plain))}
    out = io.StringIO()
    rows = [("file", "label"), *((f"{n}.png", plain[n % len(plain)]) for n in range(4 * len(plain)))]
    csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=ending).writerows(rows)
    found = labels_of(tmp_path, out.getvalue().encode(encoding), sorted(wanted))
    assert {path: " ".join(unicodedata.normalize("NFC", one).split()) for path, one in found.items()} == {
        path: unicodedata.normalize("NFC", one) for path, one in wanted.items()
    }


# Columns told by name and by values


MANY = [f"{n:02}.png" for n in range(40)]


def columns_of(folder: Path, header: str, *cells: list[str], chosen: dict[str, str] | None = None) -> dict[str, str]:
    """Column -> role."""
    file = folder / "t.csv"
    rows = [",".join([path, *row]) for path, *row in zip(MANY, *cells, strict=True)]
    file.write_text("\n".join([header, *rows]))
    found = read_table(file, MANY, "t.csv", chosen or {})
    return {one.path.rpartition(":")[2]: one.role for one in found.roles[1:]}


def cycle(*values: str) -> list[str]:
    return [values[n % len(values)] for n in range(40)]


def test_split_patient_sex_and_age_are_not_the_class(tmp_path: Path) -> None:
    ages = [str(20 + n) for n in range(40)]
    header = "image,split,fold,sex,age,patient_id,tumour_type"
    found = columns_of(
        tmp_path, header, cycle("train", "val", "test"), cycle("0", "1", "2"), cycle("m", "f"), ages,
        cycle("p1", "p2", "p3", "p4"), cycle("benign", "malignant"),
    )  # fmt: skip
    assert found == {
        "image": "file", "split": "part", "fold": "ignore", "sex": "ignore", "age": "number", "patient_id": "group",
        "tumour_type": "class",
    }  # fmt: skip
    table = read_table(tmp_path / "t.csv", MANY, "t.csv", {})
    assert table.parts["00.png"] == "train"
    assert table.parts["01.png"] == "validation"
    assert table.groups["03.png"] == "p4"
    assert table.labels is not None
    assert "the class is the column tumour_type; also: split (part set apart)" in table.labels.notes[0]


def test_parts_are_known_by_their_cells_whatever_their_column_is_called(tmp_path: Path) -> None:
    found = columns_of(tmp_path, "image,usage2024,finding", cycle("Train", "Dev", "Test"), cycle("a", "b"))
    assert found == {"image": "file", "usage2024": "part", "finding": "class"}


def test_a_column_is_chosen_against_the_guess(tmp_path: Path) -> None:
    chosen = {"t.csv:sex": "class", "t.csv:label": "ignore", "t.csv:site": "group"}
    header = "file,label,sex,site"
    found = columns_of(tmp_path, header, cycle("a", "b"), cycle("m", "f"), cycle("x", "y", "z"), chosen=chosen)
    assert found == {"file": "file", "label": "ignore", "sex": "class", "site": "group"}
    assert read_table(tmp_path / "t.csv", MANY, "t.csv", chosen).labels is not None


def test_carriage_returns_alone_end_lines(tmp_path: Path) -> None:
    assert labels_of(tmp_path, table(PATHS, header="file,label").replace("\n", "\r")) == LABELS


@pytest.mark.parametrize("word", ["#N/A", "<NA>", "NULL", "None", "nil", "-", "n/a", "NaN", "."])
def test_words_for_nothing_are_no_class(tmp_path: Path, word: str) -> None:
    paths = [f"{n}.png" for n in range(12)]
    (tmp_path / "l.csv").write_text(
        "file,label\n" + "\n".join(f"{p},{['a', 'b', word][n % 3]}" for n, p in enumerate(paths))
    )
    found = read_labels(tmp_path / "l.csv", paths)
    assert found.names == ("a", "b")
    assert f"4 rows say {word}: taken as without a label." in found.notes


def test_none_can_be_what_was_found(tmp_path: Path) -> None:
    paths = [f"{n}.png" for n in range(12)]
    rows = [f"{p},{['none', 'mild', 'severe'][n % 3]}" for n, p in enumerate(paths)]
    (tmp_path / "l.csv").write_text("file,severity\n" + "\n".join(rows))
    assert read_labels(tmp_path / "l.csv", paths).names == ("mild", "none", "severe")


def test_several_findings_a_picture_are_refused_in_words(tmp_path: Path) -> None:
    rows = ["image,disc,square,bright", *(f"{p},{n % 2},{1 - n % 2},{n // 3 % 2}" for n, p in enumerate(MANY))]
    (tmp_path / "l.csv").write_text("\n".join(rows))
    with pytest.raises(NoClasses, match=r"several labels to 19 of 40 pictures \(columns disc, square, bright\)"):
        read_labels(tmp_path / "l.csv", MANY)
    chosen = read_table(tmp_path / "l.csv", MANY, "l.csv", {"l.csv:disc": "class"})
    assert chosen.labels is not None
    assert chosen.labels.names == ("0", "1")


def test_several_names_in_a_cell_are_refused_in_words(tmp_path: Path) -> None:
    cells = cycle("cat", "dog", "cat|dog", "bird", "bird|cat")
    (tmp_path / "l.csv").write_text("image,labels\n" + "\n".join(f"{p},{c}" for p, c in zip(MANY, cells, strict=True)))
    with pytest.raises(NoClasses, match=r"several labels to a picture: .* 'cat\|dog'"):
        read_labels(tmp_path / "l.csv", MANY)
    assert several_sign(["cat, tame", "dog"] * 4) == ""


def test_measurements_are_offered_as_such(tmp_path: Path) -> None:
    rows = "\n".join(f"{p},{n * 1.5 + 20:.1f}" for n, p in enumerate(MANY))
    (tmp_path / "l.csv").write_text("image,label\n" + rows)
    with pytest.raises(NoClasses, match=r"numbers that look like measurements.*'l.csv:label=class'"):
        read_labels(tmp_path / "l.csv", MANY)
    assert is_measure([str(n) for n in range(20, 80)], labelled=True)
    assert not is_measure([str(n % 30) for n in range(600)], labelled=True)  # class numbers
    assert not is_measure(["1", "2", "3"] * 9, labelled=True)


def test_spellings_of_a_class_are_one(tmp_path: Path) -> None:
    text = table(PATHS).replace("cat", "Cat", 1)
    assert set(labels_of(tmp_path, text).values()) == {"cat", "dog"}


def test_names_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    paths = [f"Ba\u0308r_e\u0301_{n}.png" for n in range(6)]
    rows = [f"B\u00e4r_\u00e9_{n}.png,{'ab'[n % 2]}" for n in range(6)]
    assert len(labels_of(tmp_path, "\n".join(rows), paths)) == 6


def test_a_label_of_yes_and_no_beside_other_flags_is_the_class(tmp_path: Path) -> None:
    found = columns_of(tmp_path, "file,label,smoker", cycle("0", "1"), cycle("1", "1", "0"))
    assert found == {"file": "file", "label": "class", "smoker": "ignore"}


def test_crosses_for_several_findings_are_refused(tmp_path: Path) -> None:
    found = columns_of(tmp_path, "file,oedema,nodule", cycle("x", ""), cycle("x", "x", ""))
    assert found == {"file": "file", "oedema": "several", "nodule": "several"}


def test_a_line_of_a_million_columns_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.csv has a line of more than 20,000 columns"):
        labels_of(tmp_path, "file," + "a," * 1_000_000 + "\na.jpg,b\n")
    prose = "word, " * 3000  # a cell that is long is none of these
    assert set(labels_of(tmp_path, table(PATHS).replace("cat", f'"{prose}"')).values()) == {"dog", prose.strip()}


@pytest.mark.parametrize(
    ("text", "cells"), [("x,1\ny,2\nz,3\n", "x, y, z; the"), ("x,1\ny,2\nz,3\nw,1\n", "x, y, z ...; the")]
)
def test_three_examples_are_shown(tmp_path: Path, text: str, cells: str) -> None:
    with pytest.raises(DataError, match=f"it says {cells}"):
        labels_of(tmp_path, text)


@pytest.mark.parametrize(("columns", "refused"), [(MOST_COLUMNS, False), (MOST_COLUMNS + 1, True)])
def test_the_most_columns_of_a_line(tmp_path: Path, columns: int, refused: bool) -> None:
    text = table(PATHS) + "," * columns + "\n"
    if refused:
        with pytest.raises(DataError, match="has a line of more than 20,000 columns, which no table of labels has"):
            _check_columns(text, tmp_path / "labels.csv")
    else:
        _check_columns(text, tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("parts", "taken"),
    [("train test train train train test", True), ("train train train train train train", False),
     ("test validation test test test test", False)],
)  # fmt: skip
def test_parts_need_two_and_train_among_them(tmp_path: Path, parts: str, taken: bool) -> None:
    rows = zip(PATHS, parts.split(), strict=True)
    file = tmp_path / "labels.csv"
    file.write_text("file,label,split\n" + "".join(f"{path},{LABELS[path]},{part}\n" for path, part in rows))
    assert bool(read_table(file, PATHS, "labels.csv", {}).parts) is taken


def test_a_note_says_which_columns_were_taken_where_there_are_more_than_two(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    for more, told in (("", False), (",patient", True)):
        rows = [f"{path},{LABELS[path]}{f',p{place // 2}' if more else ''}" for place, path in enumerate(PATHS)]
        file.write_text("\n".join([f"file,label{more}", *rows]) + "\n")
        found = read_table(file, PATHS, "labels.csv", {}).labels
        assert found is not None
        assert any("the class is the column label" in str(note) for note in found.notes) is told


@pytest.mark.parametrize(("several", "pictures", "slip"), [(1, 20, True), (2, 20, False), (2, 19, True)])
def test_one_contradiction_in_twenty_is_a_slip(several: int, pictures: int, slip: bool) -> None:
    """More of them: the table lists objects. Of fewer pictures than twenty that cannot be told."""
    assert _is_a_slip(Contradiction("x", share=several / pictures), pictures) is slip


@pytest.mark.parametrize(("named", "heard"), [(10, True), (9, False)])
def test_a_table_without_classes_is_heard_when_half_of_its_rows_name_pictures(
    tmp_path: Path, named: int, heard: bool
) -> None:
    for place in range(20):
        Image.new("RGB", (8, 8), (place, 0, 0)).save(tmp_path / f"{place}.png")
    names = [f"{place}.png" if place < named else f"other{place}.png" for place in range(20)]
    (tmp_path / "sizes.csv").write_text("".join(f"{name},{place + 0.37}\n" for place, name in enumerate(names)))
    assert bool(CsvTables().candidates(scan(tmp_path), Choices())) is heard


def test_one_class_is_none(tmp_path: Path) -> None:
    one, two = "".join(f"{path},cat\n" for path in PATHS), "".join(f"{path},{LABELS[path]}\n" for path in PATHS)
    assert set(labels_of(tmp_path, two).values()) == {"cat", "dog"}
    with pytest.raises(DataError, match=r"There have to be two classes at least|at least two different values"):
        labels_of(tmp_path, "file,label\n" + one)
