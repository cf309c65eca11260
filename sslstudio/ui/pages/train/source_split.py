"""Whether what a fine-tuning starts from set the pictures apart as they are set apart now, and the way back to that."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.widgets.layout import button, text


class SourceSplit(QWidget):
    """Hidden while both are the same. `take` is called to set them apart as the pretraining did."""

    def __init__(self, take: Callable[[], object]) -> None:
        super().__init__()
        self.told = text("", "small")
        self.take = button(self.tr("Set them apart as it did"), take, "link", "undo")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.told)
        layout.addWidget(self.take)
        self.hide()

    def say(self, differing: Sequence[str]) -> None:
        """Titles of the options that differ; none: nothing to say."""
        said = self.tr(
            "This pretraining set the pictures apart by other settings ({0}), and may have seen pictures that are for "
            "the test now, without their labels."
        )
        self.told.setText(said.format(", ".join(differing)) if differing else "")
        self.setVisible(bool(differing))
