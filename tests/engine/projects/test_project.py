"""A project comes back as it was saved, also after a crash at any moment, and says so when it is damaged."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.errors import ConfigError, DataError, StudioError
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.labels.editing.files import write_about, write_classes
from sslstudio.engine.projects.folders import project_of_several
from sslstudio.engine.projects.project import (
    COPY,
    DAMAGED,
    FILE,
    Project,
    examples_of,
    is_project,
    open_project,
    project_of,
    save_project,
    with_pictures,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), NAMES, st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
OPTIONS = st.dictionaries(NAMES, VALUES, max_size=4)


def made(tmp_path: Path, **more: object) -> Project:
    project = Project(folder=tmp_path / "home" / "pets", pictures=tmp_path / "data" / "pets", name="pets")
    return replace(project, **more)  # type: ignore[arg-type]


@given(
    name=NAMES, opened=NAMES, task=NAMES, data=OPTIONS, options=st.dictionaries(NAMES, OPTIONS, max_size=3),
    choices=st.dictionaries(NAMES, OPTIONS, max_size=2),
    examples=st.lists(NAMES.filter(lambda name: not leads_out(name)), max_size=4), inside=st.booleans(),
)  # fmt: skip
def test_it_comes_back_as_it_was_saved(tmp_path_factory: pytest.TempPathFactory, **drawn: object) -> None:
    tmp_path = tmp_path_factory.mktemp("project")
    inside, examples = drawn.pop("inside"), drawn.pop("examples")
    assert isinstance(examples, list)
    project = made(tmp_path, **drawn, examples=tuple(examples), labels=str(tmp_path / "data" / "labels.csv"))
    if inside:
        project = replace(project, pictures=project.folder / "pictures", labels=str(project.folder / "labels.csv"))
    save_project(project)
    opened = open_project(project.folder)
    assert opened.told == ""
    assert opened.project == project
    save_project(replace(project, name="another"))
    assert open_project(project.folder).project.name == "another"


def labels_at(folder: Path) -> Path:
    """A folder of labels without any."""
    folder.mkdir(parents=True, exist_ok=True)
    write_classes(folder, {"classification": {}, "segmentation": {}})
    write_about(folder, folder)
    return folder


@pytest.mark.parametrize("where", ["../Documents", "/absolute", ".", "", "x/../..", "link", "loop"])
def test_labels_are_made_in_the_project_or_where_labels_are(tmp_path: Path, where: str) -> None:
    """Its file may come from anybody."""
    project = made(tmp_path)
    documents = project.folder.parent / "Documents"
    documents.mkdir(parents=True)
    (documents / "thesis.txt").write_text("years of work")
    project.folder.mkdir()
    where = str(documents) if where == "/absolute" else where
    (project.folder / "link").symlink_to(documents)
    (project.folder / "loop").symlink_to(project.folder / "loop")
    project.runs.mkdir()
    (project.folder / FILE).write_text(to_toml({"format": 1, "pictures": "../pets", "made": where}))
    opened = open_project(project.folder)
    assert opened.project.labels_folder == project.folder / "labels"
    assert (f"{where!r} as the folder for labels" in opened.told) == bool(where)
    if where in ("../Documents", "link"):
        labels_at(documents)
        again = open_project(project.folder)
        assert again.told == ""
        assert again.project.labels_folder.samefile(documents)


def test_what_lies_inside_or_beside_it_moves_with_it(tmp_path: Path) -> None:
    labels_at(tmp_path / "far" / "labels")
    project = Project(
        folder=tmp_path / "disk" / "project", pictures=tmp_path / "disk" / "pictures",
        labels=str(tmp_path / "disk" / "project" / "labels.csv"), made=str(tmp_path / "far" / "labels"),
    )  # fmt: skip
    save_project(project)
    assert 'pictures = "../pictures"' in (project.folder / FILE).read_text()
    moved = (tmp_path / "disk").rename(tmp_path / "other")
    opened = open_project(moved / "project").project
    assert opened.pictures == moved / "pictures"
    assert opened.labels == str(moved / "project" / "labels.csv")
    assert opened.labels_folder == tmp_path / "far" / "labels"


@pytest.mark.parametrize(
    "damage", [b"", b"\0" * 400, b"format = 1\nname = 'pe", b"format = 1\npictures = 7\n", b"\xff"]
)
def test_of_a_damaged_one_the_last_good_copy_is_opened_and_the_damaged_file_is_kept(
    tmp_path: Path, damage: bytes
) -> None:
    first = made(tmp_path, name="first")
    save_project(first)
    save_project(replace(first, name="second"))
    (first.folder / FILE).write_bytes(damage)
    opened = open_project(first.folder)
    assert opened.project == first
    assert "damaged" in opened.told
    assert "last good copy" in opened.told
    save_project(replace(first, name="third"))
    assert open_project(first.folder).project.name == "third"
    assert damage == b"" or (first.folder / DAMAGED).read_bytes() == damage
    (first.folder / FILE).unlink()  # the good copy was not replaced by the damaged file
    assert open_project(first.folder).project == first


def test_with_both_files_damaged_nothing_is_guessed(tmp_path: Path) -> None:
    project = made(tmp_path)
    save_project(project)
    for name in (FILE, COPY):
        (project.folder / name).write_bytes(b"?")
    with pytest.raises(DataError, match="copy beside it cannot be read either"):
        open_project(project.folder)
    anew = project_of(project.pictures, project.folder.parent).project
    assert anew.name == "pets 2"  # another folder: nothing is overwritten


def test_one_of_a_newer_version_is_refused_and_not_replaced(tmp_path: Path) -> None:
    project = made(tmp_path)
    save_project(project)
    save_project(replace(project, name="second"))
    newer = (project.folder / FILE).read_text().replace("format = 4", "format = 5")
    (project.folder / FILE).write_text(newer)
    with pytest.raises(ConfigError, match=r"newer version of SSL Studio \(format 5, this one reads up to 4\)"):
        open_project(project.folder)
    with pytest.raises(ConfigError, match="newer version"):
        save_project(project)
    assert (project.folder / FILE).read_text() == newer


def test_another_folder_is_no_project(tmp_path: Path) -> None:
    assert not is_project(tmp_path)
    with pytest.raises(DataError, match="is not a project"):
        open_project(tmp_path)


def test_each_folder_of_pictures_has_its_own(tmp_path: Path) -> None:
    projects = []
    for where in ("one", "two"):
        (tmp_path / where / "images").mkdir(parents=True)
        projects.append(project_of(tmp_path / where / "images", tmp_path / "home").project)
        save_project(projects[-1])
    assert [project.folder.name for project in projects] == ["images", "images 2"]
    assert project_of(tmp_path / "two" / "images", tmp_path / "home").project == projects[1]
    elsewhere = projects[1].folder.rename(tmp_path / "mine")
    assert project_of(tmp_path / "two" / "images", tmp_path / "home", [elsewhere]).project.folder == elsewhere


def test_pictures_that_moved_are_known_again_and_others_are_not(tmp_path: Path) -> None:
    paths = [f"cats/{number}.png" for number in range(40)]
    old, new = tmp_path / "old", tmp_path / "new"
    project = made(tmp_path, pictures=old, labels=str(old / "labels.csv"), examples=examples_of(paths))
    with pytest.raises(DataError, match="Only 0 of 12 pictures"):
        with_pictures(project, new)
    (new / "cats").mkdir(parents=True)
    for path in paths[:30]:
        (new / path).touch()
    moved = with_pictures(project, new)
    assert (moved.pictures, moved.labels) == (new, str(new / "labels.csv"))


KILLED = """
import os, sys
from dataclasses import replace
from pathlib import Path
from sslstudio.engine.projects.project import open_project, save_project

def save_and_die(new, deadly):
    left = deadly
    def watch(frame, event, arg):
        nonlocal left
        if event == "c_call":
            left -= 1
            if left < 0:
                os._exit(9)
    sys.setprofile(watch)
    save_project(new)
    sys.setprofile(None)
    os._exit(0)

folder = Path(sys.argv[1])
old = open_project(folder).project
seen, deadly, code = set(), 0, 9
while code == 9:
    new = replace(old, name=f"state {deadly + 1}")
    child = os.fork()
    if not child:
        save_and_die(new, deadly)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    opened = open_project(folder)
    assert not opened.told, opened.told
    assert opened.project in (old, new), (deadly, opened.project)
    seen.add(opened.project == new)
    old = opened.project
    deadly += 1
assert code == 0, code
assert seen == {False, True}
print(deadly)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_killed_at_any_moment_of_saving_it_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    project = made(tmp_path, options={"jigsaw": {"grid": 3, "gap": 0.2}})
    save_project(project)
    save_project(replace(project, name="state 0"))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(project.folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50  # calls into Python's C code, at each of which it was killed once


# What somebody's editor, a torn disk or another program may have put there.
TOML_VALUES = st.recursive(
    st.sampled_from([
        "0", "-7", "true", '""', '"x"', "nan", "-inf", "1e400", "1979-05-27T07:32:00Z", "07:32:00", '"\\u0000"',
        f'"{"x" * 5000}"', '"/etc/../\\u0007"', "9" * 30, "9" * 5000, "[" * 3000, "[" * 3000 + "]" * 3000,
        "{a=" * 3000, "[1, 'a']", "0o7", '"ä"', "'''", "{}", "[]",
    ]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda ones: f"[{', '.join(ones)}]"), inner.map(lambda one: f"{{a = {one}}}")
    ),
    max_leaves=4,
)  # fmt: skip
KEYS = st.sampled_from([
    "format", "pictures", "name", "opened", "labels", "made", "task", "data", "options", "choices", "earlier",
    "examples", "data.side", "options.jigsaw", "choices.pretrain", "a", ".".join("a" * 3000), "'", "=",
])  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A project file with other values, other bytes, or an end that came too early."""
    lines = whole.decode().splitlines()
    for key, value in draw(st.lists(st.tuples(KEYS, TOML_VALUES), max_size=3)):
        lines = [line for line in lines if not line.startswith(f"{key} ")]
        lines.insert(draw(st.integers(0, len(lines))), f"{key} = {value}")
    content = "\n".join(lines).encode()
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=3)), max_size=3)):
        content = content[: place % (len(content) + 1)] + byte + content[(place % (len(content) + 1)) + 1 :]
    return content[: draw(st.sampled_from([None, len(content) // 2, 1]))]


WHOLE = b'format = 1\npictures = "../../data/other"\nname = "other"\nmade = "labels"\nearlier = []\n[data]\nside = 96\n'


@settings(max_examples=150, deadline=None)
@given(first=damaged(WHOLE), copy=damaged(WHOLE), album=damaged(WHOLE))
@example(first=b"a = " + b"[" * 5000, copy=b"b = " + b"9" * 5000, album=b"\xff")
@example(first=b"format = 1\npictures = 'a'\nearlier = 7", copy=b'format = 1\npictures = "\\u0000"', album=b"")
def test_a_damaged_one_keeps_nobody_from_opening_another_folder(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, copy: bytes, album: bytes
) -> None:
    opens_others_beside(tmp_path_factory.mktemp("home"), first, copy, album)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(first=damaged(WHOLE), copy=damaged(WHOLE), album=damaged(WHOLE))
def test_many_damaged_ones_keep_nobody_from_opening_another_folder(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, copy: bytes, album: bytes
) -> None:
    opens_others_beside(tmp_path_factory.mktemp("home"), first, copy, album)


def opens_others_beside(tmp_path: Path, first: bytes, copy: bytes, album: bytes) -> None:
    """Whether other folders are opened while a project lies there with these files."""
    good = made(tmp_path)
    save_project(good)
    broken = good.folder.parent / "broken"
    for name, content in ((FILE, first), (COPY, copy), ("pictures/sslstudio-folders.toml", album)):
        (broken / name).parent.mkdir(parents=True, exist_ok=True)
        (broken / name).write_bytes(content)
    assert project_of(good.pictures, good.folder.parent, [broken]).project == good
    more = tmp_path / "data" / "more"
    anew = project_of(more, good.folder.parent, [broken])
    assert anew.project == Project(folder=good.folder.parent / "more", pictures=more, name="more")
    for folder in ("a", "b"):
        (more / folder).mkdir(parents=True)
    several = project_of_several([more / "a", more / "b"], good.folder.parent, [broken])
    assert several.project.name == "a + b"
    try:
        opened = open_project(broken)
    except StudioError:
        assert str(broken) in anew.told
        assert str(broken) in several.told
    else:
        assert anew.told == ""
        save_project(opened.project)  # and what could be read can be written


def test_one_whose_pictures_are_links_in_a_circle_keeps_nobody_from_opening_another(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    save_project(Project(folder=tmp_path / "home" / "circle", pictures=circle, name="circle"))
    good = made(tmp_path)
    save_project(good)
    assert project_of(good.pictures, good.folder.parent).project == good


def test_a_list_of_folders_that_is_damaged_is_said(tmp_path: Path) -> None:
    for number, content in enumerate(
        [b"a = " + b"[" * 5000, b"format = 1\nfolder = 7", b"\xff", b"x = " + b"9" * 5000]
    ):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "sslstudio-folders.toml").write_bytes(content)
        with pytest.raises(DataError, match=r"sslstudio-folders\.toml"):
            root_of(place)
