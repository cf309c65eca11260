"""The labels that are open in the window: edits go in here, with undo and redo, and whoever shows labels listens."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.editing.edits import Edit, Kind, Labelled, Painted
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.transfer import correcting, other_labels
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change, Workspace

ENOUGH = 5  # labels a class: fewer teach little, and none would be left to test with
MOST_UNDO = 1000


class _Command(QUndoCommand):
    """An edit on the stack of Qt."""

    def __init__(self, labels: "LabelsController", edit: Edit) -> None:
        super().__init__()
        self._labels, self._edit = labels, edit

    def redo(self) -> None:
        """Do it."""
        if not self._labels.apply(self._edit):
            self.setObsolete(True)

    def undo(self) -> None:
        """Take it back."""
        self._labels.apply(self._edit.inverse())


def labels_of(workspace: Workspace) -> "LabelsController":
    """The one of a workspace: whoever labels in the window works on the same labels."""
    return workspace.findChild(LabelsController) or LabelsController(workspace)


class LabelsController(QObject):
    """Owns the open labels. `opened` or `failed` follows when they were asked for."""

    opened = Signal()
    failed = Signal()
    opening = Signal(object)  # Preparing
    changed = Signal(object)  # Edit, after it counts

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.store: Labelling | None = None
        self.pictures: Path | None = None
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(MOST_UNDO)
        self._job: jobs.Job | None = None
        self._stopping = False
        self._kept = True  # the last edit
        self._news = False  # edits that the workspace has not heard of
        workspace.call_on(Change.PICTURES, self._other_pictures)
        workspace.letting_go.connect(self.close)

    # --- opening and closing

    def open(self) -> None:
        """Open the labels of the pictures, unless they are open or about to be."""
        recognised, project = self._workspace.recognised, self._workspace.project
        if recognised is None or project is None or recognised.pictures.root == self.pictures or self._stopping:
            return
        self.close()
        root = self.pictures = recognised.pictures.root
        op = partial(picture_operations.open_labels, project.labels_folder, recognised)
        self._job = jobs.run(
            op, partial(self._take, root), self._give_up, owner=self, progress=self.opening.emit, over=self._over
        )

    def stop(self) -> None:
        """Open them no further. `failed` follows, and then they can be opened again."""
        if self._job is not None:
            self._job.cancel()
            self._job, self.pictures, self._stopping = None, None, True

    def _over(self) -> None:
        """Nothing writes into the folder of the labels any more."""
        if self._stopping:
            self._stopping = False
            self.failed.emit()

    def _other_pictures(self) -> None:
        recognised = self._workspace.recognised
        if self.pictures is not None and recognised is not None and recognised.pictures.root != self.pictures:
            self.close()

    def _take(self, root: Path, store: Labelling) -> None:
        self._job = None
        if root != self.pictures:  # other pictures were opened meanwhile
            store.close()
            return
        self.store = store
        self._offer_others(store)
        self.opened.emit()

    def _give_up(self, error: Exception) -> None:
        self._job, self.pictures = None, None
        dialogs.tell_error(self._workspace.window, error)
        self.failed.emit()

    def _offer_others(self, store: Labelling) -> None:
        """Labels from elsewhere are in use, and labels were made here before: only a person knows which are right."""
        workspace = self._workspace
        classes = workspace.recognised.classes if workspace.recognised else None
        if classes is None or workspace.labels_file == str(store.folder):
            return
        lacking, differing = other_labels(store, {path: classes.names[one] for path, one in classes.of.items()})
        if not lacking and not differing:
            return
        told = formatting.tr(
            "The labels that are used now ({0}) name {1} without a label among those made in this program, and {2} "
            "with another one. Take them over? That can be undone."
        )
        answers = {"lacking": formatting.tr("Where there is none")} if lacking else {}
        answers |= {"all": formatting.tr("All of them")} if differing else {}
        asked = told.format(formatting.render(classes.found_in), _pictures(lacking), _pictures(differing))
        chosen = dialogs.choose(workspace.window, asked, answers, formatting.tr("Leave them out"))
        for edit in correcting(store, lacking | (differing if chosen == "all" else {}) if chosen else {}):
            self.do(edit)

    def save(self) -> bool:
        """Write the open files; False when that failed, which has been told then."""
        try:
            if self.store is not None and self.store.journal.pending:
                self.store.save()
        except StudioError as error:
            dialogs.tell_error(self._workspace.window, error)
            return False
        return True

    def hand_over(self, *, always: bool = False) -> None:
        """Save, and have the next fine-tuning use these labels if they have changed; `always`: even if they have not,
        unless it does so already."""
        if self.store is None or not self.save():
            return
        folder = str(self.store.folder)
        if self._news or (always and self._workspace.labels_file != folder):
            self._news = False
            self._workspace.use_labels(folder)

    def close(self) -> None:
        """Save and let go."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        store, self.store, self.pictures, self._news = self.store, None, None, False
        self.undo_stack.clear()
        if store is not None:
            try:
                store.close()
            except StudioError as error:
                dialogs.tell_error(self._workspace.window, error)

    # --- edits

    def do(self, edit: Edit | None) -> bool:
        """Do an edit; None is nothing to do. False when it could not be kept, which has been told then."""
        if edit is None or self.store is None:
            return True
        self._kept = True
        self.undo_stack.push(_Command(self, edit))
        return self._kept

    def apply(self, edit: Edit) -> bool:
        """For the stack: make an edit count and tell of it."""
        if self.store is None:
            return False
        try:
            self.store.apply(edit)
        except StudioError as error:
            self._kept = False
            dialogs.tell_error(self._workspace.window, error)
            return False
        if self.store.journal.unsure is not None:
            dialogs.tell_error(self._workspace.window, self.store.journal.unsure)
        self._news = True
        self.changed.emit(edit)
        if self._workspace.labels_file != str(self.store.folder) and not self._workspace.taking_labels:
            self.hand_over()  # from the first edit on these are the labels of the project
        return True

    def correct(self, labels: Mapping[str, str]) -> bool:
        """Make the pictures' classes those of these names. False when that could not be kept, which has been told."""
        if self.store is None:
            return False
        try:
            return all(self.apply(edit) for edit in correcting(self.store, labels))
        except StudioError as error:  # a name that no class can have
            dialogs.tell_error(self._workspace.window, error)
            return False

    def note_asked(self, draw: DrawnTest, kind: Kind, paths: Collection[str]) -> None:
        """Keep with the labels that these pictures got one because a person was asked for them. A failure is told."""
        if self.store is not None and paths:
            try:
                self.store.note_asked(draw, kind, paths)
            except StudioError as error:
                dialogs.tell_error(self._workspace.window, error)

    # --- how far it is

    def find_labelled(self, kind: Kind) -> frozenset[str]:
        """Find the pictures that have a class, or a mask."""
        if self.store is None:
            return frozenset()
        return frozenset(self.store.of) if kind == "classification" else self.store.masked

    def progress(self, kind: Kind, pictures: int) -> tuple[str, bool]:
        """How many are labelled and what is missing, in words; whether that is enough to start."""
        if self.store is None:
            return "", False
        done = len(self.find_labelled(kind))
        said = formatting.tr("{0} of {1} labelled").format(formatting.count(done), formatting.count(pictures))
        missing = self._missing(kind, done)
        enough = not missing and bool(self.store.names(kind))
        return formatting.facts_line([said, missing or (formatting.tr("enough to start") if enough else "")]), enough

    def _missing(self, kind: Kind, done: int) -> str:
        assert self.store is not None
        if kind == "segmentation":
            lacking = ENOUGH - done
            return formatting.tr("{0} more to start").format(lacking) if lacking > 0 else ""
        classes, counts = self.store.names(kind), self.store.counts()
        if len(classes) < 2:
            return formatting.tr("two classes are needed")
        short = [one.name for one in classes if counts[one.number] < ENOUGH]
        if not short:
            return ""
        named = ", ".join(short[:3]) + (" …" if len(short) > 3 else "")
        return formatting.tr("to start: {0} a class; still few: {1}").format(ENOUGH, named)


def _pictures(labels: Mapping[str, str]) -> str:
    return formatting.count(len(labels), formatting.tr("picture"), formatting.tr("pictures"))


def labelled_by(edit: Edit) -> list[str]:
    """The pictures that have a label since an edit, and had none."""
    if isinstance(edit, Labelled):
        return [path for path, before, after in edit.changes if before is None and after is not None]
    return [edit.path] if isinstance(edit, Painted) and edit.before is None and edit.after is not None else []


def paths_of(edit: Edit) -> list[str]:
    """The pictures that an edit touches."""
    if isinstance(edit, Labelled):
        return [path for path, _, _ in edit.changes]
    return [edit.path] if isinstance(edit, Painted) else []
