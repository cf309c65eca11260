"""What the command palette offers: menus, pages of both ways, buttons in sight, settings by name, the manual."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QLabel,
    QMenu,
    QMenuBar,
    QPushButton,
    QScrollArea,
    QToolButton,
    QWidget,
)

from sslstudio.ui.shell import manual
from sslstudio.ui.shell.palette import Entry
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.markdown_view import slug

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
FIELD = "field"  # the role of the name of a setting


def menu_entries(bar: QMenuBar) -> Iterator[Entry]:
    """Every entry of every menu, with its key, and why it is grey."""
    for head in bar.actions():
        menu = head.menu()
        if isinstance(menu, QMenu):
            for action in menu.actions():
                if not action.isSeparator() and action.text():
                    yield Entry(_plain(action.text()), _plain(head.text()), action.trigger, _keys(action), _why(action))


def _keys(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _why(action: QAction) -> str:
    return "" if action.isEnabled() else action.statusTip() or tr("This cannot be done now.")


def _plain(title: str) -> str:
    return title.replace("&", "").rstrip("…").strip()


def button_entries(page: QWidget, title: str) -> Iterator[Entry]:
    """The buttons that are in sight on a page; grey ones say why."""
    seen: set[str] = set()
    for one in page.findChildren(QAbstractButton):
        said = _plain(one.text() or one.accessibleName())
        named = isinstance(one, (QPushButton, QToolButton))
        if not named or not said or said in seen or not one.isVisibleTo(page):
            continue
        seen.add(said)
        off = "" if one.isEnabled() else one.statusTip() or one.toolTip() or tr("This cannot be done now.")
        yield Entry(said, tr("Button of this page: {0}").format(title), one.click, off=off)


def setting_entries(page: QWidget, title: str, lead: Callable[[], QWidget]) -> Iterator[Entry]:
    """The settings of a page by their names, folded ones too. lead: brings the page into sight, and returns it."""
    names = (_setting(one) for one in page.findChildren(QWidget))
    yield from named_settings([name for name in names if name], title, lead)


def named_settings(names: Iterable[str], title: str, lead: Callable[[], QWidget]) -> Iterator[Entry]:
    """The settings with these names, of a page that need not be made yet."""
    for name in dict.fromkeys(names):
        yield Entry(name, tr("Setting: {0}").format(title), partial(_go_to_setting, name, lead))


def _setting(widget: QWidget) -> str:
    if isinstance(widget, QCheckBox):
        return _plain(widget.text())
    if isinstance(widget, QLabel) and widget.property("role") == FIELD:
        return widget.text()
    return ""


def _go_to_setting(title: str, lead: Callable[[], QWidget]) -> None:
    """Bring a setting into sight and put the focus on it."""
    page = lead()
    found = next((one for one in page.findChildren(QWidget) if _setting(one) == title), None)
    if found is None:
        return
    for above in _parents(found):
        if isinstance(above, Fold) and above.inside.isHidden():
            above.toggle()
    field = found if found.focusPolicy() & Qt.FocusPolicy.TabFocus else _first_after(page, found)
    for above in _parents(found):
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(found)
    if field is not None:
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)


def _parents(widget: QWidget) -> Iterator[QWidget]:
    above = widget.parentWidget()
    while above is not None:
        yield above
        above = above.parentWidget()


def _first_after(page: QWidget, label: QWidget) -> QWidget | None:
    """What the name stands above: the next widget that takes the keys."""
    every: list[QObject] = list(page.findChildren(QWidget))
    rest = every[every.index(label) + 1 :]
    below = label.mapTo(page, label.rect().bottomLeft()).y()
    return next(
        (
            one for one in rest
            if isinstance(one, QWidget) and one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isVisibleTo(page)
            and one.mapTo(page, one.rect().topLeft()).y() >= below - 1
        ),
        None,
    )  # fmt: skip


def manual_entries(language: str, show: Callable[[str], object]) -> Iterator[Entry]:
    """The pages of the manual and their sections. show: opens a place, as `results.md#scores`."""
    folder = manual.folder()
    for entry in manual.contents(folder, language):
        if not entry.deep:
            place = entry.source.relative_to(folder).as_posix()
            yield Entry(entry.title, tr("Manual"), partial(show, place))
            yield from _sections(entry.title, entry.source, entry.file, place, show)


def _sections(title: str, source: Path, shown: Path, place: str, show: Callable[[str], object]) -> Iterator[Entry]:
    own = HEADING.findall(source.read_text(encoding="utf-8"))
    said = HEADING.findall(shown.read_text(encoding="utf-8"))
    for heading, words in zip(own, said, strict=False):
        yield Entry(words, tr("Manual: {0}").format(title), partial(show, f"{place}#{slug(heading)}"))
