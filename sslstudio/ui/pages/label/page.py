"""Labels given in the program: classes by keys, masks by painting, many at once on a map of alike pictures."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QStackedWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.labels.editing.edits import Edit
from sslstudio.ui.background import jobs
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.operations.runs import run_kind
from sslstudio.ui.pages.label.board import CLASSES, MAP, MASKS, LabelBoard
from sslstudio.ui.pages.label.controller import LabelController
from sslstudio.ui.pages.label.export import LabelExport
from sslstudio.ui.pages.label.gallery import ALL, NEXT, OPEN, PROPOSED, RANDOM
from sslstudio.ui.pages.page import Page
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import disable, enable, offer, offer_undo
from sslstudio.ui.widgets.job_row import BusyState
from sslstudio.ui.widgets.layout import EmptyState, button, retitle, text
from sslstudio.ui.widgets.shortcuts import class_shortcuts, label_keys, page_shortcuts
from sslstudio.ui.workspace.labels import labelled_by, labels_of
from sslstudio.ui.workspace.proposals import ProposalsController
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sslstudio.engine.core.control import RunControl
    from sslstudio.engine.finetuning.use.similarity import LookAlike
    from sslstudio.engine.finetuning.use.suggestions import Suggested

LEAST_SUGGESTED = 20  # pictures: of fewer all are soon labelled, as they lie in the folder


class LabelPage(Page):
    """Opens the labels of the pictures, says how far they are, and asks which pictures to label next."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, self.tr("Label"),
            self.tr("A few labels a class are enough. Every stroke is saved at once; your pictures are not touched."),
        )  # fmt: skip
        self.labels = labels_of(workspace)
        self.proposals = ProposalsController(workspace, self.labels)
        self._alike: LookAlike | None = None
        self._asking: jobs.Job | None = None
        self._far = Progress()
        self._wants_suggestions = self._proposals_wait = False
        self._wants = NEXT  # or at random
        self._unasked = False  # suggestions that come by themselves, as the page opens
        self._suggested: Suggested | None = None
        self._doubts: dict[Path, dict[str, float]] = {}  # of fine-tuned networks

    def build(self) -> Iterator[None]:
        """The board, then what stands around it."""
        self.board = LabelBoard(self.label_of)
        self.board.gallery.proposal_of = self.proposal_of
        self.editing = LabelController(self.board, self.labels, self.proposals)
        yield
        self._add_faces()
        yield
        self._add_foot()
        self._listen()
        self._take_keys()
        self._show_state()

    def _add_faces(self) -> None:
        wants = self.workspace.wants_page
        to_images = button(self.tr("Choose pictures"), lambda: wants.emit("images"), "primary", "images")
        missing = self.tr("Choose a folder first; then its pictures can be labelled here.")
        self.missing = EmptyState("images", self.tr("No pictures yet"), missing, to_images)
        self.opening = BusyState("pencil", self.tr("Opening the labels…"), self.labels.stop, self.open_labels)
        self.faces = QStackedWidget()
        for face in (self.missing, self.opening, self.board):
            self.faces.addWidget(face)
        self.content.addWidget(self.faces, 1)

    def _add_foot(self) -> None:
        self.next_ones = button(self.tr("Label these next"), self.suggest, icon="network")
        self.next_ones.setToolTip(self.tr("The pictures whose labels teach most: typical ones, no two alike (S)"))
        self.progress = text("", "muted")
        self.halt = button(self.tr("Stop"), self.stop_comparing, "link", "stop")
        self.forward = button(self.tr("Fine-tune with these"), self.finetune, icon="tag")
        self.export = LabelExport(self, self.labels)
        self.export.changed.connect(self._show_progress)
        busy = self.export.busy
        self.end_with(self.next_ones, self.progress, self.halt, busy, None, self.export.button, self.forward)
        for line in (self.progress, busy):
            self._footer.setStretchFactor(line, 50)  # it has the room, on two lines if need be

    def _listen(self) -> None:
        labels = self.labels
        self.workspace.call_on(Change.PICTURES, self._other_pictures)
        self.workspace.call_on(Change.RUNS, self._forget_alike)
        labels.opened.connect(self._show_labels)
        labels.opening.connect(self.opening.busy.show_progress)
        labels.failed.connect(lambda: self.opening.show_stop(self.tr("The labels are not open")))
        labels.undo_stack.indexChanged.connect(self._show_edit)
        labels.changed.connect(self._take_edit)
        self.board.gallery.filtered.connect(self._take_filter)
        self.proposals.changed.connect(self._show_proposals)
        self.proposals.progressed.connect(self._say_busy)
        self.proposals.settled.connect(lambda _: self._show_why())
        self.workspace.proposals_wanted.connect(self.look_at_proposals)
        self.board.tabs.currentChanged.connect(self._show_tab)

    def _take_keys(self) -> None:
        board, editing, canvas = self.board, self.editing, self.board.canvas
        class_shortcuts(self, editing.take_key)
        page_shortcuts(self, label_keys(), {
            "next": partial(board.gallery.step, 1), "previous": partial(board.gallery.step, -1),
            "unlabel": editing.unlabel, "accept": editing.accept, "suggest": self.suggest,
            "proposed": self.look_at_proposals, "undo": editing.undo, "redo": editing.redo,
            "grow": canvas.grow, "shrink": canvas.shrink, "fit": canvas.fit, "zoom_in": canvas.zoom_in,
            "zoom_out": canvas.zoom_out, **{name: partial(board.tools.choose, name) for name in board.tools.tools},
        })  # fmt: skip

    # --- what is open

    def arrive(self) -> None:
        """Open the labels of the pictures."""
        if self.labels.store is not None and self.editing.root != self.labels.pictures:
            self._show_labels()  # another page had them opened
        self.open_labels()
        self._show_state()

    def leave(self) -> None:
        """Write the open files; the next fine-tuning uses them."""
        self.labels.hand_over()

    def hideEvent(self, event: QHideEvent) -> None:
        """The window may only be put away, with the page: then the files are written too."""
        if event.spontaneous():
            self.labels.save()
        super().hideEvent(event)

    def finish(self) -> None:
        """The window closes."""
        super().finish()
        self.board.map.finish()
        self.proposals.stop()
        self.labels.close()

    def _other_pictures(self) -> None:
        recognised = self.workspace.recognised
        if recognised is not None and self.labels.store is not None and recognised.pictures.root == self.editing.root:
            self.board.gallery.take_paths(recognised.pictures.paths)
        if self.isVisible():
            self.open_labels()
        self._show_state(take_focus=self.faces.currentWidget() is not self.board)  # not from a name being typed

    def open_labels(self) -> None:
        """Open the labels of the pictures, once more if that was stopped."""
        if self.labels.store is None:
            if not self.opening.busy.going:  # else it says how far it is
                self.opening.wait(self.tr("Opening the labels…"))
            self.labels.open()

    def _show_labels(self) -> None:
        store, recognised = self.labels.store, self.workspace.recognised
        if store is None or recognised is None:
            return
        index = recognised.pictures
        self._forget_alike()
        self._suggested, self._doubts = None, {}
        self.board.tabs.setCurrentIndex(MASKS if store.masked and not store.of else CLASSES)
        self.editing.begin(index)
        self.board.gallery.show_pictures(index)
        self._show_state()
        self._show_why()
        self.proposals.look()
        if self._proposals_wait:
            self.look_at_proposals()
            return
        if len(index) >= LEAST_SUGGESTED and len(self.labels.find_labelled(self.board.kind)) < len(index):
            self._ask(NEXT, unasked=True)

    def _show_state(self, *, take_focus: bool = True) -> None:
        recognised, store = self.workspace.recognised, self.labels.store
        face = self.missing if recognised is None else self.opening if store is None else self.board
        self.faces.setCurrentWidget(face)
        self.footer.setVisible(face is self.board)
        self._show_progress()
        if face is self.board and take_focus:
            self.board.take_focus()

    def _show_edit(self, index: int) -> None:
        self.export.forget_stop()
        self._show_progress()

    def _show_progress(self) -> None:
        recognised, labels, kind = self.workspace.recognised, self.labels, self.board.kind
        said, enough = labels.progress(kind, len(recognised.pictures) if recognised else 0)
        self.progress.setText(said)
        self.halt.setVisible(self._asking is not None or self.proposals.asking)
        self.progress.setVisible(self.export.busy.isHidden() or self._asking is not None)
        again = self.board.gallery.filter.currentIndex() == PROPOSED and self.workspace.result is not None
        plain = not app_settings.expert()  # the simple way has no word of the field
        first = self.tr("Learn with these") if plain else self.tr("Fine-tune with these")
        retitle(self.forward, self.tr("Learn again with these") if again else first)
        offer(self.forward, unless="" if labels.find_labelled(kind) else self.tr("Label some pictures first."))
        set_role(self.forward, "primary" if enough else "plain")
        tint(self.forward, "tag", "accent_text" if enough else "text")
        offer_undo(self.board.undo, self.board.redo, labels.undo_stack)

    def _show_tab(self) -> None:
        self.board.suit_tab()
        self.editing.show_classes()
        self.board.gallery.renew()
        if self.board.tabs.currentIndex() == MAP and self._alike is None:
            self._compare()
        self._show_state()

    def label_of(self, path: str) -> str:
        """What the label of a picture is called, '' for none."""
        store = self.labels.store
        if store is None:
            return ""
        if self.board.kind == "segmentation":
            return self.tr("masked") if path in store.masked else ""
        known = store.classes["classification"].get(store.of.get(path, 0))
        return known.name if known else ""

    # --- alike pictures, and those to label next

    def _forget_alike(self) -> None:
        """Other pictures, or another network to compare them by."""
        if self._asking is not None:
            self._asking.cancel()
        self._alike, self._asking, self._wants_suggestions = None, None, False
        enable(self.next_ones)
        self.board.map.forget()
        if self.isVisible() and self.board.tabs.currentIndex() == MAP:
            self._compare()

    def _compare(self) -> None:
        recognised, workspace = self.workspace.recognised, self.workspace
        if recognised is not None and self._asking is None:
            index = workspace.readable or recognised.pictures
            op = partial(picture_operations.compare_pictures, index, workspace.pretrained, workspace.all_runs)
            self._asking = jobs.run(op, self._take_alike, self._give_up_asking, owner=self, progress=self._say_busy)

    def stop_comparing(self) -> None:
        """Compare no further, and ask no network further; what needs it asks again."""
        if self.proposals.asking:
            self.proposals.stop()
            self._show_progress()
            self._show_why()
        if self._asking is not None:
            self._asking.cancel()
            self._asking, self._wants_suggestions = None, False
            enable(self.next_ones)
            self._show_why()
            self.board.map.say_busy(self.tr("Stopped. Open this tab again to go on."))
            self._show_progress()

    def _say_busy(self, said: Preparing) -> None:
        self.board.map.say_busy(self._far.describe(said))
        self.progress.setText(self._far.describe(said))
        self.progress.show()
        self.halt.show()

    def _take_alike(self, alike: "LookAlike") -> None:
        self._asking, self._alike = None, alike
        self.board.map.show_alike(alike, self.editing.file_of, self.editing.group_of)
        self._show_progress()
        if self._wants_suggestions:
            self._ask(self._wants, unasked=self._unasked)

    def _give_up_asking(self, error: Exception) -> None:
        self._asking, self._wants_suggestions = None, False
        enable(self.next_ones)
        self._show_progress()
        self._show_why()
        dialogs.tell_error(self, error)

    def suggest(self) -> None:
        """Show the pictures to label next; the first time the pictures are compared before."""
        self._ask(NEXT)

    def _ask(self, which: int, *, unasked: bool = False) -> None:
        """Ask for pictures to label: suggested or at random. unasked: a person who does something else is not disturbed
        by them."""
        if self.workspace.recognised is None or self.labels.store is None:
            return
        self._wants, self._wants_suggestions, self._unasked = which, True, unasked
        disable(self.next_ones, self.tr("The pictures are being compared, to suggest some."))
        self._show_why()
        if self._asking is not None:
            return  # what is asked for comes after it
        if which == RANDOM:
            self._run_asking(partial(picture_operations.draw_next, self._asked()))
        elif self._alike is None:
            self._compare()
        else:
            asked, run = self._asked(), self.workspace.result
            self._run_asking(partial(picture_operations.suggest_next, self._alike, asked, run, self._doubts))

    def _run_asking(self, op: "Callable[[RunControl], Generator[Preparing, None, Suggested]]") -> None:
        self._asking = jobs.run(op, self._take_suggestions, self._give_up_asking, owner=self, progress=self._say_busy)

    def _asked(self) -> picture_operations.Asked:
        workspace, store, kind = self.workspace, self.labels.store, self.board.kind
        assert workspace.recognised is not None
        assert store is not None
        classes = dict(store.of) if kind == "classification" else {}
        return picture_operations.Asked(
            workspace.recognised, workspace.readable or workspace.recognised.pictures, kind,
            self.labels.find_labelled(kind), classes, store.drawn, dict(workspace.data_values),
        )  # fmt: skip

    def _take_suggestions(self, suggested: "Suggested") -> None:
        self._asking, self._wants_suggestions = None, False
        enable(self.next_ones)
        gallery, which, unasked = self.board.gallery, self._wants, self._unasked
        if unasked and gallery.filter.currentIndex() != ALL:
            self._show_progress()
            return  # something else is looked at by now
        if self.board.tabs.currentIndex() == MAP and not unasked:
            self.board.tabs.setCurrentIndex(CLASSES)
        self._show_progress()
        if suggested.paths:
            self._suggested = suggested
            gallery.suggest(suggested.paths, which, before=self._kept_above(which, unasked))
        else:
            gallery.filter.setCurrentIndex(ALL)
            self.progress.setText(self.tr("Every picture has a label."))
        self._show_why()

    def _kept_above(self, which: int, unasked: bool) -> list[str]:
        """What stays in the list above new suggestions: those before that have a label, to go back to; and where they
        come by themselves, the picture that a person has at hand."""
        gallery = self.board.gallery
        if unasked:
            at_work = self.labels.undo_stack.count() > 0 and gallery.path
            return [gallery.path] if at_work else []
        return [path for path in gallery.shown if self.label_of(path)] if gallery.filter.currentIndex() == which else []

    def _take_filter(self, which: int) -> None:
        """Another list was chosen by hand."""
        if which in (NEXT, RANDOM):
            self._ask(which)
        elif which == PROPOSED:
            self._show_proposals()
            self.proposals.ask()
        self._show_progress()
        self._show_why()

    # --- what the last network proposes

    def look_at_proposals(self) -> None:
        """Show what the last fine-tuned network proposes, and ask it where it has not been asked."""
        if self.labels.store is None:
            self._proposals_wait = True  # until the labels are open
            return
        self._proposals_wait = False
        run = self.workspace.result
        kind = run_kind(run) if run is not None else ""
        if kind and kind != self.board.kind:
            self.board.tabs.setCurrentIndex(MASKS if kind == "segmentation" else CLASSES)
        if self.board.gallery.filter.currentIndex() == PROPOSED:
            self._take_filter(PROPOSED)
        else:
            self.board.gallery.filter.setCurrentIndex(PROPOSED)

    def proposal_of(self, path: str) -> str:
        """What is proposed for a picture, in words; '' for nothing."""
        one = self.proposals.at(path, self.board.kind)
        if one is None:
            return ""
        return self.tr("{0}? {1}").format(one.label or self.tr("mask"), formatting.percent(one.sure, 0))

    def _show_proposals(self) -> None:
        gallery = self.board.gallery
        if gallery.filter.currentIndex() == PROPOSED:
            gallery.suggest(self.proposals.left(self.board.kind), PROPOSED)
            self.editing.path = ""  # the same picture may be at hand, without what is proposed for it
            if gallery.path:
                self.editing.open_picture(gallery.path)
        self._show_progress()
        self._show_why()

    def _why_proposed(self) -> str:
        """One line on what is proposed, by whom, and how it is answered."""
        proposals, kind = self.proposals, self.board.kind
        if proposals.wrong:
            return proposals.wrong
        if proposals.asking:
            return self.tr("Asking the network about your pictures. What it proposes appears here.")
        if proposals.found is None:
            return self.tr("Nothing is proposed yet: fine-tune on a few labels first.")
        if proposals.found.kind != kind:
            return self.tr("The last network proposes the other kind of label: see the other tab.")
        left = len(proposals.left(kind))
        if not left:
            return self.tr("Nothing is left that the network could propose. Learn again with the labels there are.")
        said = self.tr(
            "{0} proposed, the least sure first. Enter or A accepts, a number or a stroke corrects, Delete rejects. "
            "None is a label before you accept it."
        )
        return said.format(formatting.count(left, self.tr("picture"), self.tr("pictures")))

    def _take_edit(self, edit: Edit) -> None:
        """A label counts: was it asked for, and is another one to be asked for?"""
        gallery, asked = self.board.gallery, self._suggested
        self._show_why()
        if asked is None or not gallery.asks:
            return
        known = set(asked.paths)
        got = [path for path in labelled_by(edit) if path in known]
        self.labels.note_asked(asked.draw, self.board.kind, got)
        if got and gallery.done and not self._wants_suggestions:
            self._ask(gallery.filter.currentIndex())

    def _show_why(self) -> None:
        """One line above the pictures: what is shown, why, and what tests."""
        which, store = self.board.gallery.filter.currentIndex(), self.labels.store
        if self._wants_suggestions and which in (ALL, NEXT) and self._wants == NEXT:
            said = self.tr("Comparing the pictures, to suggest those whose labels teach most. You can label meanwhile.")
        elif which == PROPOSED:
            said = self._why_proposed()
        elif which in (NEXT, RANDOM):
            said = formatting.render(self._suggested.why) if self._suggested is not None else ""
        else:
            said = {ALL: self.tr("All pictures, as they lie in the folder."),
                    OPEN: self.tr("Pictures without a label, as they lie in the folder."),
                    }.get(which, self.tr("Labelled pictures, as they lie in the folder."))  # fmt: skip
            if store is not None and store.drawn is not None:
                said += " " + self.tr("Only those drawn at random among the suggested ones (S) test.")
        self.board.why.setText(said)

    # --- on

    def command(self) -> object:
        """Say which pictures to label next."""
        workspace, store = self.workspace, self.labels.store
        if workspace.folder is None or store is None:
            return None
        known = (("--labels", store.folder), ("--from", workspace.pretrained), ("--unsure", workspace.result))
        return [
            "suggest",
            workspace.folder,
            "--kind",
            self.board.kind,
            *(word for flag, path in known if path for word in (flag, path)),
            *(("--order", "random") if self.board.gallery.filter.currentIndex() == RANDOM else ()),
        ]

    def finetune(self) -> None:
        """Fine-tune with the labels as they are."""
        self.labels.hand_over(always=True)
        self.workspace.wants_page_now.emit("finetune")
        if self.board.gallery.filter.currentIndex() == PROPOSED and self.workspace.result is not None:
            self.workspace.learn_again.emit()
