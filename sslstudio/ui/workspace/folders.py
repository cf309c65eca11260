"""The folders that the open pictures come from: more are added, one is taken out of the list and brought back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from sslstudio.engine.projects import folders as project_folders
from sslstudio.engine.projects.project import is_project
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.text.formatting import count
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Workspace

ADD, INSTEAD = "add", "instead"


@dataclass(frozen=True)
class Before:
    """The list of a project's folders before one was taken out."""

    project: Path
    folders: Mapping[str, Path]
    name: str


def folders_of(workspace: Workspace) -> "FoldersController":
    """The one of a workspace: it knows which folder was taken out last."""
    return workspace.findChild(FoldersController) or FoldersController(workspace)


class FoldersController(QObject):
    """Changes the list of folders of a workspace's project; nothing else changes, in the folders or about them."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._before: Before | None = None

    def open(self, folders: Sequence[Path]) -> None:
        """Folders were dropped: those that are open already are looked at again; with others open, it is asked
        whether these are to be added to them."""
        workspace = self._workspace
        if workspace.folder is None:
            self._open_instead(folders)
            return
        known = [one.resolve() for one in (workspace.folder, *self._workspace.several.values())]
        if len(folders) == 1 and folders[0].resolve() in known:
            workspace.open_folder(workspace.folder)
            return
        if not workspace.may_open():
            return
        many = count(len(folders), "", self.tr("folders"))
        named = self.tr("“{0}”").format(folders[0].name) if len(folders) == 1 else many
        answers = {ADD: self.tr("Add to these pictures"), INSTEAD: self.tr("Open instead")}
        said = self.tr("Add {0} to the pictures that are open, as one set, or open it instead of them?").format(named)
        chosen = dialogs.choose(workspace.window, said, answers, self.tr("Cancel"))
        if chosen == ADD:
            self.add(folders)
        elif chosen == INSTEAD:
            self._open_instead(folders)

    def _open_instead(self, folders: Sequence[Path]) -> None:
        if len(folders) == 1:
            self._workspace.open_folder(folders[0])
            return
        others = [Path(one) for one in app_settings.recent_folders() if is_project(Path(one))]
        op = partial(project_operations.open_together, app_settings.home(), others, folders)
        self._workspace.open_new(op)

    def add(self, folders: Sequence[Path]) -> None:
        """More folders for the open project; they are read together with the others."""
        project = self._workspace.project_now()
        if project is not None:
            self._workspace.change_project(partial(project_operations.add_folders, project, folders))

    def take_out(self, name: str) -> None:
        """The project without one of its folders."""
        project = self._workspace.project_now()
        if project is not None and len(self._workspace.several) > 1:
            self._before = Before(project.folder, dict(self._workspace.several), name)
            self._workspace.change_project(jobs.without_control(project_folders.without, project, name))

    @property
    def to_bring_back(self) -> str:
        """The folder that was taken out last, '' where there is none."""
        before, project, several = self._before, self._workspace.project, self._workspace.several
        if before is None or project is None or project.folder != before.project or before.name in several:
            return ""
        return before.name

    def bring_back(self) -> None:
        """Undo the last taking out; folders that were added since stay."""
        project = self._workspace.project_now()
        if project is not None and self._before is not None and self.to_bring_back:
            folders = {**self._before.folders, **self._workspace.several}
            self._workspace.change_project(jobs.without_control(project_folders.with_folders, project, folders))
