"""The first thing a newcomer sees: where to drop a folder."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from sslstudio.ui.base.theme import set_role
from sslstudio.ui.widgets.layout import row, symbol, text


class DropArea(QFrame):
    """A large dashed field with the ways to begin. The window itself takes the drop, wherever it falls."""

    def __init__(self, *buttons: QPushButton) -> None:
        super().__init__()
        self.setObjectName("drop")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 40, 40, 36)
        layout.setSpacing(8)
        heading = text(self.tr("Drop a folder with your pictures here"), "title", wrap=False)
        said = self.tr("Any folder will do: no labels, names or order are needed. Nothing leaves this computer.")
        told = text(said, "subtitle")
        told.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        layout.addLayout(row(None, symbol("drop", "accent", 64), None))
        layout.addSpacing(10)
        layout.addLayout(row(None, heading, None))
        layout.addWidget(told)
        layout.addSpacing(18)
        layout.addLayout(row(None, *buttons, None, gap=12))
        layout.addStretch(1)
        kinds = text(self.tr("JPEG, PNG, TIFF (also 16 bit), BMP, GIF, WebP and DICOM"), "small", wrap=False)
        layout.addLayout(row(None, kinds, None))
        others = self.tr(
            "Several folders, a zip file, a CSV or COCO file, a project or an earlier run's folder can be dropped "
            "as well."
        )
        also = text(others, "small")
        also.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(also)

    def set_hot(self, hot: bool) -> None:
        """Show that a folder is held over the window."""
        self.setProperty("hot", hot)
        set_role(self, "hot" if hot else "")
