"""The manual in a window of its own: resources/manual/*.md with contents, back and forth, and a search over all."""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from PySide6.QtCore import QLocale, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeyEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from sslstudio.ui.base import resources
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer, press_focused
from sslstudio.ui.widgets.layout import column, row, text, tool
from sslstudio.ui.widgets.markdown_view import MarkdownView, slug
from sslstudio.ui.widgets.shortcuts import manual_keys, native, page_shortcuts

INDEX = "index.md"
CHAPTER = re.compile(r"^## (.+)$")
ENTRY = re.compile(r"^- \[([^\]]+)\]\(([^)#]+\.md)\)(?:: (.+))?$")
HEADING = re.compile(r"^#{2,6} (.+)$", re.MULTILINE)
CONTENTS_WIDTH = 260
PATH, DEEP = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1  # of an entry of the contents


@dataclass(frozen=True)
class Entry:
    """A page as the contents name it; `chapter` is the heading that it stands below. file: the page as it is shown;
    source: the English one."""

    title: str
    file: Path
    source: Path
    chapter: str = ""
    about: str = ""
    deep: bool = False  # listed by a page and not by the contents themselves


def folder() -> Path:
    """Where the manual is, in English and whole; translated pages are in a folder in it, named by their language."""
    return resources.find(f"manual/{INDEX}").parent.resolve()


def spoken_language() -> str:
    """The code of the window's language."""
    return QLocale().name().partition("_")[0]


def translated(source: Path, language: str) -> Path:
    """The page in a language, the English one where it is not translated."""
    own = folder() / language / source.name
    return own if source.parent == folder() and own.is_file() else source


def translated_anchor(source: Path, shown: Path, anchor: str) -> str:
    """What a heading is called in a translation, which has the same headings in the same order."""
    before, after = ([slug(one) for one in HEADING.findall(file.read_text("utf-8"))] for file in (source, shown))
    return after[before.index(anchor)] if anchor in before and len(before) == len(after) else anchor


def contents(manual: Path, language: str = "en") -> list[Entry]:
    """All pages in the order of the contents, each followed by those that it lists itself."""
    found: list[Entry] = []
    for entry in _list_of(manual / INDEX, language):
        found.append(entry)
        if entry.file.name == INDEX:
            lines = _list_of(entry.file, language)
            found += [Entry(one.title, one.file, one.source, entry.chapter, deep=True) for one in lines]
    return found


def _list_of(file: Path, language: str) -> list[Entry]:
    found, chapter = [], ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if heading := CHAPTER.match(line):
            chapter = heading[1]
        elif entry := ENTRY.match(line):
            source = (file.parent / entry[2]).resolve()
            shown = translated(source, language)
            title = entry[1] if shown == source else shown.read_text("utf-8").partition("\n")[0].removeprefix("# ")
            found.append(Entry(title, shown, source, chapter, (entry[3] or "") if shown == source else ""))
    return found


@lru_cache(maxsize=256)
def _plain(file: Path) -> str:
    """What a page says, without marks, as the search meets it."""
    document = QTextDocument()
    document.setMarkdown(file.read_text(encoding="utf-8"))
    return document.toPlainText().casefold()


class Contents(QListWidget):
    """The pages by chapter; a list of its own shows while one of its pages is open or found. `chosen` carries one."""

    chosen = Signal(Path)

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__()
        self.setObjectName("contents")
        self.setFixedWidth(CONTENTS_WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Contents of the manual"))
        chapter = ""
        for entry in entries:
            if entry.chapter != chapter:
                chapter = entry.chapter
                self._add_chapter(chapter)
            self._add(entry)
        self._wanted: frozenset[Path] | None = None
        self._open: Path | None = None
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)
        self._suit()

    def _add_chapter(self, title: str) -> None:
        item = QListWidgetItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        font = self.font()
        font.setBold(True)
        item.setFont(font)
        item.setTextAlignment(Qt.AlignmentFlag.AlignBottom)
        item.setSizeHint(QSize(0, self.fontMetrics().height() + 26))
        self.addItem(item)

    def _add(self, entry: Entry) -> None:
        item = QListWidgetItem(f"    {entry.title}" if entry.deep else entry.title)
        item.setData(PATH, entry.file)
        item.setData(DEEP, entry.deep)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.title)
        item.setToolTip(entry.about or entry.title)
        self.addItem(item)

    def _choose(self, item: QListWidgetItem) -> None:
        file = item.data(PATH)
        if file is not None:
            self.chosen.emit(file)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Space open the page that the arrows led to."""
        item = self.currentItem()
        if item is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(item)
        else:
            super().keyPressEvent(event)

    def show_open(self, file: Path) -> None:
        """Make a page the current one."""
        self._open = file
        self._suit()
        item = next((one for one in self._items() if one.data(PATH) == file), None)
        if item is not None:
            self.setCurrentItem(item)
        else:
            self.setCurrentRow(-1)

    def show_only(self, files: frozenset[Path] | None) -> None:
        """Leave out pages that do not have what is looked for; None shows all."""
        self._wanted = files
        self._suit()

    def pages(self) -> list[Path]:
        """The pages that are in sight, in order."""
        return [one.data(PATH) for one in self._items() if one.data(PATH) is not None and not one.isHidden()]

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(at) for at in range(self.count())]

    def _suit(self) -> None:
        near = self._open.parent if self._open is not None else None
        for item in self._items():
            file = item.data(PATH)
            if self._wanted is not None:
                item.setHidden(file not in self._wanted)
            elif file is not None:
                item.setHidden(bool(item.data(DEEP)) and file.parent != near)
            else:
                item.setHidden(False)


class Manual(QWidget):
    """The window. It belongs to no other, so that both can be seen side by side; `closed` says that it is gone."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.language = spoken_language()
        self.folder = folder()
        self.file = self.folder / INDEX  # the page that is shown
        entries = contents(self.folder, self.language)
        self._files = [entry.file for entry in entries]
        self._titles = {entry.file: entry.title for entry in entries}
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("SSL Studio: manual"))
        self.setWindowIcon(resources.icon("app", "#000000"))
        self.browser = MarkdownView()
        self.browser.find_page = self._find_page
        self.browser.web_wanted.connect(self._ask_web)
        self.browser.sourceChanged.connect(self._show_place)
        self.list = Contents(entries)
        self.list.chosen.connect(self.open)
        self.field = QLineEdit()
        self.said = text("", "muted", wrap=False)
        self._add_bar()
        self._add_rest()
        page_shortcuts(self, manual_keys(), {
            "back": self.browser.backward, "forward": self.browser.forward, "contents": self.open_contents,
            "find": self._go_find, "next": self.find_next, "previous": partial(self.find_next, back=True),
            "close": self.close,
        })  # fmt: skip
        self.resize(QSize(1180, 800).boundedTo(self.screen().availableSize() * 0.9))
        self.setMinimumSize(720, 420)
        self.open_contents()
        self.list.setFocus()

    def _add_bar(self) -> None:
        keys = {name: native(one.keys) for name, one in manual_keys().items()}
        titles = {name: one.title for name, one in manual_keys().items()}
        self.back = tool("back", titles["back"], keys["back"], self.browser.backward)
        self.forward = tool("next", titles["forward"], keys["forward"], self.browser.forward)
        self.home = tool("contents", titles["contents"], keys["contents"], self.open_contents)
        self.before = tool("up", titles["previous"], keys["previous"], partial(self.find_next, back=True))
        self.after = tool("down", titles["next"], keys["next"], self.find_next)
        self.browser.backwardAvailable.connect(self._offer_back)
        self.browser.forwardAvailable.connect(self._offer_forward)
        self._offer_back(False)
        self._offer_forward(False)
        self._offer_places(False)
        self.field.setPlaceholderText(self.tr("Find in the manual"))
        self.field.setAccessibleName(self.tr("Find in the manual"))
        self.field.setClearButtonEnabled(True)
        self.field.setFixedWidth(260)
        self.field.textChanged.connect(self._look)
        self.field.returnPressed.connect(self.find_next)

    def _add_rest(self) -> None:
        bar = row(self.back, self.forward, self.home, None, self.said, self.field, self.before, self.after)
        bar.setContentsMargins(14, 10, 14, 10)
        self.note = text(self.tr("This page is in English: it is not translated yet."), "small")
        self.note.setContentsMargins(16, 0, 16, 8)
        self.setLayout(column(bar, self.note, (row(self.list, (self.browser, 1), gap=0), 1), gap=0))
        self.setTabOrder(self.list, self.browser)

    def _offer_back(self, there: bool) -> None:
        offer(self.back, unless="" if there else self.tr("No page was open before this one."))

    def _offer_forward(self, there: bool) -> None:
        offer(self.forward, unless="" if there else self.tr("No page was open after this one."))

    def _offer_places(self, found: bool) -> None:
        for one in (self.before, self.after):
            offer(one, unless="" if found else self.tr("Type into the field what you look for."))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus."""
        if not press_focused(event, self):
            super().keyPressEvent(event)

    # --- pages

    def open_contents(self) -> None:
        """Show the first page."""
        self.open(self.folder / INDEX)

    def open(self, file: Path, anchor: str = "") -> None:
        """Show a page, at one of its headings if that is named, as links name it."""
        link = QUrl.fromLocalFile(str(file))
        link.setFragment(anchor)
        self.browser.setSource(link)

    def _find_page(self, link: QUrl) -> QUrl:
        """A link to an English page leads to the one in the window's language, where there is one."""
        source = Path(link.toLocalFile()).resolve()
        shown = translated(source, self.language)
        if shown == source:
            return link
        found = QUrl.fromLocalFile(str(shown))
        if link.hasFragment():
            found.setFragment(translated_anchor(source, shown, link.fragment()))
        return found

    def open_each(self) -> None:
        """Show one page after the other. Raises FileNotFoundError for one that is not there."""
        for file in self._files:
            if not file.is_file():
                raise FileNotFoundError(f"The manual lacks {file}")
            self.open(file)

    def _show_place(self, url: QUrl) -> None:
        self.file = Path(url.toLocalFile()).resolve()  # Qt says so before `source` is it
        self.list.show_open(self.file)
        self.note.setVisible(self.language not in ("en", self.file.parent.name))
        self._mark()

    def _ask_web(self, link: QUrl) -> None:
        question = self.tr("This leads out of the program, to {0}. Open it in the web browser?").format(link.toString())
        if dialogs.ask(self, question, self.tr("Open it"), self.tr("Stay here")):
            QDesktopServices.openUrl(link)

    # --- finding

    def _go_find(self) -> None:
        self.field.setFocus()
        self.field.selectAll()

    def _look(self) -> None:
        """The contents keep the pages that have it; the page shows where."""
        wanted = self.field.text().strip().casefold()
        having = frozenset(file for file in self._files if wanted in _plain(file)) if wanted else None
        self.list.show_only(having)
        self._offer_places(bool(having))
        self._mark()
        if having is None:
            self.said.setText("")
        elif not having:
            self.said.setText(self.tr("Nothing found"))
        else:
            told = self.tr("1 page") if len(having) == 1 else self.tr("{0} pages").format(len(having))
            self.said.setText(told)
            self._select(from_edge=True, back=False)

    def _mark(self) -> None:
        self.browser.mark(self.field.text().strip())

    def find_next(self, back: bool = False) -> None:
        """Go to the next place, on the next page that has one where this one has no more; after the last, the first."""
        pages = self.list.pages() if self.field.text().strip() else []
        if not pages or self._select(from_edge=False, back=back):
            return
        step = -1 if back else 1
        at = pages.index(self.file) if self.file in pages else (0 if back else -1)
        self.open(pages[(at + step) % len(pages)])
        self._select(from_edge=True, back=back)

    def _select(self, from_edge: bool, back: bool) -> bool:
        wanted = self.field.text().strip()
        if from_edge:
            edge = QTextCursor.MoveOperation.End if back else QTextCursor.MoveOperation.Start
            cursor = self.browser.textCursor()
            cursor.movePosition(edge)
            self.browser.setTextCursor(cursor)
        flag = QTextDocument.FindFlag.FindBackward if back else QTextDocument.FindFlag(0)
        return self.browser.find(wanted, flag)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say that it is gone."""
        super().closeEvent(event)
        self.closed.emit()
