"""A page of the window is declared in one place: one `PageSpec` in a file of its own, and every part knows it."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from sslstudio.ui.base import resources
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.spec import PageSpec, all_specs, forget_page, page_names, page_specs, register_page
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.manual import HEADING
from sslstudio.ui.shell.tab_order import reading_order
from sslstudio.ui.widgets.markdown_view import slug

ADDITION = """
from PySide6.QtWidgets import QPushButton

from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.spec import KeyGroup, PageSpec, State, register_page
from sslstudio.ui.widgets.shortcuts import PageKey


class NotesPage(Page):
    def __init__(self, workspace):
        super().__init__(workspace, "Notes on these pictures", "Only for you.")
        self.heard = []
        self.write = QPushButton("Write")
        self.content.addWidget(self.write)
        self.end_with(None)

    def arrive(self):
        self.heard.append("arrive")

    def leave(self):
        self.heard.append("leave")

    def start_run(self):
        self.heard.append("start")


register_page(
    PageSpec(
        "notes", 45, "pencil", lambda: "Notes", lambda: "Write down what you see.", lambda: NotesPage, "words.md",
        lambda workspace: State("None yet"), lambda: [KeyGroup([PageKey("Ctrl+K", "Write a note")])],
    )
)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[None]:
    """One file, imported as a plug-in would be."""
    file = tmp_path / "notes_page.py"
    file.write_text(ADDITION)
    found = importlib.util.spec_from_file_location("notes_page", file)
    assert found is not None
    assert found.loader is not None
    found.loader.exec_module(importlib.util.module_from_spec(found))
    yield
    forget_page("notes")


def action(window: MainWindow, title: str) -> QAction:
    return next(one for one in window.findChildren(QAction) if one.text().replace("&", "") == title)


def test_one_spec_adds_a_page(notes: None, qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    place = page_names().index("notes")
    assert page_names()[place - 1 : place + 2] == ("label", "notes", "finetune")

    go = next(menu for menu in window.menuBar().findChildren(QMenu) if menu.title() == "&Go")
    assert [one.text() for one in go.actions()] == [window.steps.item(at).text() for at in range(window.steps.count())]
    assert window.steps.item(place).text() == "Notes"
    assert go.actions()[place].shortcut().toString() == f"Ctrl+{place + 1}"
    assert ("Go", "Notes", f"Ctrl+{place + 1}") in window.help.key_rows()
    assert ("Notes", "Write a note", "Ctrl+K") in window.help.key_rows()

    go.actions()[place].trigger()
    page = window.pages["notes"]
    assert window.stack.currentWidget() is page
    middle = window.centralWidget()
    assert middle is not None
    order = reading_order(middle)
    assert order.index(window.steps) < order.index(page.write) < order.index(page.copy)  # type: ignore[attr-defined]

    action(window, "Start").trigger()
    action(window, "Manual").trigger()
    assert window.help.reading is not None
    assert window.help.reading.file.name == "words.md"
    window.go("images")
    assert page.heard == ["arrive", "start", "leave"]  # type: ignore[attr-defined]

    window.tour.begin()
    for _ in range(place):
        assert window.tour.panel is not None
        window.tour.panel.next.click()
    assert window.tour.panel is not None
    assert window.tour.panel.told.text() == "Write down what you see."
    window.tour.end()
    window.close()


def test_two_pages_have_two_names() -> None:
    first = page_specs()[0]
    with pytest.raises(ValueError, match="images"):
        register_page(first)


@pytest.mark.parametrize("spec", all_specs(), ids=lambda spec: spec.name)
def test_every_spec_leads_to_a_page_an_icon_and_a_page_of_the_manual(spec: PageSpec) -> None:
    made = spec.load()
    assert isinstance(made, type)
    assert issubclass(made, Page)
    assert resources.find(f"icons/{spec.icon}.svg").is_file()
    page, _, anchor = spec.manual.partition("#")
    headings = HEADING.findall(resources.find(f"manual/{page}").read_text(encoding="utf-8"))
    assert not anchor or anchor in map(slug, headings)
    assert spec.tour()
