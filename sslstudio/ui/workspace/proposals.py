"""What the last fine-tuned network proposes, and what a person does with it: accept, correct, reject. Undoable, and no
label before it is accepted."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.labels.editing.edits import Kind, Painted, pack
from sslstudio.engine.labels.editing.stroke import Rect
from sslstudio.engine.labels.mask_names import BACKGROUND
from sslstudio.engine.runs.folder_predictions import ABOUT
from sslstudio.engine.runs.proposals import FOLDER, Proposal, Proposals, read_proposals, read_proposed_mask
from sslstudio.ui.background import jobs
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.labels import LabelsController
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.finetuning.use.propose import propose
else:
    propose = jobs.late("sslstudio.engine.finetuning.use.propose", "propose")


class _Rejection(QUndoCommand):
    """A proposal is turned down."""

    def __init__(self, controller: "ProposalsController", path: str) -> None:
        super().__init__()
        self._controller, self._path = controller, path

    def redo(self) -> None:
        """Do it."""
        if not self._controller.turn_down(self._path, rejected=True):
            self.setObsolete(True)

    def undo(self) -> None:
        """Take it back."""
        self._controller.turn_down(self._path, rejected=False)


class ProposalsController(QObject):
    """`changed`: there are others; `settled` carries the path of one that was turned down, or brought back."""

    changed = Signal()
    settled = Signal(str)
    progressed = Signal(object)  # Preparing

    def __init__(self, workspace: Workspace, labels: LabelsController) -> None:
        super().__init__(labels)
        self._workspace, self._labels = workspace, labels
        self.found: Proposals | None = None
        self.wrong = ""  # why there are none
        self._job: jobs.Job | None = None
        workspace.call_on(Change.RESULT, self.forget)

    @property
    def folder(self) -> Path | None:
        """Where those of the result that is looked at are kept; None without one."""
        project, result = self._workspace.project, self._workspace.result
        return project.folder / FOLDER / result.name if project is not None and result is not None else None

    @property
    def asking(self) -> bool:
        """Whether the network is being asked."""
        return self._job is not None

    def forget(self) -> None:
        """Another network, or other pictures."""
        self.stop()
        self.found, self.wrong = None, ""
        self.look()

    def look(self) -> None:
        """Bring back those that were made before, with the program closed in between or not."""
        folder = self.folder
        if self.found is None and folder is not None and (folder / ABOUT).exists():
            op = jobs.without_control(read_proposals, folder)
            jobs.run(op, partial(self._take, folder), self._give_up, owner=self)

    def ask(self) -> None:
        """Ask the network about every picture that it has not answered yet. `changed` follows."""
        workspace, out, result = self._workspace, self.folder, self._workspace.result
        if self._job is not None or out is None or result is None or workspace.folder is None:
            return
        self.wrong = ""
        op = partial(propose, result, workspace.folder, out, dict(workspace.roles))
        self._job = jobs.run(op, partial(self._take, out), self._give_up, owner=self, progress=self.progressed.emit)

    def stop(self) -> None:
        """Ask no further; what is answered is kept."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _take(self, folder: Path, found: Proposals) -> None:
        self._job = None
        if folder == self.folder:
            self.found = found
            self.changed.emit()

    def _give_up(self, error: Exception) -> None:
        self._job, self.wrong = None, dialogs.error_text(error)
        self.changed.emit()

    # --- which there are

    def left(self, kind: Kind) -> list[str]:
        """The pictures whose proposals wait for a person, the least sure first."""
        store, recognised = self._labels.store, self._workspace.recognised
        if self.found is None or store is None or recognised is None or self.found.kind != kind:
            return []
        known = set(recognised.pictures.paths)
        held = [path for path in known if store.drawn.is_held(path)] if store.drawn is not None else []
        return [one.path for one in self.found.left(self._labels.find_labelled(kind), held) if one.path in known]

    def at(self, path: str, kind: Kind) -> Proposal | None:
        """The proposal for a picture, None once it has a label or was turned down."""
        if self.found is None or self.found.kind != kind or path in self.found.rejected:
            return None
        store = self._labels.store
        if store is not None and store.drawn is not None and store.drawn.is_held(path):
            return None
        return None if path in self._labels.find_labelled(kind) else self.found.of.get(path)

    # --- what a person does with them

    def accept(self, paths: Sequence[str], kind: Kind, shape: tuple[int, int] = (0, 0)) -> bool:
        """Make labels of these proposals, in one step that can be undone. Whether any was one. shape: (height, width)
        of the picture at hand, where it is a mask."""
        chosen = [one for path in paths if (one := self.at(path, kind)) is not None]
        if not chosen:
            return False
        stack = self._labels.undo_stack
        stack.beginMacro("")
        try:
            for one in chosen:
                self._accept_mask(one, shape) if kind == "segmentation" else self._accept_class(one)
        except StudioError as error:
            dialogs.tell_error(self._workspace.window, error)
        finally:
            stack.endMacro()
        return True

    def _accept_class(self, one: Proposal) -> None:
        store = self._labels.store
        assert store is not None
        self._labels.do(store.labelling([one.path], self._number("classification", one.label)))

    def _accept_mask(self, one: Proposal, shape: tuple[int, int]) -> None:
        mask = self.mask(one, making=True)
        height, width = mask.shape
        whole = Rect(0, 0, width, height)
        self._labels.do(Painted(one.path, height, width, whole, None, pack(mask)))

    def mask(self, one: Proposal, *, making: bool = False) -> npt.NDArray[np.uint8]:
        """A proposed mask (h, w) in the numbers of the labels. making: classes that are not there are made; else their
        pixels are left out. Raises StudioError when it cannot be read."""
        assert self.found is not None
        return read_proposed_mask(one, self._numbers(making))

    def _numbers(self, making: bool) -> Mapping[int, int]:
        store, numbers = self._labels.store, {}
        assert store is not None
        assert self.found is not None
        by_name = {known.name: known.number for known in store.names("segmentation")}
        for value, name in enumerate(self.found.classes):
            if value and name != BACKGROUND:  # 0 is what lies behind them
                numbers[value] = self._number("segmentation", name) if making else by_name.get(name, value)
        return numbers

    def _number(self, kind: Kind, name: str) -> int:
        """The class of this name, made where it is not there."""
        store = self._labels.store
        assert store is not None
        known = next((one.number for one in store.names(kind) if one.name == name), None)
        if known is None:
            edit = store.adding(kind, name)
            self._labels.do(edit)
            known = edit.number
        return known

    def reject(self, path: str, kind: Kind) -> bool:
        """Turn a proposal down; the picture stays without a label. Whether it was one."""
        if self.at(path, kind) is None:
            return False
        self._labels.undo_stack.push(_Rejection(self, path))
        return True

    def turn_down(self, path: str, *, rejected: bool) -> bool:
        """For the stack. False when it could not be kept, which has been told then."""
        if self.found is None:
            return False
        try:
            self.found.reject(path, rejected=rejected)
        except StudioError as error:
            dialogs.tell_error(self._workspace.window, error)
            return False
        self.settled.emit(path)
        return True
