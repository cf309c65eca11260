"""The tree of odd files, made once."""

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support import cache_kit, odd_broken, odd_dicom, odd_tiff, oddities


@pytest.fixture(scope="session")
def kit() -> ModuleType:
    """The module that makes odd files, for tests that need one more."""
    return oddities


@pytest.fixture(scope="session")
def odd_tree(kit: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """About 240 odd files (oddities.Made). Read only."""
    more = (partial(source, kit) for source in (odd_broken.broken, odd_tiff.tiffs, odd_dicom.dicoms))
    return kit.make(tmp_path_factory.mktemp("odd"), *more)


@pytest.fixture(scope="session")
def tools() -> ModuleType:
    """The module that builds and checks small caches."""
    return cache_kit


@pytest.fixture
def root(tools: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for number in range(20):
        tools.draw(folder / f"{number % 3}" / f"{number:02}.png", number)
    return folder
