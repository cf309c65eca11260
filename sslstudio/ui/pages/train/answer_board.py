"""A few puzzles side by side, each with what was asked, what the network answered and what is right."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.ui.base.theme import colours
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.picture import to_image

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.pretraining.animation import Answer

LEAST, MOST = 56, 288  # pixels, the side of a picture
GAP, FRAME = 10, 4


class AnswerBoard(QWidget):
    """Paints the puzzles in the colours of the scheme, as large as there is room, from the top on."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[str, list[QImage]]] = []
        self._correct: list[bool | None] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_answers(self, answers: "list[Answer]", said: str) -> None:
        """Show other puzzles; `said` names them for those who do not see them."""
        lines: dict[str, list[npt.NDArray[np.uint8] | None]] = {
            self.tr("What the network gets"): [one.asked for one in answers],
            self.tr("What it answers"): [one.answered for one in answers],
            self.tr("What is right"): [one.right for one in answers],
        }
        self._lines = [(title, images) for title, pictures in lines.items() if (images := _images(pictures))]
        self._correct = [one.correct for one in answers]
        self.setAccessibleName(said)
        right, judged = self._correct.count(True), len(answers) - self._correct.count(None)
        self.setAccessibleDescription(self.tr("{0} of {1} right").format(right, judged) if judged else "")
        self.updateGeometry()
        self.update()

    def _title_height(self) -> int:
        return self.fontMetrics().height() + 4

    def _room(self, side: int) -> QSize:
        across, down = max(1, len(self._correct)), max(1, len(self._lines))
        return QSize(across * side + (across - 1) * GAP, down * (side + self._title_height()) + (down - 1) * GAP)

    def minimumSizeHint(self) -> QSize:
        """Room for pictures in which something can still be seen."""
        return self._room(LEAST)

    def sizeHint(self) -> QSize:
        """The same: it grows into the room there is, and scrolls before it is smaller."""
        return self.minimumSizeHint()

    def side(self) -> int:
        """Of a picture, in pixels."""
        across, down = max(1, len(self._correct)), max(1, len(self._lines))
        wide = (self.width() - (across - 1) * GAP) // across
        high = (self.height() - (down - 1) * GAP) // down - self._title_height()
        return max(LEAST, min(wide, high, MOST))

    def cell(self, line: int, number: int) -> QRect:
        """Where a picture is painted."""
        side = self.side()
        top = line * (side + self._title_height() + GAP) + self._title_height()
        return QRect(number * (side + GAP), top, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line of pictures below each title."""
        painter, scheme = QPainter(self), colours()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for line, (title, images) in enumerate(self._lines):
            first = self.cell(line, 0)
            painter.setPen(QColor(scheme.muted))
            above = QRect(0, first.top() - self._title_height(), self.width(), self._title_height())
            painter.drawText(above, Qt.AlignmentFlag.AlignVCenter, title)
            for number, image in enumerate(images):
                self._paint_picture(painter, self.cell(line, number), image)
        if len(self._lines) > 1:
            for number, correct in enumerate(self._correct):
                if correct is not None:
                    self._paint_verdict(painter, self.cell(1, number), correct)

    def _paint_picture(self, painter: QPainter, cell: QRect, image: QImage) -> None:
        # Painting shrinks by picking pixels; `scaled` averages them.
        ratio = self.devicePixelRatioF()
        shown = image.scaled(
            cell.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        rect = QRect(0, 0, round(shown.width() / ratio), round(shown.height() / ratio))
        rect.moveCenter(cell.center())
        painter.drawImage(rect, shown)

    def _paint_verdict(self, painter: QPainter, cell: QRect, correct: bool) -> None:
        """Never by colour alone: the frame has a word in its corner."""
        scheme = colours()
        colour = QColor(scheme.good if correct else scheme.bad)
        pen = QPen(colour, FRAME)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        inset = FRAME // 2
        painter.drawRect(cell.adjusted(inset, inset, -inset, -inset))
        word = formatting.tr("right") if correct else formatting.tr("wrong")
        metrics = QFontMetrics(self.font())
        tag = QRect(cell.left(), cell.top(), metrics.horizontalAdvance(word) + 12, metrics.height() + 4)
        painter.fillRect(tag, colour)
        painter.setPen(QColor(scheme.surface))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, word)


def _images(pictures: "list[npt.NDArray[np.uint8] | None]") -> list[QImage]:
    """None where the sheet has no such pictures."""
    return [to_image(one) for one in pictures if one is not None]
