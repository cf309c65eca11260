"""What the workflow, the hooks and the lowest dependencies name is there, and the same as in pyproject.toml."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def lowest() -> ModuleType:
    """The script that writes the constraints."""
    spec = importlib.util.spec_from_file_location("lowest", ROOT / "packaging" / "lowest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lowest_dependencies_are_the_bounds_of_the_project(lowest: ModuleType) -> None:
    """After a change of a dependency: python packaging/lowest.py."""
    written = (ROOT / "packaging" / "constraints-lowest.txt").read_text(encoding="utf-8")
    assert written == lowest.expected()
    pinned = re.findall(r"^([\w.-]+)==\S+$", written, re.MULTILINE)
    assert {"torch", "PySide6-Essentials", "pytest", "onnx"} <= set(pinned)
    assert len(pinned) == written.count("\n") - 1


def test_all_dependencies_have_a_tested_upper_bound() -> None:
    """After a version was tested: python packaging/tested.py."""
    text = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8")
    highest = {name: Version(bound) for name, bound in re.findall(r"^([\w-]+)<=(\S+)$", text, re.MULTILINE)}
    assert len(highest) == text.count("\n") - 1
    extras = PROJECT["optional-dependencies"]
    for one in [*PROJECT["dependencies"], *extras["export"], *extras["timm"], *extras["fast"]]:
        wanted = Requirement(one)
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert wanted.specifier.contains(highest[name]), f"{one}: {highest[name]} was tested"


def test_known_vulnerabilities_are_looked_for_in_what_was_tested() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    assert "pip_audit" in text
    assert text.count("--constraint packaging/constraints.txt") == 2


def test_checks_and_installers_are_made_of_what_was_tested() -> None:
    for file in (ROOT / ".ci" / "run", WORKFLOW.with_name("release.yml")):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "pip install" in line]
        assert lines
        first = next(line for line in lines if re.search(r'install .*"\.\[', line))
        assert "--constraint packaging/constraints.txt" in first, first


def test_a_dependency_without_a_lower_bound_is_refused(lowest: ModuleType) -> None:
    project = {"dependencies": ["numpy>=1.26", "torch"], "optional-dependencies": {"export": [], "test": []}}
    with pytest.raises(ValueError, match=r"'torch' .* no lower bound"):
        lowest.constraints(project)


def test_the_workflow_names_what_is_there() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    extras = {one for found in re.findall(r'-e "\.\[([\w,]+)\]"', text) for one in found.split(",")}
    assert extras == {"test", "coverage"} & set(PROJECT["optional-dependencies"])
    for file in re.findall(r"--constraint (\S+)|run: (\.ci/\S+)", text):
        assert (ROOT / "".join(file)).is_file()
    for system in ("ubuntu", "windows", "macos"):
        assert f"{system}-latest" in text
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    needed = re.search(r"needed=\(([^)]+)\)", checks)
    assert needed is not None
    assert f"QT_PACKAGES: {needed[1]}\n" in text


def test_the_hooks_use_the_tools_of_the_test_extra() -> None:
    text = HOOKS.read_text(encoding="utf-8")
    tools = {entry.split()[0] for entry in re.findall(r"entry: (.+)", text)} - {"python"}
    assert tools == {"ruff", "mypy"}
    assert tools <= {re.split(r"[>=\[]", one)[0] for one in PROJECT["optional-dependencies"]["test"]}
    assert text.count("language: system") == text.count("- id: ")  # nothing is fetched
    for script in re.findall(r"entry: python (\S+)", text):
        assert (ROOT / script).is_file()
