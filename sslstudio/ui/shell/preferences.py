"""What a person sets once: shown in a dialog, kept in the settings, and at work from the moment that it is set."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import theme
from sslstudio.ui.forms.run_settings import DeviceBox
from sslstudio.ui.shell.gpu_part import GpuPart
from sslstudio.ui.shell.preferences_form import PreferencesForm
from sslstudio.ui.shell.run_notifier import RunNotifier
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change, Workspace


class Preferences(QObject):
    """Answers for the window that owns it."""

    def __init__(self, window: QMainWindow, workspace: Workspace, notifier: RunNotifier) -> None:
        super().__init__(window)
        self._window, self._workspace, self._notifier = window, workspace, notifier
        self._form: PreferencesForm | None = None
        workspace.call_on(Change.ENGINE, self._show_devices)

    def show(self) -> None:
        """Open the dialog; what is set in it counts at once."""
        self._form = PreferencesForm()
        self._form.changed.connect(self._act)
        self._form.gpu_wanted.connect(GpuPart(self._window).show)
        self._show_devices()
        dialogs.show_sheet(self._window, self.tr("Preferences"), self._form, "getting-started.md#preferences")
        self._form = None

    def _show_devices(self) -> None:
        if self._form is not None and self._workspace.engine is not None:
            self._form.show_devices(self._workspace.engine.devices)

    def _act(self, name: str) -> None:
        if name == "appearance":
            theme().follow(app_settings.appearance())
        elif name == "home":
            self._workspace.changed.emit(Change.RUNS)
        elif name == "keeps_awake":
            self._notifier.suit()
        elif name == "device":
            for box in self._window.findChildren(DeviceBox):
                box.prefer(app_settings.device())
