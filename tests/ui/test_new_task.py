"""A new pretext task is one file: everything else finds it, and asks it what has to be known of it."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from sslstudio.cli.main import main
from sslstudio.engine.clinic.clinic import judge
from sslstudio.engine.clinic.signs import direction, frame, marks
from sslstudio.engine.clinic.signs.looked import LookedAt
from sslstudio.engine.core import metrics
from sslstudio.engine.pretraining.online_probe import changes_for, instead_of
from sslstudio.engine.tasks.base import TASKS, load_tasks
from sslstudio.engine.training.config import PretrainConfig
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.picture import Picture
from tests.support.planted import landscapes, looked_at, stamped
from tests.ui.pages.puzzles.test_page import settle
from tests.ui.pages.puzzles.test_play import opened

SOURCE = '''
"""Upside down: each picture is shown upright and upside down, and the network says which it is."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY, Metric
from sslstudio.engine.tasks.base import TASKS, Batch, PretextTask, Puzzle, TaskResult
from sslstudio.engine.tasks.remedies import Asks, Fault, at_least, at_most
from sslstudio.engine.transforms import draw, geometry


@dataclass(frozen=True, kw_only=True)
class UpsideDownConfig(BaseConfig):
    """Options of the task."""

    rim: float = option(0.0, "Hidden rim", "Width of the rim that is not seen.", low=0, high=0.3)
    difficulty: int = option(5, "Difficulty", "How hard it is made.", low=1, high=10)


@TASKS.register("upside_down")
class UpsideDown(PretextTask[UpsideDownConfig]):
    """Nobody, 2026."""

    title = Message("Upside down")
    summary = Message("The network says which pictures stand on their head.")
    paper = "Nobody, 2026"
    label_from = Message("The program turned the picture itself.")
    helps = Message("Pictures with an up and a down. It is quick.")
    fails = Message("Pictures from above. There is nothing to be told.")
    no_game = Message("It would be too easy.")
    Config = UpsideDownConfig
    metrics = (ACCURACY, Metric("certainty", Message("How sure it is of upside down"), is_share=True))
    asks = frozenset({Asks.DIRECTION})
    remedies = {
        Fault.TELLING_FRAME: (at_least("rim", 0.1),),
        Fault.MARKS: (at_least("rim", 0.2),),
        Fault.TOO_EASY: (at_least("difficulty", 9),),
        Fault.TOO_HARD: (at_most("difficulty", 2),),
    }

    @classmethod
    def instead(cls, config):
        return Message("turn your head")

    def __init__(self, config, encoder_spec):
        super().__init__(config, encoder_spec)
        self.head = nn.Linear(encoder_spec.dim, 2)

    def make_batch(self, images, rng):
        turned = geometry.choose(len(images), 0.5, rng)
        shades = geometry.standardise_each(geometry.to_float(images))
        pictures = torch.where(turned.view(-1, 1, 1, 1), shades.flip(-1, -2), shades)
        return Batch({"pictures": pictures}, {"turned": turned.long()})

    def forward(self, encoder, batch):
        logits = self.head(encoder(batch.inputs["pictures"].contiguous(memory_format=torch.channels_last)))
        target, answer = batch.targets["turned"], logits.detach().argmax(dim=1)
        accuracy = (answer == target).float().mean()
        certainty = logits.detach().softmax(dim=1)[:, 1].mean()
        loss = F.cross_entropy(logits, target)
        return TaskResult(loss, {"accuracy": accuracy, "certainty": certainty}, {"turned": answer})

    def chance(self):
        return {"accuracy": 0.5}

    def preview(self, images, batch, result, count):
        shown = [draw.to_picture(one, standardised=True) for one in batch.inputs["pictures"][:count]]
        true = [draw.to_picture(image) for image in images[:count]]
        return [Puzzle(source, asked, source, None, "so") for source, asked in zip(true, shown)]
'''


@pytest.fixture
def new_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The task in a file that lies in a folder of tasks."""
    (tmp_path / "upside_down.py").write_text(SOURCE, encoding="utf-8")
    package = importlib.import_module("sslstudio.engine.tasks")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    load_tasks()
    yield "upside_down"
    TASKS.remove("upside_down")
    sys.modules.pop("sslstudio.engine.tasks.upside_down")
    metrics.forget("certainty", *(f"upside_down_{name}" for name in ("loss", "accuracy", "certainty")))


def test_the_registry_and_the_list_of_tasks_have_it(new_task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_task in load_tasks()
    assert main(["tasks"]) == 0
    assert "The network says which pictures stand on their head." in " ".join(capsys.readouterr().out.split())


def test_the_command_line_trains_it_and_audits_it(
    new_task: str, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    given = [
        str(sample),
        "--task",
        new_task,
        "--out",
        str(out),
        "--encoder",
        "small",
        "--side",
        "32",
        "--device",
        "cpu",
    ]
    settings = ["budget.steps=2", "optimiser.batch_size=8", "hardware.autotune=off", "options.rim=0.05"]
    assert main(["pretrain", *given, *(word for one in settings for word in ("--set", one))]) == 0
    kept = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert kept["chance"] == {"accuracy": 0.5}
    assert "certainty" in json.dumps(kept)
    assert main(["audit", str(out), "--device", "cpu", "--json"]) == 0
    assert '"task": "upside_down"' in capsys.readouterr().out


def test_the_clinic_asks_it_what_concerns_it_and_what_helps(new_task: str) -> None:
    pictures = looked_at(stamped(landscapes(120)))
    options = {**pictures.options, new_task: TASKS[new_task].Config()}
    seen = LookedAt(**{**vars(pictures), "options": options})
    found = [direction.frame_tells(seen), marks.burnt_in(seen), frame.borders(seen), direction.up_and_down(seen)]
    assert all(new_task in finding.tasks for finding in found)
    assert found[1].change_for(new_task) == "upside_down.rim=0.2"
    clinic = judge(seen, found)
    assert clinic.suits(new_task).word == "careful"
    assert found[1].text in clinic.suits(new_task).reasons


def test_the_alarms_recommend_its_own_changes(new_task: str) -> None:
    config = PretrainConfig(task=new_task)
    changes = changes_for(config)
    assert (changes.harder, changes.easier) == ("upside_down.difficulty=9", "upside_down.difficulty=2")
    assert changes.varied.startswith("optimiser.weight_decay=")  # it has no answer to that
    assert instead_of(config) == "turn your head"


def test_its_metrics_have_titles_by_itself_and_among_several(new_task: str) -> None:
    assert formatting.metric("certainty") == "How sure it is of upside down"
    assert formatting.metric("upside_down_certainty") == "Upside down: How sure it is of upside down"
    assert formatting.value("certainty", 0.25) == "25.0 %"


def test_the_window_offers_it_with_its_form_and_its_explanation(
    new_task: str, window: MainWindow, sample: Path, qtbot: QtBot
) -> None:
    page = opened(window, sample, qtbot)
    assert isinstance(page, PretextPage)
    page.choose_task(new_task)
    settle(page, qtbot)
    assert page.form.editor("difficulty").value() == 5
    page.tabs.setCurrentWidget(page.explained)
    said_there = " ".join(one.text() for one in page.explained.findChildren(QLabel) if one.isVisible())
    assert "Pictures with an up and a down. It is quick." in said_there
    assert [one for one in page.explained.findChildren(Picture) if one.isVisible()]
    page.apply_change("upside_down.rim=0.2")
    settle(page, qtbot)
    assert page.form.editor("rim").value() == pytest.approx(0.2)
