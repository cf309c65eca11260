"""What tests of the window share: settings and folders of their own, no dialog, and nothing left behind."""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.engine.sample.make import make_sample
from sslstudio.ui.base import app_settings
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.text import translate
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change
from tests.support import leftovers
from tests.support.changes import changing

# what opens a dialog, as it is before `said` puts something else in its place
OPENERS = {
    name: getattr(dialogs, name)
    for name in ("tell_error", "tell", "ask", "choose", "ask_text", "show_table", "choose_folder", "choose_file",
                 "choose_new_file", "ask_long_text")
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Qt's plugin without a screen warns of least sizes, which it has no window manager to tell."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints"))


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and the user's folder belong to the test."""
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    home = tmp_path / "home"
    monkeypatch.setenv("SSLSTUDIO_HOME", str(home))
    app_settings.set_apart(False)  # seconds for each process, and of no matter to most tests
    app_settings.set_expert(True)  # a test of the simple way says so
    return home


@contextmanager
def speaking(language: str, app: QApplication) -> Iterator[None]:
    """The window speaks a language, and English again afterwards."""
    place = QLocale()
    installed = translate.speak(language, app)
    yield
    for one in installed:
        app.removeTranslator(one)
    translate.speak("en", app)
    QLocale.setDefault(place)


@pytest.fixture
def german(qapp: QApplication) -> Iterator[None]:
    """The window speaks German."""
    with speaking("de", qapp):
        yield


@pytest.fixture(params=["en", "de"])
def spoken(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[str]:
    """The window speaks this language."""
    with speaking(request.param, qapp):
        yield request.param


@dataclass
class Said:
    """What would have been shown in dialogs, and what they answer."""

    errors: list[BaseException] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    agrees: bool = True
    choice: str = "last"
    offered: list[str] = field(default_factory=list)
    text: str = ""
    words: str | None = ""
    folder: Path | None = None
    file: Path | None = None
    tables: list[tuple[str, list[tuple[str, ...]]]] = field(default_factory=list)

    def ask(self, question: str) -> bool:
        """Note a question and answer it."""
        self.questions.append(question)
        return self.agrees

    def choose(self, answers: Mapping[str, str]) -> str:
        """Note the answers that were offered and take one, or none where it is not offered."""
        self.offered = list(answers)
        return self.choice if self.choice in answers else ""


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """No test opens a dialog: they would wait for a person."""
    box = Said()
    monkeypatch.setattr(dialogs, "tell_error", lambda parent, error: box.errors.append(error))
    monkeypatch.setattr(dialogs, "ask", lambda parent, question, yes, no: box.ask(question))
    monkeypatch.setattr(dialogs, "choose", lambda parent, question, answers, stay: box.choose(answers))
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: box.folder)
    monkeypatch.setattr(dialogs, "ask_text", lambda *_: box.text)
    monkeypatch.setattr(dialogs, "ask_long_text", lambda *_: box.words)
    monkeypatch.setattr(dialogs, "choose_file", lambda *_: box.file)
    monkeypatch.setattr(dialogs, "choose_new_file", lambda *_: box.file)
    monkeypatch.setattr(
        dialogs, "show_table", lambda parent, title, told, heads, rows: box.tables.append((title, list(rows)))
    )
    monkeypatch.setattr(dialogs, "tell", lambda parent, title, text: box.questions.append(text))
    return box


@pytest.fixture
def real_dialogs(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dialogs open, and the test answers them (tests/support/answering.py)."""
    for name, opens in OPENERS.items():
        monkeypatch.setattr(dialogs, name, opens)


@pytest.fixture(autouse=True)
def nothing_left(qapp: QApplication) -> Iterator[None]:
    """Fails a test that leaves a running thread or process, an active timer or an open window."""
    yield from leftovers.watch(qapp)


@pytest.fixture
def window(qtbot: QtBot, said: Said) -> Iterator[MainWindow]:
    """The window, shown, with the engine loaded."""
    made = MainWindow()
    qtbot.addWidget(made)
    made.show()
    with changing(qtbot, made.workspace, Change.ENGINE, 60_000):
        made.workspace.load_engine()
    yield made
    assert said.errors == [], "\n".join("".join(traceback.format_exception(error)) for error in said.errors)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty small pictures with classes and masks."""
    folder = tmp_path_factory.mktemp("pictures") / "little zoo"
    for _ in make_sample(folder, count=60, side=48):
        pass
    return folder
