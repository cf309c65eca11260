"""The tools of the mask canvas: which one, how large, how tolerant, and how strongly the mask shows."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QLabel, QPushButton, QSlider, QWidget

from sslstudio.ui.pages.label.mask_canvas import ROUND, TOOLS, MaskCanvas
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import column, row, text, tool
from sslstudio.ui.widgets.shortcuts import HIDE, PageKey, label_keys, native

ROOMY = 340  # pixels from which on the slider of the mask has its name beside it
LINE = 30  # pixels: two lines of a hint, so that the picture keeps its place whatever the tool


class MaskToolbar(QWidget):
    """Sets a canvas, and shows how it is set."""

    def __init__(self, canvas: MaskCanvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._group = QButtonGroup(self)
        keys = label_keys()
        self.tools = {name: self._tool(name, keys[name]) for name in TOOLS}
        self.thickness, self.size_said = self._slider(1, 100, self.tr("Size of the brush"))
        self.tolerance, self.tolerance_said = self._slider(0, 128, self.tr("How different colours may be"))
        self.opacity, _ = self._slider(0, 100, self.tr("How strongly the mask shows"))
        self.thickness.valueChanged.connect(lambda value: canvas.set_radius(float(value)))
        self.tolerance.valueChanged.connect(self._set_tolerance)
        self.opacity.valueChanged.connect(canvas.set_opacity)
        self.hide_mask = tool("eye", self.tr("Hold to see the picture without its mask"), native(HIDE), lambda: None)
        self.hide_mask.pressed.connect(partial(canvas.set_hidden, True))
        self.hide_mask.released.connect(partial(canvas.set_hidden, False))
        self._size_row = _wrap_row(QLabel(self.tr("Size")), self.thickness, self.size_said)
        self._tolerance_row = _wrap_row(QLabel(self.tr("Tolerance")), self.tolerance, self.tolerance_said)
        told = self._told = QLabel(self.tr("Mask"))
        upper = row(*self.tools.values(), None, told, self.opacity, self.hide_mask, gap=4)
        self.opacity.setMinimumWidth(40)
        self.opacity.setMaximumWidth(66)
        self.hint = text("", "small")
        self.hint.setMinimumHeight(LINE)
        self.setLayout(column(upper, row(self._size_row, self._tolerance_row, (self.hint, 1), gap=14), gap=8))
        canvas.sized.connect(self._say_size)
        self.opacity.setValue(50)
        self.tolerance.setValue(canvas.tolerance)
        canvas.set_radius(canvas.radius)
        self.choose("brush")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, what the slider says when one points at it has to do."""
        self._told.setVisible(event.size().width() >= ROOMY)
        super().resizeEvent(event)

    def _tool(self, name: str, key: PageKey) -> QPushButton:
        made = tool(name, key.title, key.keys, partial(self.choose, name))
        made.setCheckable(True)
        self._group.addButton(made)
        return made

    def _slider(self, least: int, most: int, name: str) -> tuple[QSlider, QLabel]:
        made = QSlider(Qt.Orientation.Horizontal)
        made.setRange(least, most)
        made.setFixedWidth(84)
        made.setAccessibleName(name)
        made.setToolTip(name)
        said = text("", "small", wrap=False)
        said.setMinimumWidth(44)
        return made, said

    def choose(self, name: str) -> None:
        """Take a tool in hand."""
        self.tools[name].setChecked(True)
        self._canvas.choose_tool(name)
        self._size_row.setVisible(name in ROUND)
        self._tolerance_row.setVisible(name == "wand")
        hints = {
            "brush": self.tr("[ and ] change the size"),
            "eraser": self.tr("[ and ] change the size"),
            "polygon": self.tr("Click corners; Enter or a double click closes it, Backspace takes one back"),
            "fill": self.tr("Click a region: it gets the chosen class"),
            "wand": self.tr("Click: what has nearly the same colour gets the chosen class"),
        }
        self.hint.setText(hints[name])

    def _set_tolerance(self, value: int) -> None:
        self._canvas.tolerance = value
        self.tolerance_said.setText(str(value))

    def _say_size(self, radius: float) -> None:
        self.size_said.setText(self.tr("{0} px").format(formatting.figures(f"{round(2 * radius, 1):g}")))
        self.thickness.blockSignals(True)  # a radius between two whole pixels must not be rounded by the slider
        self.thickness.setValue(round(radius))
        self.thickness.blockSignals(False)


def _wrap_row(*pieces: QWidget) -> QWidget:
    made = QWidget()
    made.setLayout(row(*pieces, gap=8))
    return made
