"""The window in German: every text of its own is translated, those of the engine are found with their values in."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, Qt
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.catalogue import languages
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Language, Message, neutral, plain
from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.plots.axes import ValueAxis
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.text import formatting, translate
from sslstudio.ui.text.translate import Catalogue
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.shortcuts import natives

ROOT = Path(__file__).resolve().parents[3]
CATALOGUES = sorted((ROOT / "resources" / "translations").glob("*.po"))


@pytest.fixture(scope="module")
def texts() -> Any:
    """The sources of all texts, as the script in packaging/ finds them."""
    spec = importlib.util.spec_from_file_location("translations", ROOT / "packaging" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module.collect()


def done(file: Path) -> dict[str, str]:
    return {one.msgid: one.msgstr for one in polib.pofile(str(file)).translated_entries()}


def places(text: str) -> list[str]:
    return sorted(set(re.findall(r"\{(\w+)", text)))


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_every_text_of_window_and_engine_is_translated(texts: Any, file: Path) -> None:
    """After a new text: python packaging/translations.py, then fill in what is empty in the .po file."""
    assert not set(texts.files) - set(done(file))
    assert not set(done(file)) - set(texts.files), "texts that are gone: python packaging/translations.py"


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_translations_keep_places_keys_and_spaces(texts: Any, file: Path) -> None:
    window = set(texts.of("ui"))
    for source, target in done(file).items():
        assert set(places(target)) <= set(places(source)), source
        if source in window:
            assert places(target) == places(source), source
            assert len(re.findall("&[^ ]", target)) == len(re.findall("&[^ ]", source)), source
        assert (target[0] == " ", target[-1] == " ") == (source[0] == " ", source[-1] == " "), source


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_every_option_and_task_is_translated(file: Path) -> None:
    from sslstudio.engine.core.config import options_of
    from sslstudio.engine.tasks.base import TASKS, load_tasks
    from sslstudio.engine.training import config as engine

    load_tasks()
    tasks = [TASKS[name] for name in TASKS]
    said = [text for task in tasks for text in (task.title, task.summary, task.label_from, task.helps, task.fails)]
    configs = [
        *(task.Config for task in tasks), engine.DataConfig, engine.OptimiserConfig, engine.BudgetConfig,
        engine.PretrainConfig, engine.FinetuneConfig,
    ]  # fmt: skip
    said += [text for config in configs for one in options_of(config) for text in (one.about.title, one.about.help)]
    assert not {text for text in said if text} - set(done(file))


def test_the_texts_of_window_and_engine_are_found(texts: Any) -> None:
    assert len(texts.of("ui")) > 500
    assert len(texts.of("engine")) > 500


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def spoken(entries: dict[str, str]) -> Language:
    return Catalogue(entries, ",", ".").language


@given(VALUES, VALUES)
def test_values_survive_whatever_they_hold(first: str, second: str) -> None:
    language = spoken({"There are {n} pictures in the folder {folder}.": "Im Ordner {folder} sind {n} Bilder."})
    message = Message("There are {n} pictures in the folder {folder}.", n=first, folder=second)
    assert message.render(language) == f"Im Ordner {neutral(second)} sind {neutral(first)} Bilder."


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_what_is_not_known_stays_as_it_is(text: str) -> None:
    assert plain(text).render(spoken({"Two classes are needed.": "Zwei Klassen sind nötig."})) == neutral(text)


def test_values_that_are_messages_and_numbers_are_told_too() -> None:
    language = spoken({"Leave out {what:and}: {share}.": "{what:and} weglassen: {share}.",
                       "{n:,} {n:plural(picture|pictures)}": "{n:,} {n:plural(Bild|Bilder)}",
                       "and": "und"})  # fmt: skip
    some = Message("{n:,} {n:plural(picture|pictures)}", n=1721)
    message = Message("Leave out {what:and}: {share}.", what=[some, "red"], share=0.5)
    assert message == "Leave out 1,721 pictures and red: 0.5."
    assert message.render(language) == "1.721 Bilder und red weglassen: 0,5."


def test_numbers_and_errors_follow_the_language(german: None) -> None:
    assert formatting.count(1721, "picture", "pictures") == "1.721 pictures"
    assert formatting.percent(0.815) == "81,5\u00a0%"
    assert formatting.number(1.234) == "1,23"
    assert formatting.time_to_go(180) == "noch 3 min"
    error = DataError("There is no folder {root}. Check the spelling, or choose it again.", root="/me/Two pictures")
    said = dialogs.error_text(error)
    assert said == "Den Ordner /me/Two pictures gibt es nicht. Schreibweise prüfen oder neu wählen."


def test_qts_own_buttons_speak_german(german: None) -> None:
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    assert QCoreApplication.translate("QPlatformTheme", "Discard") == "Verwerfen"


def test_keys_have_their_german_names(german: None) -> None:
    assert QCoreApplication.translate("RunView", "Left") == "Noch"  # the time that is left
    assert natives(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home) == "Links, Rechts, Pos1"


def test_window_is_german(german: None, qtbot: QtBot) -> None:
    english = {"Your pictures", "What to learn from", "Pretrain", "Labels and fine-tuning", "Results", "Compare"}
    window = MainWindow()
    qtbot.addWidget(window)
    titles = set()
    for step in page_names():
        window.go(step)
        titles.add(window.pages[step].title.text())
    assert "Ihre Bilder" in titles
    assert not titles & english


def test_language_is_the_one_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLSTUDIO_LANGUAGE", raising=False)
    app_settings.set_language("de")
    assert translate.choose_language() == "de"
    app_settings.set_language("xx")
    assert translate.choose_language() == "en"
    monkeypatch.setenv("SSLSTUDIO_LANGUAGE", "de_AT")
    assert translate.choose_language() == "de"
    assert "de" in languages()


def test_english_needs_no_catalogue() -> None:
    code = (
        "import sys; from PySide6.QtCore import QCoreApplication; from sslstudio.ui.text import translate; "
        "app = QCoreApplication([]); translate.speak('en', app); assert translate.render('Out.') == 'Out.'; "
        "assert 'polib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_axes_and_facts_of_the_machine_speak_german(german: None, qtbot: QtBot) -> None:
    import torch

    from sslstudio.engine.compute.device import Device
    from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
    from sslstudio.engine.training.machine_facts import hardware_facts

    axis = ValueAxis("left")
    assert axis.tickStrings([0.5, 1.5], 1.0, 0.5) == ["0,5", "1,5"]
    cpu = Device(torch.device("cpu"), Message("CPU, {cpu_count} cores", cpu_count=2), torch.float32)
    facts = hardware_facts(cpu, build_encoder(EncoderConfig(name="small", stem="small"), 0))
    assert translate.render(facts["Device"]) == "CPU, 2 Kerne, rechnet in float32"
    assert translate.render(facts["Encoder"]).endswith(" Millionen Gewichte")
    worth: Any = {"value": 2.6, "low": 1.4, "high": 5.0, "bound": 0, "low_bound": 0, "high_bound": 0}
    said = experiment_words.worth_words(worth)
    assert all(number in said for number in ("2,6", "1,4", "5,0"))


def test_a_sentence_that_is_not_known_is_not_half_translated(german: None) -> None:
    said = "Not one of the hundred things that might be said about this folder was ever written down."
    assert translate.render(said) == said
