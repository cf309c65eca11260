"""What of the files is not used, beside their thumbnails, and which pages and channels are: only where it applies."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from sslstudio.engine.images.formats.wanted import from_text
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.layout import column, row, text

LISTED = 16  # channels that are offered one by one


class PartsView(QWidget):
    """Sentences, and a choice of pages and of channels for files that have several."""

    chosen = Signal(str, str)  # channels, pages: as DataConfig has them

    def __init__(self) -> None:
        super().__init__()
        self.words = text("", "muted")
        self.pages, self.channels = ChoiceBox(), ChoiceBox()
        self.pages.setAccessibleName(self.tr("Pages of a file"))
        self.channels.setAccessibleName(self.tr("Channels of a picture"))
        self._page_label = text(self.tr("Pages, slices and frames:"), wrap=False)
        self._channel_label = text(self.tr("Channels:"), wrap=False)
        self._most = 0
        choices = row(self._page_label, self.pages, self._channel_label, self.channels, None)
        self.setLayout(column(self.words, choices, gap=6))
        for box in (self.pages, self.channels):
            box.activated.connect(self._choose)
        self.setVisible(False)

    def show_parts(
        self, left: Mapping[str, str], notes: Sequence[str], values: Mapping[str, object], paged: bool
    ) -> None:
        """Say what is left out (`ImageIndex.left`, `notes`) and what was chosen (`values` of the data settings).
        `paged`: pages are pictures now."""
        found = [one for item in left.values() for one in from_text(item)]
        channels, pages = str(values.get("channels", "")), str(values.get("pages", "first"))
        most = max((one.found for one in found if one.kind == "channels"), default=self._most if channels else 0)
        several = paged or pages != "first" or any(one.kind not in ("channels", "series") for one in found)
        self._most = most
        self.words.setText("\n".join(formatting.render(note) for note in notes))
        self.words.setVisible(bool(notes))
        self._fill(self.pages, [(self.tr("the first"), "first"), (self.tr("each is a picture"), "all")], pages)
        usual = [(self.tr("the usual ones"), "")]
        single = [(self.tr("{0} (grey)").format(number), str(number)) for number in range(1, min(most, LISTED) + 1)]
        several_at_once = [("1, 2, 3", "1,2,3"), ("3, 2, 1", "3,2,1")] if most >= 3 else []
        self._fill(self.channels, [*usual, *single, *several_at_once], channels)
        for box, label, wanted in (
            (self.pages, self._page_label, several),
            (self.channels, self._channel_label, bool(most > 1 or channels)),
        ):
            box.setVisible(wanted)
            label.setVisible(wanted)
        self.setVisible(bool(notes) or several or most > 1 or bool(channels))

    def _fill(self, box: ChoiceBox, choices: Sequence[tuple[str, str]], chosen: str) -> None:
        box.clear()
        for said, value in choices:
            box.addItem(said, value)
        if box.findData(chosen) < 0:  # chosen on the command line, or in the project's file
            box.addItem(chosen, chosen)
        box.setCurrentIndex(box.findData(chosen))

    def _choose(self) -> None:
        self.chosen.emit(self.channels.currentData(), self.pages.currentData())
