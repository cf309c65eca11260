"""Near copies by groups, the pictures of each side by side, and what is to become of them: one click for one or all."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from sslstudio.engine.images.index import printable
from sslstudio.ui.gallery.filter_bar import part_titles
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.gallery.view import CELL, GalleryView
from sslstudio.ui.operations.closely import CopyGroup
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer, offer_undo
from sslstudio.ui.widgets.flow import Flow
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import button, column, row, text, tool, wrap_layout
from sslstudio.ui.widgets.shortcuts import split_keys
from sslstudio.ui.widgets.tables import fill, table
from sslstudio.ui.workspace.copies import IGNORED, ONE_LEFT, OPEN, TOGETHER_NOW, CopiesController
from sslstudio.ui.workspace.workspace import Workspace


class CopiesView(QWidget):
    """A list of groups on the left, the pictures of the chosen one on the right."""

    def __init__(self, workspace: Workspace, copies: CopiesController) -> None:
        super().__init__()
        self._workspace, self.copies = workspace, copies
        self._shown: tuple[str, ...] = ()
        self.told, self.leaking = text(""), text("", "field")
        self.busy = BusyLine(copies.stop, lambda: copies.look(again=True))
        self.list = table([self.tr("Pictures"), self.tr("Parts"), self.tr("State")], stretch=1)
        self.list.setAccessibleName(self.tr("Groups of near copies"))
        self.list.itemSelectionChanged.connect(self._show_group)
        self.gallery = GalleryView()
        self.gallery.setAccessibleName(self.tr("The pictures of the group"))
        self.told_of = text("", "muted")
        self.together, self.one, self.pass_over = self._answers(lambda: self._chosen())
        self.all_together, self.all_one, self.all_ignored = self._answers(lambda: copies.open_groups, all_=True)
        stack = copies.roles.undo_stack
        keys = split_keys()
        self.undo = tool("undo", keys["undo"].title, keys["undo"].keys, stack.undo)
        self.redo = tool("redo", keys["redo"].title, keys["redo"].keys, stack.redo)
        self.again = tool("refresh", self.tr("Look for near copies again"), "", lambda: copies.look(again=True))
        self.again.setToolTip(self.tr("Look for near copies again"))
        self.for_all = wrap_layout(
            _flow(
                _line(self.tr("All that is open:")),
                self.all_together,
                self.all_one,
                self.all_ignored,
                self.undo,
                self.redo,
                self.again,
            )
        )
        here = wrap_layout(_flow(self.together, self.one, self.pass_over))
        right = column(self.told_of, here, (self.gallery, 1), gap=8)
        self.body = wrap_layout(row((self.list, 2), (wrap_layout(right), 3), gap=14))
        self.gallery.setMinimumHeight(CELL.height() + 8)
        self.list.setMinimumWidth(280)
        self.setLayout(column(self.leaking, self.told, self.busy, self.for_all, (self.body, 100), None, gap=8))
        copies.changed.connect(self.refresh)
        copies.progressed.connect(self.busy.show_progress)
        copies.failed.connect(lambda error: self.busy.rest(dialogs.error_text(error), stopped=True))

    def _answers(self, which: Callable[[], Sequence[CopyGroup]], all_: bool = False) -> tuple[QPushButton, ...]:
        copies = self.copies
        return (
            button(self.tr("Keep on one side of the split"), lambda: copies.keep_together(which())),
            button(self.tr("Exclude all but one"), lambda: copies.exclude_but_one(which())),
            button(self.tr("Ignore"), lambda: copies.ignore(which())),
        )

    def showEvent(self, event: object) -> None:
        """They are looked for when somebody wants to see them."""
        self.copies.look()
        self.refresh()

    # --- what is shown

    def refresh(self) -> None:
        """Say how it is now."""
        if not self.isVisible():
            return
        copies, found = self.copies, self.copies.found
        if copies.going:
            if not self.busy.going:
                self.busy.wait(self.tr("Looking for near copies …"))
        elif found is not None or self.busy.going:
            self.busy.rest()
        for part in (self.body, self.for_all, self.again):
            part.setVisible(bool(copies.groups))
        stack = copies.roles.undo_stack
        offer_undo(self.undo, self.redo, stack)
        if found is None:
            if self._workspace.engine is None and not copies.going:
                self.told.setText(self.tr("The learning engine is being loaded; then near copies are looked for."))
            return
        self._say(copies.open_groups)
        at = self.list.currentRow()
        self.list.blockSignals(True)
        fill(self.list, [self._line(group) for group in copies.groups])
        if copies.groups:
            self.list.selectRow(min(max(at, 0), len(copies.groups) - 1))
        self.list.blockSignals(False)
        self._show_group()

    def _say(self, left: Sequence[CopyGroup]) -> None:
        found = self.copies.found
        assert found is not None
        copied = sum(len(group.paths) for group in found.groups)
        groups = formatting.count(len(found.groups), self.tr("group"), self.tr("groups"))
        said = self.tr("{0} of {1} pictures have a near copy, in {2}; on {3} nothing is decided.").format(
            formatting.count(copied), formatting.count(found.pictures), groups, formatting.count(len(left))
        )
        if found.compared < found.pictures:
            said += " " + self.tr("Only the first {0} were compared.").format(formatting.count(found.compared))
        self.told.setText(said if found.groups else self.tr("No picture has a near copy."))
        leaking = self.copies.leaking
        self.leaking.setText(
            self.tr("{0} of {1} held-out pictures have a near copy among those that are learnt from: results on them "
                    "look better than they are.").format(
                formatting.count(leaking), formatting.count(found.held_out))
        )  # fmt: skip
        self.leaking.setVisible(leaking > 0)
        for one in (self.all_together, self.all_one, self.all_ignored):
            offer(one, unless="" if left else self.tr("Something is decided on every group."))

    def _line(self, group: CopyGroup) -> list[str]:
        titles = part_titles()
        parts = ", ".join(titles[part] for part in dict.fromkeys(group.parts) if part)
        decided = {
            OPEN: "", TOGETHER_NOW: self.tr("one side"), ONE_LEFT: self.tr("one is left"),
            IGNORED: self.tr("ignored"),
        }  # fmt: skip
        return [formatting.count(len(group.paths)), parts, decided[self.copies.decision(group)]]

    def _chosen(self) -> list[CopyGroup]:
        at = self.list.currentRow()
        return [self.copies.groups[at]] if 0 <= at < len(self.copies.groups) else []

    def _show_group(self) -> None:
        chosen, recognised = self._chosen(), self._workspace.recognised
        if not chosen or recognised is None:
            self.gallery.show_items([])
            return
        group, titles = chosen[0], part_titles()
        items = []
        for path, part, label in zip(group.paths, group.parts, group.labels, strict=True):
            about = formatting.facts_line([label, titles[part] if part else ""])
            items.append(
                GalleryItem(
                    recognised.pictures.file(path),
                    about or printable(path),
                    tip=f"{printable(path)}\n{about}".strip(),
                    file=path,
                    label=label,
                    part=part,
                    excluded=self.copies.roles.is_excluded(path),
                )
            )
        self.gallery.show_items(items, keep=group.paths == self._shown)
        self._shown = group.paths
        at_odds = self.tr("They have different labels: one of these is wrong.") if group.at_odds else ""
        torn = self.tr("They are on several sides of the split.") if group.torn else ""
        self.told_of.setText(" ".join(one for one in (torn, at_odds) if one))
        self.told_of.setVisible(bool(self.told_of.text()))


def _line(said: str) -> QLabel:
    """A word before buttons, as high as they are."""
    made = text(said, wrap=False)
    made.setMinimumHeight(32)
    return made


def _flow(*widgets: QWidget) -> Flow:
    made = Flow(between=6)
    for one in widgets:
        made.addWidget(one)
    return made
