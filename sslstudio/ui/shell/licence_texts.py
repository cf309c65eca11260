"""The licence texts of all parts, to read through: a list of the parts, and the text of the one that is chosen."""

from PySide6.QtWidgets import QListWidget, QPlainTextEdit, QWidget

from sslstudio.engine.about.licences import Licence, licence_text
from sslstudio.ui.widgets.layout import row

SMALLEST = (640, 420)  # pixels


class LicenceTexts(QWidget):
    """Reads a text when its part is chosen."""

    def __init__(self, parts: list[Licence]) -> None:
        super().__init__()
        self.names, self.text = QListWidget(), QPlainTextEdit()
        self.names.setAccessibleName(self.tr("Part"))
        self.text.setAccessibleName(self.tr("Licence"))
        self.text.setReadOnly(True)
        self.names.addItems([part.name for part in parts])
        self.names.currentTextChanged.connect(self._read)
        self.setLayout(row((self.names, 1), (self.text, 3)))
        self.setMinimumSize(*SMALLEST)
        self.names.setCurrentRow(0)

    def _read(self, name: str) -> None:
        said = licence_text(name) or self.tr("This part brings no text of its licence along.")
        self.text.setPlainText(said)
