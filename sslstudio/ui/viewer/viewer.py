"""The window that shows one picture closely: all its pixels, brightness and contrast, channels and pages, label and
prediction, and the pictures before and after it."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QCloseEvent, QImage
from PySide6.QtWidgets import QWidget

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.images.formats.wanted import CHANNELS, PAGE, channels_suffix, file_of, split_name
from sslstudio.engine.images.index import printable
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.ui.background import jobs
from sslstudio.ui.base.theme import set_role
from sslstudio.ui.gallery.filter_bar import part_titles
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.gallery.requests import Wish
from sslstudio.ui.operations.closely import read_closely
from sslstudio.ui.text import formatting
from sslstudio.ui.viewer.canvas import ViewerCanvas
from sslstudio.ui.viewer.known import known_of
from sslstudio.ui.viewer.menu import PictureMenu
from sslstudio.ui.viewer.pyramid import Pyramid, Window, build_pyramid
from sslstudio.ui.viewer.side import ViewerSide
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.elided import ElidedLabel
from sslstudio.ui.widgets.layout import button, column, row, text, tool
from sslstudio.ui.widgets.mask_image import mask_image
from sslstudio.ui.widgets.shortcuts import page_shortcuts, viewer_keys
from sslstudio.ui.workspace.workspace import Workspace


@dataclass(frozen=True)
class _Loaded:
    """All that was read of a picture, ready to be painted."""

    pyramid: Pyramid
    bytes: int
    truth: QImage | None
    answer: QImage | None


def _load(path: Path, truth: tuple[Path, MaskCoding] | None, answer: Path | None, control: RunControl) -> _Loaded:
    found = read_closely(path, truth, answer, control)
    masks = [None if mask is None else mask_image(mask) for mask in (found.truth, found.answer)]
    return _Loaded(build_pyramid(found.measured), found.bytes, masks[0], masks[1])


class PictureViewer(QWidget):
    """Not modal, and used again for each picture that is asked for."""

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self.setObjectName("page")
        self.setProperty("manual", "pictures-and-labels.md#looking-closely")  # for F1
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._known = known_of(workspace)
        self._menus = PictureMenu(self._known, self)
        self._wish: Wish | None = None
        self._item = GalleryItem(Path(), "")
        self._job: jobs.Job | None = None
        self._loaded: _Loaded | None = None
        self._kept: Window | None = None  # set by hand, for pictures of the same depth
        self._depth = 0  # bits of the picture that it was set for
        self.canvas, self.side = ViewerCanvas(), ViewerSide()
        self.name = ElidedLabel("heading")
        self.told = text("", "muted", wrap=False)
        self._add_bar()
        self._connect()
        self.setMinimumSize(QSize(930, 480))
        self.resize(1080, 720)
        self._known.changed.connect(self._refresh)

    def _add_bar(self) -> None:
        keys = viewer_keys()
        self.previous = tool("back", keys["previous"].title, keys["previous"].keys, partial(self.step, -1))
        self.next = tool("next", keys["next"].title, keys["next"].keys, partial(self.step, 1))
        nearer, farther = button("+", partial(self.canvas.step, 1)), button("−", partial(self.canvas.step, -1))
        whole, full = button(self.tr("Fit"), self.canvas.fit), button("1:1", self.canvas.full_size)
        for one, name in ((nearer, "zoom_in"), (farther, "zoom_out"), (whole, "fit"), (full, "full")):
            set_role(one, "tool")
            one.setToolTip(f"{keys[name].title} ({keys[name].keys})")
            one.setAccessibleName(keys[name].title)
        self.zoom = text("", "small", wrap=False)
        self.zoom.setMinimumWidth(56)
        self.exclude = button("", self._toggle_exclusion, icon="stop")
        self.more = tool("contents", self.tr("What can be done with it"), "Menu", self._show_menu_below)
        self.closing = tool("cross", keys["close"].title, keys["close"].keys, self.close)
        head = row((column(self.name, self.told, gap=1), 1))
        bar = row(
            self.previous, self.next, 12, farther, nearer, whole, full, self.zoom, None, self.exclude, self.more,
            self.closing, gap=6,
        )  # fmt: skip
        left = column(head, (self.canvas, 1), bar, gap=10)
        left.setContentsMargins(16, 12, 8, 12)
        layout = row((left, 1), self.side, gap=0)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)

    def _connect(self) -> None:
        canvas, side, keys = self.canvas, self.side, viewer_keys()
        canvas.windowed.connect(self._take_window)
        canvas.windowed.connect(side.show_window)
        canvas.zoomed.connect(lambda zoom: self.zoom.setText(formatting.percent(zoom, 0)))
        canvas.menu_wanted.connect(self._show_menu)
        side.windowed.connect(self._take_window)
        side.part_chosen.connect(self._take_part)
        side.masks_changed.connect(self._show_masks)
        side.opacity_changed.connect(canvas.set_opacity)
        stack = self._known.roles.undo_stack
        page_shortcuts(self, keys, {
            "next": partial(self.step, 1), "previous": partial(self.step, -1), "zoom_in": partial(canvas.step, 1),
            "zoom_out": partial(canvas.step, -1), "fit": canvas.fit, "full": canvas.full_size, "auto": side.set_auto,
            "close": self.close, "undo": stack.undo, "redo": stack.redo,
        })  # fmt: skip

    # --- which picture

    def show_wish(self, wish: Wish) -> None:
        """Show the picture that is wished for; the others of its gallery come before and after it."""
        self._wish = wish
        self._show_item(wish.item, wish.at)
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.activateWindow()
        self.canvas.setFocus()

    @property
    def path(self) -> Path:
        """The picture that is shown."""
        return self._item.path

    def step(self, by: int) -> None:
        """To the picture after this one in its gallery, or before it."""
        wish = self._wish
        if wish is None:
            return
        at = self._place(wish)
        there = 0 <= at < len(wish.items) and wish.items[at].path == self._item.path
        new = at + by if there or by < 0 else at  # it has left the gallery: the one that came after it is there now
        if 0 <= new < len(wish.items):
            self._wish = Wish(wish.items, new, wish.source, (new,), wish.preview, wish.go_to)
            wish.go_to(new)
            self._show_item(wish.items[new], new)

    def _place(self, wish: Wish) -> int:
        """Where the picture is in its gallery now: the list may have become another one."""
        for at in (wish.at, wish.at - 1, wish.at + 1):
            if 0 <= at < len(wish.items) and wish.items[at].path == self._item.path:
                return at
        return wish.at

    def _show_item(self, item: GalleryItem, at: int) -> None:
        self._item, self._loaded = item, None
        file, wanted = split_name(os.fspath(item.path))
        self.side.begin(wanted.page or 1)
        self.side.show_masks(False, False)
        preview = self._wish.preview(at) if self._wish is not None else None
        self.canvas.show_preview(preview)
        self.canvas.setAccessibleName(printable(Path(file).name))
        self._known.ask_split()
        self._refresh()
        self._read(item.path)

    def _read(self, path: Path) -> None:
        if self._job is not None:
            self._job.cancel()
        about = self._known.about(self._item)
        op = partial(_load, path, about.truth, about.answer)
        self._job = jobs.run(op, partial(self._take, self._item), partial(self._fail, self._item), owner=self)

    def _take(self, item: GalleryItem, loaded: _Loaded) -> None:
        if item is not self._item:
            return
        self._job, self._loaded = None, loaded
        pyramid = loaded.pyramid
        window = self._kept if self._kept is not None and self._depth == pyramid.bits else pyramid.usual
        self.canvas.show_pyramid(pyramid, window)
        self.side.show_pyramid(pyramid, window)
        self.side.show_masks(loaded.truth is not None, loaded.answer is not None)
        self._show_masks()
        self._refresh()

    def _fail(self, item: GalleryItem, error: Exception) -> None:
        if item is self._item:
            self._job = None
            self.told.setText(dialogs.error_text(error))

    # --- brightness, channel, page, masks

    def _take_window(self, window: Window) -> None:
        self._kept = window
        self._depth = self._loaded.pyramid.bits if self._loaded is not None else 0
        self.canvas.show_window(window)

    def _take_part(self, page: int, channel: int) -> None:
        name = file_of(os.fspath(self._item.path))
        paged = PAGE in os.fspath(self._item.path) or page > 1
        whole = f"{name}{PAGE}{page}" if paged else name
        self._kept = None
        usual = channels_suffix(split_name(os.fspath(self._item.path))[1].channels)
        self._read(Path(f"{whole}{CHANNELS}{channel}" if channel else f"{whole}{usual}"))

    def _show_masks(self) -> None:
        loaded = self._loaded
        if loaded is not None:
            pairs = ((self.side.truth, loaded.truth), (self.side.answer, loaded.answer))
            self.canvas.show_masks([mask for box, mask in pairs if mask is not None and box.isChecked()])

    # --- what is said

    def _refresh(self) -> None:
        """All that is said of the picture, as it is known now."""
        about = self._known.about(self._item)
        file = printable(about.file or self._item.path.name)
        self.name.say(file)
        self.setWindowTitle(f"{file} – SSL Studio")
        if self._loaded is not None:
            reduced = self._loaded.pyramid.reduced
            self.told.setText(
                self.tr("Shown at 1/{0} of its size: it has too many pixels to be held whole.").format(reduced)
                if reduced > 1 else self.tr("Left out of everything by you.") if about.excluded else ""
            )  # fmt: skip
        else:
            self.told.setText(self.tr("Reading the picture …"))
        self.side.show_facts(self._facts(about))
        known = bool(about.file and self._known.file_of(self._item))
        self.exclude.setVisible(known)
        self.exclude.setText(self.tr(" Take back") if about.excluded else self.tr(" Exclude"))
        wish = self._wish
        at = self._place(wish) if wish is not None else 0
        self.previous.setEnabled(wish is not None and at > 0)
        self.next.setEnabled(wish is not None and at + 1 < len(wish.items))

    def _facts(self, about: GalleryItem) -> list[tuple[str, str]]:
        facts = [(self.tr("Name"), printable(about.file or about.path.name))]
        if self._loaded is not None:
            pyramid = self._loaded.pyramid
            wide, high = (formatting.count(side) for side in pyramid.size)
            facts += [
                (self.tr("Size"), self.tr("{0} x {1} pixels").format(wide, high)),
                (self.tr("Depth"), self.tr("{0} bits").format(pyramid.bits)),
                (self.tr("File"), formatting.file_size(self._loaded.bytes)),
            ]
        sure = "" if about.confidence is None else formatting.percent(about.confidence, 0)
        said = self.tr("{0}, {1} sure").format(about.predicted, sure) if about.predicted and sure else about.predicted
        facts += [
            (self.tr("Your label"), about.label),
            (self.tr("Network"), said),
            (self.tr("Part"), part_titles().get(about.part, "") if about.part else ""),
            (self.tr("Group"), self._known.group_of(about.file)),
        ]
        return facts

    # --- what is done with it

    def _toggle_exclusion(self) -> None:
        file = self._known.file_of(self._item)
        if file:
            roles = self._known.roles
            (roles.take_back if roles.is_excluded(file) else roles.exclude)([file])

    def _show_menu_below(self) -> None:
        self._show_menu(self.more.mapToGlobal(QPoint(0, 0)))

    def _show_menu(self, at: QPoint) -> None:
        menu = self._menus.build(self, [self._item], None)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def closeEvent(self, event: QCloseEvent) -> None:
        """What is being read is not waited for."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        super().closeEvent(event)
        if self._wish is not None:
            self._wish.source.setFocus()
