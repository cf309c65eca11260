"""The menus of the window, with their keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from sslstudio.ui.text.formatting import tr

LAST_KEY = 9  # Ctrl+1 to Ctrl+9 go to steps


@dataclass(frozen=True)
class Commands:
    """What the menus can do; the window hands in its methods."""

    open_folder: Callable[[], object]
    add_folder: Callable[[], object]
    open_project: Callable[[], object]
    open_file: Callable[[], object]
    open_sample: Callable[[], object]
    rename_project: Callable[[], object]
    copy_project: Callable[[], object]
    show_project: Callable[[], object]
    show_home: Callable[[], object]
    preferences: Callable[[], object]
    expert: Callable[[bool], object]
    start: Callable[[], object]
    pause: Callable[[], object]
    stop: Callable[[], object]
    copy: Callable[[], object]
    tour: Callable[[], object]
    keys: Callable[[], object]
    report: Callable[[], object]
    about: Callable[[], object]
    licences: Callable[[], object]
    manual: Callable[[], object]
    palette: Callable[[], object]


@dataclass(frozen=True)
class Actions:
    """The actions that are switched on and off."""

    start: QAction
    pause: QAction
    stop: QAction
    expert: QAction
    go: QMenu


def _add(menu: QMenu, title: str, keys: str, call: Callable[[], object]) -> QAction:
    action = QAction(title, menu)
    if keys:
        action.setShortcut(QKeySequence(keys))
    action.triggered.connect(lambda: call())
    menu.addAction(action)
    return action


def fill_go(menu: QMenu, steps: Mapping[str, str], go: Callable[[str], object]) -> None:
    """Have the menu lead to these steps and no others. steps: their titles by name."""
    menu.clear()
    for number, (name, title) in enumerate(steps.items(), start=1):
        _add(menu, title, f"Ctrl+{number}" if number <= LAST_KEY else "", partial(go, name))


def build_menus(window: QMainWindow, commands: Commands) -> Actions:
    """File, Go, Run and Help. Go is empty until it is filled."""
    bar = window.menuBar()
    files = bar.addMenu(tr("&File"))
    _add(files, tr("&Open a folder…"), "Ctrl+O", commands.open_folder)
    _add(files, tr("&Add another folder…"), "Ctrl+Shift+A", commands.add_folder)
    _add(files, tr("Open a pro&ject…"), "Ctrl+Shift+O", commands.open_project)
    _add(files, tr("Open a &file…"), "Ctrl+Alt+O", commands.open_file)
    _add(files, tr("Open the &sample pictures"), "", commands.open_sample)
    files.addSeparator()
    _add(files, tr("Re&name the project…"), "F2", commands.rename_project)
    _add(files, tr("Save a &copy of the project…"), "Ctrl+Shift+S", commands.copy_project)
    _add(files, tr("Show the project's fol&der"), "Ctrl+Shift+E", commands.show_project)
    files.addSeparator()
    _add(files, tr("Show the folder of &runs"), "", commands.show_home)
    _add(files, tr("&Preferences…"), "Ctrl+,", commands.preferences)
    expert = QAction(tr("E&xpert: every page and setting"), files, checkable=True)
    expert.setShortcut(QKeySequence("Ctrl+E"))
    expert.triggered.connect(lambda: commands.expert(expert.isChecked()))
    files.addAction(expert)
    files.addSeparator()
    _add(files, tr("&Quit"), "Ctrl+Q", window.close)
    go = bar.addMenu(tr("&Go"))
    run = bar.addMenu(tr("&Run"))
    actions = Actions(
        start=_add(run, tr("&Start"), "Ctrl+Return", commands.start),
        pause=_add(run, tr("&Pause or go on"), "Ctrl+P", commands.pause),
        stop=_add(run, tr("S&top and save"), "Ctrl+.", commands.stop),
        expert=expert,
        go=go,
    )
    run.addSeparator()
    _add(run, tr("&Copy as command"), "Ctrl+Shift+C", commands.copy)
    helping = bar.addMenu(tr("&Help"))
    _add(helping, tr("&Manual"), "F1", commands.manual)
    _add(helping, tr("&Commands…"), "Ctrl+Shift+P", commands.palette)
    _add(helping, tr("&Tour"), "", commands.tour)
    _add(helping, tr("&Keys"), "?", commands.keys)
    _add(helping, tr("&Report a problem…"), "", commands.report)
    _add(helping, tr("&Licence texts"), "", commands.licences)
    _add(helping, tr("&About SSL Studio"), "", commands.about)
    return actions
