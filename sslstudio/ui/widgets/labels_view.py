"""The labels that were found beside the pictures: classes with their counts, masks, and what is to be known of them."""

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.base.theme import set_role
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.bars import Bars
from sslstudio.ui.widgets.layout import Notice, clear, text

if TYPE_CHECKING:
    from sslstudio.engine.labels.types import Recognised


class LabelsView(QWidget):
    """Shows what `recognise` found."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.masks = text("", "field"), text("", "field")
        self.bars = Bars()
        self.mask_names = text("", "muted")
        self._notes = QVBoxLayout()
        self._notes.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for piece in (self.classes, self.bars, self.masks, self.mask_names):
            layout.addWidget(piece)
        layout.addSpacing(4)
        layout.addLayout(self._notes)
        layout.addStretch(1)

    def show_labels(self, recognised: "Recognised") -> None:
        """Show other labels."""
        self._show_classes(recognised)
        self._show_masks(recognised)
        clear(self._notes)
        for sentence in notes_of(recognised):
            notice = Notice("info")
            self._notes.addWidget(notice)
            notice.say(formatting.render(sentence))

    def _show_classes(self, recognised: "Recognised") -> None:
        classes = recognised.classes
        self.bars.setVisible(classes is not None)
        set_role(self.classes, "field" if classes else "muted")
        if classes is None:
            self.classes.setText(self._no_classes(recognised.masks is not None))
            return
        said = self.tr("{0} in {1}, found in {2}").format(
            formatting.count(len(classes.of), self.tr("labelled picture"), self.tr("labelled pictures")),
            formatting.count(len(classes.names), self.tr("class"), self.tr("classes")),
            formatting.render(classes.found_in),
        )  # fmt: skip
        self.classes.setText(said)
        self.bars.show_counts(class_counts(recognised))

    def _no_classes(self, masks: bool) -> str:
        if masks:
            return self.tr("No classes were found; the masks below can be learnt.")
        return self.tr(
            "No classes were found. Pretraining needs none. For fine-tuning, label some pictures here, put those of "
            "each class into a folder of its own, or give a CSV file with file names and labels; a COCO file gives "
            "masks."
        )

    def _show_masks(self, recognised: "Recognised") -> None:
        masks = recognised.masks
        for piece in (self.masks, self.mask_names):
            piece.setVisible(masks is not None)
        if masks is not None:
            said = self.tr("Masks for {0}, found in {1}").format(
                formatting.count(len(masks.of), self.tr("picture"), self.tr("pictures")),
                formatting.render(masks.found_in),
            )
            self.masks.setText(said)
            self.mask_names.setText(
                self.tr("What they mark: {0}").format(", ".join(map(formatting.mask_class, masks.names)))
            )


def class_counts(recognised: "Recognised") -> dict[str, int]:
    """Class -> labelled pictures."""
    if recognised.classes is None:
        return {}
    counts = Counter(recognised.classes.of.values())
    return {name: counts[number] for number, name in enumerate(recognised.classes.names)}


def lacks_labels(recognised: "Recognised") -> bool:
    """Whether there are pictures with neither a class nor a mask."""
    return recognised.labelled < len(recognised.pictures)


def notes_of(recognised: "Recognised") -> list[str]:
    """Everything that the recognition has to say, each sentence once."""
    classes, masks = recognised.classes, recognised.masks
    notes = [*recognised.notes, *(classes.notes if classes else ()), *(masks.notes if masks else ())]
    return list(dict.fromkeys(notes))


def labels_in_words(recognised: "Recognised") -> tuple[str, str]:
    """The short answer to 'which labels are there?': a figure and what it counts."""
    if recognised.classes is not None:
        return formatting.count(len(recognised.classes.names)), formatting.tr("Classes found")
    if recognised.masks is not None:
        return formatting.count(len(recognised.masks.of)), formatting.tr("Masks found")
    return formatting.tr("None"), formatting.tr("Labels: not needed yet")
