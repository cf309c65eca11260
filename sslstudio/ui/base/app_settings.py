"""What the window remembers, and where the user's files go."""

import os
from pathlib import Path

import platformdirs
from PySide6.QtCore import QByteArray, QSettings


def _store() -> QSettings:
    return QSettings(QSettings.defaultFormat(), QSettings.Scope.UserScope, "SSL Studio", "SSL Studio")


def home() -> Path:
    """The folder that holds a folder of runs for each set of pictures. SSLSTUDIO_HOME goes before what was chosen."""
    chosen = os.environ.get("SSLSTUDIO_HOME") or str(_store().value("home", "") or "")
    return Path(chosen) if chosen else Path(platformdirs.user_documents_dir()) / "SSL Studio"


def set_home(folder: Path) -> None:
    """Keep runs somewhere else from now on."""
    _store().setValue("home", str(folder))


def appearance() -> str:
    """system, light or dark."""
    return str(_store().value("appearance", "system"))


def set_appearance(name: str) -> None:
    """Remember the scheme."""
    _store().setValue("appearance", name)


def apart() -> bool:
    """Whether trainings go on in a process of their own, which the window survives."""
    return str(_store().value("apart", "yes")) == "yes"


def set_apart(wanted: bool) -> None:
    """Remember where trainings are to go on."""
    _store().setValue("apart", "yes" if wanted else "")


def language() -> str:
    """The code of a language, as de; '' for that of the system. It counts from the next start."""
    return str(_store().value("language", "") or "")


def set_language(code: str) -> None:
    """Remember the language."""
    _store().setValue("language", code)


def device() -> str:
    """What a training runs on unless it is told otherwise: a name of the engine's, together, or auto."""
    return str(_store().value("device", "") or "auto")


def set_device(name: str) -> None:
    """Remember the device."""
    _store().setValue("device", name)


def notifies() -> bool:
    """Whether the system is to show a message when a run has ended."""
    return str(_store().value("notifies", "yes")) == "yes"


def set_notifies(wanted: bool) -> None:
    """Remember whether the end is told."""
    _store().setValue("notifies", "yes" if wanted else "no")


def keeps_awake() -> bool:
    """Whether the computer is kept from sleeping while a training goes on."""
    return str(_store().value("keeps_awake", "yes")) == "yes"


def set_keeps_awake(wanted: bool) -> None:
    """Remember whether sleep is held off."""
    _store().setValue("keeps_awake", "yes" if wanted else "no")


def toured() -> bool:
    """Whether the tour has been taken or skipped."""
    return str(_store().value("toured", "")) == "yes"


def set_toured() -> None:
    """The tour does not come by itself any more."""
    _store().setValue("toured", "yes")


def expert() -> bool:
    """Whether the pages on which everything can be set are shown, not the simple way. Who has used the program before
    there was a simple way goes on as before; this is settled at the first question."""
    store = _store()
    if not store.contains("expert"):
        set_expert(toured() or bool(recent_folders()) or not geometry().isEmpty())
    return str(store.value("expert", "")) == "yes"


def set_expert(wanted: bool) -> None:
    """Remember which way was chosen."""
    _store().setValue("expert", "yes" if wanted else "no")


def recent_folders() -> list[str]:
    """Projects that were open before, newest first; those that are gone are left out. From before there were projects
    also folders of pictures."""
    stored = _store().value("recent", [])  # a list of one comes back as its only element
    folders = stored if isinstance(stored, list) else [stored] if stored else []
    return [str(folder) for folder in folders if Path(str(folder)).is_dir()]


def add_recent(folder: Path, pictures: Path | None = None, most: int = 5) -> None:
    """Put a project at the head of the list, in the place of the folder of its pictures if that was there."""
    others = [one for one in recent_folders() if one not in (str(folder), str(pictures))]
    _store().setValue("recent", [str(folder), *others][:most])


def under_way() -> str:
    """The folder of the run that goes on, '' when none does. It outlives a crash or a power cut."""
    return str(_store().value("under_way", "") or "")


def set_under_way(run: str) -> None:
    """Remember, on the disk and at once, that a run goes on; '' that none does."""
    store = _store()
    store.setValue("under_way", run)
    store.sync()


def geometry() -> QByteArray:
    """Place and size of the window; empty at the first start."""
    value = _store().value("geometry", QByteArray())
    return value if isinstance(value, QByteArray) else QByteArray()


def set_geometry(place: QByteArray) -> None:
    """Remember place and size of the window."""
    _store().setValue("geometry", place)
