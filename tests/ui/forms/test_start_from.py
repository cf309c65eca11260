"""What a pretraining starts from: nothing, general weights with their facts, or a file."""

from pytestqt.qtbot import QtBot

from sslstudio.ui.forms.run_settings import RunSettings
from sslstudio.ui.forms.start_from import FILE, GENERAL, NOTHING, StartFrom


def choose(box: StartFrom, what: str) -> None:
    box.box.setCurrentIndex(box.box.findData(what))


def test_general_weights_say_what_they_are(qtbot: QtBot) -> None:
    start = StartFrom()
    qtbot.addWidget(start)
    assert start.path == ""
    assert start.general.isHidden()
    assert start.file.isHidden()
    with qtbot.waitSignal(start.changed):
        choose(start, GENERAL)
    assert start.path == "general"
    told = start.general.property("text")
    assert all(part in told for part in ("EfficientNet-Lite0", "1,281,167", "Apache-2.0", "6.2 MB"))
    assert not start.general.isHidden()


def test_a_file_is_kept_while_another_choice_is_looked_at(qtbot: QtBot) -> None:
    start = StartFrom()
    qtbot.addWidget(start)
    start.set_path("/w/resnet18.pth")
    assert (start.box.currentData(), start.path) == (FILE, "/w/resnet18.pth")
    choose(start, NOTHING)
    assert start.path == ""
    choose(start, FILE)
    assert start.path == "/w/resnet18.pth"
    start.set_path("general")
    assert (start.box.currentData(), start.path) == (GENERAL, "general")


def test_the_encoder_follows_general_weights(qtbot: QtBot) -> None:
    settings = RunSettings([], minutes=1.0, starting=True)
    qtbot.addWidget(settings)
    editor = settings.encoder.editor("name")
    editor.set_value("resnet50")
    settings.weights.set_path("general")
    assert not editor.isEnabled()
    config = settings.encoder_config()
    assert (config.name, config.weights) == ("auto", "general")
    assert config.resolve(False, 96).name == "efficientnet_lite0"
    settings.weights.set_path("")
    assert editor.isEnabled()
