"""How the pictures are set apart: one setting of all pages, changed with undo and redo. A change that would train on
pictures of earlier tests is said in words before any training begins."""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from sslstudio.engine.core.errors import ConfigError
from sslstudio.ui.background import jobs
from sslstudio.ui.forms.run_settings import SPLIT, RunSettings
from sslstudio.ui.forms.split_line import SplitLine
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.page import Page
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.shortcuts import page_shortcuts, split_keys
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.finetuning.split_policy import Leak

ONE_GO_S = 2.0  # a value that is typed or turned changes several times


class _Command(QUndoCommand):
    """From one split to another. What is typed within a moment is one change."""

    def __init__(
        self, workspace: Workspace, before: dict[str, Any], after: dict[str, Any], changed: tuple[str, ...]
    ) -> None:
        super().__init__()
        self._workspace, self.before, self.after, self.changed = workspace, before, after, changed
        self.when = time.monotonic()

    def id(self) -> int:
        """All are of one kind."""
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a change of the same options that follows at once."""
        if not isinstance(other, _Command) or other.changed != self.changed or other.when - self.when > ONE_GO_S:
            return False
        self.after, self.when = other.after, other.when
        return True

    def redo(self) -> None:
        """Change it."""
        self._workspace.set_data(self.after)

    def undo(self) -> None:
        """As it was."""
        self._workspace.set_data(self.before)


def split_of(workspace: Workspace) -> "SplitController":
    """The one of a workspace: the split is the same on all pages."""
    return workspace.findChild(SplitController) or SplitController(workspace)


class SplitController(QObject):
    """Changes the split of a workspace. The engine has been loaded."""

    warned = Signal(object)  # Leak of the split as it is now
    changed = Signal()  # what can be undone

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.undo_stack = QUndoStack(self)
        self._job: jobs.Job | None = None
        self.undo_stack.indexChanged.connect(self.changed)
        workspace.leaving.connect(self._forget)
        workspace.call_on(Change.SPLIT, self._look)
        workspace.runner.started.connect(lambda _: self.warned.emit(None))  # whoever starts it has read it

    def now(self) -> dict[str, Any]:
        """The split as it counts: what was not changed is at its default."""
        return self.whole(self._workspace.data_values)

    def whole(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the split with the defaults of what is not among them."""
        from sslstudio.engine.training.config import DataConfig

        defaults = DataConfig()
        return {name: values.get(name, getattr(defaults, name)) for name in SPLIT}

    def set(self, values: Mapping[str, Any]) -> None:
        """Change some of it."""
        before = self.now()
        after = {**self._workspace.data_values, **before, **values}
        changed = tuple(name for name in SPLIT if after[name] != before[name])
        if changed:
            self.undo_stack.push(_Command(self._workspace, self._workspace.data_values, after, changed))

    def last(self) -> tuple[str, ...]:
        """The options that an undo would change back."""
        index = self.undo_stack.index()
        command = self.undo_stack.command(index - 1) if index else None
        return command.changed if isinstance(command, _Command) else ()

    def _forget(self) -> None:
        """Other pictures are opened, or the same ones anew."""
        self._cancel()
        self.undo_stack.clear()
        self.warned.emit(None)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _look(self) -> None:
        """See what the split means for the runs that there are."""
        self._cancel()
        workspace = self._workspace
        if workspace.recognised is None or workspace.engine is None:
            return
        try:
            config = workspace.data_config()
        except ConfigError:  # a value on the way to another; it is said at the start
            return
        op = partial(run_operations.find_leak, workspace.recognised, config, workspace.all_runs)
        self._job = jobs.run(op, self._take, self._tell_error, owner=self)

    def _take(self, leak: "Leak") -> None:
        self._job = None
        self.warned.emit(leak)

    def _tell_error(self, error: Exception) -> None:
        self._job = None
        self.warned.emit(None)
        if not isinstance(error, ConfigError):
            dialogs.tell_error(self._workspace.window, error)


class SplitLink(QObject):
    """Keeps the settings of a page and the split of the workspace the same, and says above them what a change means."""

    def __init__(self, workspace: Workspace, settings: RunSettings, page: Page) -> None:
        super().__init__(settings)
        self._workspace, self._settings, self.split = workspace, settings, split_of(workspace)
        stack = self.split.undo_stack
        self.line = SplitLine(stack.undo, stack.redo)
        page.content.insertWidget(0, self.line)  # in sight, however far the settings are scrolled
        page_shortcuts(page, split_keys(), {"undo": stack.undo, "redo": stack.redo})
        settings.data_changed.connect(lambda: self.split.set(settings.data_values()))
        workspace.call_on(Change.SPLIT | Change.PICTURES, self._show)
        self.split.changed.connect(self._offer)
        self.split.warned.connect(self.line.warn)
        self._show()

    def _show(self) -> None:
        now = self.split.now()
        if now != self._settings.data_values():
            self._settings.show_data(now)
        self._offer()

    def _offer(self) -> None:
        form, stack = self._settings.forms["data"], self.split.undo_stack
        titles = [formatting.render(form.editor(name).field.about.title) for name in self.split.last()]
        self.line.offer(stack.canUndo(), stack.canRedo(), ", ".join(titles))
