"""Puts resources/, which lies beside the package in the source tree, inside the package in the wheel."""

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

SOURCE = Path("resources")  # setuptools runs in the folder of pyproject.toml
TARGET = Path("sslstudio", "resources")


class BuildPy(build_py):  # type: ignore[misc]  # setuptools has no types
    """setuptools' step that gathers the package, and the resources after it."""

    def run(self) -> None:
        """Gather; an editable installation finds the resources in the source tree."""
        super().run()
        if not self.editable_mode:
            shutil.copytree(SOURCE, Path(self.build_lib) / TARGET, dirs_exist_ok=True)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What was written, in build_lib."""
        added = [str(Path(self.build_lib) / TARGET / file.relative_to(SOURCE)) for file in _files()]
        return [*super().get_outputs(include_bytecode), *added]

    def get_source_files(self) -> list[str]:
        """What a source distribution must hold to build from."""
        return [*super().get_source_files(), *map(str, _files()), "packaging/with_resources.py"]


def _files() -> list[Path]:
    return sorted(file for file in SOURCE.rglob("*") if file.is_file())
