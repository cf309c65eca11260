"""What is decided on doubtful labels: written into the run, and a change into the labels of the project as well, so
that the next fine-tuning learns from it. With undo and redo."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.labels.editing.transfer import name_of
from sslstudio.engine.runs.label_decisions import CHANGE, decide, read_decisions, take_back
from sslstudio.ui.operations.inspection import DoubtLine
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.labels import labels_of
from sslstudio.ui.workspace.workspace import Workspace


@dataclass(frozen=True)
class _State:
    """The decision on a picture ('' for none), and its label among those of the project; None: not to be touched."""

    decision: str
    label: str | None


class _Command(QUndoCommand):
    """From one state of a doubtful label to another."""

    def __init__(
        self, controller: "DoubtsController", run: Path, line: DoubtLine, before: _State, after: _State
    ) -> None:
        super().__init__()
        self._controller, self._run, self._line, self._before, self._after = controller, run, line, before, after

    def redo(self) -> None:
        """Decide."""
        if not self._controller.put(self._run, self._line, self._before, self._after):
            self.setObsolete(True)

    def undo(self) -> None:
        """Take it back."""
        self._controller.put(self._run, self._line, self._after, self._before)


class DoubtsController(QObject):
    """Decides on the labels of one run. `decided`: the picture, and what is decided on it now; `changed`: labels, or
    what can be undone."""

    decided = Signal(str, str)
    changed = Signal()

    def __init__(self, workspace: Workspace, owner: QObject) -> None:
        super().__init__(owner)
        self._workspace = workspace
        self.labels = labels_of(workspace)
        self.run, self._pictures = Path(), Path()
        self.undo_stack = QUndoStack(self)
        self._waiting: list[tuple[Path, DoubtLine, str]] = []  # until the labels are open
        self.undo_stack.indexChanged.connect(self.changed)
        self.labels.changed.connect(self.changed)
        self.labels.opened.connect(self._opened)
        self.labels.failed.connect(self._not_opened)
        workspace.leaving.connect(self._forget)

    def look_at(self, run: Path, pictures: Path, lines: Sequence[DoubtLine]) -> None:
        """Another run. Where something was changed already, the labels are opened to see what became of it."""
        self.run, self._pictures = run, pictures
        if self.possible and any(one.decision == CHANGE for one in lines):
            self.labels.open()
        self.changed.emit()

    def _forget(self) -> None:
        self._waiting.clear()
        self.undo_stack.clear()

    @property
    def possible(self) -> bool:
        """Whether a change can go into the labels: those of the pictures that are open."""
        recognised = self._workspace.recognised
        if recognised is None or self._workspace.project is None:
            return False
        return recognised.pictures.root.resolve() == self._pictures.resolve()

    def corrected(self, lines: Sequence[DoubtLine]) -> int:
        """How many of these labels are changed among those of the project."""
        store = self.labels.store if self.possible else None
        if store is None:
            return 0
        return sum(one.decision == CHANGE and name_of(store, one.file) == one.suggested for one in lines)

    def decide(self, line: DoubtLine, decision: str) -> None:
        """Keep, change, unsure; '' takes back what was decided."""
        if self.possible and self.labels.store is None and CHANGE in (decision, line.decision):
            self._waiting.append((self.run, line, decision))
            self.labels.open()
        else:
            self._push(self.run, line, decision)

    def _opened(self) -> None:
        waiting, self._waiting = self._waiting[:], []
        for run, line, decision in waiting:
            self._push(run, line, decision)
        self.changed.emit()

    def _not_opened(self) -> None:
        self._waiting.clear()
        self.changed.emit()

    def _push(self, run: Path, line: DoubtLine, decision: str) -> None:
        try:
            was = read_decisions(run).get(line.file)
        except StudioError as error:
            dialogs.tell_error(self._workspace.window, error)
            return
        before = _State(was.decision if was else "", self._label_of(line))
        label = line.suggested if decision == CHANGE else line.label
        touched = decision == CHANGE or (before.decision == CHANGE and before.label == line.suggested)
        if before.label is None or not touched:
            before, after = _State(before.decision, None), _State(decision, None)
        else:
            after = _State(decision, label)
        if before != after:
            self.undo_stack.push(_Command(self, run, line, before, after))

    def _label_of(self, line: DoubtLine) -> str | None:
        store = self.labels.store if self.possible else None
        return None if store is None else name_of(store, line.file)

    def put(self, run: Path, line: DoubtLine, before: _State, after: _State) -> bool:
        """For the stack: make a state count. A label that was given otherwise meanwhile stays as it is. False when it
        could not be kept, which has been told then."""
        wanted = after.label is not None and self._label_of(line) == before.label != after.label
        if wanted and not self.labels.correct({line.file: after.label or ""}):
            return False
        try:
            if after.decision:
                decide(run, line.file, line.label, line.suggested, after.decision)
            else:
                take_back(run, line.file)
        except (StudioError, OSError) as error:
            dialogs.tell_error(self._workspace.window, error)
            return False
        if run == self.run:
            self.decided.emit(line.file, after.decision)
        return True

    def fine_tune(self) -> None:
        """Lead to a fine-tuning that uses the labels as they are now."""
        self.labels.hand_over(always=True)
        self._workspace.wants_page.emit("finetune")
