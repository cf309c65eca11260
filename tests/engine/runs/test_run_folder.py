"""The run folder: nothing is overwritten, every event is on disk before it is shown, and damage is survived."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.errors import ConfigError, DataError, RunError
from sslstudio.engine.core.events import Event, Note, Preparing, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.core.migrations import FORMAT
from sslstudio.engine.runs import run_folder
from sslstudio.engine.runs.run_folder import CONFIG, EVENTS, RunFolder, list_runs
from tests.support.results import finetune_result

START = RunStarted(job="pretrain", run="r", title=Message("Jigsaw on shapes"), facts={"Device": "CPU"}, total_steps=9)
END = RunFinished(outcome="finished", step=9, seconds=1.0, metrics={})


def step(number: int) -> StepDone:
    return StepDone(
        step=number, total_steps=9, epoch=0.1, loss=1.0, metrics={}, chance={}, learning_rate=1e-3,
        pictures_per_second=1.0, seconds_left=1.0,
    )  # fmt: skip


def said(*events: Event) -> Generator[Event, None, None]:
    yield from events


def made(path: Path, *events: Event, config: dict[str, Any] | None = None) -> RunFolder:
    run = RunFolder.create(path, config or {"job": "pretrain", "seed": 3})
    list(run.record(said(*events)))
    return run


def test_a_run_is_made_with_its_config_and_opened_again(tmp_path: Path) -> None:
    config = {"job": "finetune", "data": {"folder": "Zürich", "side": 96}, "twin": True}
    RunFolder.create(tmp_path / "a" / "b", config)
    again = RunFolder.open(tmp_path / "a" / "b")
    assert again.config() == {"format": FORMAT, **config}
    assert again.job == "finetune"
    assert again.events() == []
    assert again.metrics() is None
    assert again.events_size() == 0


def test_an_empty_folder_can_become_a_run(tmp_path: Path) -> None:
    assert RunFolder.create(tmp_path, {"job": "pretrain"}).job == "pretrain"


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", CONFIG])
def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(DataError, match=r"exists already and is not empty"):
        RunFolder.create(tmp_path, {"job": "pretrain"})
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_a_place_where_no_folder_can_be_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    for path in (file, file / "run"):
        with pytest.raises(DataError, match="file"):
            RunFolder.create(path, {"job": "pretrain"})
    assert file.read_text() == "precious"


def test_a_folder_that_is_no_run_is_not_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=r"is not a run: there is no config\.toml"):
            RunFolder.open(path)


def test_an_event_is_on_disk_before_it_is_handed_on(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {"job": "pretrain"})
    seen: list[Event] = []
    for event in run.record(said(START, step(1), step(2), END)):
        seen.append(event)
        assert RunFolder(run.path).events() == seen
    assert seen == [START, step(1), step(2), END]


def test_preparing_is_shown_but_not_written_down(tmp_path: Path) -> None:
    preparing = Preparing(stage=Message("Reading pictures"), done=1, total=2)
    run = RunFolder.create(tmp_path / "run", {"job": "pretrain"})
    assert list(run.record(said(preparing, START))) == [preparing, START]
    assert run.events() == [START]


def test_a_run_that_goes_on_appends(tmp_path: Path) -> None:
    run = made(tmp_path / "run", START, step(1))
    list(RunFolder(run.path).record(said(step(2))))
    assert run.events() == [START, step(1), step(2)]


@pytest.mark.parametrize(
    "torn", ['{"event": "StepDone", "st', "\0\0\0\0", '{"event": "Note", "level": "info", "text": ""}']
)
def test_a_torn_last_line_is_left_out_and_does_not_spoil_the_next(tmp_path: Path, torn: str) -> None:
    run = made(tmp_path / "run", START, step(1))
    with (run.path / EVENTS).open("a") as file:
        file.write(torn)
    assert run.events() == [START, step(1)]
    list(run.record(said(step(2), step(3))))
    assert run.events() == [START, step(1), step(2), step(3)]


def test_a_character_torn_in_two_does_not_hide_the_rest(tmp_path: Path) -> None:
    run = made(tmp_path / "run", START, Note(level="info", text=Message("Zürich")))
    content = (run.path / EVENTS).read_bytes()
    (run.path / EVENTS).write_bytes(content[: content.index("ü".encode()) + 1])
    assert run.events() == [START]


def test_events_after_a_checkpoint_are_cut_off(tmp_path: Path) -> None:
    run = made(tmp_path / "run", START, step(1))
    size = run.events_size()
    assert size == (run.path / EVENTS).stat().st_size > 0
    list(run.record(said(step(2), step(3))))
    run.cut_events(size)
    assert run.events() == [START, step(1)]
    run.cut_events(size + 1000)
    assert run.events_size() == size


def test_a_damaged_line_in_the_middle_is_said(tmp_path: Path) -> None:
    run = made(tmp_path / "run", START)
    with (run.path / EVENTS).open("a") as file:
        file.write("something else\n")
    list(run.record(said(step(1))))
    with pytest.raises(RunError, match="not a line of an events file"):
        run.events()


def test_json_files_are_strict_and_come_back(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    content = {"verdict": "Zürich", "value": 0.1 + 0.2, "rows": [[1, 2], []], "nothing": None}
    run.write_json("metrics.json", content)
    assert run.read_json("metrics.json") == content
    assert "Zürich" in (run.path / "metrics.json").read_text(encoding="utf-8")
    run.write_json("metrics.json", {"value": float("nan"), "rows": [float("inf"), 1.0]})
    assert run.read_json("metrics.json") == {"value": None, "rows": [None, 1.0]}


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    """Picture files may have names in another encoding; Python carries their bytes as lone surrogates."""
    odd = os.fsdecode(b"bl\xe4tter/1.png")
    run = made(tmp_path / "run", Note(level="info", text=plain(odd)))
    run.write_json("split.json", {"train": [odd]})
    assert run.read_json("split.json") == {"train": [odd]}
    assert run.events() == [Note(level="info", text=plain(odd))]
    (run.path / "split.json").read_bytes().decode("utf-8")


def test_a_folder_whose_name_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"folder.*UTF-8"):
        RunFolder.create(tmp_path / "run", {"data": {"folder": os.fsdecode(b"/bl\xe4tter")}})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\xff"])
def test_a_damaged_json_file_is_said(tmp_path: Path, content: bytes) -> None:
    run = made(tmp_path / "run")
    (run.path / "metrics.json").write_bytes(content)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        run.metrics()
    assert run.read_json("none.json") is None


@pytest.mark.parametrize("content", [b"seed = = 3", b"\xff\xfe"])
def test_a_damaged_config_is_said(tmp_path: Path, content: bytes) -> None:
    run = made(tmp_path / "run")
    (run.path / CONFIG).write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.toml is not a TOML file"):
        run.config()


@pytest.mark.parametrize(
    "content",
    [
        b"job = 7",
        b'job = "pretrain"\ndata = 7',
        b'job = "pretrain"\nhardware = {processes = "x"}',
        b"a = " + b"[" * 5000,
    ],
)
def test_a_config_with_values_of_other_types_is_listed_as_damaged(tmp_path: Path, content: bytes) -> None:
    run = made(tmp_path / "run")
    (run.path / CONFIG).write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.toml is damaged"):
        run.config()
    assert [one.outcome for one in list_runs(tmp_path)] == ["damaged"]


def test_runs_are_listed_newest_first_with_how_they_ended(tmp_path: Path) -> None:
    result = finetune_result(verdict="Pretraining helps")
    made(tmp_path / "done", START, step(1), step(9), END).write_json("metrics.json", result)
    made(tmp_path / "deep" / "er" / "cut", START, step(4), config={"job": "finetune"})
    stopped = RunFinished(outcome="stopped", step=2, seconds=1.0, metrics={})
    made(tmp_path / "stopped", START, step(2), stopped)
    made(tmp_path / "fresh")
    for number, name in enumerate(("done", "deep/er/cut", "stopped", "fresh")):
        os.utime(tmp_path / name / CONFIG, (1000 + number, 1000 + number))
    listed = [
        (run.path.name, run.job, run.title, run.outcome, run.step, run.total_steps) for run in list_runs(tmp_path)
    ]
    assert listed == [
        ("fresh", "pretrain", "fresh", "interrupted", 0, 0),
        ("stopped", "pretrain", "Jigsaw on shapes", "stopped", 2, 9),
        ("cut", "finetune", "Jigsaw on shapes", "interrupted", 4, 9),
        ("done", "pretrain", "Jigsaw on shapes", "finished", 9, 9),
    ]
    assert [run.headline for run in list_runs(tmp_path)] == ["", "", "", "Pretraining helps"]


def test_a_run_that_went_on_after_its_end_is_not_finished(tmp_path: Path) -> None:
    stopped = RunFinished(outcome="stopped", step=2, seconds=1.0, metrics={})
    made(tmp_path / "run", START, step(2), stopped, START, step(3))
    assert list_runs(tmp_path)[0].outcome == "interrupted"


@pytest.mark.parametrize(
    ("name", "content"),
    [(CONFIG, b"seed = = 3"), (CONFIG, b"\xff\xfe"), (EVENTS, b"nonsense\n"), ("metrics.json", b"{")],
)
def test_a_damaged_run_is_listed_as_such_beside_the_others(tmp_path: Path, name: str, content: bytes) -> None:
    made(tmp_path / "good", START, END)
    bad = made(tmp_path / "bad", START, END)
    (bad.path / name).write_bytes(content)
    assert {run.path.name: run.outcome for run in list_runs(tmp_path)} == {"good": "finished", "bad": "damaged"}


def test_a_folder_without_runs_and_one_that_is_missing(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == []
    with pytest.raises(DataError, match="There is no folder"):
        list_runs(tmp_path / "none")


def test_the_folder_itself_can_be_a_run(tmp_path: Path) -> None:
    made(tmp_path / "run", START, END)
    assert [run.path for run in list_runs(tmp_path / "run")] == [tmp_path / "run"]


def test_a_config_of_another_program_is_not_a_run(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.toml").write_text("[server]\nport = 1\n")
    assert list_runs(tmp_path) == []


def test_a_run_that_is_moved_away_meanwhile_has_no_line(tmp_path: Path) -> None:
    assert run_folder.summary_of(tmp_path / "gone") is None


def test_a_run_that_is_moved_away_while_runs_are_listed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kept", "moved"):
        RunFolder.create(tmp_path / "runs" / name, {"job": "pretrain"})
    plain = os.scandir

    def moved_after_the_first_look(folder: Path) -> Any:
        found: Any = plain(folder)
        if Path(folder) == tmp_path / "runs":
            found = list(found)
            (tmp_path / "runs" / "moved").rename(tmp_path / "elsewhere")
        return found

    monkeypatch.setattr(os, "scandir", moved_after_the_first_look)
    assert [run.path.name for run in list_runs(tmp_path / "runs")] == ["kept"]
