"""`doctor --try`: a real step of each task on each device, in words where it does not work."""

import json
from collections.abc import Iterable, Iterator
from unittest.mock import patch

import pytest
import torch

from sslstudio.cli.main import main
from sslstudio.engine.about import device_trial
from sslstudio.engine.about.device_trial import KINDS, Trial, Trying, try_devices
from sslstudio.engine.core.messages import NOTHING, plain
from sslstudio.engine.tasks.base import load_tasks
from tests.support.pretend_gpu import pretend_gpu


def trials_of(said: Iterable[Trying | Trial]) -> list[Trial]:
    return [one for one in said if isinstance(one, Trial)]


def test_every_task_and_both_fine_tunings_are_tried_here() -> None:
    said = list(try_devices(pictures=4, side=32, seconds=0.0))
    trials = trials_of(said)
    cpu = [trial for trial in trials if trial.device == "cpu"]
    assert [trial.task for trial in cpu] == [*load_tasks(), *KINDS]
    assert not [trial for trial in cpu if trial.trouble]
    asked = [one for one in said if isinstance(one, Trying) and one.device == "cpu"]
    assert [(one.task, one.number, one.count) for one in asked] == [
        (trial.task, number, len(cpu)) for number, trial in enumerate(cpu, start=1)
    ]


@pytest.mark.parametrize("kind", ["cuda", pytest.param("mps", marks=pytest.mark.slow)])
def test_a_gpu_is_tried_before_the_cpu(kind: str) -> None:
    with pretend_gpu(kind):
        trials = trials_of(try_devices(pictures=4, side=32, seconds=0.0, only=("rotation", *KINDS)))
    assert [trial.device for trial in trials] == [trials[0].device] * 3 + ["cpu"] * 3
    assert trials[0].device.startswith(kind)
    assert [str(trial.trouble) for trial in trials] == [""] * 6


def test_what_a_device_cannot_do_is_said_in_its_words() -> None:
    def missing(*_: object, **__: object) -> torch.Tensor:
        raise NotImplementedError("The operator 'aten::rot90' is not implemented for this device.\nand more")

    with patch.object(torch, "rot90", missing):
        (trial,) = trials_of(try_devices(pictures=4, side=32, seconds=0.0, only=("rotation",)))
    assert trial.trouble == "The operator 'aten::rot90' is not implemented for this device."


def test_a_task_that_raises_what_nobody_expects_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: torch.nn.Module, *_: object) -> None:
        raise KeyError("a library that is missing\nand more")

    monkeypatch.setattr(load_tasks()["jigsaw"], "prepare", broken)
    first, second = trials_of(try_devices(pictures=4, side=32, seconds=0.0, only=("jigsaw", "rotation")))
    assert str(first.trouble).startswith("KeyError")
    assert not second.trouble


FINE, BAD = (
    Trial("cpu", "rotation", "float32", NOTHING, 1234.5),
    Trial("mps", "jigsaw", "float32", plain("no"), 0.0),
)


def test_the_command_prints_a_table_and_fails_where_something_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_trial, "try_devices", lambda: iter([Trying("cpu", "rotation", 1, 15), FINE]))
    assert main(["doctor", "--try"]) == 0
    *_, line, last = capsys.readouterr().out.splitlines()
    assert line == "cpu      1 of 15  rotation             float32   works    1,234 pictures a second"
    assert last == "1 of 1 work."
    old = Trial("cuda:0", "", "", plain("its driver is too old"), 0.0)
    said = [old, Trying("cpu", "rotation", 1, 1), FINE, Trying("mps", "jigsaw", 1, 1), BAD]
    monkeypatch.setattr(device_trial, "try_devices", lambda: iter(said))
    assert main(["doctor", "--try"]) == 1
    lines = capsys.readouterr().out.splitlines()[-4:]
    assert lines[0] == "cuda:0   its driver is too old"
    assert lines[2].endswith("does not work: no")
    assert lines[3].startswith("1 of 3 work. Take another device")
    assert main(["doctor", "--try", "--json"]) == 1
    tried = json.loads(capsys.readouterr().out.splitlines()[-1])["Tried"]
    assert [(one["task"], one["works"]) for one in tried] == [("", False), ("rotation", True), ("jigsaw", False)]


@pytest.mark.parametrize("json_too", [False, True])
def test_ctrl_c_ends_the_trials_and_leaves_what_was_found(
    json_too: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> Iterator[Trying | Trial]:
        yield Trying("cpu", "rotation", 1, 2)
        yield FINE
        yield Trying("cpu", "jigsaw", 2, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(device_trial, "try_devices", interrupted)
    assert main(["doctor", "--try", *["--json"] * json_too]) == 130
    out, error = capsys.readouterr()
    assert error == "sslstudio: Interrupted.\n"
    if json_too:
        assert [one["task"] for one in json.loads(out)["Tried"]] == ["rotation"]
    else:
        assert out.endswith("\n")
        assert "jigsaw" in out.splitlines()[-1], "at which it was"
