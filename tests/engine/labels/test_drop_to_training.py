"""A folder of another program goes from drop to trained classes or masks with nothing chosen but where it lies."""

from pathlib import Path

import pytest

from sslstudio.cli.main import main
from tests.engine.labels.formats import test_drawn_formats as layouts

TINY = [
    "--epochs", "1", "--side", "32", "--encoder", "small", "--device", "cpu", "--no-twin", "--no-general", "--no-watch",
]  # fmt: skip


def _train(kind: str, folder: Path, out: Path) -> None:
    assert main(["finetune", str(folder), "--kind", kind, "--out", str(out), *TINY]) == 0
    assert (out / "metrics.json").is_file()


@pytest.mark.parametrize(
    "layout", [pytest.param(one, marks=() if one == "labelme" else pytest.mark.slow) for one in layouts.LAYOUTS]
)
def test_masks_are_trained(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "COUNT", 20)
    layouts.LAYOUTS[layout][0](tmp_path / "pictures")
    _train("segmentation", tmp_path / "pictures", tmp_path / "run")


@pytest.mark.slow
def test_classes_of_boxes_are_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "COUNT", 20)
    layouts._voc(tmp_path / "pictures")
    _train("classification", tmp_path / "pictures", tmp_path / "run")
