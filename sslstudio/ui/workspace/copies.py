"""Near copies among the open pictures, and what a person decides on them: kept on one side of the split, excluded but
for one, or ignored. With undo, on the same stack as all that is said of pictures."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.labels.roles import TOGETHER
from sslstudio.ui.background import jobs
from sslstudio.ui.operations.closely import Copies, CopyGroup, find_copies, largest_of, leaking_in
from sslstudio.ui.workspace.roles import roles_of
from sslstudio.ui.workspace.workspace import Change, Workspace

OPEN, TOGETHER_NOW, ONE_LEFT, IGNORED = "", "together", "one", "ignored"  # what was decided on a group
_CHOICES, _IGNORED = "copies", "ignored"  # where a project keeps what is ignored


class _Ignore(QUndoCommand):
    """From some groups that are ignored to others."""

    def __init__(self, copies: "CopiesController", before: list[str], after: list[str]) -> None:
        super().__init__()
        self._copies, self._before, self._after = copies, before, after

    def redo(self) -> None:
        """Ignore them."""
        self._copies.set_ignored(self._after)

    def undo(self) -> None:
        """As it was."""
        self._copies.set_ignored(self._before)


def copies_of(workspace: Workspace) -> "CopiesController":
    """The one of a workspace."""
    return workspace.findChild(CopiesController) or CopiesController(workspace)


class CopiesController(QObject):
    """`changed` when something is known, or was decided; `progressed` with a Preparing; `failed` with the error."""

    changed = Signal()
    progressed = Signal(object)
    failed = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace, self.roles = workspace, roles_of(workspace)
        self.found: Copies | None = None
        self._root: Path | None = None  # of the pictures that were looked through
        self._job: jobs.Job | None = None
        workspace.call_on(Change.PICTURES, self._take_change)
        workspace.call_on(Change.CHOICES, self._tell)
        self.roles.changed.connect(self.changed)

    def _tell(self) -> None:
        self.changed.emit()

    # --- looking for them

    @property
    def going(self) -> bool:
        """Whether they are being looked for."""
        return self._job is not None

    def look(self, *, again: bool = False) -> None:
        """Look for them, unless that is done or under way; all pictures count, those too that are excluded now."""
        workspace = self._workspace
        recognised = workspace.recognised
        if self._job is not None or recognised is None or workspace.engine is None or (self.found and not again):
            return
        self._root = recognised.pictures.root
        op = partial(find_copies, recognised, workspace.data_config())
        self._job = jobs.run(op, self._take, self._fail, owner=self, progress=self._pass_on)
        self.changed.emit()

    def stop(self) -> None:
        """Look no further."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self.changed.emit()

    def _pass_on(self, said: Preparing) -> None:
        self.progressed.emit(said)

    def _take(self, found: Copies) -> None:
        self._job, self.found = None, found
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self._job = None
        self.failed.emit(error)

    def _take_change(self) -> None:
        recognised = self._workspace.recognised
        if recognised is None or recognised.pictures.root != self._root:
            self.stop()
            self.found = None
        self.changed.emit()

    # --- what is decided

    @property
    def groups(self) -> Sequence[CopyGroup]:
        """The groups that were found."""
        return self.found.groups if self.found else ()

    def decision(self, group: CopyGroup) -> str:
        """What was decided on a group."""
        said = [self.roles.chosen.get(path, "") for path in group.paths]
        left = [role for path, role in zip(group.paths, said, strict=True) if not self.roles.is_excluded(path)]
        if len(left) <= 1:
            return ONE_LEFT
        if left[0].startswith(TOGETHER) and len(set(left)) == 1:
            return TOGETHER_NOW
        return IGNORED if group.paths[0] in self._ignored else OPEN

    @property
    def open_groups(self) -> list[CopyGroup]:
        """Those on which nothing was decided."""
        return [group for group in self.groups if self.decision(group) == OPEN]

    @property
    def leaking(self) -> int:
        """How many held-out pictures have a copy in an earlier part, of groups that are not kept on one side."""
        torn = (group for group in self.groups if self.decision(group) not in (TOGETHER_NOW, ONE_LEFT))
        return sum(leaking_in(group, self.roles.is_excluded) for group in torn)

    def keep_together(self, groups: Iterable[CopyGroup]) -> None:
        """Have each of them on one side of the split."""
        self.roles.keep_together([group.paths for group in groups])

    def exclude_but_one(self, groups: Sequence[CopyGroup]) -> None:
        """Leave out all of each but the one with the largest file."""
        recognised = self._workspace.recognised
        if recognised is not None and groups:
            op = partial(largest_of, recognised, [group.paths for group in groups])
            jobs.run(op, partial(self._exclude, groups), self._fail, owner=self)

    def _exclude(self, groups: Sequence[CopyGroup], kept: list[str]) -> None:
        self.roles.exclude(path for group in groups for path in group.paths if path not in set(kept))

    def ignore(self, groups: Iterable[CopyGroup]) -> None:
        """Say no more of them."""
        before = list(self._ignored)
        after = list(dict.fromkeys([*before, *(group.paths[0] for group in groups)]))
        if after != before:
            self.roles.undo_stack.push(_Ignore(self, before, after))

    @property
    def _ignored(self) -> list[str]:
        return list(self._workspace.choices.get(_CHOICES, {}).get(_IGNORED, ()))

    def set_ignored(self, paths: list[str]) -> None:
        """For the stack: these groups, by their first picture, are ignored."""
        self._workspace.keep_choices(_CHOICES, {_IGNORED: paths} if paths else {})
