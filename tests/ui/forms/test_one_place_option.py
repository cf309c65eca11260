"""An option is declared in one place: the form follows. (The rest: tests/engine/core/test_one_place_option.py.)"""

from pytestqt.qtbot import QtBot

from sslstudio.engine.core.config import Table
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.editors import ListEditor, NumberEditor, SeveralEditor, TableEditor
from tests.support.one_place import AddedConfig, CropConfig


def test_every_option_has_its_editor(qtbot: QtBot) -> None:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show_config(AddedConfig())
    depth, sides, colours, places = (form.editor(name) for name in ("depth", "sides", "colours", "places"))
    size = form.group("crop").editor("size")
    assert isinstance(depth, NumberEditor)
    assert isinstance(sides, ListEditor)
    assert isinstance(colours, SeveralEditor)
    assert isinstance(places, TableEditor)
    assert isinstance(size, NumberEditor)
    assert sides.box.accessibleName() == "Sides"
    assert (size.box.minimum(), size.box.maximum()) == (0.1, 1.0)
    depth.set_value(3)
    sides.box.setText("32, 64")
    colours.boxes["blue"].click()
    places.box.setPlainText("a=/x\nb=y z")
    size.set_value(0.25)
    assert form.config() == AddedConfig(
        depth=3,
        sides=(32, 64),
        colours=("red", "blue"),
        places=Table({"a": "/x", "b": "y z"}),
        crop=CropConfig(size=0.25),
    )
