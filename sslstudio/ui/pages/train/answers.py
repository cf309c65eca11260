"""The network's answers to the same few held-out puzzles, from the first to the newest: scrubbed, played, kept as a
film."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QSlider

from sslstudio.ui.background import jobs
from sslstudio.ui.base.theme import tint
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.train.answer_board import AnswerBoard
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import disable, enable
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import Card, button, retitle, row, text

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.pretraining.animation import Answer

PLAY_MS = 350  # that a picture stands


class Answers(Card):
    """A strip of puzzles with a slider through the training."""

    def __init__(self) -> None:
        super().__init__()
        self._sheets: list[tuple[int, Path]] = []
        self._read: dict[Path, list[Answer]] = {}
        self.told = text("", "muted")
        self.board = AnswerBoard()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Earlier and later answers"))
        self.slider.valueChanged.connect(self._show)
        self.play = button(self.tr("Play"), self.toggle_play, icon="play")
        self.keep = button("", self.save_film, "tool", "film")
        self.keep.setToolTip(self.tr("Save as GIF…"))
        self.keep.setAccessibleName(self.tr("Save as GIF…"))
        self.busy = BusyLine(self.stop_film)
        self._film: jobs.Job | None = None
        self._clock = QTimer(self, interval=PLAY_MS)
        self._clock.timeout.connect(self._forward)
        self.add(self.told, (self.board, 1), row(self.play, (self.slider, 1), self.keep, gap=12), self.busy)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.stop_playing()
        self._sheets, self._read = [], {}
        for shown in (self.slider, self.board, self.play, self.keep):
            shown.hide()
        self.told.setText(
            self.tr("The network's own answers to puzzles it does not train on appear here as it learns.")
        )

    def add_sheet(self, step: int, file: Path) -> None:
        """A newer sheet; shown at once unless an earlier one is being looked at."""
        newest = self.slider.value() >= len(self._sheets) - 1
        self._sheets.append((step, file))
        self.slider.setRange(0, len(self._sheets) - 1)
        for widget in (self.slider, self.play):
            widget.setVisible(len(self._sheets) > 1)
        for shown in (self.board, self.keep):
            shown.show()
        jobs.run(partial(run_operations.read_answers, file), partial(self._take, file), self._missing, owner=self)
        if newest:
            self.slider.setValue(len(self._sheets) - 1)
            self._show(len(self._sheets) - 1)

    def _take(self, file: Path, answers: "list[Answer]") -> None:
        self._read[file] = answers
        self._show(self.slider.value())

    def _missing(self, error: Exception) -> None:
        """A sheet that was deleted since: the others are still shown."""

    def _show(self, number: int) -> None:
        if number >= len(self._sheets):
            return
        step, file = self._sheets[number]
        steps = formatting.count(step, self.tr("step"), self.tr("steps"))
        said = self.tr("Answers after {0}, to pictures it does not train on").format(steps)
        self.told.setText(said)
        if file in self._read:
            self.board.show_answers(self._read[file], said)

    # --- playing

    @property
    def playing(self) -> bool:
        """Whether the pictures follow each other by themselves."""
        return self._clock.isActive()

    def toggle_play(self) -> None:
        """Play from here, or from the start when at the end; or stop."""
        if self.playing:
            self.stop_playing()
            return
        if self.slider.value() >= self.slider.maximum():
            self.slider.setValue(0)
        self._clock.start()
        self._say_playing()

    def stop_playing(self) -> None:
        """Stand still."""
        self._clock.stop()
        self._say_playing()

    def _forward(self) -> None:
        self.slider.setValue(self.slider.value() + 1)
        if self.slider.value() >= self.slider.maximum():
            self.stop_playing()

    def _say_playing(self) -> None:
        retitle(self.play, self.tr("Stop") if self.playing else self.tr("Play"))
        tint(self.play, "stop" if self.playing else "play")

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        self.stop_playing()
        super().hideEvent(event)

    # --- the film

    def save_film(self) -> None:
        """Write all sheets as an animated GIF."""
        run = self._sheets[-1][1].parent.parent
        start = run / self.tr("solved.gif")
        out = dialogs.choose_new_file(self, self.tr("Save as GIF"), self.tr("Films (*.gif)"), start)
        if out is not None:
            op = partial(run_operations.write_film, run, out)
            disable(self.keep, self.tr("The film is being drawn."))
            self.busy.wait(self.tr("Drawing the film"))  # the name of its stage, too
            self._film = jobs.run(op, self._show_film, self._give_up_film, owner=self, progress=self.busy.show_progress)

    def stop_film(self) -> None:
        """Keep no film; nothing of it is left."""
        if self._film is not None:
            self._film.cancel()
            self._film_over(self.tr("Stopped."))

    def _film_over(self, said: str = "") -> None:
        self._film = None
        enable(self.keep)
        self.busy.rest(said)

    def _give_up_film(self, error: Exception) -> None:
        self._film_over()
        dialogs.tell_error(self, error)

    def _show_film(self, film: Path) -> None:
        self._film_over()
        self.told.setText(self.tr("The film is in {0}").format(film))
