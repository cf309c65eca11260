"""Which pictures were really decoded."""

from pathlib import Path

import pytest

from sslstudio.engine.images.cache import reader as cache_reader
from sslstudio.engine.images.formats.decode import Squeezed, squeeze


def watch(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A list that grows by each file that is decoded from now on."""
    files: list[Path] = []

    def watched(file: Path, side: int) -> Squeezed:
        files.append(file)
        return squeeze(file, side)

    monkeypatch.setattr(cache_reader, "squeeze", watched)
    return files
