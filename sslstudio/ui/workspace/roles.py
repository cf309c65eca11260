"""What folders, tables, columns and single pictures are, where a person said so against the guess: kept in the project,
with undo."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from sslstudio.engine.labels.picture_choices import excluding, keeping_together, taking_back
from sslstudio.engine.labels.roles import EXCLUDED
from sslstudio.ui.text import formatting
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


def roles_of(workspace: Workspace) -> "RolesController":
    """The one of a workspace: what is said on one page is taken back on another."""
    return workspace.findChild(RolesController) or RolesController(workspace)


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
        return self._workspace.roles_wanted

    def choose(self, path: str, role: str) -> None:
        """Say what something is; '' leaves it to the guess again."""
        before = self.chosen
        self._change({**before, path: role} if role else {name: one for name, one in before.items() if name != path})

    # --- single pictures

    def is_excluded(self, path: str) -> bool:
        """Whether a picture is left out."""
        return self.chosen.get(path) == EXCLUDED

    @property
    def excluded(self) -> list[str]:
        """The pictures that are left out."""
        return [path for path, role in self.chosen.items() if role == EXCLUDED]

    def exclude(self, paths: Iterable[str]) -> None:
        """Leave pictures out of everything."""
        self._change(excluding(self.chosen, paths))
        self._say()

    def take_back(self, paths: Iterable[str]) -> None:
        """Let pictures in again, and let them go where the split has them."""
        self._change(taking_back(self.chosen, paths))
        self._say()

    def keep_together(self, groups: Iterable[Iterable[str]]) -> None:
        """Have each group of pictures on one side of the split."""
        self._change(keeping_together(self.chosen, groups))

    def _say(self) -> None:
        out = formatting.count(len(self.excluded), self.tr("picture"), self.tr("pictures"))
        self._workspace.said.emit(self.tr("{0} excluded by you.").format(out))

    def _change(self, after: dict[str, str]) -> None:
        before = dict(self.chosen)
        if after != before:
            self.undo_stack.push(_Command(self._workspace, before, after))
