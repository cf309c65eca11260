"""What a training starts from: nothing, general weights that come with the program, or a file."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.forms.editors import steady
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.layout import button, row, text

NOTHING, GENERAL, FILE = "", "general", "file"


class FileLine(QWidget):
    """A file that may be given."""

    changed = Signal()

    def __init__(self, title: str, kinds: str) -> None:
        super().__init__()
        self._title, self._kinds = title, kinds
        self.path = ""
        self.told = text(self.tr("none"), "muted")
        self.drop = button(self.tr("Remove"), lambda: self.set_path(""), "link")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.told)
        layout.addLayout(row(button(self.tr("Choose…"), self._choose, icon="folder"), self.drop, None))
        self.set_path("")

    def set_path(self, path: str) -> None:
        """Take a file; '' for none."""
        self.path = path
        self.told.setText(path or self.tr("none"))
        self.drop.setVisible(bool(path))
        self.changed.emit()

    def _choose(self) -> None:
        file = dialogs.choose_file(self, self._title, self._kinds)
        if file is not None:
            self.set_path(str(file))


def tell_general() -> QWidget:
    """A line on what the general weights are, what they saw, and under which licence. Needs the engine."""
    from sslstudio.engine.models.encoders.general import find_general

    return text(formatting.render(find_general(GENERAL).about()), "small")


class StartFrom(QWidget):
    """What a pretraining starts from, as its config says it: '' for nothing, general, or a file."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.box = ChoiceBox()
        steady(self.box)
        self.box.setAccessibleName(self.tr("Starts from"))
        self.box.addItem(self.tr("Nothing: random weights"), NOTHING)
        self.box.addItem(self.tr("General photographs"), GENERAL)
        self.box.addItem(self.tr("A weights file"), FILE)
        self.general = tell_general()
        self.file = FileLine(self.tr("Weights to start from"), self.tr("Weights (*.safetensors *.pth *.pt)"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for piece in (self.box, self.general, self.file):
            layout.addWidget(piece)
        self.box.currentIndexChanged.connect(self._show_choice)
        self.file.changed.connect(self.changed)
        self._show_choice()

    @property
    def path(self) -> str:
        """What the config says."""
        chosen = str(self.box.currentData())
        return self.file.path if chosen == FILE else chosen

    def set_path(self, path: str) -> None:
        """Show what a config says."""
        is_file = path not in (NOTHING, GENERAL)
        self.file.set_path(path if is_file else "")
        self.box.setCurrentIndex(self.box.findData(FILE if is_file else path))

    def _show_choice(self) -> None:
        chosen = self.box.currentData()
        self.general.setVisible(chosen == GENERAL)
        self.file.setVisible(chosen == FILE)
        self.changed.emit()
