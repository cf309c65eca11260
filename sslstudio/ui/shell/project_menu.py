"""What the File menu does with the open project: another name, a copy, its folder in the system's own window."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.projects.project import Project
from sslstudio.engine.projects.relocate import rename_project
from sslstudio.engine.runs.trash import free_path
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Workspace

ALL, BARE = "all", "bare"


class ProjectFile(QObject):
    """Asks what there is to ask, and has it done."""

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace

    def _project(self) -> Project | None:
        project = self._workspace.project_now()
        if project is None:
            self._workspace.said.emit(self.tr("There is no project yet: open some pictures first."))
        return project

    def rename(self) -> None:
        """Ask for another name."""
        project = self._project()
        if project is None or not self._workspace.may_open():
            return
        if any(
            Path(str(one.config.get("out", ""))).is_relative_to(project.folder) for one in self._workspace.queue.runs
        ):
            self._workspace.said.emit(
                self.tr("Runs of this project wait in the queue: it keeps its name until they are done.")
            )
            return
        asked = self.tr("Name of the project, and of its folder in {0}").format(project.folder.parent)
        name = dialogs.ask_text(self._workspace.window, self.tr("Rename the project"), asked, project.name)
        if name and name != project.name:
            self._workspace.change_project(jobs.without_control(rename_project, project, name, cache_folder()))

    def copy(self) -> None:
        """Ask where a copy is to go and what is to be in it."""
        project = self._project()
        if project is None or not self._workspace.may_open():
            return
        window = self._workspace.window
        place = dialogs.choose_folder(window, self.tr("Where is the copy of the project to go?"), Path.home())
        if place is None:
            return
        target = free_path(place / project.folder.name)
        said = self.tr("“{0}” is copied to {1}. With its runs, or only the settings and labels?")
        answers = {ALL: self.tr("With its runs"), BARE: self.tr("Without runs")}
        answer = dialogs.choose(window, said.format(project.name, target), answers, self.tr("Cancel"))
        if answer:
            op = partial(project_operations.copy, project, target, answer == ALL)
            self._workspace.letting_go.emit()  # what was labelled is in the files then
            self._workspace.begin_opening(op, self._offer)

    def _offer(self, copy: Project) -> None:
        self._workspace.end_opening()
        said = self.tr("The copy is in {0}. Go on with it, or with the project that is open?").format(copy.folder)
        if dialogs.ask(self._workspace.window, said, self.tr("Go on with the copy"), self.tr("Stay here")):
            self._workspace.project_wanted.emit(copy.folder)

    def show(self) -> None:
        """Open its folder in the system's own window."""
        project = self._project()
        if project is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(project.folder)))
