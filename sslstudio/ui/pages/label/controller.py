"""From what a person does on the board to edits of the labels, and from edits back to the board."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.images.index import ImageIndex, picture_file
from sslstudio.engine.labels.editing.edits import ClassSet, Edit, Painted
from sslstudio.engine.labels.editing.stroke import Patch, Rect
from sslstudio.engine.runs.proposals import Proposal
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.pages.label.board import CLASSES, LabelBoard
from sslstudio.ui.pages.label.gallery import PROPOSED
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.picture import to_image
from sslstudio.ui.workspace.labels import LabelsController, paths_of
from sslstudio.ui.workspace.proposals import ProposalsController

ENTER = ("Return", "Enter")
NOTHING: npt.NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)


class LabelController(QObject):
    """Connects one board with the open labels."""

    def __init__(self, board: LabelBoard, labels: LabelsController, proposals: ProposalsController) -> None:
        super().__init__(board)
        self.board, self.labels, self.proposals = board, labels, proposals
        self.root, self.channels = Path(), tuple[int, ...]()
        self.path = ""  # of the picture at hand
        self._loading: jobs.Job | None = None
        for one, call in ((board.undo, self.undo), (board.redo, self.redo), (board.unlabel, self.unlabel),
                          (board.nothing, self.mark_empty)):  # fmt: skip
            one.clicked.connect(call)
        labels.changed.connect(self._show_edit)
        board.gallery.chosen.connect(self.open_picture)
        board.map.chosen.connect(board.gallery.go_to)
        board.classes.picked.connect(self.pick)
        board.classes.added.connect(self.add_class)
        board.classes.renamed.connect(self._rename)
        board.classes.recoloured.connect(self._recolour)
        board.canvas.stroked.connect(self._take_stroke)
        board.canvas.lacking.connect(self._ask_for_class)
        board.classes.removed.connect(self._remove)
        proposals.settled.connect(self._show_settled)
        self._enter = [QShortcut(QKeySequence(keys), place) for place in (board.gallery.view, board.canvas)
                       for keys in ENTER]  # fmt: skip
        for heard in self._enter:
            heard.setContext(Qt.ShortcutContext.WidgetShortcut)
            heard.activated.connect(self._take_enter)
        board.gallery.filter.currentIndexChanged.connect(self._listen_for_enter)
        self._listen_for_enter(board.gallery.filter.currentIndex())

    # --- the picture at hand

    def begin(self, index: ImageIndex) -> None:
        """Other labels were opened."""
        self.root, self.channels, self.path = index.root, index.channels, ""
        self.show_classes()

    def file_of(self, path: str) -> Path:
        """Where a picture is, to be read with the channels that were chosen."""
        return picture_file(self.root, path, self.channels)

    def open_picture(self, path: str) -> None:
        """Show a picture to label."""
        if path == self.path:
            return
        if self._loading is not None:
            self._loading.cancel()
        self.path = path
        op = partial(picture_operations.open_picture, self.file_of(path))
        self._loading = jobs.run(op, partial(self._show_picture, path), self._no_picture, owner=self)
        self._say_label()

    def _show_picture(self, path: str, pixels: npt.NDArray[np.uint8]) -> None:
        if path == self.path and self.labels.store is not None:
            self.board.picture.show_image(to_image(pixels), path)
            self._show_mask(pixels)
            self._say_label()

    def _show_mask(self, pixels: npt.NDArray[np.uint8]) -> None:
        try:
            mask = self.labels.store.mask(self.path) if self.labels.store else None
            if mask is None and (proposed := self.proposal) is not None and self.board.kind == "segmentation":
                mask = self.proposals.mask(proposed)
        except StudioError as error:  # nothing is to be painted over a mask that is only damaged
            self._no_picture(error)
        else:
            self.board.canvas.show_picture(pixels, mask)

    def _no_picture(self, error: Exception) -> None:
        self.board.canvas.show_picture(NOTHING, None)
        self.board.say_label(dialogs.error_text(error))

    def _say_label(self) -> None:
        store, board = self.labels.store, self.board
        number = store.of.get(self.path) if store is not None else None
        known = store.classes["classification"] if store is not None else {}
        if number not in known and (proposed := self.proposal) is not None and proposed.label:
            board.say_proposal(proposed.label, proposed.sure)
        else:
            board.say_label(known[number].name if number in known else "")
        if board.kind == "classification" and number is not None:
            board.classes.choose(number)

    def show_classes(self) -> None:
        """The classes of the tab, with their counts."""
        store, kind = self.labels.store, self.board.kind
        if store is not None:
            self.board.classes.show_classes(store.names(kind), store.counts() if kind == "classification" else None)
            self.board.canvas.show_colours({one.number: one.colour for one in store.names("segmentation")})
            self._hand_class()

    def _hand_class(self) -> None:
        """The canvas paints the chosen class."""
        store, number = self.labels.store, self.board.classes.number
        if self.board.kind == "segmentation" and store is not None:
            known = store.classes["segmentation"].get(number)
            self.board.canvas.choose_class(number if known else 0, known.colour if known else 1)

    # --- what the network proposes

    @property
    def proposal(self) -> Proposal | None:
        """For the picture at hand, while its list is looked at: elsewhere nobody asked for it."""
        if self.board.gallery.filter.currentIndex() != PROPOSED:
            return None
        return self.proposals.at(self.path, self.board.kind)

    def accept(self) -> None:
        """Make a label of what is proposed, and go on to the next one."""
        if self.proposal is None:
            return
        kind, paths = self.board.kind, self.board.gallery.selected
        if self.proposals.accept(paths if self.path in paths else [self.path], kind):
            self.board.gallery.step(1)

    def _reject(self) -> bool:
        if self.proposal is None or not self.proposals.reject(self.path, self.board.kind):
            return False
        self.board.gallery.step(1)
        return True

    def _show_settled(self, path: str) -> None:
        """One was turned down, or brought back."""
        self.board.gallery.refresh([path])
        if path != self.path:
            self.board.gallery.go_to(path)
        self.path = ""  # its mask is shown or taken away
        self.open_picture(path)

    def _listen_for_enter(self, shown: int) -> None:
        """Enter is heard only while proposals are looked at."""
        for one in self._enter:
            one.setEnabled(shown == PROPOSED)

    def _take_enter(self) -> None:
        """Accept what is proposed; a polygon that is being drawn is closed before that."""
        if self.board.canvas.corners:
            self.board.canvas.close_polygon()
        else:
            self.accept()

    # --- labels

    def take_key(self, place: int) -> None:
        """A number key: the class at this place."""
        if number := self.board.classes.at_key(place):
            self.pick(number)

    def pick(self, number: int) -> None:
        """Label with a class, or paint with it."""
        board, store, paths = self.board, self.labels.store, self.board.at_hand
        board.classes.choose(number)
        if board.kind == "segmentation":
            self._hand_class()
        elif store is not None and paths:
            self.labels.do(store.labelling(paths, number))
            if board.tabs.currentIndex() == CLASSES and len(paths) == 1:
                board.gallery.step(1)

    def unlabel(self) -> None:
        """Take class or mask away."""
        store = self.labels.store
        if self._reject():
            return
        if store is not None and self.path:
            masks = self.board.kind == "segmentation"
            self.labels.do(store.unmasking(self.path) if masks else store.labelling(self.board.at_hand, None))

    def mark_empty(self) -> None:
        """The picture is labelled: there is nothing to mark in it."""
        store, mask = self.labels.store, self.board.canvas.drawn
        if store is not None and self.path and mask.size:
            self.labels.do(store.masking(self.path, (mask.shape[0], mask.shape[1])))

    def _take_stroke(self, patch: Patch) -> None:
        store, canvas = self.labels.store, self.board.canvas
        if store is None or not self.path:
            return
        height, width = canvas.drawn.shape
        self._begin_from_proposal()
        if not self.labels.do(store.painting(self.path, (height, width), patch)):
            canvas.drawn[patch.rect.slices] = patch.before  # it could not be kept: so it is not shown
            canvas.renew(patch.rect)

    def _begin_from_proposal(self) -> None:
        """Who paints on a proposed mask corrects it: it is accepted first."""
        if self.proposal is not None:
            drawn = self.board.canvas.drawn.copy()
            self.proposals.accept([self.path], "segmentation")
            self.board.canvas.drawn[:] = drawn  # with the stroke that was just made
            self.board.canvas.renew(Rect(0, 0, drawn.shape[1], drawn.shape[0]))

    def _ask_for_class(self) -> None:
        """There is nothing to paint with: say so where one looks, and lead to where a class is named."""
        self.board.say_lacking()
        self.board.classes.name.setFocus()

    def _remove(self, number: int) -> None:
        """A class goes, with what was labelled with it; that can be undone."""
        store, kind = self.labels.store, self.board.kind
        if store is None or number not in store.classes[kind]:
            return
        try:
            edits = store.removing(kind, number)
        except StudioError as error:
            dialogs.tell_error(self.board, error)
            return
        self.labels.undo_stack.beginMacro("")
        for edit in edits:
            self.labels.do(edit)
        self.labels.undo_stack.endMacro()

    def undo(self) -> None:
        """Take the last edit back."""
        self.board.canvas.give_up()
        self.labels.undo_stack.undo()

    def redo(self) -> None:
        """Do it again."""
        self.board.canvas.give_up()
        self.labels.undo_stack.redo()

    # --- classes

    def add_class(self, name: str) -> None:
        """A new class; it is in hand to paint with."""
        store, kind = self.labels.store, self.board.kind
        if store is not None and self._try(lambda: store.adding(kind, name)):
            self.board.classes.name.clear()
            self.board.classes.choose(store.names(kind)[-1].number)
            self._hand_class()

    def _rename(self, number: int, name: str) -> None:
        store, kind = self.labels.store, self.board.kind
        if store is not None and not self._try(lambda: store.renaming(kind, number, name)):
            self.show_classes()

    def _recolour(self, number: int, colour: int) -> None:
        store, kind = self.labels.store, self.board.kind
        if store is not None:
            self._try(lambda: store.recolouring(kind, number, colour))

    def _try(self, make: Callable[[], ClassSet]) -> bool:
        try:
            edit = make()
        except StudioError as error:
            dialogs.tell_error(self.board, error)
            return False
        return self.labels.do(edit)

    # --- an edit counts: done, taken back or done again

    def _show_edit(self, edit: Edit) -> None:
        paths, gallery = paths_of(edit), self.board.gallery
        if len(paths) == 1 and paths[0] != self.path:
            gallery.go_to(paths[0])  # what was taken back on another picture is shown
        if isinstance(edit, Painted) and edit.path == self.path:
            self._show_painted(edit)
        gallery.refresh(paths)
        if not isinstance(edit, Painted):
            self.show_classes()
            self.board.map.show_groups(self.group_of)
        if isinstance(edit, ClassSet):
            gallery.renew()
        self._say_label()

    def _show_painted(self, edit: Painted) -> None:
        store, canvas = self.labels.store, self.board.canvas
        mask = store.mask(edit.path) if store is not None else None
        if canvas.drawn.shape != (edit.height, edit.width):
            return  # the picture is still being opened; it comes with its mask
        rect = Rect(0, 0, edit.width, edit.height) if edit.after is None or edit.before is None else edit.rect
        canvas.drawn[rect.slices] = 0 if mask is None else mask[rect.slices]
        canvas.renew(rect)

    def group_of(self, path: str) -> int:
        """The colour of a picture's class, 0 for none."""
        store = self.labels.store
        known = store.classes["classification"].get(store.of.get(path, 0)) if store is not None else None
        return known.colour if known else 0
