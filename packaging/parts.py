"""What the built program is made of: its licence texts, a bill of materials, and the size of every part.

    python packaging/parts.py            after packaging/build.py, in the environment that it was built in
    python packaging/parts.py --copy NAME       bill and sizes as files beside the installers, for a release
    python packaging/parts.py --check FOLDER    whether the bill of a program names just what is there

Written into the program are resources/licences/PART.txt and resources/bill-of-materials.json (CycloneDX 1.5), which
*About* shows, and beside it packaging/dist/sizes.json. Packages of Python are those whose files were collected, system
libraries are known by the Debian package that they came from.
"""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILT, COLLECTED = HERE / "dist" / "SSLStudio", HERE / "build" / "sslstudio" / "collected.json"
BILL = Path("resources") / "bill-of-materials.json"
TEXTS = Path("resources") / "licences"
INSIDE = "_internal"  # where PyInstaller puts all but the executables; an .app keeps it in Contents/Frameworks
TEXT_NAMES = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
COMMON = Path("/usr/share/common-licenses")  # of Debian: texts for packages that only name theirs
COMMON_TEXTS = {"LGPL-3": "LGPL-3", "LGPLv3": "LGPL-3", "Apache": "Apache-2.0", "MPL-2": "MPL-2.0", "GPL-3": "GPL-3"}


@dataclass
class Part:
    """Something that others wrote and that is in the program. `kind`: own, python, runtime, tool, system or other."""

    name: str
    version: str
    licence: str
    kind: str
    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    bytes: int = 0

    def purl(self) -> str:
        """The package's address as bills of materials write it."""
        if self.kind == "system":
            return f"pkg:deb/debian/{self.name}@{self.version}"
        if self.kind in ("python", "tool", "own"):
            return f"pkg:pypi/{normal(self.name)}@{self.version}"
        return f"pkg:generic/{self.name.lower().replace(' ', '-')}@{self.version}"


def normal(name: str) -> str:
    """The name of a package as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def inside(folder: Path) -> Path:
    """Where the parts lie: in a folder that PyInstaller made, or in an application of macOS."""
    return next((one for one in (folder / INSIDE, folder / "Contents" / "Resources") if one.is_dir()), folder)


# Which part a file belongs to


def find_parts(collected: Mapping[str, str], folder: Path) -> list[Part]:
    """Every part with its files and their sizes, the largest first."""
    parts: dict[str, Part] = {}
    owners = _owners_of_packages(collected.values())
    debian = _owners_of_system([source for source in collected.values() if os.path.realpath(source) not in owners])
    for place, source in collected.items():
        file = inside(folder) / place
        if not file.exists() or file.is_symlink():
            continue
        part = _part_of(os.path.realpath(source), owners, debian)
        known = parts.setdefault(f"{part.kind} {part.name}", part)
        known.files.append(Path(place).as_posix())
        known.bytes += file.stat().st_size
    for always in (_python(), _own()):
        parts.setdefault(f"{always.kind} {always.name}", always)
    return sorted(parts.values(), key=lambda part: (-part.bytes, part.name))


def _owners_of_packages(sources: Iterable[str]) -> dict[str, importlib.metadata.Distribution]:
    """The package of each of these files that one owns."""
    asked = {os.path.realpath(source) for source in sources}
    found: dict[str, importlib.metadata.Distribution] = {}
    for one in importlib.metadata.distributions():
        base = os.path.realpath(str(one.locate_file("")))
        for file in one.files or ():
            path = os.path.normpath(os.path.join(base, str(file)))
            if path in asked:
                found[path] = one
    return found


def _owners_of_system(sources: Iterable[str]) -> dict[str, str]:
    """The Debian package of each file that one owns; nothing on other systems. Read from dpkg's lists, because asking
    dpkg takes a minute for some hundred files."""
    asked = {form: real for source in sources for real in [os.path.realpath(source)]
             for form in (real, real.removeprefix("/usr"), source)}  # fmt: skip
    owners = {}
    for listing in Path("/var/lib/dpkg/info").glob("*.list"):
        for path in asked.keys() & set(listing.read_text(encoding="utf-8", errors="replace").splitlines()):
            owners[asked[path]] = listing.stem.partition(":")[0]
    return owners


def _part_of(source: str, owners: Mapping[str, importlib.metadata.Distribution], debian: Mapping[str, str]) -> Part:
    if source in owners:
        return _package(owners[source])
    if source in debian:
        return _system(debian[source])
    if Path(source).is_relative_to(ROOT):
        return _own()
    if Path(source).is_relative_to(os.path.realpath(sys.base_prefix)):
        return _python()
    return Part(Path(source).name, "", "", "other")


@cache
def _own() -> Part:
    version = re.search(r'__version__ = "([^"]+)"', (ROOT / "sslstudio" / "__init__.py").read_text(encoding="utf-8"))
    assert version is not None
    return Part("sslstudio", version[1], "MIT", "own", [(ROOT / "LICENSE").read_text(encoding="utf-8")])


@cache
def _python() -> Part:
    places = [*Path(sys.base_prefix).glob("lib/python3*/LICENSE.txt"), Path(sys.base_prefix) / "LICENSE.txt"]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in places if file.is_file()]
    return Part("Python", platform.python_version(), "PSF-2.0", "runtime", texts[:1])


@cache
def _package(one: importlib.metadata.Distribution) -> Part:
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from sslstudio.engine.about.licences import licence_of

    said = licence_of(one)
    texts = [
        f"{file.name}\n\n{Path(str(file.locate())).read_text(encoding='utf-8', errors='replace')}"
        for file in one.files or ()
        if TEXT_NAMES.search(file.name) and file.suffix.lower() in ("", ".txt", ".md", ".rst")
        and (len(file.parts) <= 2 or any(part.endswith((".dist-info", "licenses")) for part in file.parts))
    ]  # fmt: skip
    kind = {"uv": "tool", "sslstudio": "own"}.get(said.name.lower(), "python")
    return Part(said.name, said.version, said.licence, kind, texts)


@cache
def _system(package: str) -> Part:
    asked = ["dpkg-query", "-W", "-f=${Version}", package]
    version = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    file = Path("/usr/share/doc") / package / "copyright"
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    names = sorted(set(re.findall(r"^License: (\S+)", text, re.MULTILINE)))
    return Part(package, version, ", ".join(names)[:160] or "see its text", "system", [text] if text else [])


# What is written


def texts_of(part: Part) -> list[str]:
    """The licence texts of a part: its own, else those that it names, as far as the system has them."""
    if part.texts:
        return part.texts
    files = dict.fromkeys(COMMON / file for name, file in COMMON_TEXTS.items() if name in part.licence)
    return [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]


def write_texts(parts: Iterable[Part], folder: Path) -> list[str]:
    """Write a file of licence texts for each part; returns the names of those that have none."""
    folder.mkdir(parents=True, exist_ok=True)
    without = []
    for part in parts:
        texts = texts_of(part)
        head = f"{part.name} {part.version}\nLicence: {part.licence or 'not named by the package'}\n"
        if not texts:
            without.append(part.name)
            texts = ["The package brings no text of its licence along."]
        (folder / f"{normal(part.name)}.txt").write_text("\n\n".join([head, *texts]), encoding="utf-8")
    return without


def bill_of(parts: Iterable[Part]) -> dict[str, Any]:
    """The bill of materials, CycloneDX 1.5. Its number follows from its content."""
    own = next(part for part in parts if part.kind == "own")
    listed = [_component(part) for part in sorted(parts, key=lambda part: normal(part.name)) if part.kind != "own"]
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(listed, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": {"component": {**_component(own), "type": "application"}},
        "components": listed,
    }


def _component(part: Part) -> dict[str, Any]:
    licences = [{"license": {"name": part.licence}}] if part.licence else []
    return {
        "type": "library",
        "bom-ref": part.purl(),
        "name": part.name,
        "version": part.version,
        "purl": part.purl(),
        "licenses": licences,
        "properties": [
            {"name": "sslstudio:kind", "value": part.kind},
            {"name": "sslstudio:licence-text", "value": f"{normal(part.name)}.txt"},
        ],
    }


def check_bill(folder: Path) -> list[str]:
    """What is wrong with the bill of a program: packages that are there and not on it, and the other way round."""
    place = inside(folder)
    bill = json.loads((place / BILL).read_text(encoding="utf-8"))
    listed = [*bill["components"], bill["metadata"]["component"]]
    kinds = {one["name"]: {p["name"]: p["value"] for p in one["properties"]}["sslstudio:kind"] for one in listed}
    named = {(normal(one["name"]), one["version"]) for one in listed if kinds[one["name"]] in ("python", "tool", "own")}
    there = {(normal(one.metadata["Name"]), one.version) for one in importlib.metadata.distributions(path=[str(place)])}
    wrong = [f"{name} {version} is in the program and not on the bill" for name, version in sorted(there - named)]
    wrong += [f"{name} {version} is on the bill and not in the program" for name, version in sorted(named - there)]
    for one in listed:
        if not (place / TEXTS / f"{normal(one['name'])}.txt").is_file():
            wrong.append(f"{one['name']} has no file of licence texts")
    return wrong


# How large it is


def table(parts: Iterable[Part], folder: Path) -> list[tuple[str, int]]:
    """Name and bytes of every part, the largest first; the executables hold the compiled modules of all."""
    listed = [(part.name, part.bytes) for part in parts if part.bytes]
    programs = [file for file in folder.iterdir() if file.is_file() and not file.is_symlink()]
    library = inside(folder) / "base_library.zip"
    listed += [(f"{file.name} (with the modules of Python in it)", file.stat().st_size) for file in programs]
    if library.is_file():
        listed.append((library.name, library.stat().st_size))
    all_bytes = sum(one.lstat().st_size for one in folder.rglob("*") if one.is_file() and not one.is_symlink())
    listed.append(("licence texts and the rest", all_bytes - sum(size for _, size in listed)))
    return [*sorted(listed, key=lambda one: -one[1]), ("all", all_bytes)]


def copy_beside(system: str) -> int:
    """Put the bill and the sizes beside the installers, named after the system, for a release."""
    shutil.copyfile(inside(BUILT) / BILL, HERE / "dist" / f"sslstudio-{system}.cdx.json")
    shutil.copyfile(HERE / "dist" / "sizes.json", HERE / "dist" / f"sslstudio-{system}.sizes.json")
    return 0


def main(arguments: list[str]) -> int:
    """Write texts, bill and sizes, or check a bill."""
    if arguments[:1] == ["--check"]:
        wrong = check_bill(Path(arguments[1]))
        print("\n".join(wrong) or "The bill of materials names what is there.")
        return 1 if wrong else 0
    if arguments[:1] == ["--copy"]:
        return copy_beside(arguments[1])
    parts = find_parts(json.loads(COLLECTED.read_text(encoding="utf-8")), BUILT)
    without = write_texts(parts, inside(BUILT) / TEXTS)
    (inside(BUILT) / BILL).write_text(json.dumps(bill_of(parts), indent=1), encoding="utf-8")
    sizes = table(parts, BUILT)
    (HERE / "dist" / "sizes.json").write_text(json.dumps(dict(sizes), indent=1), encoding="utf-8")
    for name, size in sizes:
        print(f"{size / 1e6:10.2f} MB  {name}")
    if without:
        print(f"No licence text comes with: {', '.join(without)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
