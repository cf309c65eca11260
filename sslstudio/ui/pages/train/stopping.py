"""Stopping a run: which of its weights others start from, or whether it is thrown away; what was thrown away comes back
until the window closes."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QWidget

from sslstudio.ui.background import jobs
from sslstudio.ui.background.runner import Runner
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import button, row, symbol, text

BEST, LAST, DISCARD = "best", "last", "discard"


class Stopping(QObject):
    """Asks, stops the run, and does what was chosen once the run has ended."""

    discarded = Signal()  # a run went aside
    brought_back = Signal(object)  # Path: where it is again

    def __init__(self, runner: Runner, owner: QWidget) -> None:
        super().__init__(owner)
        self._runner, self._owner = runner, owner
        self._wanted = LAST
        self._aside: list[Path] = []
        self.bar = QFrame()
        self.bar.setObjectName("notice")
        self.bar.setProperty("sign", "info")
        self.told = text("")
        self.undo = button(self.tr("Bring it back"), self.bring_back, icon="refresh")
        line = row(symbol("info", "accent", 22), (self.told, 1), self.undo, gap=12)
        line.setContentsMargins(14, 6, 8, 6)
        self.bar.setLayout(line)
        self.bar.hide()

    def ask(self, run: Path | None) -> None:
        """Ask what is to become of the run that goes on, and stop it; nothing if it is to go on."""
        if not self._runner.active or self._runner.stopping:
            return
        if run is None:  # still reading pictures: there is nothing to keep
            self._runner.stop()
            return
        answers = {LAST: self.tr("Keep the last state"), DISCARD: self.tr("Discard the run")}
        if self._runner.job == "pretrain" and (run / "best.safetensors").exists():
            answers = {BEST: self.tr("Keep the best state"), **answers}
        question = self.tr(
            "What is to become of this run? What is kept can go on later; fine-tuning starts from the state that is "
            "chosen here."
        )
        chosen = dialogs.choose(self._owner, question, answers, self.tr("Go on training"))
        if chosen and (chosen != DISCARD or self._sure()):
            self._wanted = chosen
            self._runner.stop()

    def _sure(self) -> bool:
        return dialogs.ask(
            self._owner, self.tr("Discard all that this run has learnt? It can be brought back until the window is "
                                 "closed."),
            self.tr("Discard"), self.tr("Keep it"),
        )  # fmt: skip

    def settle(self, run: Path | None, outcome: str) -> bool:
        """The run has ended: do what was chosen. Whether it is kept."""
        wanted, self._wanted = self._wanted, LAST
        if run is None or outcome != "stopped":  # it was finished before the question was answered
            return True
        failed = partial(dialogs.tell_error, self._owner)
        if wanted == DISCARD:
            jobs.run(partial(run_operations.set_aside, run), self._gone, failed, owner=self._owner)
            return False
        if self._runner.job == "pretrain":
            jobs.run(partial(run_operations.use_weights, run, wanted), lambda _: None, failed, owner=self._owner)
        return True

    def _gone(self, place: Path) -> None:
        self._aside.append(place)
        self.told.setText(self.tr("Discarded: {0}").format(place.name))
        self.bar.show()
        self.discarded.emit()

    def bring_back(self) -> None:
        """Undo the last discarding."""
        if self._aside:
            op = partial(run_operations.bring_back, self._aside.pop())
            jobs.run(op, self.brought_back.emit, partial(dialogs.tell_error, self._owner), owner=self._owner)
        self.bar.setVisible(bool(self._aside))
        if self._aside:
            self.told.setText(self.tr("Discarded: {0}").format(self._aside[-1].name))

    def finish(self) -> None:
        """The window closes: what was discarded goes for good."""
        for place in self._aside:
            run_operations.remove(place)
        self._aside = []
