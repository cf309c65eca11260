"""The bill of materials, the licence texts and the table of sizes are those of what is in the program."""

import importlib.metadata
import json
from pathlib import Path
from types import ModuleType

import pytest

from sslstudio.engine.about import licences as about
from tests.packaging.scripts import ROOT, script


@pytest.fixture
def parts() -> ModuleType:
    return script("parts")


@pytest.fixture
def bundle(tmp_path: Path, parts: ModuleType) -> tuple[Path, dict[str, str]]:
    """A small program of two real packages, and where its files came from."""
    folder = tmp_path / "SSLStudio"
    collected = {}
    for name in ("filelock", "polib"):
        for file in importlib.metadata.distribution(name).files or ():
            if file.suffix == ".py" or file.name == "METADATA":
                collected[str(file)] = str(file.locate())
    collected["resources/icons/app.svg"] = str(ROOT / "resources" / "icons" / "app.svg")
    for place, source in collected.items():
        target = folder / parts.INSIDE / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(source).read_bytes())
    (folder / "SSLStudio").write_bytes(b"0" * 1000)
    return folder, collected


def write_bill(parts: ModuleType, folder: Path, found: list[object]) -> None:
    parts.write_texts(found, parts.inside(folder) / parts.TEXTS)
    (parts.inside(folder) / parts.BILL).write_text(json.dumps(parts.bill_of(found)), encoding="utf-8")


def test_every_file_belongs_to_a_part_and_every_part_is_on_the_bill(
    parts: ModuleType, bundle: tuple[Path, dict[str, str]]
) -> None:
    folder, collected = bundle
    found = parts.find_parts(collected, folder)
    assert {part.name: part.kind for part in found} == {
        "filelock": "python", "polib": "python", "sslstudio": "own", "Python": "runtime"
    }  # fmt: skip
    assert sum(len(part.files) for part in found) == len(collected)
    write_bill(parts, folder, found)
    bill = parts.bill_of(found)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["name"] == "sslstudio"
    version = importlib.metadata.version("filelock")
    assert f"pkg:pypi/filelock@{version}" in [one["purl"] for one in bill["components"]]
    assert parts.bill_of(found) == bill  # nothing in it depends on the hour
    text = (parts.inside(folder) / parts.TEXTS / "polib.txt").read_text(encoding="utf-8")
    assert text.startswith("polib ")
    assert "Licence: " in text


def test_a_bill_that_is_not_of_the_program_is_found_out(
    parts: ModuleType, bundle: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, collected = bundle
    found = parts.find_parts(collected, folder)
    own = parts.inside(folder) / "sslstudio-9.dist-info"
    own.mkdir()
    (own / "METADATA").write_text(f"Name: sslstudio\nVersion: {parts._own().version}\n", encoding="utf-8")
    write_bill(parts, folder, found)
    assert parts.main(["--check", str(folder)]) == 0
    extra = parts.inside(folder) / "smuggled-1.0.dist-info"
    extra.mkdir()
    (extra / "METADATA").write_text("Name: smuggled\nVersion: 1.0\n", encoding="utf-8")
    (parts.inside(folder) / parts.TEXTS / "polib.txt").unlink()
    assert parts.main(["--check", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "smuggled 1.0 is in the program and not on the bill" in said
    assert "polib has no file of licence texts" in said


def test_the_sizes_add_up(parts: ModuleType, bundle: tuple[Path, dict[str, str]]) -> None:
    folder, collected = bundle
    sizes = dict(parts.table(parts.find_parts(collected, folder), folder))
    assert sizes["all"] == sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert sum(size for name, size in sizes.items() if name != "all") == sizes["all"]


def test_about_shows_the_bill_and_the_texts_of_a_built_program(
    parts: ModuleType, bundle: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, collected = bundle
    write_bill(parts, folder, parts.find_parts(collected, folder))

    def find(name: str) -> Path:
        file: Path = parts.inside(folder) / "resources" / name
        if not file.exists():
            raise FileNotFoundError(name)
        return file

    monkeypatch.setattr(about, "find_resource", find)
    found = about.licences()
    assert found[0].name == "sslstudio"
    assert {"Python", "filelock", "polib"} < {one.name for one in found}
    assert "Permission is hereby granted" in about.licence_text("polib")


def test_outside_of_one_the_texts_are_those_of_the_packages() -> None:
    assert "Redistribution" in about.licence_text("torchvision")
    assert about.licence_text("no such part") == ""
