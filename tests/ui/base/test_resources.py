import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

import sslstudio.ui
from sslstudio.ui.base import resources

DRAWN = sorted(path.stem for path in resources.find("icons").glob("*.svg"))


@pytest.mark.parametrize("name", DRAWN)
def test_every_icon_paints_something(name: str, qapp: QApplication) -> None:
    image = resources.pixmap(name, "#000000", 24, 2.0).toImage()
    assert image.width() == 48
    assert any(image.pixelColor(x, y).alpha() > 100 for x in range(48) for y in range(48))


def test_every_icon_that_is_named_is_there() -> None:
    named = set()
    for module in Path(sslstudio.ui.__file__).parent.rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:icon=|EmptyState\(\s*|symbol\(|, "link", |"primary", )"(\w+)"', source))
    assert named - {"link"} <= set(DRAWN)
    assert len(named) > 8


def test_a_missing_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"icons/unicorn\.svg"):
        resources.find("icons/unicorn.svg")
