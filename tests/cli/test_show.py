from pathlib import Path

import pytest
from PIL import Image

from sslstudio.cli.main import main
from tests.engine.pretraining.test_animation import run_with


def test_a_run_becomes_a_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = run_with(tmp_path / "run", (False,), (True,)).path, tmp_path / "solved.gif"
    assert main(["gif", str(run), "--out", str(out)]) == 0
    assert "2 pictures" in capsys.readouterr().out
    before = out.read_bytes()
    with Image.open(out) as film:
        assert film.n_frames == 2  # type: ignore[attr-defined]
    assert main(["gif", str(run), "--out", str(out)]) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert out.read_bytes() == before
