"""What each arm of a fine-tuning cost."""

from pathlib import Path

from sslstudio.engine.finetuning.costs import note_costs, note_reading, read_costs
from sslstudio.engine.runs.run_folder import RunFolder


def test_an_arm_costs_its_training_and_the_reading_that_it_rests_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert read_costs(run) == {}  # of an earlier version
    for part, seconds in (("pretrained", 2.0), ("scratch", 1.0), ("general", 4.0), ("beside", 6.5)):
        note_reading(run, part, seconds)
    assert read_costs(run) == {}  # not finished
    parts = ("pretrained", "scratch", "untrained", "general", "beside")
    note_costs(run, parts, {"pretrained": (60.0, 400), "scratch": (50.0, 400)})
    assert {part: (cost["seconds"], cost["steps"]) for part, cost in read_costs(run).items()} == {
        "pretrained": (62.0, 400), "scratch": (51.0, 400), "untrained": (1.0, 0), "general": (4.0, 0),
        "beside": (6.5, 0),
    }  # fmt: skip


def test_masks_have_no_read_out_to_pay(tmp_path: Path) -> None:
    note_costs(RunFolder(tmp_path), ("scratch",), {"scratch": (9.0, 800)})
    assert read_costs(RunFolder(tmp_path)) == {"scratch": {"seconds": 9.0, "steps": 800}}
