"""*Use your NVIDIA card*: what was found, what would be fetched, and the buttons that fetch it or take it away again.

Nothing is asked of the network before *Fetch* is pressed.
"""

import importlib.metadata
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit, QProgressBar, QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.gpu_part.card import Card, find_cards
from sslstudio.engine.gpu_part.fetch import fetch_part, remove_part
from sslstudio.engine.gpu_part.place import Active, part_folder, read_active, why_not_used
from sslstudio.engine.gpu_part.plan import Plan, make_plan
from sslstudio.ui.background import jobs
from sslstudio.ui.text.formatting import render
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import Card as Frame
from sslstudio.ui.widgets.layout import button, column, row, text


class GpuPartForm(QWidget):
    """`fetch_wanted`, `remove_wanted` and `stop_wanted` are the buttons."""

    fetch_wanted = Signal()
    remove_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[Card] = []
        self.version = ""
        self.wheels: Path | None = None
        self.state, self.plan, self.stage = text(""), text(self.tr("Looking for a card…")), text("", "muted")
        self.mirror = QLineEdit()
        self.mirror.setPlaceholderText(self.tr("Only where your network asks for one"))
        self.mirror.setAccessibleName(self.tr("Mirror of PyTorch's index"))
        self.mirror.textChanged.connect(self._say_plan)
        self.elsewhere = button(self.tr("From a folder of wheels…"), self._choose_wheels, icon="folder")
        self.fetch = button(self.tr("Fetch"), self.fetch_wanted.emit)
        self.stop = button(self.tr("Stop"), self.stop_wanted.emit, icon="stop")
        self.remove = button(self.tr("Remove"), self.remove_wanted.emit)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        layout = column(
            Frame(self.tr("Now"), margin=16).add(self.state, row(self.remove, None)),
            Frame(self.tr("What would be fetched"), margin=16).add(
                self.plan,
                column(text(self.tr("Mirror of PyTorch's index"), "field"), self.mirror, gap=5),
                row(self.elsewhere, None),
                row(self.fetch, self.stop, None),
                self.stage,
                self.bar,
            ),
            None,
            gap=12,
        )
        self.setLayout(layout)
        self.show_state()
        self.show_idle()
        self.fetch.setEnabled(False)

    def show_state(self) -> None:
        """Say what is switched on."""
        active = read_active()
        self.remove.setVisible(active is not None)
        if active is None:
            self.state.setText(self.tr("The program computes with the PyTorch that came with it."))
            return
        trouble = why_not_used(active)
        said = self.tr("PyTorch {0} for {1} is switched on, in {2}.")
        self.state.setText(render(trouble) if trouble else said.format(active.torch, active.card, part_folder()))

    def show_cards(self, found: tuple[list[Card], str]) -> None:
        """Say which cards there are; `found` is what `look_for_cards` gives."""
        self.cards, self.version = found
        self._say_plan()

    def make_plan(self) -> Plan:
        """What is to be fetched. Raises DataError when nothing fits."""
        return make_plan(self.cards, self.version, self.mirror.text(), self.wheels)

    def _say_plan(self) -> None:
        try:
            self.plan.setText(render(self.make_plan().about()))
            self.fetch.setEnabled(True)
        except StudioError as error:
            self.plan.setText(render(error.message))
            self.fetch.setEnabled(False)

    def _choose_wheels(self) -> None:
        folder = dialogs.choose_folder(self, self.tr("A folder of wheels of PyTorch"))
        if folder is not None:
            self.wheels = folder
            self._say_plan()

    def show_step(self, step: Preparing) -> None:
        """Say what goes on."""
        for widget in (self.fetch, self.elsewhere, self.mirror, self.remove):
            widget.setEnabled(False)
        for shown in (self.stop, self.bar, self.stage):
            shown.show()
        self.stage.setText(render(step.stage))

    def show_idle(self) -> None:
        """Nothing goes on."""
        for widget in (self.fetch, self.elsewhere, self.mirror, self.remove):
            widget.setEnabled(True)
        for shown in (self.stop, self.bar, self.stage):
            shown.hide()


def look_for_cards() -> tuple[list[Card], str]:
    """The cards, and the version of the program's own PyTorch, which the part has to have."""
    return find_cards(), importlib.metadata.version("torch")


class GpuPart(QObject):
    """Answers for the form, over the window that owns it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._form: GpuPartForm | None = None
        self._job: jobs.Job | None = None

    def show(self) -> None:
        """Open the form; what is being fetched is stopped when it is closed."""
        self._form = GpuPartForm()
        self._form.fetch_wanted.connect(self._fetch)
        self._form.remove_wanted.connect(self._remove)
        self._form.stop_wanted.connect(self._stop)
        look = jobs.without_control(look_for_cards)
        jobs.run(look, self._form.show_cards, self._tell, owner=self._form)
        dialogs.show_sheet(self._window, self.tr("Use your NVIDIA card"), self._form)
        self._stop()
        self._form = None

    def _fetch(self) -> None:
        if self._form is None:
            return
        try:
            op = partial(fetch_part, self._form.make_plan())
        except StudioError as error:
            self._tell(error)
            return
        self._job = jobs.run(
            op, self._say_done, self._tell, owner=self._form, progress=self._form.show_step, over=self._settle
        )

    def _remove(self) -> None:
        if self._form is not None:
            jobs.run(remove_part, lambda _: None, self._tell, owner=self._form, over=self._settle)

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _settle(self) -> None:
        self._job = None
        if self._form is not None:
            self._form.show_idle()
            self._form.show_state()
            self._form.show_cards((self._form.cards, self._form.version))

    def _say_done(self, active: Active) -> None:
        said = self.tr("PyTorch {0} works on {1}. It is used from the next start of the program on.")
        dialogs.tell(self._form, self.tr("Use your NVIDIA card"), said.format(active.torch, active.card))

    def _tell(self, error: Exception) -> None:
        dialogs.tell_error(self._form or self._window, error)
