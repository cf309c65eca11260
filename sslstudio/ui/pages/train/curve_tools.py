"""How curves are looked at: a logarithmic axis for the loss, and how much they are smoothed."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QSlider, QWidget

from sslstudio.ui.widgets.layout import row, text

MOST = 40  # positions of the slider; the last one averages over a hundred points or so


class CurveTools(QWidget):
    """A line above the plots."""

    log_wanted = Signal(bool)
    smoothing_wanted = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.log = QCheckBox(self.tr("Logarithmic loss"))
        self.log.toggled.connect(self.log_wanted)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setRange(0, MOST)
        self.smoothing.setFixedWidth(150)
        self.smoothing.setAccessibleName(self.tr("Smoothing"))
        self.smoothing.valueChanged.connect(lambda place: self.smoothing_wanted.emit(weight_of(place)))
        hint = text(self.tr("Values: point at a curve, or Tab and arrow keys. Earlier runs: tick them."), "small")
        layout = row(self.log, 14, text(self.tr("Smoothing"), "body", wrap=False), self.smoothing, 14, (hint, 1), gap=8)
        layout.setContentsMargins(2, 0, 0, 0)
        self.setLayout(layout)


def weight_of(place: int) -> float:
    """Position of the slider -> weight of the mean before, evenly in the number of points averaged over (1 to 100)."""
    return 1.0 - 10.0 ** (-2.0 * place / MOST) if place else 0.0
