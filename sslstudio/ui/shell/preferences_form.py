"""The form of the preferences. It reads the settings, writes them, and says what was changed."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from sslstudio.engine.core.catalogue import languages
from sslstudio.ui.base import app_settings
from sslstudio.ui.forms.editors import steady
from sslstudio.ui.forms.run_settings import DeviceBox
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.layout import Card, Piece, button, clear, column, row, text, wrap_layout

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.compute.device import DeviceFound


def _note(content: str) -> QLabel:
    """Small words that need no more height than their width asks for, so that nothing scrolls without need."""
    made = text(content, "small")
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
    return made


class PreferencesForm(QWidget):
    """`changed` carries the name of the setting, after it is kept; `gpu_wanted`: *Use your NVIDIA card*."""

    changed = Signal(str)
    gpu_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.appearance, self.language = RoomyBox(), RoomyBox()
        self.home, self.home_note = text(str(app_settings.home())), _note("")
        self.elsewhere = button(self.tr("Choose…"), self._choose_home, icon="folder")
        self.device: DeviceBox | None = None
        self._device_place = column()
        self._device_place.addWidget(text(self.tr("The learning engine is being loaded."), "muted"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(12)
        layout.addWidget(self._window_card())
        layout.addWidget(self._runs_card())
        layout.addStretch(1)

    def _window_card(self) -> Card:
        names = {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        self._offer(self.appearance, names, app_settings.appearance(), self._set_appearance)
        known = {code: QLocale(code).nativeLanguageName() or code for code in languages()}
        own = {"": self.tr("As the system"), "en": "English", **known}
        self._offer(self.language, own, app_settings.language(), self._set_language)
        look = self._add_title(self.tr("Appearance"), self.appearance)
        speech = self._add_title(self.tr("Language"), self.language)
        note = _note(self.tr("Another language takes effect at the next start."))
        return Card(self.tr("The window"), margin=16).add(row((look, 1), (speech, 1), gap=16), note)

    def _runs_card(self) -> Card:
        self._say_home()
        self.apart = self._switch(self.tr("Train in a process of its own"), app_settings.apart(), self._set_apart)
        self.notifies = self._switch(
            self.tr("Tell me when a run has ended"), app_settings.notifies(), self._set_notifies
        )
        self.awake = self._switch(
            self.tr("Keep the computer awake during a training"), app_settings.keeps_awake(), self._set_awake
        )
        lines = (
            (self.apart, self.tr("The window stays, whatever becomes of the training. Counts from the next training.")),
            (self.notifies, self.tr("By a message of the system, unless this window is being looked at.")),
            (self.awake, self.tr("The screen may still go dark.")),
        )
        pieces: list[Piece] = [column(box, _note(told), gap=3) for box, told in lines]
        card = button(self.tr("Use your NVIDIA card…"), self.gpu_wanted.emit)
        card_note = _note(self.tr("A PyTorch for the card is fetched only when you say so, and can be removed."))
        where = column(row((self.home, 1), self.elsewhere), self.home_note, gap=4)
        return Card(self.tr("Trainings"), margin=16, gap=14).add(
            self._add_title(self.tr("Runs are kept in"), wrap_layout(where)),
            self._add_title(self.tr("Runs on, unless set otherwise"), wrap_layout(self._device_place)),
            column(row(card, None), card_note, gap=4),
            *pieces,
        )

    def _add_title(self, title: str, widget: QWidget) -> QVBoxLayout:
        widget.setAccessibleName(title)
        return column(text(title, "field"), widget, gap=5)

    def _offer(self, box: QComboBox, names: dict[str, str], chosen: str, choose: Callable[[str], None]) -> None:
        for name, title in names.items():
            box.addItem(title, name)
        box.setCurrentIndex(max(box.findData(chosen), 0))
        steady(box)
        box.currentIndexChanged.connect(lambda _: choose(str(box.currentData())))

    def _switch(self, title: str, on: bool, choose: Callable[[bool], None]) -> QCheckBox:
        box = QCheckBox(title)
        box.setChecked(on)
        box.toggled.connect(choose)
        return box

    def show_devices(self, devices: Sequence["DeviceFound"]) -> None:
        """Offer what is there, once the engine knows it."""
        if self.device is None:
            clear(self._device_place)
            self.device = DeviceBox(devices, sharing=True)
            self.device.setAccessibleName(self.tr("Runs on, unless set otherwise"))
            self.device.currentIndexChanged.connect(self._set_device)
            self._device_place.addWidget(self.device)

    # --- what is set

    def _say_home(self) -> None:
        fixed = bool(os.environ.get("SSLSTUDIO_HOME"))
        self.home.setText(str(app_settings.home()))
        offer(self.elsewhere, unless=self.tr("SSLSTUDIO_HOME says where they are kept.") if fixed else "")
        self.home_note.setText(
            self.tr("Set by SSLSTUDIO_HOME, which goes before what is chosen here.") if fixed
            else self.tr("Labels and sample pictures too. What there is already stays where it is.")
        )  # fmt: skip

    def _choose_home(self) -> None:
        folder = dialogs.choose_folder(self, self.tr("Where runs are to be kept"), app_settings.home())
        if folder is not None:
            app_settings.set_home(folder)
            self._say_home()
            self.changed.emit("home")

    def _set_appearance(self, name: str) -> None:
        app_settings.set_appearance(name)
        self.changed.emit("appearance")

    def _set_language(self, code: str) -> None:
        app_settings.set_language(code)
        self.changed.emit("language")

    def _set_device(self) -> None:
        if self.device is not None:
            app_settings.set_device(str(self.device.currentData()))
            self.changed.emit("device")

    def _set_apart(self, wanted: bool) -> None:
        app_settings.set_apart(wanted)
        self.changed.emit("apart")

    def _set_notifies(self, wanted: bool) -> None:
        app_settings.set_notifies(wanted)
        self.changed.emit("notifies")

    def _set_awake(self, wanted: bool) -> None:
        app_settings.set_keeps_awake(wanted)
        self.changed.emit("keeps_awake")
