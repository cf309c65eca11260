"""Help, Manual: every page and picture shows, and is found by contents, links, search and with the keyboard alone."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QImage, QShortcut, QTextDocument, QTextTable
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.base import resources
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.manual import Manual, contents, translated
from sslstudio.ui.widgets.shortcuts import manual_keys
from tests.support.clipped import clipped
from tests.ui.conftest import Said

ENGLISH = resources.find("manual").resolve()
PAGES = [entry.file for entry in contents(ENGLISH)]


@pytest.fixture
def manual(qtbot: QtBot) -> Iterator[Manual]:
    """The manual, open at its contents."""
    made = Manual()
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def test_the_contents_list_every_page() -> None:
    english = {file for file in ENGLISH.rglob("*.md") if "de" not in file.relative_to(ENGLISH).parts}
    assert set(PAGES) == english - {ENGLISH / "index.md"}


def test_every_page_and_its_pictures_show(manual: Manual) -> None:
    """A fixture fails this on any warning of Qt's, as of a file that it did not find."""
    for file in PAGES:
        manual.open(file)
        title = file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        assert manual.browser.document().firstBlock().text() == title
        for name in pictures(manual):
            picture = manual.browser.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name))
            assert isinstance(picture, QImage)
            assert not picture.isNull(), name
            assert picture.deviceIndependentSize().width() <= manual.browser.viewport().width()


def pictures(manual: Manual) -> set[str]:
    block, found = manual.browser.document().begin(), set()
    while block.isValid():
        pieces = block.textFormats()
        found |= {piece.format.toImageFormat().name() for piece in pieces if piece.format.isImageFormat()}
        block = block.next()
    return found


def test_a_manual_that_lacks_a_page_is_found_out(manual: Manual) -> None:
    """The self-test of the built program asks this."""
    manual.open_each()
    assert manual.file == PAGES[-1]
    gone = ENGLISH / "unicorn.md"
    manual._files.append(gone)
    with pytest.raises(FileNotFoundError, match="unicorn"):
        manual.open_each()


def test_pages_with_screenshots_show_them(manual: Manual) -> None:
    manual.open(ENGLISH / "getting-started.md")
    assert pictures(manual) == {"../screenshots/results-light.png", "../screenshots/simple-light.png"}


def test_f1_opens_it_beside_the_window_and_closing_the_window_closes_it(window: MainWindow, qtbot: QtBot) -> None:
    opens = next(action for action in window.findChildren(QAction) if action.shortcut().toString() == "F1")
    opens.trigger()
    first = window.help.reading
    assert first is not None
    assert first.isVisible()
    assert not first.isModal()
    opens.trigger()
    assert window.help.reading is first
    window.close()
    assert window.help.reading is None


def test_it_can_be_closed_and_opened_again(window: MainWindow, qtbot: QtBot) -> None:
    window.help.manual()
    assert window.help.reading is not None
    window.help.reading.close()
    assert window.help.reading is None
    window.help.manual()
    assert window.help.reading is not None
    window.help.finish()


def test_a_link_leads_on_and_one_goes_back_and_forth(manual: Manual, qtbot: QtBot) -> None:
    assert not manual.back.isEnabled()
    manual.browser.anchorClicked.emit(QUrl("comparison.md#beware-of-the-factor"))
    assert manual.file == (ENGLISH / "comparison.md").resolve()
    assert manual.browser.verticalScrollBar().value() > 0
    manual.browser.anchorClicked.emit(QUrl("measured-results.md"))
    manual.back.click()
    assert manual.file.name == "comparison.md"
    manual.back.click()
    assert manual.file.name == "index.md"
    assert not manual.back.isEnabled()
    manual.forward.click()
    assert manual.file.name == "comparison.md"
    manual.home.click()
    assert manual.file.name == "index.md"


def test_a_link_is_followed_by_keyboard(manual: Manual) -> None:
    manual.browser.setFocus()
    QTest.keyClick(manual.browser, Qt.Key.Key_Tab)
    QTest.keyClick(manual.browser, Qt.Key.Key_Return)
    assert manual.file == PAGES[0]


def test_links_between_folders_are_followed(manual: Manual) -> None:
    manual.open(ENGLISH / "decisions" / "0022-vicreg-is-the-default.md")
    manual.browser.anchorClicked.emit(QUrl("../measured-results.md"))
    assert manual.file == (ENGLISH / "measured-results.md").resolve()


def test_every_heading_that_is_linked_to_is_gone_to(manual: Manual) -> None:
    manual.resize(1000, 500)
    for link in ("getting-started.md#linux", "pictures-and-labels.md#groups", "measured-results.md#general-weights"):
        manual.browser.anchorClicked.emit(QUrl(link))
        top = manual.browser.cursorForPosition(QPoint(60, 12)).block()
        near = {top.text(), top.next().text(), top.next().next().text()}
        assert any(text.casefold().replace(" ", "-") == link.partition("#")[2] for text in near), (link, near)


@pytest.mark.parametrize("agrees", [True, False])
def test_a_web_page_is_opened_only_when_a_person_agrees(
    manual: Manual, said: Said, monkeypatch: pytest.MonkeyPatch, agrees: bool
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url))  # else a browser would open
    said.agrees = agrees
    before = manual.file
    manual.browser.anchorClicked.emit(QUrl("https://keepachangelog.com/"))
    assert "https://keepachangelog.com/" in said.questions[-1]
    assert [url.host() for url in opened] == (["keepachangelog.com"] if agrees else [])
    assert manual.file == before


def test_the_contents_choose_a_page_by_keyboard(manual: Manual, qtbot: QtBot) -> None:
    assert manual.focusWidget() is manual.list
    for _ in range(3):
        QTest.keyClick(manual.list, Qt.Key.Key_Down)
    QTest.keyClick(manual.list, Qt.Key.Key_Return)
    chosen = manual.list.currentItem()
    assert chosen is not None
    assert manual.browser.document().firstBlock().text() == chosen.text()


def test_decisions_are_listed_while_one_is_open(manual: Manual) -> None:
    one = (ENGLISH / "decisions" / "0004-whole-pictures.md").resolve()
    assert one not in manual.list.pages()
    manual.open(ENGLISH / "decisions" / "index.md")
    assert one in manual.list.pages()
    manual.open(ENGLISH / "words.md")
    assert one not in manual.list.pages()


def test_the_search_finds_it_on_every_page_one_place_after_the_other(manual: Manual, qtbot: QtBot) -> None:
    manual.field.setText("touching")
    having = manual.list.pages()
    assert {file.name for file in having} == {"limits.md"}
    assert manual.said.text() == "1 page"
    QTest.keyClick(manual.field, Qt.Key.Key_Return)
    assert manual.file.name == "limits.md"
    assert manual.browser.textCursor().selectedText() == "touching"
    manual.field.setText("tournament")
    seen = []
    for _ in range(200):
        manual.find_next()
        at = (manual.file, manual.browser.textCursor().position())
        assert manual.browser.textCursor().selectedText().casefold() == "tournament"
        if at in seen:
            break
        seen.append(at)
    assert {file for file, _ in seen} == set(manual.list.pages())
    assert len(seen) > len(manual.list.pages()) > 2
    manual.find_next(back=True)
    manual.find_next(back=True)
    assert (manual.file, manual.browser.textCursor().position()) in seen


def test_what_is_found_is_marked_on_the_page(manual: Manual) -> None:
    manual.open(ENGLISH / "comparison.md")
    manual.field.setText("labels")
    text = manual.browser.document().toPlainText().casefold()
    assert len(manual.browser.extraSelections()) == text.count("labels") > 5
    manual.field.clear()
    assert manual.browser.extraSelections() == []
    assert len(manual.list.pages()) > 15


def test_nothing_found_is_said(manual: Manual) -> None:
    manual.field.setText("xyzzy")
    assert manual.said.text() == "Nothing found"
    assert manual.list.pages() == []
    assert not manual.after.isEnabled()
    manual.find_next()
    assert manual.file.name == "index.md"


def test_the_keys_are_those_that_the_help_tells(manual: Manual, window: MainWindow) -> None:
    heard = {one.key().toString() for one in manual.findChildren(QShortcut)} - {"Ctrl+W"}
    told = {key for where, _, key in window.help.key_rows() if where == "Manual"}
    assert heard == told
    assert len(heard) == len(manual_keys())


def test_escape_closes_it(window: MainWindow, qtbot: QtBot) -> None:
    window.help.manual()
    reading = window.help.reading
    assert reading is not None
    next(one for one in reading.findChildren(QShortcut) if one.key().toString() == "Esc").activated.emit()
    assert window.help.reading is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_follows_the_colours_where_it_stands(manual: Manual, scheme: str, qapp: QApplication) -> None:
    manual.open(ENGLISH / "measured-results.md")
    bar = manual.browser.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    theme().follow(scheme)
    try:
        table = next(one for one in manual.browser.document().rootFrame().childFrames() if isinstance(one, QTextTable))
        assert table.format().borderBrush().color().name() == colours().border
        assert abs(bar.value() - bar.maximum() // 2) < bar.maximum() // 20
    finally:
        theme().follow("light")


def test_tables_are_not_wider_than_the_page_of_a_large_window(manual: Manual, qtbot: QtBot) -> None:
    manual.resize(1180, 800)
    for file in PAGES:
        manual.open(file)
        assert manual.browser.horizontalScrollBar().maximum() == 0, file.name


def test_pictures_follow_the_width(manual: Manual, qtbot: QtBot) -> None:
    manual.open(ENGLISH / "results.md")
    manual.resize(760, 600)
    qtbot.waitUntil(lambda: not manual.browser._redraw.isActive())
    manual.resize(1000, 600)
    qtbot.waitUntil(lambda: not manual.browser._redraw.isActive())
    assert manual.browser.horizontalScrollBar().maximum() == 0


def test_everything_is_named_for_a_screen_reader(manual: Manual) -> None:
    for one in (manual.back, manual.forward, manual.home, manual.before, manual.after, manual.field, manual.list):
        assert one.accessibleName(), one
    assert manual.browser.accessibleName()


def test_nothing_is_cut_off(spoken: str, manual: Manual) -> None:
    manual.resize(manual.minimumSize())
    manual.field.setText("labels")
    QApplication.processEvents()
    assert clipped(manual) == []


def test_in_german_the_first_pages_are_german_and_the_others_say_that_they_are_not(german: None, qtbot: QtBot) -> None:
    made = Manual()
    made.show()
    assert made.windowTitle() == "SSL Studio: Handbuch"
    assert made.note.isVisible()  # the contents
    made.open(ENGLISH / "labelling.md", "proposals")
    assert made.file == ENGLISH / "de" / "labelling.md"
    assert made.browser.source().fragment() == "vorschläge"
    assert not made.note.isVisible()
    titles = [made.list.item(at).text() for at in range(made.list.count())]
    assert {"Beschriften", "Ergebnisse"} <= set(titles)
    item = made.list.currentItem()
    assert item is not None
    assert item.text() == "Beschriften"
    made.open(ENGLISH / "clusters.md")
    assert made.file == ENGLISH / "clusters.md"
    assert made.note.text() == "Diese Seite ist auf Englisch: Sie ist noch nicht übersetzt."
    assert made.note.isVisible()
    made.close()


def test_a_page_without_a_translation_stays_as_it_is() -> None:
    assert translated(ENGLISH / "results.md", "fr") == ENGLISH / "results.md"
    assert translated(ENGLISH / "decisions" / "index.md", "de") == ENGLISH / "decisions" / "index.md"
