"""Which pictures: a folder is dropped or chosen, and what is in it is shown."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QProgressBar, QStackedWidget, QTabWidget, QWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.formats.wanted import PAGE
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.engine.images.listing import ignored_title
from sslstudio.engine.labels.picture_choices import excluded_words
from sslstudio.ui.background import jobs
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.base import app_settings
from sslstudio.ui.gallery.filter_bar import FilterBar
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.operations import roles as role_operations
from sslstudio.ui.operations.pictures import Seen
from sslstudio.ui.operations.projects import Recent
from sslstudio.ui.operations.roles import Example
from sslstudio.ui.pages.images.copies_view import CopiesView
from sslstudio.ui.pages.images.drop_area import DropArea
from sslstudio.ui.pages.images.folders_view import FoldersView
from sslstudio.ui.pages.images.gallery_items import PictureItems
from sslstudio.ui.pages.images.parts_view import PartsView
from sslstudio.ui.pages.images.recent_projects import RecentProjects, parent_of
from sslstudio.ui.pages.images.roles_view import RolesView
from sslstudio.ui.pages.page import Page
from sslstudio.ui.text import formatting
from sslstudio.ui.viewer.known import known_of
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.labels_view import LabelsView, labels_in_words, lacks_labels
from sslstudio.ui.widgets.layout import Card, Figure, button, column, make_scrollable, row, text, wrap_layout
from sslstudio.ui.widgets.shortcuts import page_shortcuts, split_keys
from sslstudio.ui.widgets.tables import fill, table
from sslstudio.ui.workspace.copies import copies_of
from sslstudio.ui.workspace.file_parts import FilePartsController
from sslstudio.ui.workspace.folders import folders_of
from sslstudio.ui.workspace.roles import roles_of
from sslstudio.ui.workspace.workspace import Change, Workspace

BROKEN, FOLDERS, ROLES, COPIES = 2, 4, 5, 6  # their tabs


class ImagesPage(Page):
    """A folder is dropped or chosen; what is in it is shown before anything is done with it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace,
            self.tr("Your pictures"),
            self.tr("Many pictures, few labels or none: that is what this is made for."),
        )
        self.folder_list = folders_of(workspace)
        self.roles, self._known = roles_of(workspace), known_of(workspace)
        self._known.changed.connect(self._take_known)
        self.file_parts = FilePartsController(workspace)
        self._examples: jobs.Job | None = None
        self._root: Path | None = None  # of the pictures that are shown
        self._beside: Path | None = None  # where to look for pictures first
        self.choose = button(self.tr("Choose another folder…"), self.choose_folder, icon="folder")
        self.more = button(self.tr("Add another folder…"), self.add_folder, icon="folder")
        self.to_label = button(
            self.tr("Label some pictures"), lambda: workspace.wants_page.emit("label"), icon="pencil"
        )
        self.forward = self.next_button(self.tr("Next: what to learn from"), "pretext")
        self._progress = Progress()
        self.checking = BusyLine(workspace.stop_reading, workspace.read_pictures)
        self.checking.setToolTip(self.tr("Every picture is read once. You can go on meanwhile."))
        self.corner.addWidget(self.checking)
        self.end_with(self.choose, self.more, None, self.forward)
        self.corner.addWidget(self.to_label)
        self.to_label.hide()
        self.stack = QStackedWidget()
        self.content.addWidget(self.stack, 1)
        self._add_welcome()
        self._add_busy()
        self._add_loaded()
        workspace.opening.connect(self._show_opening)
        workspace.call_on(Change.PICTURES, self.show_pictures)
        workspace.checking.connect(self._show_checking)
        workspace.call_on(Change.READABLE, self._show_checked)
        workspace.call_on(Change.ENGINE, self._look_for_copies)
        self._show(self.welcome)
        if workspace.recognised is not None:  # opened on the simple way
            self.show_pictures()
            self._name_page()
            self._show_checked()

    # --- the three faces of the page

    def _add_welcome(self) -> None:
        choose = button(self.tr("Choose a folder…"), self.choose_folder, "primary", "folder")
        sample = button(self.tr("Use the sample pictures"), self.workspace.open_sample, icon="shapes")
        sample.setToolTip(
            self.tr("Draws 2,400 small pictures of shapes, with classes and masks, to try everything out.")
        )
        file = button(self.tr("Open a file…"), self.workspace.wants_file.emit, icon="tag")
        file.setToolTip(self.tr("A zip file with pictures, a table or COCO file with their labels, a project."))
        self.drop = DropArea(choose, file, sample)
        self.recent = RecentProjects()
        self.recent.chosen.connect(self.workspace.open_folder)
        self.welcome = wrap_layout(column((self.drop, 1), self.recent, gap=14))
        self.stack.addWidget(self.welcome)
        op = partial(project_operations.read_recent, app_settings.recent_folders())
        jobs.run(op, self._take_recent, partial(dialogs.tell_error, self), owner=self)

    def _take_recent(self, projects: list[Recent]) -> None:
        self._beside = parent_of(projects)
        self.recent.show_projects(projects)

    def _add_busy(self) -> None:
        self.busy_stage = text(self.tr("Looking for pictures"), "heading", wrap=False)
        self.busy_count = text("", "muted", wrap=False)
        self.busy_bar = QProgressBar()
        self.busy_bar.setTextVisible(False)
        self.busy_bar.setFixedWidth(380)
        cancel = button(self.tr("Cancel"), self.workspace.cancel_opening, icon="cross")
        self.first = GalleryView()
        self.first.hide()
        # keep the words in the middle without pictures
        self._busy_room = [wrap_layout(column(None)), wrap_layout(column(None))]
        inner = column(self.busy_stage, self.busy_bar, self.busy_count, 10, row(cancel, None), gap=8)
        above, below = self._busy_room
        self.busy = wrap_layout(column(above, row(None, inner, None), self.first, below, gap=14))
        self.stack.addWidget(self.busy)

    def _add_loaded(self) -> None:
        self.pictures, self.labels = Figure(self.tr("Pictures")), Figure(self.tr("Labels"))
        self.broken = Figure(self.tr("Cannot be read"))
        self.gallery = GalleryView()
        self.filter = FilterBar(self.gallery, ("label", "part", "state", "excluded"))
        self.filter.parts_wanted.connect(self._known.ask_split)
        self.out_told = text("", "small", wrap=False)
        self.out_back = button(self.tr("Show them"), lambda: self.filter.ask(excluded=True), "link", "eye")
        self.out_undo = button(self.tr("Undo"), self.roles.undo_stack.undo, "link", "undo")
        self._out = wrap_layout(row(self.out_told, self.out_back, self.out_undo, None, gap=6))
        self._out.hide()
        self.labels_view = LabelsView()
        self.broken_table = table([self.tr("File"), self.tr("Why it cannot be read")], stretch=1)
        self.others_table = table([self.tr("Kind"), self.tr("Files")], stretch=1)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.parts = PartsView()
        self.parts.chosen.connect(self.file_parts.choose)
        self.tabs.addTab(self._gallery_tab(), self.tr("Pictures"))
        self.tabs.addTab(make_scrollable(wrap_layout(column(14, self.labels_view))), self.tr("Labels"))
        self.tabs.addTab(wrap_layout(column(10, self.broken_table)), self.tr("Cannot be read"))
        self.tabs.addTab(wrap_layout(column(10, self.others_table)), self.tr("Other files"))
        self.folders = FoldersView()
        self.folders.taken_out.connect(self.folder_list.take_out)
        self.folders.brought_back.connect(self.folder_list.bring_back)
        self.tabs.addTab(wrap_layout(column(10, self.folders)), self.tr("Folders"))
        self.roles_view = RolesView()
        self.roles_view.chosen.connect(self.roles.choose)
        self.roles_view.wanted.connect(self._show_examples)
        self.roles_view.undone.connect(self.roles.undo_stack.undo)
        self.roles_view.redone.connect(self.roles.undo_stack.redo)
        self.tabs.addTab(wrap_layout(column(10, self.roles_view)), self.tr("What is what"))
        self.copies = CopiesView(self.workspace, copies_of(self.workspace))
        self.tabs.addTab(wrap_layout(column(10, self.copies)), self.tr("Near copies"))
        self.workspace.wants_copies.connect(lambda: self.tabs.setCurrentIndex(COPIES))
        self.tabs.currentChanged.connect(
            lambda at: self._show_examples(self.roles_view.path()) if at == ROLES else None
        )
        stack = self.roles.undo_stack
        for part in (self.roles_view, self.copies):
            page_shortcuts(part, split_keys(), {"undo": stack.undo, "redo": stack.redo})
        figures = wrap_layout(row(self.pictures, self.labels, self.broken, gap=12))
        self.tabs.currentChanged.connect(lambda at: figures.setVisible(at != COPIES))  # these need the room
        self.loaded = wrap_layout(column(figures, Card(margin=16).add(self.tabs), gap=14))
        self.stack.addWidget(self.loaded)

    def _gallery_tab(self) -> QWidget:
        made = wrap_layout(column(10, self.parts, self.filter, self._out, (self.gallery, 1)))
        page_shortcuts(made, split_keys(), {"undo": self.file_parts.undo, "redo": self.file_parts.redo})
        return made

    def _show_excluded(self) -> None:
        """How many pictures are left out, and the way back."""
        recognised = self.workspace.recognised
        out = len(recognised.excluded) if recognised else 0
        self.out_told.setText(formatting.render(excluded_words(out)))
        self.out_undo.setEnabled(self.roles.undo_stack.canUndo())
        self._out.setVisible(out > 0)

    def _look_for_copies(self) -> None:
        if self.copies.isVisible():
            self.copies.copies.look()

    def _take_known(self) -> None:
        """The split is known, or labels have changed: what is filtered by them may be other pictures now."""
        if self.filter.criteria.part or self.filter.criteria.label or self.filter.criteria.state:
            self.filter.again()

    def _show(self, face: QWidget) -> None:
        self.stack.setCurrentWidget(face)
        self.footer.setVisible(face is self.loaded)
        recognised = self.workspace.recognised
        self.to_label.setVisible(face is self.loaded and recognised is not None and lacks_labels(recognised))

    # --- what happens

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""
        place = next(iter(self.workspace.several.values()), self.workspace.folder)
        start = place.parent if place else self._beside
        folder = dialogs.choose_folder(self, self.tr("Choose the folder with your pictures"), start)
        if folder is not None:
            self.workspace.open_folder(folder)

    def add_folder(self) -> None:
        """Ask for one more folder and read it together with the others."""
        if self.workspace.folder is None:
            self.choose_folder()
            return
        start = [self.workspace.folder, *self.workspace.several.values()][-1].parent
        folder = dialogs.choose_folder(self, self.tr("Choose another folder, to be read together with these"), start)
        if folder is not None:
            self.folder_list.add([folder])

    def show_drop(self, hot: bool) -> None:
        """Show that it can be dropped here."""
        self.drop.set_hot(hot)

    def command(self) -> object:
        """Look at the pictures."""
        workspace = self.workspace
        labels, side = workspace.labels_file, workspace.data_values.get("side")
        parts = [word for name, value in workspace.file_parts.items() for word in (f"--{name}", value)]
        return [
            "index", workspace.folder, *parts, *(["--labels", labels] if labels else []),
            *(["--side", side] if side else []),
            *(word for path, role in workspace.roles.items() for word in ("--role", f"{path}={role}")),
        ]  # fmt: skip

    def _show_opening(self, said: Preparing | Seen | None) -> None:
        if said is None:
            self._progress.forget()
            self._show(self.loaded if self.workspace.recognised else self.welcome)
            self._show_first([])
            self._name_page()
            return
        self._show(self.busy)
        if self.workspace.opening_name:
            self.title.setText(printable(self.workspace.opening_name))
            self.subtitle.setText(self.tr("is being opened"))
        if isinstance(said, Seen):
            self.busy_count.setText(self.tr("{0} so far").format(formatting.count(said.pictures)))
            if said.first and len(said.first) != self.first.gallery.rowCount():
                self._show_first(said.first)
            return
        self.busy_stage.setText(formatting.render(said.stage))
        self.busy_bar.setRange(0, said.total)
        self.busy_bar.setValue(said.done)
        self.busy_count.setText(self._progress.far(said))

    def _show_first(self, paths: Sequence[Path]) -> None:
        """The first pictures, while the rest is being looked for."""
        self.first.show_items([GalleryItem(path, printable(path.name)) for path in paths])
        self.first.setVisible(bool(paths))
        for room in self._busy_room:
            room.setVisible(not paths)

    def _show_checking(self, said: Preparing | None) -> None:
        if said is not None and said.total:
            self.checking.show_progress(said)
        elif said is None:
            stopped = self.workspace.readable is None and not self.workspace.runner.active
            self.checking.rest(self.tr("Reading was stopped.") if stopped else "", stopped=stopped)

    def show_pictures(self) -> None:
        """Show the folder that was opened."""
        recognised, folder = self.workspace.recognised, self.workspace.folder
        if recognised is None or folder is None:
            return
        index = recognised.pictures
        self._show_folders(index)
        items = PictureItems(index, recognised=recognised, part_of=self._known.part_of)
        self.gallery.show_items(items, keep=self._root == index.root)
        self._root = index.root
        self.filter.name_classes(recognised.classes.names if recognised.classes else ())
        self._show_excluded()
        self.labels.say(*labels_in_words(recognised))
        self.labels_view.show_labels(recognised)
        fill(
            self.others_table,
            [
                (formatting.render(ignored_title(kind)), formatting.count(count))
                for kind, count in index.ignored.items()
            ],
        )
        self.tabs.setTabVisible(3, bool(index.ignored))
        kept = self.tabs.currentIndex() == FOLDERS and bool(self.workspace.several)
        if not kept and self.tabs.currentIndex() not in (ROLES, COPIES):
            self.tabs.setCurrentIndex(0)  # but the list of folders, or what is what, stays in sight when it has changed
        stack = self.roles.undo_stack
        self.roles_view.show_roles(recognised.roles, stack.canUndo(), stack.canRedo())
        self._show_readable(index)
        self._show_parts(index)
        self._show(self.loaded)

    def _show_examples(self, path: str) -> None:
        """Pictures of one line of what is what, while it is in sight."""
        if self._examples is not None:
            self._examples.cancel()
            self._examples = None
        recognised = self.workspace.recognised
        if recognised is None or self.tabs.currentIndex() != ROLES:
            return
        op = partial(role_operations.show_examples, recognised, path)
        self._examples = jobs.run(op, self._take_examples, partial(dialogs.tell_error, self), owner=self)

    def _take_examples(self, examples: list[Example]) -> None:
        self._examples = None
        self.roles_view.show_examples(examples)

    def _name_page(self) -> None:
        """Whose pictures they are, and where they come from."""
        recognised = self.workspace.recognised
        if recognised is None:
            self.title.setText(self.tr("Your pictures"))
            self.subtitle.setText(self.tr("Many pictures, few labels or none: that is what this is made for."))
            return
        index, several, project = recognised.pictures, self.workspace.several, self.workspace.project
        counts = index.counts()
        self.title.setText(project.name if several and project else index.root.name)
        parts = (f"{name} ({formatting.count(counts.get(name, 0))})" for name in several)
        self.subtitle.setText(", ".join(parts) if several else str(index.root))

    def _show_folders(self, index: ImageIndex) -> None:
        several, counts = self.workspace.several, index.counts()
        self._name_page()
        self.folders.show_folders(several, counts, self.folder_list.to_bring_back)
        self.tabs.setTabVisible(FOLDERS, bool(several))

    def _show_checked(self) -> None:
        readable, recognised = self.workspace.readable, self.workspace.recognised
        if readable is not None and recognised is not None:
            self._show_readable(readable)
            self._show_parts(readable)
            if readable.left:
                items = PictureItems(recognised.pictures, readable.left, recognised, self._known.part_of)
                self.gallery.show_items(items, keep=True)

    def _show_parts(self, index: ImageIndex) -> None:
        """What of the files is not used."""
        paged = any(PAGE in path for path in index.first(1000))
        self.parts.show_parts(index.left, index.notes, self.workspace.data_values, paged)

    def _show_readable(self, index: ImageIndex) -> None:
        self.pictures.say(formatting.count(len(index)), self.tr("Pictures"))
        broken = len(index.unreadable)
        self.broken.say(formatting.count(broken))
        self.broken.setVisible(broken > 0)  # else there is nothing to be told
        self.tabs.setTabVisible(BROKEN, broken > 0)
        fill(self.broken_table, [(printable(one.path), formatting.render(one.reason)) for one in index.unreadable])
        self.tabs.setTabText(BROKEN, self.tr("Cannot be read ({0})").format(formatting.count(broken)))
