"""The tree of odd files, made once."""

import importlib.util
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    """A module beside this file: the folders of tests are no packages."""
    spec = importlib.util.spec_from_file_location(f"data_tests_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def kit() -> ModuleType:
    """The module that makes odd files, for tests that need one more."""
    return load("oddities")


@pytest.fixture(scope="session")
def odd_tree(kit: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """About 240 odd files (oddities.Made). Read only."""
    broken, tiff, dicom = load("odd_broken"), load("odd_tiff"), load("odd_dicom")
    more = (partial(source, kit) for source in (broken.broken, tiff.tiffs, dicom.dicoms))
    return kit.make(tmp_path_factory.mktemp("odd"), *more)


@pytest.fixture(scope="session")
def tools() -> ModuleType:
    """The module that builds and checks small caches."""
    return load("cache_kit")


@pytest.fixture
def root(tools: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for number in range(20):
        tools.draw(folder / f"{number % 3}" / f"{number:02}.png", number)
    return folder
