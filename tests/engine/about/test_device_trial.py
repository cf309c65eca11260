"""`doctor --try`: a real step of each task on each device, in words where it does not work."""

import json
from unittest.mock import patch

import pytest
import torch

from sslstudio.cli.main import main
from sslstudio.engine.about import device_trial
from sslstudio.engine.about.device_trial import KINDS, Trial, try_devices
from sslstudio.engine.core.messages import NOTHING, plain
from sslstudio.engine.tasks.base import load_tasks
from tests.support.pretend_gpu import pretend_gpu


def test_every_task_and_both_fine_tunings_are_tried_here() -> None:
    trials = list(try_devices(pictures=4, side=32, seconds=0.0))
    cpu = [trial for trial in trials if trial.device == "cpu"]
    assert [trial.task for trial in cpu] == [*load_tasks(), *KINDS]
    assert not [trial for trial in cpu if trial.trouble]


@pytest.mark.parametrize("kind", ["cuda", pytest.param("mps", marks=pytest.mark.slow)])
def test_a_gpu_is_tried_before_the_cpu(kind: str) -> None:
    with pretend_gpu(kind):
        trials = list(try_devices(pictures=4, side=32, seconds=0.0, only=("rotation", *KINDS)))
    assert [trial.device for trial in trials] == [trials[0].device] * 3 + ["cpu"] * 3
    assert trials[0].device.startswith(kind)
    assert [str(trial.trouble) for trial in trials] == [""] * 6


def test_what_a_device_cannot_do_is_said_in_its_words() -> None:
    def missing(*_: object, **__: object) -> torch.Tensor:
        raise NotImplementedError("The operator 'aten::rot90' is not implemented for this device.\nand more")

    with patch.object(torch, "rot90", missing):
        (trial,) = (one for one in try_devices(pictures=4, side=32, seconds=0.0, only=("rotation",)))
    assert trial.trouble == "The operator 'aten::rot90' is not implemented for this device."


def test_the_command_prints_a_table_and_fails_where_something_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fine, bad = (
        Trial("cpu", "rotation", "float32", NOTHING, 1234.5),
        Trial("mps", "jigsaw", "float32", plain("no"), 0.0),
    )
    monkeypatch.setattr(device_trial, "try_devices", lambda: iter([fine]))
    assert main(["doctor", "--try"]) == 0
    assert "works    1,234 pictures a second" in capsys.readouterr().out.splitlines()[-1]
    monkeypatch.setattr(device_trial, "try_devices", lambda: iter([fine, bad]))
    assert main(["doctor", "--try", "--json"]) == 1
    tried = json.loads(capsys.readouterr().out.splitlines()[-1])["Tried"]
    assert [(one["task"], one["works"]) for one in tried] == [("rotation", True), ("jigsaw", False)]
