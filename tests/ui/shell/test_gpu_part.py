"""*Use your NVIDIA card*: what is found is said, nothing is fetched before the button, and the state follows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.gpu_part import place
from sslstudio.engine.gpu_part.card import Card
from sslstudio.engine.gpu_part.plan import Plan
from sslstudio.ui.shell import gpu_part
from sslstudio.ui.shell.gpu_part import GpuPart, GpuPartForm
from sslstudio.ui.widgets import dialogs
from tests.ui.conftest import Said

CARD = Card("Card of the test", (8, 6), (580, 65))


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSLSTUDIO_GPU_FOLDER", str(tmp_path / "parts"))
    return tmp_path / "parts"


@pytest.fixture
def visit(qtbot: QtBot, parts: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Opens the form over an empty window, with these cards in the machine, and does something in it."""

    def opened(cards: list[Card], act: Callable[[GpuPartForm], None]) -> None:
        monkeypatch.setattr(gpu_part, "look_for_cards", lambda: (cards, "2.13.0+cpu"))
        window = QWidget()
        qtbot.addWidget(window)

        def look(parent: QWidget, title: str, form: QWidget) -> None:
            assert isinstance(form, GpuPartForm)
            qtbot.addWidget(form)
            qtbot.waitUntil(lambda: form.version == "2.13.0+cpu")
            act(form)

        monkeypatch.setattr(dialogs, "show_sheet", look)
        GpuPart(window).show()

    return opened


def test_without_a_card_there_is_nothing_to_fetch_and_the_reason_is_said(visit: Callable[..., None]) -> None:
    def act(form: GpuPartForm) -> None:
        assert not form.fetch.isEnabled()
        assert "No NVIDIA card was found" in form.plan.text()
        assert not form.remove.isVisibleTo(form)

    visit([], act)


def test_the_plan_follows_the_mirror_and_says_what_it_costs(visit: Callable[..., None]) -> None:
    def act(form: GpuPartForm) -> None:
        assert "PyTorch 2.13.0+cu130 from https://download.pytorch.org/whl/cu130. About 3.5 GB" in form.plan.text()
        form.mirror.setText("https://mirror.example")
        assert "https://mirror.example/cu130" in form.plan.text()
        assert form.fetch.isEnabled()

    visit([CARD], act)


def test_it_is_fetched_when_asked_and_can_be_removed(
    visit: Callable[..., None], parts: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, said: Said
) -> None:
    def switch_on(plan: Plan, control: RunControl) -> place.Active:
        (parts / plan.name / place.SITE / "torch").mkdir(parents=True)
        active = place.Active(plan.name, plan.version, place.python_here(), plan.card.name)
        place.switch_on(active)
        return active

    monkeypatch.setattr(gpu_part, "fetch_part", switch_on)

    def act(form: GpuPartForm) -> None:
        assert not parts.exists()
        form.fetch.click()
        qtbot.waitUntil(lambda: "is switched on" in form.state.text())
        form.remove.click()
        qtbot.waitUntil(lambda: "came with it" in form.state.text())

    visit([CARD], act)
    assert list(parts.iterdir()) == []


def test_a_part_of_an_earlier_version_is_said_to_be_old(visit: Callable[..., None], parts: Path) -> None:
    parts.mkdir()
    place.switch_on(place.Active("torch-x", "2.0.0", "3.9"))
    visit([CARD], lambda form: None)
    form = GpuPartForm()
    assert "for Python 3.9" in form.state.text()
    assert form.remove.isVisibleTo(form)
    form.deleteLater()
