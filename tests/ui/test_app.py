import pytest

from sslstudio.engine.errors import StudioError
from sslstudio.ui import app


def test_without_a_screen_it_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(app.sys, "platform", "linux")  # type: ignore[attr-defined]
    with pytest.raises(StudioError, match="no screen"):
        app.run()


@pytest.mark.parametrize("name", ["QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"])
def test_any_screen_will_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "something")
    app.check_screen()
