"""One page written in Markdown, in the colours and sizes of the window, with its pictures and links."""

import re
from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontDatabase,
    QImage,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTable,
)
from PySide6.QtWidgets import QTextBrowser, QTextEdit

from sslstudio.ui.base.theme import Colours, colours, theme

WEB = ("http", "https", "mailto")
HEADINGS = {1: 1.75, 2: 1.3, 3: 1.1}  # of the size of the text
WIDEST = 860  # pixels: longer lines are hard to follow
NARROWEST_MARGIN = 24
LONG_CELL = 60  # letters: longer cells are wrapped
REDRAW_MS = 120


def slug(heading: str) -> str:
    """A heading as links name it, as on the web."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class MarkdownView(QTextBrowser):
    """Shows one page in the colours and sizes of the window. `web_wanted` carries a link that leads out."""

    web_wanted = Signal(QUrl)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("manual")
        self.setOpenLinks(False)
        self.setAccessibleName(self.tr("Page of the manual"))
        self.anchorClicked.connect(self._follow)
        self._base = QUrl()
        self.find_page: Callable[[QUrl], QUrl] = lambda link: link  # which page stands for the one that is wanted
        self.setWordWrapMode(QTextOption.WrapMode.WordWrap)  # what is too wide is scrolled, not cut within words
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # else the width changes with the page
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._redraw.timeout.connect(self.show_again)
        theme().changed.connect(self.show_again)

    def _follow(self, link: QUrl) -> None:
        if link.scheme() in WEB:
            self.web_wanted.emit(link)
        else:
            self.setSource(self._base.resolved(link))

    def show_again(self) -> None:
        """Draw the page anew at the place where it is: the width or the colours are others."""
        if self.source().isEmpty():
            return
        bar = self.verticalScrollBar()
        place = bar.value() / max(1, bar.maximum())
        self.reload()
        bar.setValue(round(place * bar.maximum()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Pictures and margins follow the width, a moment later."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._redraw.start()

    def doSetSource(
        self, url: QUrl | str, /, type: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource
    ) -> None:
        """Read a page and dress it before Qt goes to the place in it that is wanted."""
        url = QUrl(url)
        url = self.find_page(url if not url.isRelative() else self._base.resolved(url))
        self._base = url
        super().doSetSource(url, type)
        Dresser(self.document(), colours(), self.font(), self._margin()).dress()
        if url.hasFragment():
            self.scrollToAnchor(url.fragment())

    def loadResource(self, type: int, name: QUrl | str, /) -> object:
        """Pictures as wide as there is room for, as sharp as the screen is."""
        if type != QTextDocument.ResourceType.ImageResource.value:
            return super().loadResource(type, name)
        image = QImage(self._base.resolved(QUrl(name)).toLocalFile())
        ratio = self.devicePixelRatioF()
        wanted = round(min(self._room(), image.width()) * ratio)
        if image.width() != wanted and not image.isNull():
            image = image.scaledToWidth(wanted, Qt.TransformationMode.SmoothTransformation)
        image.setDevicePixelRatio(ratio)
        return image

    def _margin(self) -> int:
        return max(NARROWEST_MARGIN, (self.viewport().width() - WIDEST) // 2)

    def _room(self) -> int:
        return max(100, self.viewport().width() - 2 * self._margin() - 2)

    def mark(self, wanted: str) -> int:
        """Mark every place that says this; returns how many there are."""
        found, at = [], QTextCursor(self.document())
        while wanted and not (at := self.document().find(wanted, at)).isNull():
            one = QTextEdit.ExtraSelection()
            one.cursor = at
            one.format.setBackground(QColor(colours().selection))
            found.append(one)
        self.setExtraSelections(found)
        return len(found)


def _is_code(block: QTextBlock) -> bool:
    about = block.blockFormat()
    marks = (QTextFormat.Property.BlockCodeLanguage, QTextFormat.Property.BlockCodeFence)
    return block.isValid() and any(about.hasProperty(mark) for mark in marks)


class Dresser:
    """Gives a page read from Markdown the look of the window, which Qt's reader knows nothing of."""

    def __init__(self, document: QTextDocument, scheme: Colours, font: QFont, margin: int) -> None:
        self._document, self._scheme, self._font, self._margin = document, scheme, font, margin
        self._fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()

    def dress(self) -> None:
        """Margins, headings with their anchors, code, tables; laid out once, at the end."""
        whole = QTextCursor(self._document)
        whole.beginEditBlock()
        root = self._document.rootFrame()
        about = root.frameFormat()
        about.setLeftMargin(self._margin)
        about.setRightMargin(self._margin)
        about.setTopMargin(NARROWEST_MARGIN - 8)
        about.setBottomMargin(NARROWEST_MARGIN)
        root.setFrameFormat(about)
        for frame in root.childFrames():
            if isinstance(frame, QTextTable):
                self._table(frame)
        block = self._document.begin()
        while block.isValid():
            self._block(block)
            block = block.next()
        for first, last in reversed(list(self._code_blocks())):
            self._frame(first, last)
        self._close_gaps()
        whole.endEditBlock()

    def _block(self, block: QTextBlock) -> None:
        about = block.blockFormat()
        if level := about.headingLevel():
            self._heading(block, level)
        elif _is_code(block):
            self._code(block)
        elif not any(piece.format.isImageFormat() for piece in block.textFormats()):
            changed = QTextBlockFormat()
            changed.setLineHeight(120.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            if QTextCursor(block).currentTable() is None:
                changed.setBottomMargin(4 if block.textList() else 10)
            QTextCursor(block).mergeBlockFormat(changed)
            self._words(block)

    def _heading(self, block: QTextBlock, level: int) -> None:
        letters = QTextCharFormat()
        letters.setFontPointSize(self._font.pointSizeF() * HEADINGS.get(level, 1.0))
        letters.setFontWeight(QFont.Weight.DemiBold)
        letters.setAnchor(True)
        letters.setAnchorNames([slug(block.text())])
        self._select(block).mergeCharFormat(letters)
        about = QTextBlockFormat()
        about.setTopMargin(NARROWEST_MARGIN if level == 1 else 22 if level == 2 else 14)
        about.setBottomMargin(10 if level == 1 else 6)
        QTextCursor(block).mergeBlockFormat(about)

    def _code(self, block: QTextBlock) -> None:
        about = QTextBlockFormat()
        about.setNonBreakableLines(False)
        for set_margin in (about.setLeftMargin, about.setTopMargin, about.setBottomMargin):
            set_margin(0)
        QTextCursor(block).mergeBlockFormat(about)
        self._select(block).mergeCharFormat(self._code_letters())

    def _code_blocks(self) -> Iterator[tuple[int, int]]:
        """First and last position of each run of lines of code."""
        block, first = self._document.begin(), None
        while block.isValid():
            if _is_code(block):
                first = block.position() if first is None else first
                if not _is_code(block.next()):
                    yield first, block.position() + block.length() - 1
                    first = None
            block = block.next()

    def _frame(self, first: int, last: int) -> None:
        """Put lines of code on a ground of their own."""
        about = QTextFrameFormat()
        about.setBackground(QColor(self._scheme.sunken))
        about.setPadding(9)
        about.setTopMargin(2)
        about.setBottomMargin(12)
        cursor = QTextCursor(self._document)
        cursor.setPosition(first)
        cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertFrame(about)

    def _close_gaps(self) -> None:
        """Qt keeps an empty line before and after each frame and table."""
        block = self._document.begin()
        while block.isValid():
            outside = QTextCursor(block).currentFrame().parentFrame() is None
            if outside and not block.text():
                about = QTextBlockFormat()
                about.setLineHeight(1.0, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
                QTextCursor(block).setBlockFormat(about)
            block = block.next()

    def _words(self, block: QTextBlock) -> None:
        for piece in block.textFormats():
            letters: QTextCharFormat | None = None
            if piece.format.fontFixedPitch():
                letters = self._code_letters()
            elif piece.format.isAnchor():
                letters = QTextCharFormat()
                letters.setForeground(QColor(self._scheme.accent))
            if letters is not None:
                cursor = QTextCursor(block)
                cursor.setPosition(block.position() + piece.start)
                end = block.position() + piece.start + piece.length
                cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(letters)

    def _code_letters(self) -> QTextCharFormat:
        letters = QTextCharFormat()
        letters.setFontFamilies([self._fixed])
        letters.setFontPointSize(self._font.pointSizeF() * 0.94)
        return letters

    def _select(self, block: QTextBlock) -> QTextCursor:
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _table(self, table: QTextTable) -> None:
        about = table.format()
        about.setBorder(1)
        about.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        about.setBorderBrush(QBrush(QColor(self._scheme.border)))
        about.setBorderCollapse(True)
        about.setCellPadding(6)
        about.setCellSpacing(0)
        about.setTopMargin(4)
        about.setBottomMargin(14)
        about.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        about.setColumnWidthConstraints(self._widths(table))
        table.setFormat(about)
        empty = not any(_read_cell(table, at, 0) for at in range(table.columns()))
        if empty:  # Markdown has no tables without a head
            table.removeRows(0, 1)
            return
        for at in range(table.columns()):
            cell = table.cellAt(0, at)
            ground = cell.format()
            ground.setBackground(QColor(self._scheme.sunken))
            cell.setFormat(ground)

    def _widths(self, table: QTextTable) -> list[QTextLength]:
        """Room by what the cells say: Qt alone makes all columns as wide."""
        longest = [
            max(len(_read_cell(table, at, down)) for down in range(table.rows())) for at in range(table.columns())
        ]
        wanted = [min(one, LONG_CELL) + 4 for one in longest]
        return [QTextLength(QTextLength.Type.PercentageLength, 100 * one / sum(wanted)) for one in wanted]


def _read_cell(table: QTextTable, column: int, down: int) -> str:
    return table.cellAt(down, column).firstCursorPosition().block().text()
