"""What folders, tables and columns are, where a person said so against the guess: kept in the project, with undo."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from sslstudio.ui.workspace.workspace import Workspace


class _Command(QUndoCommand):
    """From some choices to others."""

    def __init__(self, workspace: Workspace, before: dict[str, str], after: dict[str, str]) -> None:
        super().__init__()
        self._workspace, self.before, self.after = workspace, before, after

    def redo(self) -> None:
        """Change them."""
        self._workspace.use_roles(self.after)

    def undo(self) -> None:
        """As they were."""
        self._workspace.use_roles(self.before)


class RolesController(QObject):
    """Changes the roles of a workspace."""

    changed = Signal()  # what can be undone

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.undo_stack = QUndoStack(self)
        self.undo_stack.indexChanged.connect(self.changed)
        workspace.leaving.connect(self.undo_stack.clear)

    @property
    def chosen(self) -> Mapping[str, str]:
        """What was chosen so far: path -> role."""
        return self._workspace.roles

    def choose(self, path: str, role: str) -> None:
        """Say what something is; '' leaves it to the guess again."""
        before = dict(self._workspace.roles)
        after = {**before, path: role} if role else {name: one for name, one in before.items() if name != path}
        if after != before:
            self.undo_stack.push(_Command(self._workspace, before, after))
