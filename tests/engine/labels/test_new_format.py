"""A format of labels is one file: dropped into the package of formats, it is known everywhere."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from sslstudio.cli.main import main
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels import formats
from sslstudio.engine.labels.recognise import load_sources, recognise
from sslstudio.engine.labels.types import SOURCES
from sslstudio.ui.widgets.labels_view import LabelsView

FORMAT = """
from pathlib import Path

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.types import ASKED_FOR, SOURCES, ClassLabels, Found, LabelSource


@SOURCES.register("first_letter")
class FirstLetter(LabelSource):
    def takes(self, asked):
        return 1.0 if asked.suffix == ".letter" else 0.0

    def candidates(self, index, choices):
        file = choices.asked or index.root / "first.letter"
        if not file.is_file():
            return []
        letters = tuple(file.read_text())
        of = {path: letters.index(path[0]) for path in index.paths if path[0] in letters}
        if not of:
            raise DataError("{file} names no letter of a picture.", file=file.name)
        labels = ClassLabels(Message("the first letters"), letters, of)
        return [Found("classes", labels, Message("first.letter lists them."), ASKED_FOR if choices.asked else 0.9)]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Pictures a1, a2, b1, b2 with a file of the new format, which lies beside the others from now on."""
    load_sources()
    place = tmp_path / "formats"
    place.mkdir()
    (place / "first_letter.py").write_text(FORMAT)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(place)])
    monkeypatch.setattr(SOURCES, "_entries", dict(SOURCES._entries))
    monkeypatch.delitem(sys.modules, f"{formats.__name__}.first_letter", raising=False)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a1", "a2", "b1", "b2"):
        Image.new("RGB", (40, 40), (len(name), 90, 200)).save(pictures / f"{name}.png")
    (pictures / "first.letter").write_text("ab")
    yield pictures
    sys.modules.pop(f"{formats.__name__}.first_letter", None)


def test_its_labels_are_recognised(folder: Path) -> None:
    found = recognise(scan(folder))
    assert found.classes is not None
    assert found.classes.names == ("a", "b")
    assert found.classes.of == {"a1.png": 0, "a2.png": 0, "b1.png": 1, "b2.png": 1}
    (one,) = found.candidates
    assert (one.source, one.kind, one.pictures, one.certainty, one.taken) == ("first_letter", "classes", 4, 0.9, True)


def test_the_most_certain_is_taken_and_the_other_one_named(folder: Path) -> None:
    (folder / "labels.csv").write_text("file,label\na1.png,x\na2.png,x\nb1.png,y\nb2.png,y\n")
    found = recognise(scan(folder))
    assert {one.source: one.taken for one in found.candidates} == {"csv_table": False, "first_letter": True}
    asked = recognise(scan(folder), "labels.csv")
    assert asked.classes is not None
    assert asked.classes.names == ("x", "y")


def test_a_file_of_it_can_be_chosen(folder: Path) -> None:
    (folder / "other.letter").write_text("ba")
    found = recognise(scan(folder), "other.letter")
    assert found.classes is not None
    assert found.classes.names == ("b", "a")


def test_the_command_line_and_the_window_show_it(
    folder: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["index", str(folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["classes"] == {"a": 2, "b": 2}
    assert [one["source"] for one in said["label_sources"]] == ["first_letter"]
    view = LabelsView()
    qtbot.addWidget(view)
    view.show_labels(recognise(scan(folder)))
    assert "the first letters" in view.classes.text()
