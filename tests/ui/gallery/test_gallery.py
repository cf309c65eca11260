import threading
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from sslstudio.engine.images.index import ImageIndex
from sslstudio.ui.gallery.model import GalleryItem, GalleryModel, thumbnail
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.pages.images.gallery_items import PictureItems

MANY = 100_000


class Decode:
    """Makes grey squares and remembers for which files."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, path: Path) -> QImage:
        self.gate.wait(5)
        self.asked.append(path.name)
        image = QImage(16, 16, QImage.Format.Format_RGB888)
        image.fill(Qt.GlobalColor.gray)
        return image


def items(count: int, name: str = "picture") -> list[GalleryItem]:
    return [GalleryItem(Path(f"/nowhere/{name}-{number}.png"), f"{number}") for number in range(count)]


def shown(qtbot: QtBot, decode: Decode, count: int) -> GalleryView:
    view = GalleryView(GalleryModel(decode=decode))
    view.gallery.setParent(view)
    qtbot.addWidget(view, before_close_func=lambda one: one.gallery.decoder.finish())
    view.resize(700, 500)
    view.show()
    view.show_items(items(count))
    return view


def scroll_to_the_end(qtbot: QtBot, view: GalleryView) -> None:
    """Once all rows have their places."""
    last = view.model().index(MANY - 1, 0)
    qtbot.waitUntil(lambda: view.visualRect(last).isValid(), timeout=30_000)
    view.scrollToBottom()


def test_only_painted_rows_of_a_hundred_thousand_are_decoded(qtbot: QtBot) -> None:
    decode = Decode()
    view = shown(qtbot, decode, MANY)
    qtbot.waitUntil(lambda: len(decode.asked) >= 20)
    qtbot.wait(50)
    assert view.gallery.rowCount() == MANY
    assert len(decode.asked) < 60
    scroll_to_the_end(qtbot, view)
    qtbot.waitUntil(lambda: f"picture-{MANY - 1}.png" in decode.asked)
    assert len(decode.asked) < 120


def test_thumbnails_arrive_as_pixmaps_and_are_asked_for_once(qtbot: QtBot) -> None:
    decode = Decode()
    view = shown(qtbot, decode, 5)
    first = view.gallery.index(0)
    qtbot.waitUntil(lambda: isinstance(first.data(Qt.ItemDataRole.DecorationRole), QPixmap))
    view.viewport().repaint()
    qtbot.wait(20)
    assert sorted(decode.asked) == [f"picture-{number}.png" for number in range(5)]


def test_late_answers_of_another_list_are_dropped(qtbot: QtBot) -> None:
    decode = Decode()
    decode.gate.clear()
    view = shown(qtbot, decode, 3)
    qtbot.waitUntil(lambda: view.gallery._asked == {0, 1, 2})
    view.hide()
    view.show_items(items(2, "other"))
    decode.gate.set()
    view.gallery.decoder.finish()
    qtbot.wait(20)
    assert view.gallery._pixmaps == {}


def test_requests_that_were_scrolled_past_are_dropped_and_may_come_back(qtbot: QtBot) -> None:
    decode = Decode()
    decode.gate.clear()
    model = GalleryModel(decode=decode)
    model.show_items(items(1000))
    for row in range(1000):
        model.index(row).data(Qt.ItemDataRole.DecorationRole)
    decode.gate.set()
    model.decoder.finish()
    qtbot.wait(20)
    assert len(decode.asked) < 1000
    assert "picture-999.png" in decode.asked or 999 in model._asked
    assert 0 not in model._asked or "picture-0.png" in decode.asked


def test_the_model_keeps_qt_s_rules(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    model = GalleryModel(decode=Decode())
    model.show_items(items(4))
    qtmodeltester.check(model)  # type: ignore[no-untyped-call]
    model.decoder.finish()


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "I;16"])
def test_pictures_of_any_mode_have_a_thumbnail(mode: str, tmp_path: Path) -> None:
    file = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    Image.new(mode, (400, 300)).save(file)
    image = thumbnail(file)
    assert image.width() / image.height() == pytest.approx(4 / 3, rel=0.05)


def test_a_broken_file_has_an_empty_thumbnail(tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n nothing else")
    assert thumbnail(file).isNull()


def test_a_folder_of_a_hundred_thousand_makes_only_what_is_painted(qtbot: QtBot, tmp_path: Path) -> None:
    decode = Decode()
    view = shown(qtbot, decode, 0)
    made: list[int] = []

    class Counted(PictureItems):
        def __getitem__(self, at):  # type: ignore[no-untyped-def]
            made.append(at)
            return super().__getitem__(at)

    index = ImageIndex.of(tmp_path, [f"{number // 1000:03}/{number:06}.jpg" for number in range(MANY)])
    view.show_items(Counted(index))
    qtbot.waitUntil(lambda: len(decode.asked) >= 20)
    scroll_to_the_end(qtbot, view)
    qtbot.waitUntil(lambda: f"{MANY - 1:06}.jpg" in decode.asked)
    assert view.gallery.item(MANY - 1).caption == f"099/{MANY - 1:06}.jpg"
    assert len(set(made)) < 200
    assert len(decode.asked) < 120


def test_a_picture_of_a_folder_has_its_name_and_place(tmp_path: Path) -> None:
    items = PictureItems(ImageIndex.of(tmp_path, ["a/b/1.jpg", "2.jpg"]))
    assert [item.caption for item in items] == ["2.jpg", "b/1.jpg"]
    assert items[1].path == tmp_path / "a/b/1.jpg"
    assert items[:1] == [items[0]]
