import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.editing.edits import Edit, Kind
from sslstudio.engine.labels.editing.export import export_labels
from sslstudio.engine.labels.editing.files import JOURNAL, LABELS, masks_in, read_labels_table, write_classes
from sslstudio.engine.labels.editing.start import FOLDER, begin, is_edited, labels_folder
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.stroke import Mask, Stroke
from sslstudio.engine.labels.editing.tools import brush
from sslstudio.engine.labels.editing.transfer import labels_below
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.projects.project import open_project

PATHS = ("a.png", "deep/b.png", "c, with a comma.png")
SHAPE = (9, 7)
CLASSIFY: Kind = "classification"


def empty(folder: Path) -> Path:
    """A folder of labels without any."""
    folder.mkdir(parents=True, exist_ok=True)
    write_classes(folder, {"classification": {}, "segmentation": {}})
    (folder / LABELS).write_text("file,label\r\n")
    (folder / "about.json").write_text(json.dumps({"pictures": "/nowhere"}))
    return folder


def stroke(store: Labelling, path: str, point: tuple[float, float], number: int) -> Edit | None:
    """One dab of a brush on a picture's mask."""
    old = store.mask(path)
    work = np.zeros(SHAPE, np.uint8) if old is None else old.copy()
    painting = Stroke(work)
    painting.put(brush(SHAPE, point, point, 2.0), number)
    patch = painting.end()
    return store.painting(path, SHAPE, patch) if patch else None


def state(store: Labelling) -> dict[str, object]:
    """All that a store knows."""
    masks = {path: mask.tolist() for path in sorted(store.masked) if (mask := store.mask(path)) is not None}
    return {"of": dict(store.of), "classes": {kind: dict(of) for kind, of in store.classes.items()}, "masks": masks}


POINT = st.tuples(st.floats(-2, 9), st.floats(-2, 11))
STEP = st.one_of(
    st.tuples(st.just("label"), st.lists(st.sampled_from(PATHS), unique=True), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("paint"), st.sampled_from(PATHS), POINT, st.integers(0, 3)),
    st.tuples(st.just("mask"), st.sampled_from(PATHS)),
    st.tuples(st.just("unmask"), st.sampled_from(PATHS)),
    st.tuples(st.just("add"), st.sampled_from(["classification", "segmentation"])),
    st.tuples(st.just("rename"), st.sampled_from([1, 2])),
    st.sampled_from([("undo",), ("redo",), ("save",)]),
)


class Person:
    """Edits a store, and knows by heart how it should be after each edit, undo and redo."""

    def __init__(self, store: Labelling) -> None:
        self.store = store
        self.done: list[tuple[Edit, dict[str, object]]] = []  # with the state before
        self.undone: list[tuple[Edit, dict[str, object]]] = []  # with the state after
        self.names = 0

    def do(self, step: tuple[object, ...]) -> None:
        match step:
            case ("undo",):
                if self.done:
                    edit, before = self.done.pop()
                    self.undone.append((edit, state(self.store)))
                    self.store.apply(edit.inverse())
                    assert state(self.store) == before
            case ("redo",):
                if self.undone:
                    edit, after = self.undone.pop()
                    self.done.append((edit, state(self.store)))
                    self.store.apply(edit)
                    assert state(self.store) == after
            case ("save",):
                before = state(self.store)
                self.store.save()
                assert state(self.store) == before
            case _:
                if (new := self.edit(step)) is not None:
                    self.done.append((new, state(self.store)))
                    self.undone.clear()
                    self.store.apply(new)

    def edit(self, step: tuple[object, ...]) -> Edit | None:
        self.names += 1
        match step:
            case ("label", paths, number):
                return self.store.labelling(paths, number)  # type: ignore[arg-type]
            case ("paint", path, point, number):
                return stroke(self.store, path, point, number)  # type: ignore[arg-type]
            case ("mask", path):
                return self.store.masking(str(path), SHAPE)
            case ("unmask", path):
                return self.store.unmasking(str(path))
            case ("add", kind):
                return self.store.adding(kind, f"class {self.names}")  # type: ignore[arg-type]
            case ("rename", number):
                return self.store.renaming(CLASSIFY, number, f"renamed {self.names}")  # type: ignore[arg-type]
        raise AssertionError(step)


@given(st.lists(STEP, max_size=20))
@settings(max_examples=25, deadline=None)
def test_any_edits_undo_and_redo_end_where_they_say_and_survive(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    folder = empty(tmp_path_factory.mktemp("labels"))
    store = Labelling(folder)
    for name in ("cat", "dog"):
        store.apply(store.adding(CLASSIFY, name))
    person = Person(store)
    for step in steps:
        person.do(step)
    wanted = state(store)
    store.journal.close()  # a crash: nothing is saved, the lock falls
    store._lock.release()
    with Labelling(folder) as again:
        assert state(again) == wanted
        assert again.journal.lines == 0
    with Labelling(folder) as third:
        assert state(third) == wanted
    assert read_labels_table(folder) == {
        path: store.classes[CLASSIFY][number].name for path, number in store.of.items()
    }


def test_reading_the_journal_over_newer_files_changes_nothing(tmp_path: Path) -> None:
    """A crash between writing the files and emptying the journal."""
    folder = empty(tmp_path / "labels")
    store = Labelling(folder)
    person = Person(store)
    for step in (
        ("add", "classification"), ("label", ["a.png"], 1), ("paint", "a.png", (3, 3), 2), ("undo",),
        ("paint", "a.png", (5, 5), 1), ("paint", "deep/b.png", (1, 1), 1), ("unmask", "deep/b.png"),
    ):  # fmt: skip
        person.do(step)
    journal, wanted = (folder / JOURNAL).read_bytes(), state(store)
    store.close()
    (folder / JOURNAL).write_bytes(journal)
    with Labelling(folder) as again:
        assert state(again) == wanted


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_in_the_middle_everything_that_was_said_is_there(tmp_path: Path) -> None:
    folder = empty(tmp_path / "labels")
    code = textwrap.dedent(f"""
        import numpy as np
        from pathlib import Path
        from sslstudio.engine.labels.editing import store as stores
        from sslstudio.engine.labels.editing.store import Labelling
        from sslstudio.engine.labels.editing.stroke import Stroke
        from sslstudio.engine.labels.editing.tools import brush
        stores.SAVE_AFTER = 30
        store = Labelling(Path({str(folder)!r}))
        store.apply(store.adding("classification", "cat"))
        number = 0
        while True:
            number += 1
            store.apply(store.labelling([f"{{number}}.png"], 1))
            work = np.zeros((40, 40), np.uint8)
            stroke = Stroke(work)
            stroke.put(brush(work.shape, (number % 40, 20), (20, number % 40), 3), 1)
            store.apply(store.painting(f"{{number}}.png", work.shape, stroke.end()))
            print(number, int(work.sum()), flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said: list[tuple[int, int]] = []
    for line in process.stdout:
        place, pixels = map(int, line.split())
        said.append((place, pixels))
        if len(said) == 25:  # it has saved by itself on the way
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    with Labelling(folder) as store:
        for place, pixels in said:
            mask = store.mask(f"{place}.png")
            assert store.of[f"{place}.png"] == 1
            assert mask is not None
            assert int(mask.sum()) == pixels
        assert len(store.of) >= len(said)


def test_a_line_that_was_cut_off_is_left_out_and_the_next_one_is_whole(tmp_path: Path) -> None:
    folder = empty(tmp_path / "labels")
    store = Labelling(folder)
    store.apply(store.adding(CLASSIFY, "cat"))
    store.apply(store.adding(CLASSIFY, "dog"))
    store.journal.close()
    store._lock.release()
    journal = folder / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-9])
    with Labelling(folder) as again:
        assert [one.name for one in again.names(CLASSIFY)] == ["cat"]
        again.apply(again.adding(CLASSIFY, "cow"))
    with Labelling(folder) as third:
        assert [one.name for one in third.names(CLASSIFY)] == ["cat", "cow"]


def test_a_damaged_journal_is_named_and_kept(tmp_path: Path) -> None:
    folder = empty(tmp_path / "labels")
    (folder / JOURNAL).write_bytes(b'{"edit":"nonsense"}\n{}\n')
    with pytest.raises(RunError, match=r"Line 1 of .* is damaged"):
        Labelling(folder)
    assert (folder / JOURNAL).read_bytes() == b'{"edit":"nonsense"}\n{}\n'


def test_a_disk_that_takes_nothing_changes_nothing(tmp_path: Path) -> None:
    folder = empty(tmp_path / "labels")
    with Labelling(folder) as store:
        store.journal.path = folder / "no such folder" / JOURNAL
        with pytest.raises(RunError, match="could not be saved"):
            store.apply(store.adding(CLASSIFY, "cat"))
        assert store.names(CLASSIFY) == []
        store.journal.path = folder / JOURNAL


def test_two_windows_cannot_edit_at_once(tmp_path: Path) -> None:
    folder = empty(tmp_path / "labels")
    with Labelling(folder), pytest.raises(DataError, match="another window"):
        Labelling(folder)
    Labelling(folder).close()


def test_names_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with Labelling(empty(tmp_path / "labels")) as store:
        store.apply(store.adding(CLASSIFY, "  cat   fish "))
        assert store.names(CLASSIFY)[0].name == "cat fish"
        with pytest.raises(DataError, match="already"):
            store.adding(CLASSIFY, "Cat fish")
        with pytest.raises(DataError, match="no label"):
            store.adding(CLASSIFY, " nan ")
        store.apply(store.recolouring(CLASSIFY, 1, 5))
        assert store.names(CLASSIFY)[0].colour == 5
        store.apply(store.renaming(CLASSIFY, 1, "Cat fish"))
        assert store.names(CLASSIFY)[0].name == "Cat fish"


# Beginning with what is there, and used by a training


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[Path]:
    """Twelve pictures without labels, and how their folder is before and after."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (SHAPE[1], SHAPE[0]), (number, 0, 0)).save(folder / f"{number}.png")
    before = sorted((file.name, file.stat().st_mtime_ns) for file in folder.rglob("*"))
    yield folder
    assert sorted((file.name, file.stat().st_mtime_ns) for file in folder.rglob("*")) == before


def begun(home: Path, pictures: Path) -> Path:
    """A folder of labels of these pictures, where older versions of the program kept them."""
    folder = home / FOLDER / pictures.name
    for _ in begin(folder, recognise(scan(pictures))):
        pass
    return folder


def test_labels_made_here_are_used_as_any_other(tmp_path: Path, pictures: Path) -> None:
    folder = begun(tmp_path / "home", pictures)
    assert not is_edited(folder)
    with Labelling(folder) as store:
        for name in ("zebra", "ant", "unused"):
            store.apply(store.adding(CLASSIFY, name))
        for number in range(3):
            edit = store.labelling([f"{2 * number}.png", f"{2 * number + 1}.png"], 1 + number % 2)
            assert edit is not None
            store.apply(edit)
        store.apply(store.adding("segmentation", "left"))
        store.apply(store.adding("segmentation", "right"))
        for path, number in (("3.png", 2), ("4.png", 1)):
            painted = stroke(store, path, (3, 3), number)
            assert painted is not None
            store.apply(painted)
    found = recognise(scan(pictures), str(folder))
    assert found.classes is not None
    assert found.classes.names == ("zebra", "ant")
    assert found.classes.of == {"0.png": 0, "1.png": 0, "2.png": 1, "3.png": 1, "4.png": 0, "5.png": 0}
    assert found.masks is not None
    assert found.masks.names == ("background", "left", "right")
    mask: Mask = decode_mask(pictures / found.masks.of["3.png"], found.masks.coding, None)
    assert set(np.unique(mask)) == {0, 2}
    assert len(found.pictures) == 12
    table = recognise(scan(pictures), str(folder / LABELS))  # the table alone is a labels file as any other
    assert table.classes is not None
    assert {path: table.classes.names[label] for path, label in table.classes.of.items()} == {
        path: found.classes.names[label] for path, label in found.classes.of.items()
    }


def test_one_class_is_not_enough_and_a_journal_left_by_a_crash_counts(tmp_path: Path, pictures: Path) -> None:
    folder = begun(tmp_path / "home", pictures)
    store = Labelling(folder)
    store.apply(store.adding(CLASSIFY, "cat"))
    edit = store.labelling(["0.png"], 1)
    assert edit is not None
    store.apply(edit)
    store.journal.close()
    store._lock.release()
    found = recognise(scan(pictures), str(folder))
    assert found.classes is None
    assert "two classes are needed" in found.notes[0]
    with pytest.raises(DataError, match="not one with labels made"):
        recognise(scan(pictures), str(tmp_path))


def test_what_was_recognised_is_where_one_begins(tmp_path: Path, sample_folder: Path) -> None:
    found = recognise(scan(sample_folder))
    assert found.classes is not None
    assert found.masks is not None
    home = tmp_path / "home"
    folder = begun(home, sample_folder)
    assert masks_in(folder) == sorted(found.masks.of)
    again = recognise(scan(sample_folder), str(folder))
    assert again.classes is not None
    assert again.masks is not None
    assert again.classes.names == found.classes.names
    assert again.classes.of == found.classes.of
    assert again.masks.names == found.masks.names
    for path in list(found.masks.of)[::7]:
        theirs = decode_mask(sample_folder / found.masks.of[path], found.masks.coding, None)
        np.testing.assert_array_equal(decode_mask(Path(again.masks.of[path]), again.masks.coding, None), theirs)
    assert labels_folder(home, sample_folder) is None  # nobody has labelled in it
    with Labelling(folder) as store:
        store.apply(store.adding(CLASSIFY, "one more"))
    assert labels_folder(home, sample_folder) == folder
    assert labels_folder(home, sample_folder.parent) is None


# What is in the place where labels are to be made


def files_in(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, locks left out."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }


def labelled(folder: Path, pictures: Path) -> dict[str, int]:
    """Somebody has labelled all pictures."""
    to_end(begin(folder, recognise(scan(pictures))))
    with Labelling(folder) as store:
        store.apply(store.adding(CLASSIFY, "cat"))
        edit = store.labelling([f"{number}.png" for number in range(12)], 1)
        assert edit is not None
        store.apply(edit)
        store.apply(store.adding("segmentation", "ear"))
        painted = stroke(store, "1.png", (3, 3), 1)
        assert painted is not None
        store.apply(painted)
        return dict(store.of)


def test_a_folder_that_a_project_names_for_its_labels_is_never_emptied(tmp_path: Path, pictures: Path) -> None:
    documents = tmp_path / "Documents"
    (documents / "letters").mkdir(parents=True)
    (documents / "letters" / "thesis.txt").write_text("years of work")
    project = tmp_path / "project"
    project.mkdir()
    (project / "sslstudio.toml").write_text(f'format = 1\npictures = "{pictures.as_posix()}"\nmade = "../Documents"\n')
    before = files_in(tmp_path)
    opened = open_project(project).project
    to_end(begin(opened.labels_folder, recognise(scan(pictures))))
    assert {name: content for name, content in files_in(tmp_path).items() if "labels/" not in name} == before
    with pytest.raises(DataError, match=r"Documents is needed for labels, and holds something else"):
        to_end(begin(documents, recognise(scan(pictures))))
    assert {name: content for name, content in files_in(tmp_path).items() if "labels/" not in name} == before


@pytest.mark.parametrize("missing", ["about.json", "classes.csv"])
def test_half_of_a_folder_of_labels_is_left_as_it_is(tmp_path: Path, pictures: Path, missing: str) -> None:
    folder = tmp_path / "labels"
    labelled(folder, pictures)
    (folder / missing).unlink()
    before = files_in(folder)
    with pytest.raises(DataError, match="Move it away or give it another name"):
        to_end(begin(folder, recognise(scan(pictures))))
    assert files_in(folder) == before


@pytest.mark.parametrize("how", ["a backup without empty files", "Export"])
def test_labels_that_were_brought_back_are_gone_on_with(tmp_path: Path, pictures: Path, how: str) -> None:
    folder = tmp_path / "labels"
    of = labelled(folder, pictures)
    if how == "Export":
        to_end(export_labels(folder, tmp_path / "taken along"))
        shutil.rmtree(folder)
        (tmp_path / "taken along").rename(folder)
    else:
        (folder / JOURNAL).unlink()
    before = files_in(folder)
    to_end(begin(folder, recognise(scan(pictures))))
    assert files_in(folder) == before
    with Labelling(folder) as store:
        assert store.of == of
        assert store.masked == {"1.png"}
    assert [one.name for one in tmp_path.iterdir() if one.name not in ("labels", "pictures")] == []


@pytest.mark.parametrize("change", ["", "label", "mask", "more", "link", "note", "lock"])
def test_what_was_begun_is_begun_anew_until_somebody_changes_it(
    tmp_path: Path, sample_folder: Path, change: str
) -> None:
    folder, paths = tmp_path / "labels", scan(sample_folder).paths
    to_end(begin(folder, recognise(scan(sample_folder))))
    first = files_in(folder)
    table = tmp_path / "other.csv"
    table.write_text("file,label\n" + "".join(f"{path},{number % 3}\n" for number, path in enumerate(paths)))
    mask = folder / "masks" / f"{masks_in(folder)[0]}.png"
    match change:
        case "label":
            (folder / LABELS).write_text(f"file,label\n{paths[0]},mine\n")
        case "mask":
            Image.new("L", SHAPE).save(mask)
        case "more":
            (folder / "masks" / "notes.txt").write_text("mine")
        case "link":
            (folder / "shortcut").symlink_to(sample_folder)
        case "note":
            (folder / "begun.json").write_text("[" * 100_000)
    kept = files_in(folder)
    if change == "lock":
        with Labelling(folder):
            to_end(begin(folder, recognise(scan(sample_folder), str(table))))
    else:
        to_end(begin(folder, recognise(scan(sample_folder), str(table))))
    if change:
        assert files_in(folder) == kept
    else:
        assert set(read_labels_table(folder).values()) == {"0", "1", "2"}
        assert files_in(folder)["labels.csv"] != first["labels.csv"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["labels", "other.csv"]
    assert len(scan(sample_folder).paths) == len(paths)


def test_one_who_labels_while_labels_are_begun_is_left_alone(tmp_path: Path, sample_folder: Path) -> None:
    folder = tmp_path / "labels"
    to_end(begin(folder, recognise(scan(sample_folder))))
    steps = begin(folder, recognise(scan(sample_folder)))
    next(steps)
    with Labelling(folder) as store:
        store.apply(store.adding(CLASSIFY, "one more"))
    before = files_in(folder)
    to_end(steps)
    assert files_in(folder) == before
    assert [one.name for one in tmp_path.iterdir()] == ["labels"]


def test_an_empty_folder_and_one_that_earlier_versions_have_begun_with_nothing_are_begun(
    tmp_path: Path, pictures: Path, sample_folder: Path
) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    to_end(begin(folder, recognise(scan(pictures))))
    (folder / "begun.json").unlink()
    assert read_labels_table(folder) == {}
    to_end(begin(folder, recognise(scan(sample_folder))))
    assert read_labels_table(folder)
    (folder / "begun.json").unlink()
    before = files_in(folder)
    to_end(begin(folder, recognise(scan(pictures))))
    assert files_in(folder) == before  # it may have come back from a backup


def test_one_that_is_stopped_leaves_nothing_and_a_folder_like_its_own_alone(
    tmp_path: Path, sample_folder: Path
) -> None:
    mine = tmp_path / ".labels.part"
    mine.mkdir()
    (mine / "letter.txt").write_text("mine")
    steps = begin(tmp_path / "labels", recognise(scan(sample_folder)))
    next(steps)
    steps.close()
    assert files_in(tmp_path) == {".labels.part/letter.txt": b"mine"}
    to_end(begin(tmp_path / "labels", recognise(scan(sample_folder))))
    to_end(labels_below(tmp_path / "labels", tmp_path / "labels 2", "a", sample_folder))
    to_end(export_labels(tmp_path / "labels", tmp_path / "out"))
    assert (mine / "letter.txt").read_text() == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == [".labels.part", "labels", "labels 2", "out"]


def test_a_disk_that_takes_no_labels_is_said(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(RunError, match="could not be begun in"):
        to_end(begin(tmp_path / "file" / "labels", recognise(scan(pictures))))
