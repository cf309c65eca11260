"""Which pages and channels of files are the pictures, where a person chose others than the first: with undo."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand

from sslstudio.ui.workspace.roles import roles_of
from sslstudio.ui.workspace.workspace import Workspace

Parts = tuple[str, str]  # channels, pages: as DataConfig has them


class _Command(QUndoCommand):
    """From some pages and channels to others."""

    def __init__(self, workspace: Workspace, before: Parts, after: Parts) -> None:
        super().__init__()
        self._workspace, self.before, self.after = workspace, before, after

    def redo(self) -> None:
        """Change them."""
        if not self._workspace.choose_file_parts(*self.after):
            self.setObsolete(True)

    def undo(self) -> None:
        """As they were."""
        self._workspace.choose_file_parts(*self.before)


class FilePartsController(QObject):
    """Changes the pages and channels of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.undo_stack = roles_of(workspace).undo_stack  # one for all that is said of the pictures

    def choose(self, channels: str, pages: str) -> None:
        """Take these for pictures."""
        parts = self._workspace.file_parts
        before = (parts.get("channels", ""), parts.get("pages", "first"))
        if (channels, pages) != before:
            self.undo_stack.push(_Command(self._workspace, before, (channels, pages)))

    def undo(self) -> None:
        """Take the last choice back, where pictures may be opened now."""
        if self.undo_stack.canUndo() and self._workspace.may_open():
            self.undo_stack.undo()

    def redo(self) -> None:
        """Do again what was taken back, where pictures may be opened now."""
        if self.undo_stack.canRedo() and self._workspace.may_open():
            self.undo_stack.redo()
