"""Keys, where they are more than an entry of a menu: what a page, a board, a map or a plot listens to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QWidget

from sslstudio.ui.text.formatting import tr

CLASS_KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")
PAN, HIDE = Qt.Key.Key_Space, Qt.Key.Key_H  # held
CLOSE, SHORTEN, GIVE_UP = (Qt.Key.Key_Return, Qt.Key.Key_Enter), Qt.Key.Key_Backspace, Qt.Key.Key_Escape  # a polygon
CHOOSE = (*CLOSE, Qt.Key.Key_Space)  # where the arrows led to
CHOOSE_KEYS = ("Space", "Return", "Enter")
TAKE = Qt.Key.Key_Space  # a tile, and put it down
SIDEWAYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
ARROWS = {  # -> to the right, down
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip
ALONG = {  # the points of curves -> stride, way
    Qt.Key.Key_Left: ("point", -1), Qt.Key.Key_Right: ("point", 1), Qt.Key.Key_PageUp: ("page", -1),
    Qt.Key.Key_PageDown: ("page", 1), Qt.Key.Key_Home: ("end", -1), Qt.Key.Key_End: ("end", 1),
}  # fmt: skip


@dataclass(frozen=True)
class PageKey:
    """A key that a page listens to itself, and what it does there."""

    keys: str
    title: str
    also: str = ""  # the same key without Shift


def label_keys() -> dict[str, PageKey]:
    """The keys of the page that labels, beside those of the classes."""
    return {
        "next": PageKey("N", tr("Next picture")),
        "previous": PageKey("P", tr("Previous picture")),
        "unlabel": PageKey("Delete", tr("Take the label or mask away, or reject what is proposed")),
        "accept": PageKey("A", tr("Accept what the network proposes (Enter in the list, too)")),
        "proposed": PageKey("L", tr("Look at what the network proposes")),
        "suggest": PageKey("S", tr("Label these next")),
        "brush": PageKey("B", tr("Brush")),
        "eraser": PageKey("E", tr("Eraser")),
        "polygon": PageKey("G", tr("Polygon")),
        "fill": PageKey("F", tr("Fill")),
        "wand": PageKey("W", tr("Magic wand")),
        "grow": PageKey("]", tr("Larger brush")),
        "shrink": PageKey("[", tr("Smaller brush")),
        "zoom_in": PageKey("Ctrl++", tr("Zoom in"), "Ctrl+="),
        "zoom_out": PageKey("Ctrl+-", tr("Zoom out")),
        "fit": PageKey("Ctrl+0", tr("Show all of the picture")),
        **_undo_keys(),
    }


def doubt_keys() -> dict[str, PageKey]:
    """The keys of the list of doubtful labels."""
    return {
        "keep": PageKey("K", tr("Keep the label")),
        "change": PageKey("C", tr("Change the label")),
        "unsure": PageKey("U", tr("Unsure")),
        **_undo_keys(),
    }


def split_keys() -> dict[str, PageKey]:
    """The keys of the pages that train: a change of the split is taken back there."""
    return _undo_keys()


def manual_keys() -> dict[str, PageKey]:
    """The keys of the window that shows the manual."""
    return {
        "back": PageKey("Alt+Left", tr("Back")),
        "forward": PageKey("Alt+Right", tr("Forward")),
        "contents": PageKey("Alt+Home", tr("Contents")),
        "find": PageKey("Ctrl+F", tr("Find in the manual")),
        "next": PageKey("F3", tr("Next place found")),
        "previous": PageKey("Shift+F3", tr("Place found before")),
        "close": PageKey("Esc", tr("Close the manual"), "Ctrl+W"),
    }


def viewer_keys() -> dict[str, PageKey]:
    """The keys of the window that shows one picture closely."""
    return {
        "next": PageKey("PgDown", tr("Next picture")),
        "previous": PageKey("PgUp", tr("Previous picture")),
        "zoom_in": PageKey("+", tr("Zoom in"), "="),
        "zoom_out": PageKey("-", tr("Zoom out")),
        "fit": PageKey("0", tr("Show all of the picture")),
        "full": PageKey("1", tr("One pixel for one pixel")),
        "auto": PageKey("A", tr("Brightness and contrast by the picture")),
        "close": PageKey("Esc", tr("Close")),
        **_undo_keys(),
    }


def gallery_keys() -> list[PageKey]:
    """The keys of every gallery."""
    return [PageKey(natives(*CHOOSE), tr("See the picture closely")), PageKey("Menu", tr("What can be done with it"))]


def _undo_keys() -> dict[str, PageKey]:
    return {"undo": PageKey("Ctrl+Z", tr("Undo")), "redo": PageKey("Ctrl+Shift+Z", tr("Redo"))}


def held_keys() -> list[PageKey]:
    """The keys that the mask canvas hears itself."""
    return [
        PageKey(native(PAN), tr("Held: move the picture with the mouse")),
        PageKey(native(HIDE), tr("Held: see the picture without its mask")),
        PageKey(native(CLOSE[0]), tr("Close the polygon")),
        PageKey(native(SHORTEN), tr("Take the last corner back")),
        PageKey(native(GIVE_UP), tr("Give up the polygon or the stroke")),
    ]


def tile_keys() -> list[PageKey]:
    """The keys of the board with nine tiles."""
    return [
        PageKey(natives(*ARROWS), tr("Tiles: choose a place")),
        PageKey(native(TAKE), tr("Tiles: take the one there, or put it down")),
        PageKey(native(GIVE_UP), tr("Tiles: put the one that was taken back")),
    ]


def turn_keys() -> list[PageKey]:
    """The keys of the board with a picture to turn."""
    return [PageKey(natives(*SIDEWAYS), tr("Turn the picture to the left or the right"))]


def choice_keys() -> list[PageKey]:
    """The keys of the boards with buttons to choose from, which Qt's buttons hear themselves."""
    return [
        PageKey(natives(*ARROWS), tr("Places and colours: go to the next")),
        PageKey(native(TAKE), tr("Places and colours: choose")),
    ]


def map_keys() -> list[PageKey]:
    """The keys of the maps on which alike pictures lie together."""
    return [
        PageKey(natives(*ARROWS), tr("Go to the nearest picture in that direction")),
        PageKey(native(GIVE_UP), tr("Forget the line and the pictures in it")),
    ]


def matrix_keys() -> list[PageKey]:
    """The keys of the matrix of right and wrong answers."""
    return [
        PageKey(natives(*ARROWS), tr("Go from cell to cell")),
        PageKey(natives(*CHOOSE), tr("Show the pictures of the cell")),
    ]


def twin_keys() -> list[PageKey]:
    """The keys of the bar in which the two networks are compared."""
    return [
        PageKey(natives(*SIDEWAYS), tr("Go from stretch to stretch")),
        PageKey(natives(*CHOOSE), tr("Show the pictures of the stretch")),
    ]


def plot_keys() -> list[PageKey]:
    """The keys of plots."""
    of = {stride: [key for key, (other, _) in ALONG.items() if other == stride] for stride, _ in ALONG.values()}
    return [
        PageKey(natives(*of["point"]), tr("Read the point before or after")),
        PageKey(natives(*of["page"]), tr("Go on by a tenth of the curves, back or forth")),
        PageKey(natives(*of["end"]), tr("Read the first or the last point")),
        PageKey(native(GIVE_UP), tr("Take the marker away")),
    ]


def native(keys: Qt.Key | str) -> str:
    """A key as the system names it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def natives(*keys: Qt.Key) -> str:
    """Keys that do much the same."""
    return ", ".join(native(key) for key in keys)


def write_natively(keys: Mapping[str, PageKey]) -> list[PageKey]:
    """Write the same keys as people of this system read them."""
    return [replace(one, keys=native(one.keys)) for one in keys.values()]


def page_shortcuts(page: QWidget, keys: Mapping[str, PageKey], calls: Mapping[str, Callable[[], object]]) -> None:
    """Have a page listen to its keys; `calls` are by the names of `keys`."""
    for name, call in calls.items():
        for one in (keys[name].keys, keys[name].also):
            if one:
                listen(page, one, call)


def class_shortcuts(page: QWidget, choose: Callable[[int], object]) -> None:
    """The number keys; `choose` gets the place of a class."""
    for place, key in enumerate(CLASS_KEYS):
        listen(page, key, partial(choose, place))


def listen(page: QWidget, keys: str, call: Callable[[], object]) -> None:
    """Have a part of a page listen to a key, while the focus is in it."""
    made = QShortcut(QKeySequence(keys), page)
    made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    made.activated.connect(lambda: call())


def tour_shortcut(window: QMainWindow, end: Callable[[], object]) -> QShortcut:
    """Escape ends the tour, wherever the focus is."""
    made = QShortcut(QKeySequence("Esc"), window)
    made.activated.connect(lambda: end())
    return made
