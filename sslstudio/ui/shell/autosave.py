"""The open project is saved by itself: a moment after each change, and when it is left."""

from functools import partial

from PySide6.QtCore import QObject, QTimer

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.projects.project import Project, save_project
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.text.formatting import render
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Workspace

SETTLE_MS = 500  # after the last change


class Autosave(QObject):
    """Listens to the workspace and writes its project down."""

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._saved: Project | None = None
        self._job: jobs.Job | None = None
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self.save)
        workspace.changed.connect(lambda _: self._settling.start())
        workspace.opening.connect(lambda _: self._flush())
        workspace.leaving.connect(self._flush)

    def save(self) -> None:
        """Write it off the UI thread, if anything has changed."""
        project = self._there()
        if self._job is not None:
            self._settling.start()
        elif project is not None and project != self._saved:
            op = partial(project_operations.save, project)
            self._job = jobs.run(op, partial(self._note_saving, project), self._tell_error, owner=self)

    def _there(self) -> Project | None:
        """The project, unless its folder has gone: it was given another name, or its disk was taken away. It was there
        when it was opened, and another one is not begun in its place."""
        project = self._workspace.project_now()
        return project if project is not None and project.folder.is_dir() else None

    def _note_saving(self, project: Project, _: object) -> None:
        self._job, self._saved = None, project

    def _tell_error(self, error: Exception) -> None:
        self._job = None
        self._workspace.said.emit(dialogs.error_text(error))

    def _flush(self) -> None:
        """What waits to be written is written now: other pictures come, or the same are read anew."""
        if self._settling.isActive() or self._job is not None:
            self.finish()

    def finish(self) -> None:
        """The last word, at once."""
        self._settling.stop()
        if self._job is not None:
            self._job.cancel()
            self._job = None
        project = self._there()
        if project is not None and project != self._saved:
            try:
                save_project(project)
                self._saved = project
            except StudioError as error:
                self._workspace.said.emit(render(error.message))
