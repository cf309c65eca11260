"""What a person sets once: shown in a dialog, kept in the settings, and at work from the moment that it is set."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import theme
from sslstudio.ui.forms.run_settings import DeviceBox
from sslstudio.ui.shell.preferences_form import PreferencesForm
from sslstudio.ui.shell.run_notifier import Attendant
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Study


class Preferences(QObject):
    """Answers for the window that owns it."""

    def __init__(self, window: QMainWindow, study: Study, attendant: Attendant) -> None:
        super().__init__(window)
        self._window, self._study, self._attendant = window, study, attendant
        self._form: PreferencesForm | None = None
        study.engine_ready.connect(self._show_devices)

    def show(self) -> None:
        """Open the dialog; what is set in it counts at once."""
        self._form = PreferencesForm()
        self._form.changed.connect(self._act)
        self._show_devices()
        dialogs.show_sheet(self._window, self.tr("Preferences"), self._form)
        self._form = None

    def _show_devices(self) -> None:
        if self._form is not None and self._study.engine is not None:
            self._form.show_devices(self._study.engine.devices)

    def _act(self, name: str) -> None:
        if name == "appearance":
            theme().follow(app_settings.appearance())
        elif name == "home":
            self._study.runs_changed.emit()
        elif name == "keeps_awake":
            self._attendant.suit()
        elif name == "device":
            for box in self._window.findChildren(DeviceBox):
                box.prefer(app_settings.device())
