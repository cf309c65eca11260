"""Menus and keys: the only place that names a shortcut."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from sslstudio.ui.words import tr

CLASS_KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")
LABEL_KEYS = {
    "next": "N", "previous": "P", "unlabel": "Delete", "suggest": "S", "undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z",
    "brush": "B", "eraser": "E", "polygon": "G", "fill": "F", "wand": "W", "grow": "]", "shrink": "[",
    "fit": "Ctrl+0", "zoom_in": "Ctrl++", "zoom_out": "Ctrl+-",
}  # fmt: skip
PAN, HIDE = Qt.Key.Key_Space, Qt.Key.Key_H  # held


@dataclass(frozen=True)
class Commands:
    """What the menus can do; the window hands in its methods."""

    open_folder: Callable[[], object]
    add_folder: Callable[[], object]
    open_project: Callable[[], object]
    open_sample: Callable[[], object]
    show_home: Callable[[], object]
    preferences: Callable[[], object]
    go: Callable[[int], object]
    start: Callable[[], object]
    pause: Callable[[], object]
    stop: Callable[[], object]
    tour: Callable[[], object]
    keys: Callable[[], object]
    report: Callable[[], object]
    about: Callable[[], object]


@dataclass(frozen=True)
class Actions:
    """The actions that are switched on and off."""

    start: QAction
    pause: QAction
    stop: QAction


def _add(menu: QMenu, title: str, keys: str, call: Callable[[], object]) -> QAction:
    action = QAction(title, menu)
    if keys:
        action.setShortcut(QKeySequence(keys))
    action.triggered.connect(lambda: call())
    menu.addAction(action)
    return action


def label_shortcuts(page: QWidget, choose: Callable[[int], object], calls: dict[str, Callable[[], object]]) -> None:
    """The keys of the page that labels: `choose` gets the place of a class, `calls` are by the names of LABEL_KEYS."""
    pairs: list[tuple[str, Callable[[], object]]]
    pairs = [(key, partial(choose, place)) for place, key in enumerate(CLASS_KEYS)]
    pairs += [(LABEL_KEYS[name], call) for name, call in calls.items()]
    if "zoom_in" in calls:
        pairs.append(("Ctrl+=", calls["zoom_in"]))  # the same key without Shift
    for keys, call in pairs:
        made = QShortcut(QKeySequence(keys), page)
        made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.activated.connect(lambda call=call: call())


def tour_shortcut(window: QMainWindow, end: Callable[[], object]) -> QShortcut:
    """Escape ends the tour, wherever the focus is."""
    made = QShortcut(QKeySequence("Esc"), window)
    made.activated.connect(lambda: end())
    return made


def build_menus(window: QMainWindow, commands: Commands, steps: list[str]) -> Actions:
    """File, Go, Run and Help."""
    bar = window.menuBar()
    files = bar.addMenu(tr("&File"))
    _add(files, tr("&Open a folder…"), "Ctrl+O", commands.open_folder)
    _add(files, tr("&Add another folder…"), "Ctrl+Shift+A", commands.add_folder)
    _add(files, tr("Open a pro&ject…"), "Ctrl+Shift+O", commands.open_project)
    _add(files, tr("Open the &sample pictures"), "", commands.open_sample)
    files.addSeparator()
    _add(files, tr("Show the folder of &runs"), "", commands.show_home)
    _add(files, tr("&Preferences…"), "Ctrl+,", commands.preferences)
    files.addSeparator()
    _add(files, tr("&Quit"), "Ctrl+Q", window.close)
    go = bar.addMenu(tr("&Go"))
    for number, title in enumerate(steps):
        _add(go, title, f"Ctrl+{number + 1}", lambda number=number: commands.go(number))  # type: ignore[misc]
    run = bar.addMenu(tr("&Run"))
    actions = Actions(
        start=_add(run, tr("&Start"), "Ctrl+Return", commands.start),
        pause=_add(run, tr("&Pause or go on"), "Ctrl+P", commands.pause),
        stop=_add(run, tr("S&top and save"), "Ctrl+.", commands.stop),
    )
    helping = bar.addMenu(tr("&Help"))
    _add(helping, tr("&Tour"), "", commands.tour)
    _add(helping, tr("&Keys"), "?", commands.keys)
    _add(helping, tr("&Report a problem…"), "", commands.report)
    _add(helping, tr("&About SSL Studio"), "F1", commands.about)
    return actions
