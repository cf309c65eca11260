"""Below the time that a pretraining is given: what it comes to on this machine, or a button that measures it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.ui.background import jobs
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.layout import Notice, button, row, text
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.pretraining.bench import Bench, bench
    from sslstudio.engine.training.time_estimate import Estimate
else:
    bench = jobs.late("sslstudio.engine.pretraining.bench", "bench")

SETTLE_MS = 250  # after the last change of a setting
ROUNDS = 3  # of a measurement


class TimeEstimateLine(QWidget):
    """`config` gives the pretraining as it is set; `ask` is called whenever something about it has changed."""

    def __init__(self, workspace: Workspace, config: Callable[[], Any]) -> None:
        super().__init__()
        self._workspace, self._config = workspace, config
        self._far = Progress()
        self._runs: list[Path] = []
        self._measured: dict[str, float] = {}
        self._asking: jobs.Job | None = None
        self._measuring: jobs.Job | None = None
        self.told = text("", "small")
        self.short = Notice()  # nothing can be concluded from so few passes: said before it starts
        self._batch = 1
        self.measure = button(self.tr("Measure on this machine"), self.begin, "link", "refresh")
        self.stop = button(self.tr("Stop measuring"), self.cancel, "link", "stop")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.told)
        layout.addWidget(self.short)
        layout.addLayout(row(self.measure, self.stop, None))
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self._look)
        workspace.call_on(Change.TASK | Change.PICTURES, self.ask)
        workspace.runner.started.connect(lambda _: self.cancel())
        workspace.runner.ended.connect(lambda _: self.ask())
        self._show(None)

    def show_runs(self, runs: list[Path]) -> None:
        """Earlier runs, newest first: how fast they were says how fast this one will be."""
        self._runs = runs
        self.ask()

    def ask(self) -> None:
        """Say it anew, once the settings have come to rest."""
        if self._measuring is None:
            self._settling.start()

    def _read_config(self) -> Any:
        try:
            return self._config() if self._workspace.recognised is not None else None
        except StudioError:  # it is said beside the settings when the run is started
            return None

    def _look(self) -> None:
        config = self._read_config()
        if config is None:
            self._show(None)
            return
        if self._asking is not None:
            self._asking.cancel()
        assert self._workspace.recognised is not None
        self._batch = config.optimiser.batch_size
        pictures, measured = len(self._workspace.recognised.pictures), self._measured.get(_key(config))
        op = partial(run_operations.estimate_time, config, pictures, tuple(self._runs), measured)
        self._asking = jobs.run(op, self._show, partial(dialogs.tell_error, self), owner=self)

    def _show(self, found: "Estimate | None") -> None:
        self._asking = None
        if self._measuring is not None:
            return
        self.stop.hide()
        self.measure.setVisible(found is None)
        reason = self.tr("Choose pictures first.") if self._workspace.recognised is None else ""
        if self._workspace.runner.active:
            reason = self.tr("A training goes on: two at once would measure nothing.")
        offer(self.measure, unless=reason)
        self.short.say("")
        if found is None:
            self.told.setText(self.tr("How fast this machine is with these settings is not known yet."))
            return
        time, speed = formatting.duration(found.seconds), formatting.number(found.pace)
        passes = formatting.figures(f"{found.epochs:,.0f}" if found.epochs >= 10 else f"{found.epochs:.1f}")
        said = self.tr("On this machine: about {0}, {1} passes over the pictures, at {2} pictures a second.")
        self.told.setText(said.format(time, passes, speed))
        self.short.say(formatting.render(run_operations.warn_short(found, self._batch)))

    # --- measuring

    def begin(self) -> None:
        """Measure with the settings as they are."""
        config = self._read_config()
        if config is None or self._measuring is not None or self._workspace.runner.active:
            return
        self.measure.hide()
        self.stop.show()
        self._progress(Preparing(stage=Message("Measuring"), done=0, total=0))
        op = partial(bench, config, rounds=ROUNDS)
        take = partial(self._take, _key(config))
        self._measuring = jobs.run(op, take, self._tell_error, owner=self, progress=self._progress)

    def cancel(self) -> None:
        """Leave it."""
        if self._measuring is not None:
            self._measuring.cancel()
            self._measuring = None
        self.ask()

    def _progress(self, said: Preparing) -> None:
        self.told.setText(self._far.describe(said))

    def _take(self, key: str, found: "Bench") -> None:
        self._measured[key] = found.end_to_end
        self._measuring = None
        self._look()

    def _tell_error(self, error: Exception) -> None:
        self._measuring = None
        self._show(None)
        dialogs.tell_error(self, error)


def _key(config: Any) -> str:
    """What a step costs depends on this; how long the run is to be does not matter."""
    return repr(config.replace(out="", seed=0, budget=type(config.budget)()))
