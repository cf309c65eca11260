import json
from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.events import (
    Alarm,
    Event,
    Note,
    Paused,
    Preparing,
    Probed,
    RunFinished,
    RunStarted,
    SampleSaved,
    StepDone,
    from_json,
    to_json,
)
from sslstudio.engine.core.messages import Message
from sslstudio.ui.pages.train.curves import Curves, TwinCurves
from sslstudio.ui.pages.train.run_view import RunView


@pytest.fixture
def view(qtbot: QtBot) -> RunView:
    made = RunView(Curves(), answers=True)
    qtbot.addWidget(made)
    return made


def started(run: Path, first: int = 0) -> RunStarted:
    facts = {"Device": "CPU", "Pictures": "60 read"}
    return RunStarted(
        job="pretrain", run=str(run), title=Message("Jigsaw"), facts=facts, total_steps=100, first_step=first
    )


def step(number: int, part: str = "") -> StepDone:
    return StepDone(
        part=part, step=number, total_steps=100, epoch=0.5, loss=1.0, metrics={}, chance={},
        learning_rate=1e-3, pictures_per_second=123.4, seconds_left=200.0,
    )  # fmt: skip


def test_where_a_run_stands(view: RunView, tmp_path: Path) -> None:
    view.take([Preparing(stage=Message("Reading pictures"), done=5, total=60)])
    assert view.state.text() == "Reading pictures  ·  5 of 60"
    view.take([started(tmp_path), step(1), step(25)])
    assert view.state.text() == "Step 25 of about 100"
    assert view.bar.value() == 250
    assert view.left.value.text() == "3 min"
    assert view.speed.value.text() == "123"
    view.take([Paused(step=25)])
    assert "Paused" in view.state.text()
    view.take([RunFinished(outcome="stopped", step=25, seconds=65.0, metrics={})])
    assert view.outcome == "stopped"
    assert "step 25" in view.state.text()


def test_the_two_parts_of_a_run_share_the_bar(qtbot: QtBot, tmp_path: Path) -> None:
    view = RunView(TwinCurves(), answers=False)
    qtbot.addWidget(view)
    view.parts = 2
    view.take([started(tmp_path), step(50, "pretrained")])
    assert view.bar.value() == 250
    view.take([step(50, "scratch")])
    assert view.bar.value() == 750


def test_the_newest_answers_are_shown_until_one_looks_back(view: RunView, tmp_path: Path) -> None:
    events: list[Event] = [started(tmp_path)]
    for number in (10, 20, 30):
        Image.new("RGB", (80, 60)).save(tmp_path / f"{number}.png")
        events.append(SampleSaved(step=number, path=f"{number}.png"))
    view.take(events[:3])
    assert "20 steps" in view.answers.told.text()
    view.answers.slider.setValue(0)
    assert "10 steps" in view.answers.told.text()
    view.take(events[3:])
    assert "10 steps" in view.answers.told.text()
    view.answers.slider.setValue(2)
    assert "30 steps" in view.answers.told.text()


def test_notes_are_counted_and_forgotten_with_the_run(view: RunView, tmp_path: Path) -> None:
    view.take(
        [
            started(tmp_path),
            Note(level="warning", text=Message("Few pictures.")),
            Note(level="info", text=Message("Weights taken.")),
        ]
    )
    titles = [view.tabs.tabText(number) for number in range(view.tabs.count())]
    assert "Notes (2)" in titles
    assert view.facts.rowCount() == 3  # two facts and where the run is kept
    view.clear()
    assert "Notes" in [view.tabs.tabText(number) for number in range(view.tabs.count())]
    assert view.state.text() == "Not started"


def probed(number: int, verdict: str) -> Probed:
    return Probed(
        step=number, share=0.25, labels=10, n=200,
        stages=[{"stage": 1.0, "linear": 0.6, "knn": 0.5, "untrained_linear": 0.4, "untrained_knn": 0.4}],
        best_stage=1, difference={"value": 0.2, "low": 0.1, "high": 0.3, "ours": 0.6, "untrained": 0.4},
        verdict=verdict, text=Message(f"It {verdict}."),
        rank=30.0, spread=0.5, untrained_rank=9.0, untrained_spread=0.1,
    )  # fmt: skip


def test_what_the_features_are_worth_is_drawn_and_said(view: RunView, tmp_path: Path) -> None:
    view.take([started(tmp_path), step(1), probed(25, "helps"), probed(50, "helps")])
    worth = view.curves.worth
    assert worth.curve_points("this network")[1].tolist() == [0.6, 0.6]
    assert worth.curve_points("untrained")[1].tolist() == [0.4, 0.4]
    assert view.notes.count() == 2


@pytest.mark.parametrize("change", ["jigsaw.min_crop_side=0.5", "jigsaw.field=0.5"])  # as 0.2 wrote it
def test_an_alarm_is_not_to_be_overlooked_and_says_what_to_change(change: str, view: RunView, tmp_path: Path) -> None:
    view.show()
    alarm = Alarm(step=9, name="solved", text=Message("The puzzle is solved."), change=change)
    view.take([started(tmp_path), alarm])
    assert view.alarm.label.text() == "The puzzle is solved. What to change: min crop side to 0.5."
    assert view.alarm.isVisible()
    assert view.trouble.label.text() == ""
    view.clear()
    assert not view.alarm.isVisible()


def test_figures_are_shown_as_often_as_they_can_be_read_and_the_last_one_always(
    view: RunView, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    say = view.step.say

    def note(value: str, title: str = "") -> None:
        shown.append(value)
        say(value, title)

    monkeypatch.setattr(view.step, "say", note)
    view.take([started(tmp_path)])
    for number in range(1, 60):
        view.take([step(number)])
    assert shown == ["1"]
    qtbot.waitUntil(lambda: shown == ["1", "59"], timeout=5000)
    view.take([step(60)])
    view.take([step(61), Paused(step=61)])
    assert shown == ["1", "59", "61"]
    assert "Paused" in view.state.text()
    view.take([step(62)])
    view.clear()
    qtbot.wait(1200)
    assert view.step.value.text() == "–"  # a run that was cleared away does not come back


def test_a_record_of_an_earlier_version_says_that_it_is_in_english(german: None, view: RunView, tmp_path: Path) -> None:
    kept = to_json(started(tmp_path))
    old = json.loads(kept)
    old["title"] = old["title"]["text"]  # as it was written before texts had templates
    view.take([from_json(json.dumps(old)), step(1)])
    assert "früheren Version" in view.older.text()
    assert not view.older.isHidden()
    view.clear()
    view.take([from_json(kept), step(1)])
    assert view.older.isHidden()


def test_in_english_nothing_is_to_be_said_of_it(view: RunView, tmp_path: Path) -> None:
    old = json.loads(to_json(started(tmp_path)))
    old["title"] = old["title"]["text"]
    view.take([from_json(json.dumps(old))])
    assert view.older.isHidden()
