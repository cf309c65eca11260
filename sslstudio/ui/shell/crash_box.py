"""The dialog that tells of a crash before there is a window."""

from PySide6.QtWidgets import QApplication, QMessageBox

from sslstudio.engine.core.messages import Message
from sslstudio.ui.shell.app import check_screen
from sslstudio.ui.text import translate


def show_crash(said: Message) -> None:
    """Show the message until it is closed. Raises StudioError where there is no screen, on which Qt would abort."""
    check_screen()
    app = QApplication.instance() or QApplication(["sslstudio"])
    translate.speak(translate.choose_language(), app)
    box = QMessageBox(QMessageBox.Icon.Critical, "SSL Studio", translate.render(said))
    box.exec()
    box.deleteLater()
